"""Runs: all work that was ever queued here, with its log, its time and the disk that it takes."""

from __future__ import annotations

import panel as pn

from lens_triage.app.context import AppContext
from lens_triage.app.runs.history import RunHistory
from lens_triage.app.shell import Body, argument, shell
from lens_triage.app.widgets.live import live


def page(context: AppContext) -> Body:
    """The page; ``?run=`` opens one, ``kind`` and ``status`` limit the list."""
    history = RunHistory(
        context, run_id=argument("run"), kind=argument("kind"), status=argument("status")
    )
    live(history.refresh)
    view: pn.viewable.Viewable = history.__panel__()
    return shell("Runs", view, context=context)
