"""Overview: what is in the workspace, what runs, and what to do next."""

from __future__ import annotations

import panel as pn

from app.context import AppContext
from app.overview.view import OverviewBoard
from app.shell import shell


def page(context: AppContext) -> pn.viewable.Viewable:
    """The page."""
    return shell("Overview", OverviewBoard(context).__panel__(), context=context)
