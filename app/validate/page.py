"""Validate: stages, moves by rule, checklists and confirmations; plans of observations; reports."""

from __future__ import annotations

from lens_triage.app.context import AppContext
from lens_triage.app.shell import Body, argument, shell
from lens_triage.app.validate.followup import FollowUpBoard
from lens_triage.app.validate.reporting import report_form
from lens_triage.app.validate.view import ValidationBoard
from lens_triage.app.visits import current_visit
from lens_triage.app.widgets.lazy_tabs import LazyTabs, Tab
from lens_triage.app.widgets.live import live


def page(context: AppContext) -> Body:
    """The page; ``?stage=`` and ``?candidate=`` choose what is shown first, ``?tab=`` the tab.

    Settings of a plan in the address (``site=``, ``nights=``, …) are what its form begins with.
    """
    words = current_visit().arguments
    tabs = LazyTabs(
        [
            Tab(
                "funnel",
                "Funnel",
                lambda: ValidationBoard(
                    context, stage=argument("stage"), candidate=argument("candidate")
                ),
            ),
            Tab("follow-up", "Follow-up", lambda: FollowUpBoard(context, words)),
            Tab("report", "Report", lambda: report_form(context, catalog=argument("catalog"))),
        ],
        wanted=argument("tab"),
    )
    live(tabs.refresh)
    return shell("Validate", tabs.__panel__(), context=context)
