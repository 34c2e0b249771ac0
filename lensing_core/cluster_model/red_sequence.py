"""Members of a cluster from a table of galaxies: those of its red sequence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import Float64Array
from lensing_core.errors import BadInputError

_WINDOW_MAG = 0.3
_CLIP = 2.5
_LEAST_SCATTER_MAG = 0.02
_ROUNDS = 20
_LEAST = 5
_PEAK_WIDTH_MAG = 0.08


@dataclass(frozen=True)
class RedSequence:
    """A line in color and magnitude, and who is on it.

    Attributes
    ----------
    color, slope : float
        Color at ``pivot_mag``, and its change for one magnitude.
    pivot_mag : float
    scatter_mag : float
        Robust scatter of the members' colors.
    members : ndarray of bool, shape (n,)
    """

    color: float
    slope: float
    pivot_mag: float
    scatter_mag: float
    members: NDArray[np.bool_]


def red_sequence(
    magnitude: Float64Array,
    color: Float64Array,
    *,
    expected_color: float | None = None,
    faintest_mag: float = np.inf,
    near: NDArray[np.bool_] | None = None,
) -> RedSequence:
    """Find the red sequence and its members (Gladders & Yee 2000, AJ 120, 2148).

    The color begins at ``expected_color``, or at the most common color of the galaxies that are
    ``near``. A line within 0.3 mag of it is fitted again and again without those farther than 2.5
    times the scatter; members are those within that.

    Parameters
    ----------
    magnitude, color : ndarray of shape (n,)
        NaN where one is not measured: no member.
    expected_color : float, optional
    faintest_mag : float, optional
    near : ndarray of bool, shape (n,), optional
        Galaxies near the cluster's center, where its own outnumber the others.

    Raises
    ------
    BadInputError
        If fewer than five galaxies are on the line.
    """
    usable = np.isfinite(magnitude) & np.isfinite(color) & (magnitude <= faintest_mag)
    if usable.sum() < _LEAST:
        raise BadInputError(
            f"The red sequence needs {_LEAST} galaxies with color and magnitude; there are "
            f"{int(usable.sum())}."
        )
    pivot = float(np.median(magnitude[usable]))
    if expected_color is None:
        first = usable if near is None or (usable & near).sum() < _LEAST else usable & near
        expected_color = _most_common(color[first])
    line = np.array([0.0, expected_color])
    kept = usable & (np.abs(color - expected_color) < _WINDOW_MAG)
    scatter = _WINDOW_MAG / _CLIP
    for _ in range(_ROUNDS):
        if kept.sum() < _LEAST:
            raise BadInputError(
                f"Only {int(kept.sum())} galaxies are within {_CLIP * scatter:.2f} mag of the "
                f"color {expected_color:.2f}: state the red sequence's color, or a fainter limit."
            )
        line = np.polyfit(magnitude[kept] - pivot, color[kept], 1)
        miss = color - np.polyval(line, magnitude - pivot)
        spread = 1.4826 * float(np.median(np.abs(miss[kept])))
        scatter = min(max(spread, _LEAST_SCATTER_MAG), scatter)
        again = usable & (np.abs(miss) < _CLIP * scatter)
        if np.array_equal(again, kept):
            break
        kept = again
    return RedSequence(float(line[1]), float(line[0]), pivot, scatter, kept)


def _most_common(color: Float64Array) -> float:
    """The color with most others around it."""
    near = np.exp(-(((color[:, None] - color[None, :]) / _PEAK_WIDTH_MAG) ** 2) / 2)
    return float(color[np.argmax(near.sum(axis=1))])
