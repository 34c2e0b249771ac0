"""Points counted on a grid, chosen by a polygon, found near a place."""

from __future__ import annotations

import numpy as np

from lensing_core.arrays import BoolArray, Float64Array, IntArray


def bin_points(
    x: Float64Array,
    y: Float64Array,
    extent: tuple[float, float, float, float],
    shape: tuple[int, int],
) -> IntArray:
    """Return how many points lie in each cell: (ny, nx), the first row at the smallest y.

    Parameters
    ----------
    x, y : ndarray of shape (n,)
        NaN lies nowhere.
    extent : (x_min, x_max, y_min, y_max)
        The largest values belong to the last cell.
    shape : (ny, nx)
    """
    ny, nx = shape
    left, right, bottom, top = extent
    with np.errstate(invalid="ignore"):
        column = np.minimum((x - left) / (right - left) * nx, np.where(x <= right, nx - 1, nx))
        row = np.minimum((y - bottom) / (top - bottom) * ny, np.where(y <= top, ny - 1, ny))
        inside = (column >= 0) & (column < nx) & (row >= 0) & (row < ny)
    cell = row[inside].astype(np.int64) * nx + column[inside].astype(np.int64)
    return np.bincount(cell, minlength=nx * ny).reshape(ny, nx)


def inside_polygon(x: Float64Array, y: Float64Array, corners: Float64Array) -> BoolArray:
    """Return whether each point lies inside a closed polygon, (k, 2), by the even-odd rule."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    with np.errstate(invalid="ignore"):
        near = np.flatnonzero((x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1]))
    px, py = x[near], y[near]
    odd = np.zeros(len(near), dtype=bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        crosses = (y1 > py) != (y2 > py)
        if y1 != y2:
            odd ^= crosses & (px < (x2 - x1) * (py - y1) / (y2 - y1) + x1)
    inside = np.zeros(len(x), dtype=bool)
    inside[near[odd]] = True
    return inside


def nearest(
    x: Float64Array, y: Float64Array, place: tuple[float, float], reach: tuple[float, float]
) -> int | None:
    """Index of the point nearest to ``place`` in units of ``reach``; None beyond one unit."""
    with np.errstate(invalid="ignore"):
        square = ((x - place[0]) / reach[0]) ** 2 + ((y - place[1]) / reach[1]) ** 2
    if not len(square) or np.isnan(square).all():
        return None
    best = int(np.nanargmin(square))
    return best if square[best] <= 1 else None
