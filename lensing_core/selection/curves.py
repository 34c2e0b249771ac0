"""Marginal curves and contours of a selection function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lensing_core.arrays import Float64Array
from lensing_core.selection.function import Completeness, SelectionFunction

Axis = Literal["theta_e_arcsec", "arc_snr"]
LEVELS = (0.5, 0.9)
_POINTS = 41


@dataclass(frozen=True)
class Marginal:
    """Mean completeness along one axis, arrays of shape (k,) with 95 % intervals."""

    axis: Axis
    at: Float64Array
    completeness: Completeness


def marginal(function: SelectionFunction, axis: Axis, *, points: int = _POINTS) -> Marginal:
    """Mean over the other axis, every logarithmic interval of it weighing the same."""
    grid = [np.geomspace(*ends, points) for ends in function.domain]
    own, other = grid if axis == "theta_e_arcsec" else grid[::-1]
    means = []
    for value in own:
        here = np.full(points, value)
        pair = (here, other) if axis == "theta_e_arcsec" else (other, here)
        means.append(function.mean(*pair))
    columns = (
        np.array([float(getattr(mean, name)) for mean in means])
        for name in ("value", "low", "high", "error")
    )
    return Marginal(axis, own, Completeness(*columns))


@dataclass(frozen=True)
class Contour:
    """S/N from which completeness reaches a level, for each θ_E; arrays of shape (k,).

    ``low`` and ``high`` are those of the upper and of the lower end of the 95 % interval of the
    completeness. NaN where it is not reached in the domain; its lower end where it always is.
    """

    level: float
    theta_e_arcsec: Float64Array
    arc_snr: Float64Array
    low: Float64Array
    high: Float64Array


def contour(function: SelectionFunction, level: float, *, points: int = _POINTS) -> Contour:
    """The contour of a level: above it, up to the end of the domain, completeness is larger."""
    theta = np.geomspace(*function.domain[0], points)
    snr = np.geomspace(*function.domain[1], 8 * points)
    found = function(theta[:, None], snr[None, :])
    return Contour(
        level,
        theta,
        *(
            _last_rise(values, np.log(snr), level)
            for values in (found.value, found.high, found.low)
        ),
    )


def _last_rise(values: Float64Array, logs: Float64Array, level: float) -> Float64Array:
    """S/N above which each row of ``values`` (k, s) stays at ``level`` or more, shape (k,)."""
    result = np.full(len(values), np.nan)
    for k, row in enumerate(values):
        below = np.flatnonzero(row < level)
        if not len(below):
            result[k] = np.exp(logs[0])
        elif below[-1] < len(row) - 1:
            first = below[-1]
            share = (level - row[first]) / (row[first + 1] - row[first])
            result[k] = np.exp(logs[first] + share * (logs[first + 1] - logs[first]))
    return result
