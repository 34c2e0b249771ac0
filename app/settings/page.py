"""Settings: the workspace, its labels and backups, its surveys."""

from __future__ import annotations

from lens_triage.app.context import AppContext
from lens_triage.app.settings.view import SettingsBoard
from lens_triage.app.shell import Body, shell


def page(context: AppContext) -> Body:
    """The page."""
    return shell("Settings", SettingsBoard(context).__panel__(), context=context)
