"""Galleries of a report: color cutouts of lenses, and of what the ranking got right and wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lens_triage.training.report.figures import Drawn, styled
from lensing_core.export.columns import ExportRow
from lensing_core.export.pictures import CutoutSource
from lensing_core.export.text import one_line, probability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 24
_COLUMNS = 6
_TILE_PX = 160
_LETTERS = 18
_STEP_PX, _CAPTION_PX, _PX_AN_INCH = 164, 27, 139
TITLES = {
    "lenses": ("Lenses", "Candidates with a confirmation record or a label that says lens"),
    "true_positives": ("True positives", "Labeled lenses that pass, the highest scores first"),
    "false_positives": ("False positives", "Non-lenses that pass, the highest scores first"),
    "false_negatives": ("False negatives", "Lenses that do not pass, the lowest scores first"),
    "true_negatives": ("True negatives", "Non-lenses that do not pass, the lowest scores first"),
    "candidates": ("Candidates", "The first candidates of the table"),
}


def gallery(
    name: str, rows: Sequence[ExportRow], source: CutoutSource, total: int | None = None
) -> Drawn:
    """Color cutouts in a grid, each with its name, score and a scale bar.

    Parameters
    ----------
    name : str
        Key of :data:`TITLES`.
    rows : sequence of ExportRow
        At most :data:`MOST` are drawn.
    total : int, optional
        How many there are, for the caption.
    """
    from matplotlib.figure import Figure  # here: half a second at the start of every command

    shown = list(rows[:MOST])
    lines = math.ceil(len(shown) / _COLUMNS)
    width = min(_COLUMNS, len(shown))
    high = _TILE_PX + _CAPTION_PX
    canvas = np.full((lines * high, width * _STEP_PX, 3), 255, dtype=np.uint8)
    with styled():
        figure = Figure(figsize=(width * _STEP_PX / _PX_AN_INCH, lines * high / _PX_AN_INCH))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        for k, row in enumerate(shown):
            x, y = (k % _COLUMNS) * _STEP_PX, (k // _COLUMNS) * high
            canvas[y : y + _TILE_PX, x : x + _TILE_PX] = np.asarray(source.picture(row, _TILE_PX))
            _write_on(axes, row, source, x, y)
        axes.imshow(canvas, interpolation="nearest", aspect="auto")
    title, caption = TITLES[name]
    n = len(shown) if total is None else total
    of = f"{len(shown)} of {n:,}" if n > len(shown) else f"{n}"
    data: dict[str, Any] = {
        "object_id": [row.name for row in shown],
        "catalog": [row.catalog for row in shown],
        "ra_deg": [row.number("ra") for row in shown],
        "dec_deg": [row.number("dec") for row in shown],
        "probability": [row.number("probability") for row in shown],
    }
    text = f"{caption} ({of}). The bar is as long as the number of arcseconds beside it."
    return Drawn(f"gallery-{name.replace('_', '-')}", title, text, figure, data)


def _write_on(axes: Axes, row: ExportRow, source: CutoutSource, x: int, y: int) -> None:
    """A scale bar on the tile whose corner is at x, y, and name and score below it."""
    geometry = source.catalog(row.catalog).store.geometry
    side = geometry.size_px * geometry.pixel_scale_arcsec
    bar = next((b for b in (30.0, 10.0, 5.0, 2.0, 1.0, 0.5) if b < side / 3), side / 4)
    x0, y0 = x + 0.06 * _TILE_PX, y + 0.93 * _TILE_PX
    axes.plot([x0, x0 + bar / side * _TILE_PX], [y0, y0], color="white", linewidth=1.2)
    axes.text(x0, y0 - 5, f"{bar:g}″", color="white", fontsize=5, va="bottom")
    name = one_line(row.name)
    if len(name) > _LETTERS:
        name = name[: _LETTERS - 1] + "…"
    p = row.number("probability")
    score = "" if math.isnan(p) else f"  {probability(p)}"
    axes.text(x + _TILE_PX / 2, y + _TILE_PX + 3, (name + score).replace("$", r"\$"), ha="center",
              va="top", fontsize=5.5)  # fmt: skip
