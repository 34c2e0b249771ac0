"""All ensembles with their figures, which one is promoted, and how two of them differ."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import panel as pn
import panel_material_ui as pmui

from app.components import format as fmt
from app.components.live import in_background
from app.components.notice import Notice
from app.components.run_view import FIGURES, figure_text
from app.components.section import html, section, stack
from app.components.steps import address
from app.components.table import Row, Table, column
from app.context import AppContext
from lensing_core.errors import LensTriageError
from lensing_core.store.promotion import promote, take_back
from lensing_core.store.summaries import EnsembleSummary, list_ensembles
from training.fit.held_out import Comparison, HeldOut, compare_ensembles

_SHOWN = {
    "tpr0": "TPR0",
    "tpr10": "TPR10",
    "recall_fpr_1e-2": "Recall, FPR 1e-2",
    "average_precision": "Average precision",
}
_COLUMNS = [
    column("name", "Ensemble"),
    column("state", "", width="96px"),
    column("members", "Members", width="17%"),
    *(
        column(name, title, align="right", width="12.5%", help_text=FIGURES[name])
        for name, title in _SHOWN.items()
    ),
    column("when", "Made", align="right", width="84px"),
    column("act", "", align="right", width="112px"),
]
_CSS = """
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { font-weight: 500; color: var(--lt-muted); text-align: right; font-size: 12px; }
td { text-align: right; } th:first-child, td:first-child { text-align: left; }
th, td { padding: 5px 8px; border-bottom: 1px solid var(--lt-line); }
.sure { color: var(--lt-accent); font-weight: 500; }
p { margin: 0; color: var(--lt-muted); line-height: 1.5; }
"""
_NAMES = {"lightgbm": "trees", "network": "network"}


class EnsembleBoard(pn.viewable.Viewer):
    """A table with promotion, and a comparison of two; :meth:`refresh` now and then."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._notice = Notice()
        self._pair: tuple[str, str] | None = None
        self.table = Table(
            columns=_COLUMNS, label="Ensembles", empty="No ensemble yet: train one above."
        )
        self.table.on_action(self._act)
        style: dict[str, Any] = {"size": "small", "width": 230, "margin": 0}
        self.first = pmui.Select(label="Compare", **style)
        self.second = pmui.Select(label="with", **style)
        self._differences = html("", css=_CSS)
        choosers = pn.Row(self.first, self.second, margin=0, styles={"gap": "12px"})
        self._comparison = stack(choosers, self._differences, gap=10, margin=(8, 0, 0, 0))
        self._view = section(
            "Ensembles",
            self.table,
            self._notice,
            self._comparison,
            note="Figures with 95 % intervals, each on the objects held out from that ensemble. "
            "The ensemble promoted last is taken where none is named.",
        )
        super().__init__()
        for chooser in (self.first, self.second):
            chooser.param.watch(lambda _: self._compare(), "value")
        self.refresh()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def refresh(self) -> None:
        """Look again which ensembles there are."""
        ensembles = list_ensembles(self._context.database)
        promoted = [e for e in ensembles if e.promoted_at is not None]
        current = max(promoted, key=lambda e: str(e.promoted_at)).name if promoted else ""
        self.table.update([ensemble_row(e, current=e.name == current) for e in ensembles])
        names = [e.name for e in ensembles if HeldOut.exists(self._context.workspace, e.name)]
        self._comparison.visible = len(names) > 1
        if names != self.first.options:
            self._offer(names)
            self._compare()

    def _offer(self, names: list[str]) -> None:
        """Let ``names`` be chosen, newest first; begin with the newest against the one before."""
        for chooser, place in ((self.first, 1), (self.second, 0)):
            chooser.options = names
            chooser.value = names[min(place, len(names) - 1)] if names else None

    def _act(self, action: str, key: str) -> None:
        with self._notice.guard():
            (promote if action == "promote" else take_back)(self._context.database, key)
        self.refresh()

    def _compare(self) -> None:
        pair = (self.first.value, self.second.value)
        if pair == self._pair or None in pair:
            return
        self._pair = pair
        if pair[0] == pair[1]:
            self._differences.object = "<p>Choose two different ensembles.</p>"
            return
        self._differences.object = "<p>Comparing …</p>"
        in_background(lambda: (pair, self._result(*pair)), lambda found: self._show(*found))

    def _result(self, first: str, second: str) -> Comparison | str:
        try:
            return compare_ensembles(self._context.workspace, first, second)
        except LensTriageError as error:
            return str(error)

    def _show(self, pair: tuple[str, str], found: Comparison | str) -> None:
        if pair != self._pair:
            return  # something else was chosen meanwhile
        if isinstance(found, str):
            self._differences.object = f"<p>{escape(found)}</p>"
        else:
            self._differences.object = comparison_html(*pair, found)


def ensemble_row(ensemble: EnsembleSummary, *, current: bool) -> Row:
    """A row of the table."""
    figures: Mapping[str, Any] = ensemble.manifest.get("figures", {}).get("ensemble", {})
    kinds = [_NAMES.get(kind, kind) for _, kind in ensemble.members]
    counted = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    members = ", ".join(kind if n == 1 else f"{n} × {kind}" for kind, n in counted.items())
    catalogs = ", ".join(ensemble.manifest.get("catalogs", []))
    action = "take_back" if ensemble.promoted_at else "promote"
    return {
        "key": ensemble.name,
        "name": {
            "text": ensemble.name,
            "title": f"{ensemble.name}, trained on {catalogs or 'unknown catalogs'}",
            "href": address("score", ensemble=ensemble.name),
        },
        "state": {"text": "promoted", "chip": "success"} if current else "",
        "members": {
            "text": members,
            "note": fmt.words(ensemble.fusion).lower(),
            "title": f"{members}; joined by {fmt.words(ensemble.fusion).lower()}",
        },
        **{name: figure_text(figures[name]) if name in figures else "" for name in _SHOWN},
        "when": {"text": fmt.ago(ensemble.created_at), "title": fmt.moment(ensemble.created_at)},
        "act": {
            "actions": [
                {
                    "name": action,
                    "text": "Take back" if ensemble.promoted_at else "Promote",
                    "title": "No longer take it where none is named"
                    if ensemble.promoted_at
                    else "Take it where none is named",
                }
            ]
        },
    }


def comparison_html(first: str, second: str, found: Comparison) -> str:
    """The figures of two ensembles on shared held-out objects, with their differences."""
    rows = []
    for name, d in found.differences.items():
        if d.value != d.value:
            continue
        sure = ' class="sure"' if d.low_95 > 0 or d.high_95 < 0 else ""
        rows.append(
            f"<tr><td>{escape(FIGURES.get(name, name))}</td><td>{d.first:.3f}</td>"
            f"<td>{d.second:.3f}</td><td{sure}>{d.value:+.3f} "
            f"[{d.low_95:+.3f}, {d.high_95:+.3f}]</td><td>{100 * d.share_better:.0f} %</td></tr>"
        )
    return (
        f"<table><tr><th>On {found.n_lenses:,} lenses and {found.n_others:,} others held out from "
        f"both</th><th>{escape(first)}</th><th>{escape(second)}</th><th>Difference</th>"
        f"<th>Resamples where {escape(second)} is better</th></tr>{''.join(rows)}</table>"
    )
