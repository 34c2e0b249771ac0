"""A run's curves as they grow: one small plot for each figure of each member.

Members do not share a plot: a step is an epoch of one and a boosting round of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import panel as pn
from bokeh.models import ColumnDataSource, HoverTool
from bokeh.models.annotations import Title
from bokeh.plotting import figure

from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.chart_export import add_export
from lens_triage.app.widgets.fold import fold
from lens_triage.app.widgets.section import (
    grid,
    html,
    stack,
)
from lensing_core.store.runs import Curve

# Told apart with the common color-vision deficiencies, readable on light and on dark.
COLORS = ("#3b82d6", "#dd8a22", "#2e9e77", "#a66cc9", "#cc5c58", "#7d8a99")

_STEP, _STEPS = "epoch", {"trees": "boosting round"}
_UNITS = {"train_loss": "nat", "validation_loss": "nat"}

_LEGEND_CSS = """
p { margin: 0; display: flex; gap: 16px; font-size: 12px; color: var(--lt-muted); }
span::before { content: ""; display: inline-block; width: 14px; height: 3px; border-radius: 2px;
  background: var(--color); margin-right: 6px; vertical-align: middle; }
"""


def label_of(name: str) -> str:
    """Return the name of a metric of training, with its unit where it has one."""
    unit = _UNITS.get(name)
    return f"{fmt.words(name)} ({unit})" if unit else fmt.words(name)


class Curves(pn.viewable.Viewer):
    """Plots that keep their zoom while points are added, under a heading that folds them."""

    def __init__(self) -> None:
        self._sources: dict[tuple[str, str], ColumnDataSource] = {}
        self._members: list[str] = []
        self._legend = html("", css=_LEGEND_CSS)
        self._grid = grid(template="repeat(auto-fill, minmax(min(215px, 100%), 1fr))", gap="10px")
        self._view = fold("Curves", stack(self._legend, self._grid, gap=4), visible=False)
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def fold(self, *, shut: bool) -> None:
        """Open the plots, or shut them: plots that nobody asked for cost a page half a second."""
        self._view.active = [] if shut else [0]

    def clear(self) -> None:
        """Take all plots away."""
        self._sources.clear()
        self._members.clear()
        self._grid.clear()
        self._view.visible = False

    def update(self, curves: Sequence[Curve]) -> None:
        """Show these curves; existing lines get the new points."""
        for curve in sorted(curves, key=lambda curve: (curve.member, curve.name)):
            key = (curve.name, curve.member)
            data = {"step": list(curve.steps), "value": list(curve.values)}
            if key in self._sources:
                if len(self._sources[key].data["step"]) != len(curve.steps):
                    self._sources[key].data = data
            else:
                self._sources[key] = ColumnDataSource(data)
                self._add(curve)
        self._show_legend()
        self._view.visible = bool(self._sources)

    def _add(self, curve: Curve) -> None:
        if curve.member not in self._members:
            self._members.append(curve.member)
        color = COLORS[self._members.index(curve.member) % len(COLORS)]
        source = self._sources[curve.name, curve.member]
        step, label = _STEPS.get(curve.member, _STEP), label_of(curve.name)
        plot = self._plot(curve.member, x=step, y=label)
        plot.line("step", "value", source=source, line_width=2, color=color)
        dots = plot.scatter("step", "value", source=source, size=4, color=color)
        plot.add_tools(
            HoverTool(
                renderers=[dots],
                tooltips=[(curve.member or "value", "@value{0.0000}"), ("step", "@step{0,0}")],
            )
        )
        title = f"{fmt.words(curve.name)} {curve.member}".strip()
        add_export(plot, title, source, {"step": step, "value": label})
        self._grid.append(pn.pane.Bokeh(plot, sizing_mode="stretch_width", margin=0))

    def _show_legend(self) -> None:
        entries = [
            f'<span style="--color: {COLORS[k % len(COLORS)]}">{escape(member)}</span>'
            for k, member in enumerate(self._members)
            if member
        ]
        text = f"<p>{''.join(entries)}</p>" if entries else ""
        if text != self._legend.object:
            self._legend.object = text

    @staticmethod
    def _plot(title: str, *, x: str, y: str) -> Any:
        plot: Any = figure(
            title=Title(text=title, text_font_size="12px", text_font_style="normal"),
            x_axis_label=x,
            y_axis_label=y,
            height=170,
            sizing_mode="stretch_width",
            tools="xpan,xwheel_zoom,reset",
            toolbar_location=None,
        )
        for axis in (plot.xaxis, plot.yaxis):
            axis.axis_label_text_font_size = "11px"
            axis.axis_label_text_font_style = "normal"
            axis.axis_label_standoff = 2
            axis.major_label_text_font_size = "10.5px"
            axis.minor_tick_line_color = None
        plot.xgrid.visible = False
        plot.min_border_right = 12
        plot.outline_line_color = None
        return plot
