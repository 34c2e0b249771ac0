"""Ridge regressions for several penalties at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lensing_core.arrays import Float32Array, Float64Array


@dataclass(frozen=True)
class RidgePath:
    """Coefficients (d, penalties) and intercepts (penalties,)."""

    coefficients: Float64Array
    intercepts: Float64Array


def ridge_path(
    a: Float32Array, y: Float64Array, weight: Float64Array, penalties: Sequence[float]
) -> RidgePath:
    """Weighted ridge regressions with a free intercept, by one eigendecomposition.

    min Σ w (y − a·β − b)² + λ |β|² (Hoerl & Kennard 1970, Technometrics 12, 55), in the space of
    objects or of columns, whichever is smaller.
    """
    rows = a.astype(np.float64)
    mean_a, mean_y = np.average(rows, axis=0, weights=weight), np.average(y, weights=weight)
    root = np.sqrt(weight)[:, None]
    b, z = (rows - mean_a) * root, (y - mean_y) * root[:, 0]
    columns = np.empty((a.shape[1], len(penalties)))
    dual = len(b) <= b.shape[1]
    values, vectors = np.linalg.eigh(b @ b.T if dual else b.T @ b)
    projected = vectors.T @ (z if dual else b.T @ z)
    for k, penalty in enumerate(penalties):
        solved = vectors @ (projected / (np.maximum(values, 0) + penalty))
        columns[:, k] = b.T @ solved if dual else solved
    return RidgePath(columns, mean_y - mean_a @ columns)


def kernel_ridge(
    kernel: Float64Array,
    cross: Float64Array,
    y: Float64Array,
    weight: Float64Array,
    penalties: Sequence[float],
) -> Float64Array:
    """Predictions of :func:`ridge_path` from products of objects alone, (m, penalties).

    Parameters
    ----------
    kernel : ndarray of shape (n, n)
        Products of the rows that are fitted.
    cross : ndarray of shape (m, n)
        Products of new rows with them.
    """
    share = weight / weight.sum()
    mean, overall = kernel @ share, float(share @ kernel @ share)
    centered = kernel - mean[:, None] - mean[None, :] + overall
    moved = cross - (cross @ share)[:, None] - mean[None, :] + overall
    root = np.sqrt(weight)
    values, vectors = np.linalg.eigh(centered * root[:, None] * root[None, :])
    mean_y = float(share @ y)
    projected = vectors.T @ ((y - mean_y) * root)
    solved = projected[:, None] / (np.maximum(values, 0)[:, None] + np.asarray(penalties)[None, :])
    return np.asarray((moved * root) @ (vectors @ solved) + mean_y)
