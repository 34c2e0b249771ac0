"""The grid that the cutouts of a catalog share, and the memory that a chunk of them is put into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isnan, prod
from pathlib import Path
from typing import Any

import numpy as np

from lensing_core.arrays import Float32Array
from lensing_core.ingest.choices import MissingBands


@dataclass(frozen=True)
class Grid:
    """Geometry that all cutouts of a catalog share.

    Attributes
    ----------
    zero_points_mag : tuple of float
        AB, by band; images of another zero point are scaled to it. NaN: leave values alone.
    psf_size_px : int
        Side of the stored PSFs, odd; 0: none are stored.
    """

    size_px: int
    pixel_scale_arcsec: float
    zero_points_mag: tuple[float, ...]
    with_variance: bool = False
    psf_size_px: int = 0
    missing_bands: MissingBands = "nan"

    @property
    def is_rendered(self) -> bool:
        """Return whether pixels are colors, not fluxes."""
        return isnan(self.zero_points_mag[0])


@dataclass(frozen=True)
class Pixels:
    """Buffer for the pixels of some objects.

    Attributes
    ----------
    flux, variance : ndarray of shape (n, band, y, x), float32
        NaN where there is no data.
    psf : ndarray of shape (n, band, py, px), float32
    """

    flux: Float32Array
    variance: Float32Array | None
    psf: Float32Array | None

    def rows(self, places: Sequence[int]) -> Pixels:
        """The objects at ``places``: a view if they are the first in a row, else a copy."""
        n = len(places)
        chosen = slice(n) if list(places) == list(range(n)) else list(places)
        return Pixels(
            self.flux[chosen],
            None if self.variance is None else self.variance[chosen],
            None if self.psf is None else self.psf[chosen],
        )

    def put(self, place: int, other: Pixels, at: int) -> None:
        """Take over the pixels of one object of another buffer for the same grid."""
        self.flux[place] = other.flux[at]
        if self.variance is not None and other.variance is not None:
            self.variance[place] = other.variance[at]
        if self.psf is not None and other.psf is not None:
            self.psf[place] = other.psf[at]


@dataclass(frozen=True)
class PixelBuffer:
    """Buffer for the pixels of a catalog: its size, and its file, if any.

    Attributes
    ----------
    path : Path or None
        A scratch file that several processes map, reserved; None: this process's memory.
    slots, capacity : int
        Objects in all are ``slots * capacity``.
    """

    n_bands: int
    size_px: int
    with_variance: bool
    psf_size_px: int
    capacity: int
    slots: int = 1
    path: Path | None = None

    @classmethod
    def of(cls, grid: Grid, n_bands: int, capacity: int, **more: Any) -> PixelBuffer:
        """Buffer for ``capacity`` objects of a grid."""
        return cls(n_bands, grid.size_px, grid.with_variance, grid.psf_size_px, capacity, **more)

    @property
    def bytes_per_slot(self) -> int:
        """Memory of a slot."""
        planes = self.size_px**2 * (2 if self.with_variance else 1) + self.psf_size_px**2
        return 4 * self.capacity * self.n_bands * planes

    def open(self, slot: int = 0) -> Pixels:
        """The pixels of a slot."""
        cutouts = (self.capacity, self.n_bands, self.size_px, self.size_px)
        psfs = (self.capacity, self.n_bands, self.psf_size_px, self.psf_size_px)
        n = prod(cutouts)
        n_variance = n if self.with_variance else 0
        flat = self._floats(slot, n + n_variance + prod(psfs))
        return Pixels(
            flat[:n].reshape(cutouts),
            flat[n : n + n_variance].reshape(cutouts) if self.with_variance else None,
            flat[n + n_variance :].reshape(psfs) if self.psf_size_px else None,
        )

    def _floats(self, slot: int, count: int) -> Float32Array:
        if self.path is None:
            return np.empty(count, dtype=np.float32)
        whole = np.memmap(self.path, np.float32, "r+", shape=(self.slots, count))
        return whole[slot].view(np.ndarray)


opened = lru_cache(maxsize=8)(PixelBuffer.open)
