"""The figure of a selection function: its map with contours, and its marginal curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lens_triage.training.report.figures import BLUE, GRAY, Drawn, styled
from lensing_core.selection import SelectionMap, contour, marginal
from lensing_core.selection.curves import LEVELS, Axis
from lensing_core.selection.files import grid_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PAGE_IN = (7.1, 2.6)  # the width of a page of a journal
_STYLES = ("-", "--")
_LABELS = {"theta_e_arcsec": "Einstein radius (arcsec)", "arc_snr": "S/N of the arcs"}


def draw_selection(measured: SelectionMap, name: str, *, cut: str = "") -> Drawn:
    """Map, contours at 50 and 90 %, and marginal curves, with the cells' numbers as data."""
    from matplotlib.figure import Figure  # here: half a second at the start of every command

    with styled():
        figure = Figure(figsize=_PAGE_IN, layout="constrained")
        board, by_theta, by_snr = figure.subplots(1, 3, width_ratios=(1.35, 1, 1))
        _map(board, measured)
        _curve(by_theta, measured, "theta_e_arcsec")
        _curve(by_snr, measured, "arc_snr")
    caption = (
        f"Completeness of {measured.name}{f' ({cut})' if cut else ''} by {measured.total:,} "
        "injected lenses: share found in each cell; lines: where the logistic surface reaches 50 "
        "(solid) and 90 % (dashed). Curves: mean of the surface over the other axis with its 95 % "
        "interval; points: counts with Clopper-Pearson intervals."
    )
    table = grid_table(measured)
    data = {column: np.asarray(table[column]) for column in table.colnames}
    return Drawn(name, f"Selection function of {measured.name}", caption, figure, data)


def _map(axes: Axes, measured: SelectionMap) -> None:
    grid = measured.grid
    drawn = axes.pcolormesh(
        grid.theta_e_edges_arcsec, grid.arc_snr_edges, measured.counts.share.T,
        cmap="Blues", vmin=0, vmax=1,
    )  # fmt: skip
    assert axes.figure is not None  # noqa: S101 - made with one
    axes.figure.colorbar(drawn, ax=axes, label="Completeness")
    for level, style in zip(LEVELS, _STYLES, strict=True):
        line = contour(measured.function, level)
        axes.plot(line.theta_e_arcsec, line.arc_snr, color="black", linestyle=style)
        axes.fill_between(
            line.theta_e_arcsec, line.low, line.high, color="black", alpha=0.12, linewidth=0
        )
    axes.set(xscale="log", yscale="log", xlabel=_LABELS["theta_e_arcsec"])
    axes.set(ylabel=_LABELS["arc_snr"])
    _plain_ticks(axes, measured)


def _curve(axes: Axes, measured: SelectionMap, axis: Axis) -> None:
    curve = marginal(measured.function, axis)
    found = curve.completeness
    axes.fill_between(curve.at, found.low, found.high, color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(curve.at, found.value, color=BLUE)
    at, share, low, high = measured.along(axis)
    errors = np.clip([share - low, high - share], 0, None)
    axes.errorbar(at, share, yerr=errors, fmt="o", markersize=3, color=GRAY, linewidth=0.8)
    axes.set(xscale="log", xlabel=_LABELS[axis], ylabel="Completeness", ylim=(0, 1.02))
    _plain_ticks(axes, measured, axis)


def _plain_ticks(axes: Axes, measured: SelectionMap, axis: Axis | None = None) -> None:
    """Ticks at the cells' edges, every other where they are many, as numbers people write."""
    pairs = (
        ("theta_e_arcsec", axes.xaxis, measured.grid.theta_e_edges_arcsec),
        ("arc_snr", axes.yaxis if axis is None else axes.xaxis, measured.grid.arc_snr_edges),
    )
    for name, ticks, edges in pairs:
        if axis is None or axis == name:
            shown = edges[:: 1 + (len(edges) - 1) // 6]
            ticks.set_ticks(shown, [f"{float(f'{value:.2g}'):g}" for value in shown])
            ticks.set_ticks([], minor=True)
