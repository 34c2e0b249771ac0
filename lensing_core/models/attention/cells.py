"""Cells of a coarse map on the pixels of a cutout."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def between(
    cells: NDArray[np.float64], centres: NDArray[np.float64], size: int
) -> NDArray[np.float32]:
    """Cells (k, k) at ``centres`` on (size, size) pixels: linear in between, constant beyond."""
    pixels = np.arange(size)
    rows = np.stack([np.interp(pixels, centres, row) for row in cells])
    return np.stack([np.interp(pixels, centres, column) for column in rows.T], axis=1).astype(
        np.float32
    )
