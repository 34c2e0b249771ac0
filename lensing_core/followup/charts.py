"""Finding charts: a page a target, with compass, scale, coordinates and offset star."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lensing_core.arrays import Float64Array
from lensing_core.export.columns import ExportRow
from lensing_core.export.pictures import CutoutSource, sky_matrix_arcsec
from lensing_core.export.text import one_line, sexagesimal
from lensing_core.followup.offset_stars import OffsetStar
from lensing_core.followup.planning import Plan, PlannedTarget
from lensing_core.followup.tables import Stars, plan_notes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 200
"""Pages of a file."""
_PAGE_INCH = (8.27, 11.69)  # A4
_PICTURE_PX = 900
_BAR_SHARE = 0.25
_INK, _MARK = "white", "#ffe08a"
_OUTLINE = 3.0  # points: marks are read on any picture
_BEHIND = {"facecolor": "black", "edgecolor": "none", "alpha": 0.55, "pad": 2}


@dataclass(frozen=True)
class ChartFrame:
    """Sky directions on a cutout, in pixels with x to the right and y up.

    Attributes
    ----------
    x_px, y_px : float
        The target, from 0.
    east, north : ndarray of shape (2,)
        Step of one arcsec to the east and to the north, (x, y).
    is_known : bool
        False: north is assumed up.
    """

    x_px: float
    y_px: float
    east: Float64Array
    north: Float64Array
    is_known: bool

    def place(self, east_arcsec: float, north_arcsec: float) -> Float64Array:
        """Return the pixel of an offset from the target."""
        target = np.array([self.x_px, self.y_px])
        return np.asarray(target + east_arcsec * self.east + north_arcsec * self.north)


def chart_frame(row: ExportRow, size_px: int, scale_arcsec: float) -> ChartFrame:
    """Directions by the WCS that ingest kept, inverse of the matrix of its steps."""
    inverse = np.linalg.inv(np.array(sky_matrix_arcsec(row.frame, scale_arcsec)))
    middle = (size_px - 1) / 2
    x, y = row.frame.x_px, row.frame.y_px
    return ChartFrame(
        middle if x is None else x,
        middle if y is None else y,
        inverse[:, 0],
        inverse[:, 1],
        row.frame.north_deg is not None or row.frame.matrix_arcsec is not None,
    )


def bar_arcsec(field_arcsec: float) -> float:
    """Length of the scale bar: 1, 2 or 5 times a power of ten, to a quarter of the field."""
    longest = _BAR_SHARE * field_arcsec
    power = 10.0 ** math.floor(math.log10(longest))
    return max(step * power for step in (1, 2, 5) if step * power <= longest * (1 + 1e-9))


def write_charts(path: Path, plan: Plan, stars: Stars, source: CutoutSource) -> int:
    """Write a PDF of one page a target, at most :data:`MOST`; returns how many."""
    from matplotlib.backends.backend_pdf import PdfPages  # here: slow to import

    written = 0
    with PdfPages(path, metadata={"Title": "Finding charts", "Creator": "lens-triage"}) as pdf:
        for target, star in list(zip(plan.targets, stars, strict=True))[:MOST]:
            pdf.savefig(_page(plan, target, star, source))
            written += 1
    return written


def _page(plan: Plan, target: PlannedTarget, star: OffsetStar | None, source: CutoutSource) -> Any:
    from matplotlib.figure import Figure

    geometry = source.catalog(target.row.catalog).store.geometry
    frame = chart_frame(target.row, geometry.size_px, geometry.pixel_scale_arcsec)
    figure = Figure(figsize=_PAGE_INCH)
    axes = figure.add_axes((0.1, 0.34, 0.8, 0.8 * _PAGE_INCH[0] / _PAGE_INCH[1]))
    edge = geometry.size_px - 0.5
    # Rows of the picture run from the top, as it was drawn with y up.
    axes.imshow(
        np.asarray(source.picture(target.row, _PICTURE_PX)), extent=(-0.5, edge, -0.5, edge)
    )
    axes.set_xticks([])
    axes.set_yticks([])
    _draw_marks(axes, frame, geometry.size_px, geometry.size_arcsec, star)
    figure.text(0.1, 0.945, one_line(target.row.name), size=16, weight="bold")
    lines = _lines(plan, target, star, frame, geometry.size_arcsec)
    figure.text(0.1, 0.31, "\n".join(lines), size=9.5, va="top", linespacing=1.5)
    return figure


def _draw_marks(
    axes: Axes, frame: ChartFrame, size_px: int, size_arcsec: float, star: OffsetStar | None
) -> None:
    from matplotlib.patheffects import withStroke

    outlined = [withStroke(linewidth=_OUTLINE, foreground="black")]
    field = size_px - 1.0
    for sign_x, sign_y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        inner, outer = 0.05 * field, 0.1 * field
        axes.plot(
            [frame.x_px + sign_x * inner, frame.x_px + sign_x * outer],
            [frame.y_px + sign_y * inner, frame.y_px + sign_y * outer],
            color=_MARK,
            lw=1.4,
            path_effects=outlined,
        )
    base = np.array([0.84, 0.14]) * field
    for text, step in (("N", frame.north), ("E", frame.east)):
        direction = step / np.linalg.norm(step) * 0.1 * field
        axes.annotate(
            "",
            xy=tuple(base + direction),
            xytext=tuple(base),
            arrowprops={
                "arrowstyle": "-|>",
                "color": _INK,
                "lw": 1.4,
                "path_effects": outlined,
            },
        )
        x, y = base + 1.35 * direction
        label = axes.text(float(x), float(y), text, color=_INK, ha="center", va="center", size=13)
        label.set_bbox(_BEHIND)
    length = bar_arcsec(size_arcsec)
    bar_px = length / size_arcsec * size_px
    left, low = 0.05 * field, 0.06 * field
    axes.plot([left, left + bar_px], [low, low], color=_INK, lw=2.2, path_effects=outlined)
    label = axes.text(
        left + bar_px / 2, low + 0.02 * field, f"{length:g}″", color=_INK, ha="center", size=13
    )
    label.set_bbox(_BEHIND)
    if star is not None:
        place = frame.place(-star.east_arcsec, -star.north_arcsec)
        if (np.abs(place - field / 2) <= field / 2).all():
            axes.plot(*place, "o", mfc="none", mec=_MARK, ms=14, path_effects=outlined)
    axes.set_xlim(-0.5, size_px - 0.5)
    axes.set_ylim(-0.5, size_px - 0.5)


def _lines(
    plan: Plan,
    target: PlannedTarget,
    star: OffsetStar | None,
    frame: ChartFrame,
    size_arcsec: float,
) -> list[str]:
    row, band, best = target.row, target.band, target.best_night
    ra, dec = row.number("ra"), row.number("dec")
    hours, degrees = sexagesimal(ra, dec)
    lines = [
        f"{hours}  {degrees}  (ICRS)     {ra:.6f}  {dec:+.6f} deg",
        f"Catalog {one_line(row.catalog)}, field {size_arcsec:.0f}″"
        + ("" if frame.is_known else "; north is assumed up: no WCS was imported"),
    ]
    if band is not None and band.magnitude is not None:
        error = "" if band.error is None else f" ± {band.error:.2f}"
        surface = (
            ""
            if band.surface_brightness is None
            else f", {band.surface_brightness:.1f} mag/arcsec²"
        )
        lines.append(f"Arc: {band.band} = {band.magnitude:.2f}{error} AB{surface}")
    if best is not None:
        night = target.nights[best]
        when = "" if night.best is None else f", highest at {night.best:%H:%M} UTC"
        lines.append(
            f"Best on {plan.nights[best].evening.isoformat()}: {night.hours:.1f} h{when}, airmass "
            f"{night.airmass:.2f}, Moon at {night.moon_separation_deg:.0f}°"
        )
    else:
        lines.append("Not up under these conditions.")
    if star is not None:
        lines.append(
            f"Offset star {one_line(star.name)}, G = {star.g_mag:.1f}: "
            f"{sexagesimal(star.ra_deg, star.dec_deg)[0]} "
            f"{sexagesimal(star.ra_deg, star.dec_deg)[1]} (Gaia DR3, epoch 2016.0); from it "
            f"{abs(star.east_arcsec):.1f}″ {'E' if star.east_arcsec >= 0 else 'W'}, "
            f"{abs(star.north_arcsec):.1f}″ {'N' if star.north_arcsec >= 0 else 'S'}"
        )
    return [*_wrapped(lines), "", *_wrapped(plan_notes(plan))]


def _wrapped(notes: list[str], width: int = 92) -> list[str]:
    return [line for note in notes for line in textwrap.wrap(note, width)]
