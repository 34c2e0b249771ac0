"""Review: the ranked candidates and everything that is known of the chosen one."""

from __future__ import annotations

from lens_triage.app import acts
from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import current_grader
from lens_triage.app.preferences import stored_preferences
from lens_triage.app.review.events import workspace_mark
from lens_triage.app.review.handlers import review_service
from lens_triage.app.review.inspection import panel_start
from lens_triage.app.review.samp import follow, samp_link
from lens_triage.app.review.view import ReviewView
from lens_triage.app.shell import Body, shell
from lens_triage.app.visits import current_visit


def page(context: AppContext) -> Body:
    """The page, for the query string of this session's address."""
    grader = current_grader(context)
    visit = current_visit()
    service = review_service(context, grader)
    with context.database.session() as session:
        shown = service.start(session, visit.arguments)
    selection = shown["selection"]
    if selection is not None:
        acts.go_on_with_selection(context, selection["id"])
    start = {
        **shown,
        **panel_start(grader),
        "workspace": workspace_mark(context),
        "preferences": stored_preferences(context),
    }
    view = ReviewView(start=start, sizing_mode="stretch_both", margin=0)
    stop = follow(samp_link(context.workspace), context, view.push)
    visit.on_leave(stop)
    return shell("Review", view, context=context, heading=False)
