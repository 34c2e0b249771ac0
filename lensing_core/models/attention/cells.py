"""Cells of a coarse map on the pixels of a cutout."""

from __future__ import annotations

import numpy as np

from lensing_core.arrays import Float32Array, Float64Array


def between(cells: Float64Array, centers: Float64Array, size: int) -> Float32Array:
    """Cells (k, k) at ``centers`` on (size, size) pixels: linear in between, constant beyond."""
    pixels = np.arange(size)
    rows = np.stack([np.interp(pixels, centers, row) for row in cells])
    return np.stack([np.interp(pixels, centers, column) for column in rows.T], axis=1).astype(
        np.float32
    )
