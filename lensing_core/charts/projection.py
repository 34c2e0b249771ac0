"""Embeddings on the plane that holds most of their scatter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lensing_core.arrays import Float32Array, Float64Array
from lensing_core.errors import BadInputError
from lensing_core.stored_arrays import StoredArray

Table = Float32Array | StoredArray
_BATCH = 20_000
_MOST_FITTED = 100_000


@dataclass(frozen=True)
class Plane:
    """The first two principal components.

    Attributes
    ----------
    mean : ndarray of shape (d,)
    axes : ndarray of shape (d, 2)
        Orthonormal; the largest weight of each is positive, so that a map keeps its sides.
    explained : float
        Share of the variance that the plane holds, of the rows it was fitted on.
    """

    mean: Float64Array
    axes: Float64Array
    explained: float

    def project(self, table: Table) -> Float32Array:
        """Coordinates (n, 2) of rows (n, d), a batch in memory at a time; NaN for rows with NaN."""
        out = np.empty((len(table), 2), dtype=np.float32)
        for start in range(0, len(table), _BATCH):
            part = np.asarray(table[start : start + _BATCH], dtype=np.float64)
            out[start : start + _BATCH] = (part - self.mean) @ self.axes
        return out


def fit_plane(tables: Sequence[Table]) -> Plane:
    """Principal components of the rows of some tables, from sums over batches.

    Of more than 100,000 rows, as many are taken at even steps.

    Raises
    ------
    BadInputError
        If fewer than three rows have no NaN, or all are alike.
    """
    step = max(1, -(-sum(map(len, tables)) // _MOST_FITTED))
    width = tables[0].shape[1]
    n, total, square = 0, np.zeros(width), np.zeros((width, width))
    # about the first rows, so that the sums of squares lose no digits to a large mean
    origin = np.nan_to_num(np.asarray(tables[0][:100], dtype=np.float64)).mean(axis=0)
    for table in tables:
        for start in range(0, len(table), _BATCH * step):
            part = np.asarray(table[start : start + _BATCH * step : step], dtype=np.float64)
            part = part[np.isfinite(part).all(axis=1)] - origin
            n += len(part)
            total += part.sum(axis=0)
            square += part.T @ part
    if n < 3:
        raise BadInputError("Too few candidates have an embedding for a map.")
    shift = total / n
    values, vectors = np.linalg.eigh(square / n - np.outer(shift, shift))
    if values[-1] <= 0:
        raise BadInputError("All embeddings are equal; there is nothing to map.")
    axes = vectors[:, [-1, -2]]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    explained = values[-2:].sum() / np.maximum(values, 0).sum()
    return Plane(origin + shift, axes, float(explained))
