"""The distribution of a catalog's scores, on the axis on which they are calibrated: log-odds."""

from __future__ import annotations

import math
from html import escape
from itertools import pairwise
from typing import Any

import numpy as np
import panel as pn
from bokeh.models import (
    ColumnDataSource,
    FixedTicker,
    HoverTool,
    NoOverlap,
    NumeralTickFormatter,
    Range1d,
)
from bokeh.plotting import figure

from lens_triage.app.widgets.chart_export import add_export
from lens_triage.app.widgets.log_axis import fit_log_range, log_range
from lens_triage.app.widgets.section import (
    html,
    stack,
)
from lensing_core.store.summaries import ScoreHistogram

_TICKS = (1e-4, 1e-3, 1e-2, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999)
# Order of drawing, name and color, by imported label.
_LABELS: dict[int | None, tuple[str, str]] = {
    None: ("no label", "#3b82d6"),
    0: ("labeled as no lens", "#7d8a99"),
    1: ("labeled as lens", "#dd8a22"),
}
_COLUMNS = {"left": "logit_from", "right": "logit_to", "top": "candidates", "bin": "probability"}
_FLOOR = 0.6  # the foot of bars on the logarithmic axis, below a count of one
_LEGEND_CSS = """
p { margin: 0; display: flex; gap: 16px; font-size: 12px; color: var(--lt-muted); }
span::before { content: ""; display: inline-block; width: 10px; height: 10px; border-radius: 2px;
  background: var(--color); margin-right: 6px; vertical-align: -1px; }
"""


def probability_text(logit: float) -> str:
    """A probability as short as it can be told from 0 and 1, e.g. ``0.0001``, ``0.9999``."""
    p = 1 / (1 + math.exp(-logit))
    if p <= 0.5:
        return f"{p:.1g}" if p >= 1e-4 else f"{p:.0e}"
    digits = max(1, math.ceil(-math.log10(1 - p) - 1e-9))
    return f"{p:.{min(digits, 12)}f}"


class Histogram(pn.viewable.Viewer):
    """Counts by bin of the logit, one color a label; the count axis is logarithmic."""

    def __init__(self) -> None:
        self.sources = {label: ColumnDataSource(_no_bars()) for label in _LABELS}
        self._counts = log_range()
        self._legend = html("", css=_LEGEND_CSS)
        self._view = stack(
            self._legend,
            pn.pane.Bokeh(self._plot(), sizing_mode="stretch_width", margin=0),
            gap=4,
        )
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def display(self, histogram: ScoreHistogram) -> None:
        """Show other counts."""
        edges = np.asarray(histogram.edges_logit)
        bins = [f"{probability_text(a)} to {probability_text(b)}" for a, b in pairwise(edges)]
        bins[0] = f"below {probability_text(edges[1])}"
        bins[-1] = f"above {probability_text(edges[-2])}"
        fit_log_range(self._counts, list(histogram.counts.values()) or [[]], start=_FLOOR, end=2)
        entries = []
        for label, source in self.sources.items():
            counts = np.asarray(histogram.counts.get(label, ()), dtype=int)
            if not counts.any():
                source.data = _no_bars()
                continue
            shown = np.flatnonzero(counts)
            source.data = {
                "left": edges[shown],
                "right": edges[shown + 1],
                "top": counts[shown],
                "bottom": np.full(len(shown), _FLOOR),
                "bin": [bins[k] for k in shown],
            }
            name, color = _LABELS[label]
            entries.append(
                f'<span style="--color: {color}">{escape(name)} ({counts.sum():,})</span>'
            )
        self._legend.object = f"<p>{''.join(entries)}</p>"

    def _plot(self) -> Any:
        plot: Any = figure(
            height=230,
            sizing_mode="stretch_width",
            y_axis_type="log",
            x_range=Range1d(start=-10.3, end=10.3),
            y_range=self._counts,
            tools="",
            toolbar_location=None,
            # Two lines: one would be cut on a phone.
            x_axis_label="probability of being a lens,\ncalibrated at the ensemble's prior",
            y_axis_label="candidates",
        )
        ticks = [math.log(p / (1 - p)) for p in _TICKS]
        plot.xaxis.ticker = FixedTicker(ticks=ticks)
        plot.xaxis.major_label_overrides = {
            tick: f"{p:g}" for tick, p in zip(ticks, _TICKS, strict=True)
        }
        plot.xaxis.major_label_policy = NoOverlap(min_distance=8)
        plot.yaxis.formatter = NumeralTickFormatter(format="0,0")
        plot.xgrid.visible = False
        plot.outline_line_color = None
        for label, source in self.sources.items():
            name, color = _LABELS[label]
            bars = plot.quad(
                source=source, color=color, alpha=0.72, line_color=color, line_alpha=0.9
            )
            plot.add_tools(
                HoverTool(
                    renderers=[bars],
                    tooltips=[("probability", "@bin"), (name, "@top{0,0}")],
                )
            )
        series = {_LABELS[label][0]: source for label, source in self.sources.items()}
        add_export(plot, "Scores", series, _COLUMNS)
        return plot


def _no_bars() -> dict[str, list[float]]:
    return {name: [] for name in ("left", "right", "top", "bottom", "bin")}
