"""Settings: the workspace, its labels and backups, its surveys."""

from __future__ import annotations

import panel as pn

from app.context import AppContext
from app.settings.view import SettingsBoard
from app.shell import shell


def page(context: AppContext) -> pn.viewable.Viewable:
    """The page."""
    return shell("Settings", SettingsBoard(context).__panel__(), context=context)
