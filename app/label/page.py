"""Label: sessions of candidates to grade, and the view where they are graded."""

from __future__ import annotations

from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import current_grader
from lens_triage.app.label.service import LabelService
from lens_triage.app.label.sessions import SessionBoard
from lens_triage.app.label.view import LabelingView
from lens_triage.app.shell import Body, argument, shell
from lens_triage.app.widgets.live import live
from lensing_core.errors import PolicyError

_PERIOD_MS = 3000


def page(context: AppContext) -> Body:
    """The page; ``?session=`` names the session to grade."""
    grader = current_grader(context)
    session_id = argument("session")
    if session_id:
        if grader is None:
            raise PolicyError("Sign in (top right) to grade this session.")
        view = LabelingView(LabelService(context).start(session_id, grader))
        return shell("Label", view, context=context, heading=False)
    board = SessionBoard(context, grader)
    live(board.refresh, period_ms=_PERIOD_MS)
    return shell(
        "Label",
        board.__panel__(),
        context=context,
        subtitle="Sessions of candidates to grade; every grade is stored with its grader and time.",
    )
