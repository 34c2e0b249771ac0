"""Validate: stages, moves by rule, checklists and confirmations."""

from __future__ import annotations

from lens_triage.app.context import AppContext
from lens_triage.app.shell import Body, argument, shell
from lens_triage.app.validate.view import ValidationBoard


def page(context: AppContext) -> Body:
    """The page; ``?stage=`` chooses the stage and ``?candidate=`` the candidate shown first."""
    board = ValidationBoard(context, stage=argument("stage"), candidate=argument("candidate"))
    return shell("Validate", board.__panel__(), context=context)
