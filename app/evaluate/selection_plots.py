"""Plots of a selection function: its map with contours, and a marginal curve."""

from __future__ import annotations

from typing import Any

import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource, CustomJSTickFormatter, Range1d

from lens_triage.app.evaluate.plots import (
    ACCENT,
    PLAIN_TICKS,
    QUIET,
    add_hover,
    add_whiskers,
    new_plot,
    plot_pane,
)
from lens_triage.app.widgets.chart_export import add_export
from lensing_core.selection import SelectionMap, contour, marginal
from lensing_core.selection.curves import LEVELS, Axis
from lensing_core.selection.files import grid_table

_CONTOUR = "#d9822b"
_DASHES = ("solid", "dashed")
_LABELS = {"theta_e_arcsec": "Einstein radius (arcsec)", "arc_snr": "S/N of the arcs"}
_FAINTEST = 0.03
_MAP_COLUMNS = (
    *("theta_e_low_arcsec", "theta_e_high_arcsec", "arc_snr_low", "arc_snr_high"),
    *("found", "injected", "share", "share_low_95", "share_high_95"),
    *("completeness", "completeness_low_95", "completeness_high_95"),
)

_CONTOUR_PARTS = ("theta_e_arcsec", "arc_snr", "low", "high")
_CONTOUR_COLUMNS = (*_CONTOUR_PARTS[:2], "arc_snr_low_95", "arc_snr_high_95")


def map_plot(measured: SelectionMap) -> pn.pane.Bokeh:
    """Share found in each cell of θ_E and S/N, with the contours of the surface."""
    grid, table = measured.grid, grid_table(measured)
    data: dict[str, Any] = {name: np.asarray(table[name]) for name in _MAP_COLUMNS}
    share = np.nan_to_num(data["share"])
    data["strength"] = np.where(data["injected"] > 0, _FAINTEST + 0.9 * share, 0.0)
    source = ColumnDataSource(data)
    plot = new_plot(
        height=330,
        x_axis_type="log",
        y_axis_type="log",
        x_range=_range(grid.theta_e_edges_arcsec),
        y_range=_range(grid.arc_snr_edges),
        x_axis_label=_LABELS["theta_e_arcsec"],
        y_axis_label=_LABELS["arc_snr"],
    )
    cells = plot.quad(
        left="theta_e_low_arcsec", right="theta_e_high_arcsec", bottom="arc_snr_low",
        top="arc_snr_high", source=source, fill_color=ACCENT, fill_alpha="strength",
        line_color=QUIET, line_alpha=0.25,
    )  # fmt: skip
    sources = {"cells": source}
    for level, dash in zip(LEVELS, _DASHES, strict=True):
        line = contour(measured.function, level)
        sources[f"contour {level:g}"] = ColumnDataSource(
            {
                column: getattr(line, name)
                for column, name in zip(_CONTOUR_COLUMNS, _CONTOUR_PARTS, strict=True)
            }
        )
        plot.line("theta_e_arcsec", "arc_snr", source=sources[f"contour {level:g}"],
                  line_width=2, color=_CONTOUR, line_dash=dash)  # fmt: skip
    add_hover(
        plot,
        cells,
        ("θ_E", "@theta_e_low_arcsec{0.00} to @theta_e_high_arcsec{0.00}″"),
        ("S/N", "@arc_snr_low{0} to @arc_snr_high{0}"),
        ("found", "@found of @injected"),
        ("share", "@share{0.00} [@share_low_95{0.00}, @share_high_95{0.00}]"),
        ("surface", "@completeness{0.00} [@completeness_low_95{0.00}, "
         "@completeness_high_95{0.00}]"),
    )  # fmt: skip
    _plain(plot.xaxis, grid.theta_e_edges_arcsec)
    _plain(plot.yaxis, grid.arc_snr_edges)
    add_export(
        plot,
        f"Selection function of {measured.name}",
        sources,
        {name: name for name in (*_MAP_COLUMNS, *_CONTOUR_COLUMNS)},
    )
    return plot_pane(plot)


def marginal_plot(measured: SelectionMap, axis: Axis) -> pn.pane.Bokeh:
    """Mean completeness along one axis with its interval, and the counts."""
    grid = measured.grid
    edges = grid.theta_e_edges_arcsec if axis == "theta_e_arcsec" else grid.arc_snr_edges
    curve = marginal(measured.function, axis)
    found = curve.completeness
    source = ColumnDataSource(
        {"at": curve.at, "completeness": found.value, "low": found.low, "high": found.high}
    )
    at, share, low, high = measured.along(axis)
    told = np.isfinite(share)
    points = ColumnDataSource(
        {"at": at[told], "share": share[told], "low": low[told], "high": high[told]}
    )
    plot = new_plot(
        height=330,
        x_axis_type="log",
        x_range=_range(edges),
        y_range=Range1d(start=0, end=1.02),
        x_axis_label=_LABELS[axis],
        y_axis_label="completeness",
    )
    plot.varea("at", "low", "high", source=source, alpha=0.18)
    line = plot.line("at", "completeness", source=source, line_width=2, color=ACCENT)
    add_whiskers(plot, points, "at")
    dots = plot.scatter("at", "share", source=points, size=6, color=QUIET)
    add_hover(
        plot, line, ("completeness", "@completeness{0.00} [@low{0.00}, @high{0.00}]"), mode="vline"
    )
    add_hover(plot, dots, ("counts", "@share{0.00} [@low{0.00}, @high{0.00}]"))
    _plain(plot.xaxis, edges)
    columns = {
        "at": axis,
        "completeness": "completeness",
        "share": "share",
        "low": "low_95",
        "high": "high_95",
    }
    add_export(plot, f"Completeness by {axis}", {"surface": source, "counts": points}, columns)
    return plot_pane(plot)


def _range(edges: Any) -> Range1d:
    return Range1d(start=float(edges[0]), end=float(edges[-1]))


def _plain(axis: Any, edges: Any) -> None:
    """Ticks at the cells' edges, every other where they are many."""
    axis.ticker = [float(f"{value:.2g}") for value in edges[:: 1 + (len(edges) - 1) // 6]]
    axis.formatter = CustomJSTickFormatter(code=PLAIN_TICKS)
