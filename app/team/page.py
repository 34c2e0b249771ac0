"""Team: what graders say together, how far they agree, and the rounds of the loop."""

from __future__ import annotations

from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import current_grader
from lens_triage.app.shell import Body, argument, shell
from lens_triage.app.team.view import TeamBoard
from lens_triage.app.widgets.notice import Notice


def page(context: AppContext) -> Body:
    """The page; ``?session=`` names a labeling session to invite somebody to."""
    grader = current_grader(context)
    if grader is None:
        notice = Notice()
        notice.say("Sign in at the top of the page to see your metrics.", "info")
        return shell("Team", notice.__panel__(), context=context)
    return shell(
        "Team", TeamBoard(context, grader, argument("session")).__panel__(), context=context
    )
