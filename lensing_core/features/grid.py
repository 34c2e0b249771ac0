"""Grid-patch, annulus and colour features, vectorised over a batch.

The cutout's centre is divided into 3 × 3 patches. Fluxes are taken in units of the cutout's own
pixel noise (robust, from the outer pixels) through asinh, so that nothing depends on the zero point
and faint signal stays linear. Annuli are measured on the image and on the image less its own
rotation by 180°, which takes out a centred, symmetric galaxy and leaves arcs and companions.
Colours are differences of asinh magnitudes (Lupton, Gunn & Szalay 1999) of annulus fluxes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lensing_core.cutouts import CutoutGeometry
from lensing_core.features.block import Metadata, PixelBlock
from lensing_core.features.schema import FeatureSchema
from lensing_core.features.segments import Scene

Floats = NDArray[np.float32]
VERSION = "grid-1"
GRID = 3
ANNULI_ARCSEC = (0.0, 0.5, 0.9, 1.4, 2.0, 2.8, 4.0)
EDGE_SIGMA = 3.0
"""A pixel is an edge where its gradient exceeds this many times what noise alone gives."""


@dataclass(frozen=True)
class GridFeatures(PixelBlock):
    """Computes the features of cutouts of one geometry.

    The dimension follows from the bands: see :attr:`schema`.
    """

    geometry: CutoutGeometry

    @cached_property
    def schema(self) -> FeatureSchema:
        """Names and units, in the order of the columns."""
        bands = self.geometry.bands
        pairs = list(pairwise(bands))
        patches = [f"patch{row}{column}" for row in range(GRID) for column in range(GRID)]
        rings = [f"ring{k}" for k in range(len(ANNULI_ARCSEC) - 1)]
        columns: list[tuple[str, str]] = []
        for statistic in ("mean", "std"):
            columns += [(f"{p}_{statistic}_{b}", "asinh sigma") for p in patches for b in bands]
        columns += [(f"{p}_edge_density", "fraction") for p in patches]
        columns += [(f"{p}_contrast", "") for p in patches]
        columns += [(f"{r}_mean_{b}", "asinh sigma") for r in rings for b in bands]
        columns += [(f"{r}_odd_{b}", "asinh sigma") for r in rings for b in bands]
        columns += [(f"{r}_odd_peak_{b}", "asinh sigma") for r in rings for b in bands]
        columns += [(f"{r}_{a}-{b}", "mag") for r in rings for a, b in pairs]
        columns += [(f"{r}_odd_{a}-{b}", "mag") for r in rings for a, b in pairs]
        columns += [(f"asymmetry_{b}", "fraction") for b in bands]
        columns += [("valid_fraction", "fraction")]
        return FeatureSchema(VERSION, *map(tuple, zip(*columns, strict=True)))

    def of(self, scene: Scene, metadata: Metadata | None = None) -> Floats:
        """Features of a scene, shape (n, len(schema)); NaN where unknown."""
        valid, noise, filled = scene.valid, scene.noise, scene.image
        with np.errstate(all="ignore"):
            odd = filled - filled[..., ::-1, ::-1]
            parts = [
                *self._patches(filled, valid),
                *self._rings(filled, odd, noise),
                self._asymmetry(filled, odd),
                valid.mean(axis=(1, 2, 3))[:, None],
            ]
        table = np.concatenate([p.reshape(len(filled), -1) for p in parts], axis=1).astype("f4")
        missing = np.logical_not(valid.any(axis=(2, 3)))
        for band in np.flatnonzero(missing.any(axis=0)):
            table[np.ix_(missing[:, band], self._columns_of_band[band])] = np.nan
        return table

    @cached_property
    def _columns_of_band(self) -> list[NDArray[np.intp]]:
        """For each band, the columns that say nothing where it has no data."""
        bands = self.geometry.bands
        colours = {f"{a}-{b}": {a, b} for a, b in pairwise(bands)}
        of_column = [
            colours.get(last, {last})
            for last in (name.rsplit("_", 1)[-1] for name in self.schema.names)
        ]
        return [np.flatnonzero([band in used for used in of_column]) for band in bands]

    @cached_property
    def _radius_arcsec(self) -> NDArray[np.float64]:
        n = self.geometry.size_px
        axis = (np.arange(n) - (n - 1) / 2) * self.geometry.pixel_scale_arcsec
        return np.hypot(axis[:, None], axis[None, :])

    @cached_property
    def _ring_masks(self) -> Floats:
        """Annuli, shape (ring, y·x)."""
        edges = pairwise(ANNULI_ARCSEC)
        masks = [(self._radius_arcsec >= a) & (self._radius_arcsec < b) for a, b in edges]
        return np.stack(masks).reshape(len(masks), -1).astype(np.float32)

    def _patches(self, image: Floats, valid: NDArray[np.bool_]) -> list[NDArray[np.floating]]:
        n, bands, side, _ = image.shape
        patch = side // GRID
        first = (side - GRID * patch) // 2
        window = slice(first, first + GRID * patch)

        def split(array: NDArray[Any]) -> NDArray[Any]:
            """(n, band, patch, pixel) of the centre."""
            blocks = array[..., window, window].reshape(n, -1, GRID, patch, GRID, patch)
            return blocks.transpose(0, 1, 2, 4, 3, 5).reshape(n, -1, GRID**2, patch**2)

        count = np.maximum(split(valid).sum(axis=-1), 1)
        pixels = split(image)  # zero where there is no data
        mean = pixels.sum(axis=-1) / count
        square = np.einsum("nbpk,nbpk->nbp", pixels, pixels) / count
        std = np.sqrt(np.maximum(square - mean**2, 0))
        mean_a, std_a = (np.arcsinh(a).transpose(0, 2, 1) for a in (mean, std))

        total = image.mean(axis=1)
        steps = np.hypot(np.gradient(total, axis=1), np.gradient(total, axis=2))
        # A central difference of independent pixels with σ = 1/√bands has σ/√2 in each direction.
        limit = EDGE_SIGMA / np.sqrt(2 * bands)
        edges = split((steps > limit)[:, None]).mean(axis=-1)[:, 0]

        brightness = mean.mean(axis=1)
        others = (brightness.sum(axis=1, keepdims=True) - brightness) / (GRID**2 - 1)
        contrast = (brightness - others) / (np.abs(brightness) + np.abs(others) + 1e-6)
        return [mean_a, std_a, edges, contrast]

    def _rings(self, image: Floats, odd: Floats, noise: Floats) -> list[NDArray[np.floating]]:
        n, bands = image.shape[:2]
        masks = self._ring_masks
        flat = image.reshape(n, bands, -1)
        # Only the positive half of the difference: the negative one mirrors it.
        excess = np.maximum(odd, 0).reshape(n, bands, -1)
        sums, odd_sums = flat @ masks.T, excess @ masks.T
        pixels = np.maximum(masks.sum(axis=1), 1)
        peak = np.stack(
            [excess[..., mask > 0].max(axis=-1, initial=0.0) for mask in masks], axis=-1
        )
        rings = [np.arcsinh(a).transpose(0, 2, 1) for a in (sums / pixels, odd_sums / pixels, peak)]
        return [*rings, self._colours(sums, noise), self._colours(odd_sums, noise)]

    def _colours(self, sums: Floats, noise: Floats) -> NDArray[np.floating]:
        """asinh-magnitude colours (n, ring, band − 1) of ring sums (n, band, ring) in noise units.

        The softening is the noise of each sum, so that a colour of nothing but noise tends to the
        colour of the noise and never to infinity.
        """
        zero_points = np.nan_to_num(np.array(self.geometry.zero_points_mag))
        root = np.sqrt(self._ring_masks.sum(axis=1))
        softening = noise[..., None] * 10 ** (-0.4 * (zero_points - 25.0))[:, None] * root
        magnitude = -2.5 / np.log(10) * (np.arcsinh(sums / root / 2) + np.log(softening))
        return (magnitude[:, :-1] - magnitude[:, 1:]).transpose(0, 2, 1)

    @staticmethod
    def _asymmetry(image: Floats, odd: Floats) -> NDArray[np.floating]:
        return np.abs(odd).sum(axis=(2, 3)) / (2 * np.abs(image).sum(axis=(2, 3)) + 1e-6)
