"""Two ensembles compared on the objects that were held out from both."""

from __future__ import annotations

from html import escape
from typing import Any

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.context import AppContext
from lens_triage.app.runs.rows import METRICS
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.section import (
    html,
    row,
    stack,
)
from lens_triage.training.jobs.train.held_out import (
    Comparison,
    HeldOut,
    compare_ensembles,
)
from lensing_core.errors import LensTriageError
from lensing_core.store.summaries import EnsembleSummary

_CSS = """
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { font-weight: 500; color: var(--lt-muted); text-align: right; font-size: 12px; }
td { text-align: right; } th:first-child, td:first-child { text-align: left; }
th, td { padding: 5px 8px; border-bottom: 1px solid var(--lt-line); }
.sure { color: var(--lt-accent); font-weight: 500; }
p { margin: 0; color: var(--lt-muted); line-height: 1.5; }
"""


class EnsembleComparison(pn.viewable.Viewer):
    """Two choosers and a table of paired differences; hidden while there are not two to compare."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._pair: tuple[str, str] | None = None
        style: dict[str, Any] = {"size": "small", "width": 230, "margin": 0}
        self.first = pmui.Select(label="Compare", **style)
        self.second = pmui.Select(label="with", **style)
        self._differences = html("", css=_CSS)
        choosers = row(self.first, self.second)
        self._view = stack(choosers, self._differences, gap=10, margin=(8, 0, 0, 0))
        super().__init__()
        for chooser in (self.first, self.second):
            chooser.param.watch(lambda _: self._compare(), "value")

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    @property
    def possible(self) -> bool:
        """Return whether there are two ensembles to compare."""
        return bool(self._view.visible)

    def offer(self, ensembles: list[EnsembleSummary]) -> None:
        """Let these be chosen, newest first; begin with the newest against the one before."""
        names = [e.name for e in ensembles if HeldOut.exists(self._context.workspace, e.name)]
        self._view.visible = len(names) > 1
        if names == self.first.options:
            return
        for chooser, place in ((self.first, 1), (self.second, 0)):
            chooser.options = names
            chooser.value = names[min(place, len(names) - 1)] if names else None
        self._compare()

    def choose(self, second: str) -> None:
        """Compare ``second`` with another, where it has held-out objects here."""
        names = self.second.options
        if second not in names or self.second.value == second:
            return
        if self.first.value == second:
            self.first.value = next(name for name in names if name != second)
        self.second.value = second

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


def comparison_html(first: str, second: str, found: Comparison) -> str:
    """The metrics of two ensembles on shared held-out objects, with their differences."""
    rows = []
    for name, d in found.differences.items():
        if d.value != d.value:
            continue
        sure = ' class="sure"' if d.low_95 > 0 or d.high_95 < 0 else ""
        rows.append(
            f"<tr><td>{escape(METRICS.get(name, name))}</td><td>{d.first:.3f}</td>"
            f"<td>{d.second:.3f}</td><td{sure}>{d.value:+.3f} "
            f"[{d.low_95:+.3f}, {d.high_95:+.3f}]</td><td>{100 * d.share_better:.0f} %</td></tr>"
        )
    return (
        f"<table><tr><th>On {found.n_lenses:,} lenses and {found.n_others:,} non-lenses of "
        f"both test splits</th><th>{escape(first)}</th><th>{escape(second)}</th><th>Difference</th>"
        f"<th>Resamples where {escape(second)} is better</th></tr>{''.join(rows)}</table>"
    )
