"""Review: the ranked candidates and everything that is known of the chosen one."""

from __future__ import annotations

import panel as pn

from app.context import AppContext
from app.http.identity import current_grader
from app.review.handlers import review_service, workspace_mark
from app.review.inspection import panel_start
from app.review.samp import follow, samp_link
from app.review.view import ReviewDesk
from app.shell import shell


def page(context: AppContext) -> pn.viewable.Viewable:
    """The page, for the query string of this session's address."""
    grader = current_grader(context)
    service = review_service(context, grader)
    arguments = {
        name: [value.decode("utf-8", "replace") for value in values]
        for name, values in pn.state.session_args.items()
    }
    start = {
        **service.start(arguments),
        **panel_start(grader),
        "workspace": workspace_mark(context),
    }
    desk = ReviewDesk(start=start, sizing_mode="stretch_both", margin=0)
    stop = follow(samp_link(context.workspace), context.database, desk.push)
    pn.state.on_session_destroyed(lambda _session: stop())
    return shell("Review", desk, context=context, heading=False)
