"""Evaluate: how good an ensemble is, where it fails, and which lenses a search finds."""

from __future__ import annotations

from lens_triage.app.context import AppContext
from lens_triage.app.evaluate.selection import SelectionBoard
from lens_triage.app.evaluate.view import EvaluationBoard
from lens_triage.app.shell import Body, argument, shell
from lens_triage.app.widgets.lazy_tabs import LazyTabs, Tab
from lens_triage.app.widgets.live import live


def page(context: AppContext) -> Body:
    """The page; ``?tab=`` names the tab, ``?ensemble=`` chooses what it begins with."""
    ensemble = argument("ensemble")
    tabs = LazyTabs(
        (
            Tab("ensembles", "Ensembles", lambda: EvaluationBoard(context, ensemble=ensemble)),
            Tab("selection", "Selection function", lambda: SelectionBoard(context)),
        ),
        argument("tab"),
    )
    live(tabs.refresh)
    return shell("Evaluate", tabs.__panel__(), context=context, heading=False)
