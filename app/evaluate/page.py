"""Evaluate: how good an ensemble is, and where it fails."""

from __future__ import annotations

from lens_triage.app.context import AppContext
from lens_triage.app.evaluate.view import EvaluationBoard
from lens_triage.app.shell import Body, argument, shell
from lens_triage.app.widgets.live import live


def page(context: AppContext) -> Body:
    """The page; ``?ensemble=`` chooses what it begins with."""
    board = EvaluationBoard(context, ensemble=argument("ensemble"))
    live(board.refresh)
    return shell("Evaluate", board.__panel__(), context=context)
