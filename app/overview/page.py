"""Overview: what is in the workspace, what runs, and what to do next."""

from __future__ import annotations

from app.context import AppContext
from app.overview.view import OverviewBoard
from app.shell import Body, shell


def page(context: AppContext) -> Body:
    """The page."""
    return shell("Overview", OverviewBoard(context).__panel__(), context=context)
