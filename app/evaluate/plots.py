"""Plots of how good an ensemble is; each keeps its source, so that it is drawn once and updated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource, CustomJSTickFormatter, HoverTool, Range1d
from bokeh.models.annotations import TeeHead, Title, Whisker
from bokeh.plotting import figure

from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.chart_export import add_export
from lens_triage.app.widgets.log_axis import fit_log_range, log_range
from lensing_core.metrics import Deployment, Discoveries, RocBand

ACCENT, QUIET = "#3b82d6", "#7d8a99"
_PROPERTIES = {
    "theta_e_arcsec": "Einstein radius (arcsec)",
    "arc_snr": "S/N of the arcs",
    "magnification": "Magnification",
    "magnitude": "Magnitude of the object (mag)",
    "source_mag": "Magnitude of the source (mag)",
    "survey": "Survey",
}
_MOST_LETTERS = 14
_NO_PURITY = 1e-7  # the foot of a band that reaches 0, on a logarithmic axis
# 0.001, 1, 20, 3,000: powers of ten as people write them.
PLAIN_TICKS = """
if (tick >= 1000) return tick.toLocaleString("en-US");
return tick >= 1e-3 ? String(+tick.toPrecision(3)) : tick.toExponential(0);
"""
Bin = Mapping[str, Any]
# Columns of the charts' sources and their names in files.
_ROC_COLUMNS = {
    "fpr": "false_positive_rate",
    "recall": "recall",
    "low": "recall_low_95",
    "high": "recall_high_95",
}
_PURITY_COLUMNS = {
    "recall": "recall",
    "purity": "purity",
    "low": "purity_low",
    "high": "purity_high",
    "fpr": "false_positive_rate",
}
_DISCOVERY_COLUMNS = {
    "hours": "review (hours)",
    "reviewed": "candidates_reviewed",
    "found": "lenses_found",
    "low": "lenses_found_low",
    "high": "lenses_found_high",
    "at_random": "lenses_found_unsorted",
}
_RELIABILITY_COLUMNS = {
    "probability": "predicted_probability",
    "share": "share_of_lenses",
    "low": "share_low_68",
    "high": "share_high_68",
    "count": "objects",
}
_RECALL_COLUMNS = {
    "recall": "recall",
    "low": "recall_low_95",
    "high": "recall_high_95",
    "found": "lenses_found",
    "lenses": "lenses",
}


class RocPlot(pn.viewable.Viewer):
    """Recall against the false-positive rate, on a logarithmic axis, with its 95 % band."""

    def __init__(self) -> None:
        self._source = ColumnDataSource({k: [] for k in ("fpr", "recall", "low", "high")})
        self._rates = log_range()
        plot = new_plot(
            x_axis_type="log",
            x_range=self._rates,
            x_axis_label="false-positive rate",
            y_axis_label="recall",
            y_range=Range1d(start=0, end=1.02),
        )
        # Not Bokeh's own steps: on a logarithmic axis, without data yet, they stop the browser.
        plot.varea("fpr", "low", "high", source=self._source, alpha=0.18)
        line = plot.line("fpr", "recall", source=self._source, line_width=2, color=ACCENT)
        add_hover(
            plot,
            line,
            ("false-positive rate", "@fpr{0.0e+0}"),
            ("recall", "@recall{0.000} [@low{0.000}, @high{0.000}]"),
            mode="vline",
        )
        add_export(plot, "ROC curve", self._source, _ROC_COLUMNS)
        self._view = plot_pane(plot)
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def display(self, roc: RocBand) -> None:
        """Show another curve."""
        fit_log_range(self._rates, [roc.fpr])
        self._source.data = {
            "fpr": np.repeat(roc.fpr, 2)[1:],
            **{
                name: np.repeat(values, 2)[:-1]
                for name, values in (
                    ("recall", roc.recall),
                    ("low", roc.low_95),
                    ("high", roc.high_95),
                )
            },
        }


class PurityPlot(pn.viewable.Viewer):
    """Purity against recall at the class prior of a survey."""

    def __init__(self) -> None:
        self._source = ColumnDataSource({k: [] for k in ("recall", "purity", "low", "high", "fpr")})
        self._shares = log_range()
        plot = new_plot(
            x_axis_label="recall",
            y_axis_label="purity",
            x_range=Range1d(start=0, end=1.02),
            y_range=self._shares,
            y_axis_type="log",
        )
        plot.yaxis.formatter = CustomJSTickFormatter(code=PLAIN_TICKS)
        plot.varea("recall", "low", "high", source=self._source, alpha=0.18)
        line = plot.line("recall", "purity", source=self._source, line_width=2, color=ACCENT)
        add_hover(
            plot,
            line,
            ("recall", "@recall{0.000}"),
            ("purity", "@purity{0.0000} [@low{0.0000}, @high{0.0000}]"),
            ("false-positive rate", "@fpr{0.0e+0}"),
        )
        add_export(plot, "Purity", self._source, _PURITY_COLUMNS)
        self._view = plot_pane(plot)
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def display(self, found: Deployment) -> None:
        """Show another ensemble, or another prior."""
        low = np.maximum(found.purity_low, _NO_PURITY)
        fit_log_range(self._shares, [low, found.purity], end=1.0)
        self._source.data = {
            "recall": found.recall,
            "purity": found.purity,
            "low": low,
            "high": found.purity_high,
            "fpr": found.fpr,
        }


class DiscoveryPlot(pn.viewable.Viewer):
    """Lenses expected by hours of review, beside those of an unsorted list."""

    def __init__(self) -> None:
        names = ("hours", "found", "low", "high", "at_random", "reviewed")
        self._source = ColumnDataSource({k: [] for k in names})
        self._hours = log_range()
        plot = new_plot(
            x_axis_type="log",
            x_range=self._hours,
            x_axis_label="hours of review",
            y_axis_label="lenses found",
        )
        plot.y_range.start = 0
        plot.varea("hours", "low", "high", source=self._source, alpha=0.18)
        line = plot.line("hours", "found", source=self._source, line_width=2, color=ACCENT)
        plot.line("hours", "at_random", source=self._source, color=QUIET, line_dash="dashed")
        add_hover(
            plot,
            line,
            ("reviewed", "@reviewed{0,0} in @hours{0.0} h"),
            ("lenses", "@found{0.0} [@low{0.0}, @high{0.0}]"),
            ("unsorted", "@at_random{0.0}"),
            mode="vline",
        )
        plot.xaxis.formatter = CustomJSTickFormatter(code=PLAIN_TICKS)
        add_export(plot, "Lenses found by hours of review", self._source, _DISCOVERY_COLUMNS)
        self._view = plot_pane(plot)
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def display(self, found: Discoveries) -> None:
        """Show another survey, ensemble or pace."""
        fit_log_range(self._hours, [found.hours])
        names = ("hours", "found", "low", "high", "at_random", "reviewed")
        self._source.data = {name: getattr(found, name) for name in names}


def reliability_plot(bins: Sequence[Bin]) -> pn.pane.Bokeh:
    """Share of lenses against the predicted probability; perfect calibration is the diagonal."""
    plot = new_plot(
        x_axis_label="predicted probability",
        y_axis_label="share of lenses",
        x_range=Range1d(start=-0.02, end=1.02),
        y_range=Range1d(start=-0.02, end=1.02),
    )
    plot.line([0, 1], [0, 1], color=QUIET, line_dash="dashed")
    names = ("probability", "share", "low", "high", "count")
    source = ColumnDataSource({name: [b[name] for b in bins] for name in names})
    add_whiskers(plot, source, "probability")
    dots = plot.scatter("probability", "share", source=source, size=7, color=ACCENT)
    add_hover(
        plot,
        dots,
        ("predicted", "@probability{0.000}"),
        ("lenses", "@share{0.000} [@low{0.000}, @high{0.000}]"),
        ("objects", "@count{0,0}"),
    )
    add_export(plot, "Reliability", source, _RELIABILITY_COLUMNS)
    return plot_pane(plot)


def recall_plot(name: str, bins: Sequence[Bin]) -> pn.pane.Bokeh:
    """Recall of the lenses in each bin of a property."""
    labels = [bin_label(b) for b in bins]
    title = _PROPERTIES.get(name, fmt.words(name))
    plot = new_plot(
        height=225,
        x_axis_label=title,
        x_range=labels,
        y_range=Range1d(start=0, end=1.02),
        y_axis_label="recall",
    )
    source = ColumnDataSource(
        {
            "bin": labels,
            "recall": [b["recall"] for b in bins],
            "low": [b["low_95"] for b in bins],
            "high": [b["high_95"] for b in bins],
            "found": [b["found"] for b in bins],
            "lenses": [b["lenses"] for b in bins],
        }
    )
    bars = plot.vbar(x="bin", top="recall", width=0.72, source=source, color=ACCENT, alpha=0.55)
    add_whiskers(plot, source, "bin")
    add_hover(
        plot,
        bars,
        ("bin", "@bin"),
        ("recall", "@recall{0.000} [@low{0.000}, @high{0.000}]"),
        ("found", "@found{0,0} of @lenses{0,0}"),
    )
    plot.xgrid.visible = False
    columns = {"bin": title, **_RECALL_COLUMNS}
    add_export(plot, f"Recall by {title}", source, columns)
    return plot_pane(plot)


def bin_label(of: Bin) -> str:
    """A bin in words: ``0.5–0.8``, ``< 18``, ``≥ 200`` or its name, a long one cut."""
    if "name" in of:
        name = str(of["name"])
        return name if len(name) <= _MOST_LETTERS else f"{name[: _MOST_LETTERS - 1]}…"
    if of["low"] is None:
        return f"< {of['high']:g}"
    return f"≥ {of['low']:g}" if of["high"] is None else f"{of['low']:g}–{of['high']:g}"


def add_whiskers(plot: Any, source: ColumnDataSource, base: str) -> None:
    plot.add_layout(
        Whisker(
            source=source,
            base=base,
            lower="low",
            upper="high",
            line_color=QUIET,
            lower_head=TeeHead(size=6, line_color=QUIET),
            upper_head=TeeHead(size=6, line_color=QUIET),
        )
    )


def add_hover(
    plot: Any, of: Any, *tips: tuple[str, str], mode: Literal["mouse", "vline"] = "mouse"
) -> None:
    plot.add_tools(HoverTool(renderers=[of], mode=mode, tooltips=list(tips)))


def new_plot(*, title: str = "", height: int = 250, **more: Any) -> Any:
    plot: Any = figure(
        title=Title(text=title, text_font_size="12.5px", text_font_style="normal"),
        height=height,
        sizing_mode="stretch_width",
        tools="",
        toolbar_location=None,
        **more,
    )
    for axis in (*plot.xaxis, *plot.yaxis):
        axis.axis_label_text_font_size = "11.5px"
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_standoff = 4
        axis.major_label_text_font_size = "11px"
        axis.minor_tick_line_color = None
    plot.outline_line_color = None
    plot.min_border_right = 14
    return plot


def plot_pane(plot: Any) -> pn.pane.Bokeh:
    return pn.pane.Bokeh(plot, sizing_mode="stretch_width", margin=0)
