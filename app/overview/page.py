"""Overview: what is in the workspace, what runs, and what to do next."""

from __future__ import annotations

from lens_triage.app.context import AppContext
from lens_triage.app.overview.view import OverviewBoard
from lens_triage.app.shell import Body, shell


def page(context: AppContext) -> Body:
    """The page."""
    return shell("Overview", OverviewBoard(context).__panel__(), context=context)
