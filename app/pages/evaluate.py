"""Evaluate: how good an ensemble is, and where it fails."""

from __future__ import annotations

import panel as pn

from app.components.evaluation_board import EvaluationBoard
from app.components.live import live
from app.context import AppContext
from app.shell import argument, shell


def page(context: AppContext) -> pn.viewable.Viewable:
    """The page; ``?ensemble=`` chooses what it begins with."""
    board = EvaluationBoard(context, ensemble=argument("ensemble"))
    live(board.refresh)
    return shell("Evaluate", board.__panel__(), context=context)
