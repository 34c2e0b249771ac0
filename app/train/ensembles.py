"""All ensembles with their metrics, which one is promoted, and how two of them differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import panel as pn

from lens_triage.app import acts
from lens_triage.app.acting import why_not
from lens_triage.app.context import AppContext
from lens_triage.app.runs.rows import (
    METRICS,
    metric_text,
)
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.catalog_view import by_test_set, measured_on
from lens_triage.app.widgets.choices import newest_promoted
from lens_triage.app.widgets.comparison import EnsembleComparison
from lens_triage.app.widgets.managing import ManagePanel, archived_switch
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import section
from lens_triage.app.widgets.steps import address
from lens_triage.app.widgets.table import (
    Row,
    Table,
    action,
    column,
)
from lensing_core.store.summaries import EnsembleSummary, list_ensembles

_SHOWN = {
    "tpr0": "TPR0",
    "tpr10": "TPR10",
    "recall_fpr_1e-2": "Recall, FPR 1e-2",
    "average_precision": "Average precision",
}
_COLUMNS = [
    column("name", "Ensemble"),
    column("state", "", width="84px"),
    column("members", "Members", width="14%"),
    *(
        column(name, title, align="right", width="11.5%", help_text=METRICS[name])
        for name, title in _SHOWN.items()
    ),
    column("when", "Made", align="right", width="80px"),
    column("act", "", align="right", width="112px"),
]
_NAMES = {"lightgbm": "trees", "network": "network", "pu_head": "head"}


class EnsembleBoard(pn.viewable.Viewer):
    """A table with promotion, and a comparison of two; :meth:`refresh` now and then."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._notice = Notice()
        self._no_promote, self._no_take_back = (
            why_not(context, name) for name in ("promote", "take_back")
        )
        self.table = Table(
            columns=_COLUMNS,
            label="Ensembles",
            selectable=True,
            empty="No ensemble yet: train one above.",
        )
        self.table.on_action(self._act)
        self.table.param.watch(lambda _: self._show_chosen(), "selected")
        self.archived = archived_switch()
        self.archived.param.watch(lambda _: self.refresh(), "value")
        self.managing = ManagePanel(context, "ensemble", "manage_ensembles", self.refresh)
        self._ensembles: dict[str, EnsembleSummary] = {}
        self._comparison = EnsembleComparison(context)
        self._view = section(
            "Ensembles",
            self.table,
            self._notice,
            self.managing,
            self._comparison.__panel__(),
            note="Metrics with 95 % intervals on the test split; those of different test sets "
            "are not comparable. "
            "The ensemble promoted last is the default.",
            aside=(self.archived,),
        )
        super().__init__()
        self.refresh()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def refresh(self) -> None:
        """Look again which ensembles there are."""
        found = self._context.database.ask(list_ensembles, archived=True)
        ensembles = [e for e in found if e.archived_at is None or self.archived.value]
        self.archived.visible = any(e.archived_at is not None for e in found)
        self._ensembles = {e.name: e for e in ensembles}
        current = newest_promoted(ensembles)
        self.table.update(
            by_test_set(
                ensembles,
                lambda e: ensemble_row(
                    e,
                    current=e.name == current,
                    forbidden=self._no_take_back if e.promoted_at else self._no_promote,
                ),
                measured_on,
            )
        )
        self._comparison.offer(ensembles)
        if self.table.selected not in self._ensembles:
            self.table.selected = next(iter(self._ensembles), "")
        self._show_chosen()

    def _show_chosen(self) -> None:
        chosen = self._ensembles.get(self.table.selected)
        if chosen is None:
            self.managing.offer("", "", archived=False)
        else:
            archived = chosen.archived_at is not None
            self.managing.offer(chosen.name, chosen.shown_name, archived=archived)

    def _act(self, name: str, key: str) -> None:
        with self._notice.guard():
            (acts.promote if name == "promote" else acts.take_back)(self._context, key)
        self.refresh()


def _state(ensemble: EnsembleSummary, *, current: bool) -> Any:
    if ensemble.problem:
        return {"text": "broken", "chip": "bad", "title": ensemble.problem}
    if ensemble.archived_at is not None:
        return {"text": "archived", "chip": "", "title": "Left out of lists and choices."}
    return {"text": "promoted", "chip": "success"} if current else ""


def ensemble_row(ensemble: EnsembleSummary, *, current: bool, forbidden: str = "") -> Row:
    """A row of the table.

    Parameters
    ----------
    forbidden : str, optional
        Why who is signed in may not promote it, or take back its promotion.
    """
    metrics: Mapping[str, Any] = ensemble.manifest.get("figures", {}).get("ensemble", {})
    kinds = [_NAMES.get(kind, kind) for _, kind in ensemble.members]
    counted = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    members = ", ".join(kind if n == 1 else f"{n} × {kind}" for kind, n in counted.items())
    catalogs = ", ".join(ensemble.manifest.get("catalogs", []))
    button = (
        action("take_back", "Take back", "No longer use it as the default", forbidden=forbidden)
        if ensemble.promoted_at
        else action(
            "promote",
            "Promote",
            "Use it as the default",
            forbidden=forbidden or ensemble.problem,
        )
    )
    return {
        "key": ensemble.name,
        "name": {
            "text": ensemble.shown_name,
            "title": f"{ensemble.name}, trained on {catalogs or 'unknown catalogs'}",
            "href": address("evaluate", ensemble=ensemble.name),
        },
        "state": _state(ensemble, current=current),
        "members": {
            "text": members,
            "note": fmt.words(ensemble.fusion).lower(),
            "title": f"{members}; fused by {fmt.words(ensemble.fusion).lower()}",
        },
        **{name: metric_text(metrics[name]) if name in metrics else "" for name in _SHOWN},
        "when": {"text": fmt.ago(ensemble.created_at), "title": fmt.moment(ensemble.created_at)},
        "act": {"actions": [button]},
    }
