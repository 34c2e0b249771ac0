"""Grid-patch, annulus and color features, vectorized over a batch.

The cutout's center is divided into 3 × 3 patches. Fluxes are taken in units of the cutout's own
pixel noise (robust, from the outer pixels) through asinh, so that nothing depends on the zero point
and faint signal stays linear. Annuli are measured on the image and on the image less its own
rotation by 180°, which takes out a centered, symmetric galaxy and leaves arcs and companions.
Colors are differences of asinh magnitudes (Lupton, Gunn & Szalay 1999) of annulus fluxes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import BoolArray, Float32Array, Float64Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.features.block import Metadata, PixelBlock
from lensing_core.features.schema import FeatureSchema
from lensing_core.features.segments import CutoutBatch

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

    def of(self, scene: CutoutBatch, metadata: Metadata | None = None) -> Float32Array:
        """Features of a scene, shape (n, len(schema)); NaN where unknown."""
        n, bands = scene.flux.shape[:2]
        flat = scene.image.reshape(n, bands, self.geometry.size_px**2)
        # Only the positive half of the image less itself turned: the negative one mirrors it.
        work = flat - flat[..., ::-1]  # the one large array here: new ones cost more than sums
        excess = np.maximum(work, 0, out=work)
        with np.errstate(all="ignore"):
            rings = self._rings(flat, excess, scene.noise)
            odd = excess @ self._everywhere  # several times faster than sum(axis=2)
            asymmetry = odd / (np.abs(flat, out=work) @ self._everywhere + 5e-7)
            patches = self._patches(flat, None if scene.complete else scene.valid, work)
            share = np.ones(n) if scene.complete else scene.valid.mean(axis=(1, 2, 3))
            parts = [*patches, *rings, asymmetry, share[:, None]]
        columns = [part.reshape(n, math.prod(part.shape[1:])) for part in parts]
        table = np.concatenate(columns, axis=1).astype(np.float32)
        if scene.complete:
            return table
        missing = np.logical_not(scene.valid.any(axis=(2, 3)))
        for band in np.flatnonzero(missing.any(axis=0)):
            table[np.ix_(missing[:, band], self._columns_of_band[band])] = np.nan
        return table

    @cached_property
    def _columns_of_band(self) -> list[NDArray[np.intp]]:
        """Columns of each band that are unknown where it has no data."""
        bands = self.geometry.bands
        colors = {f"{a}-{b}": {a, b} for a, b in pairwise(bands)}
        of_column = [
            colors.get(last, {last})
            for last in (name.rsplit("_", 1)[-1] for name in self.schema.names)
        ]
        return [np.flatnonzero([band in used for used in of_column]) for band in bands]

    @cached_property
    def _radius_arcsec(self) -> Float64Array:
        n = self.geometry.size_px
        axis = (np.arange(n) - (n - 1) / 2) * self.geometry.pixel_scale_arcsec
        return np.hypot(axis[:, None], axis[None, :])

    @cached_property
    def _everywhere(self) -> Float32Array:
        return np.ones(self.geometry.size_px**2, dtype=np.float32)

    @cached_property
    def _ring_masks(self) -> Float32Array:
        """Annuli, shape (ring, y·x)."""
        edges = pairwise(ANNULI_ARCSEC)
        masks = [(self._radius_arcsec >= a) & (self._radius_arcsec < b) for a, b in edges]
        return np.stack(masks).reshape(len(masks), -1).astype(np.float32)

    @cached_property
    def _ring_pixels(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Pixels of all annuli, one annulus after another, and where each begins."""
        pixels = [np.flatnonzero(mask) for mask in self._ring_masks]
        starts = np.cumsum([0, *map(len, pixels[:-1])])
        return np.concatenate(pixels), starts

    @cached_property
    def _patch_masks(self) -> Float32Array:
        """The grid over the center, shape (patch, y·x)."""
        side = self.geometry.size_px
        patch = side // GRID
        first = (side - GRID * patch) // 2
        masks = np.zeros((GRID, GRID, side, side), dtype=np.float32)
        for row in range(GRID):
            for column in range(GRID):
                y, x = first + row * patch, first + column * patch
                masks[row, column, y : y + patch, x : x + patch] = 1
        return masks.reshape(GRID**2, side**2)

    def _patches(
        self, flat: Float32Array, valid: BoolArray | None, work: Float32Array
    ) -> list[NDArray[np.floating]]:
        """Means, scatters, edges and contrasts of patches, from an image (n, band, y·x).

        ``work``, of the same shape, is written over.
        """
        n, bands, _ = flat.shape
        masks = self._patch_masks.T
        size = masks[:, 0].sum()
        count: Any = size  # of pixels with data; the others are zero
        if valid is not None:
            count = np.maximum(valid.reshape(flat.shape).astype(np.float32) @ masks, 1)
        mean = flat @ masks / count
        square = np.multiply(flat, flat, out=work) @ masks / count
        std = np.sqrt(np.maximum(square - mean**2, 0))
        mean_a, std_a = (np.arcsinh(a).transpose(0, 2, 1) for a in (mean, std))

        # A central difference of independent pixels with σ = 1/√bands has σ/√2 in each direction.
        limit = EDGE_SIGMA / np.sqrt(2 * bands) * bands
        total = flat.sum(axis=1).reshape(n, self.geometry.size_px, self.geometry.size_px)
        edge = _steps_squared(total) > limit**2
        edges = edge.reshape(n, flat.shape[2]).astype(np.float32) @ masks / size

        brightness = mean.mean(axis=1)
        other_patches = (brightness.sum(axis=1, keepdims=True) - brightness) / (GRID**2 - 1)
        contrast = (brightness - other_patches) / (
            np.abs(brightness) + np.abs(other_patches) + 1e-6
        )
        return [mean_a, std_a, edges, contrast]

    def _rings(
        self, flat: Float32Array, excess: Float32Array, noise: Float32Array
    ) -> list[NDArray[np.floating]]:
        """Annuli of the image and of its excess over itself turned, both (n, band, y·x)."""
        masks = self._ring_masks
        sums, odd_sums = flat @ masks.T, excess @ masks.T
        pixels = np.maximum(masks.sum(axis=1), 1)
        peak = self._peaks(excess)
        rings = [np.arcsinh(a).transpose(0, 2, 1) for a in (sums / pixels, odd_sums / pixels, peak)]
        return [*rings, self._colors(sums, noise), self._colors(odd_sums, noise)]

    def _peaks(self, excess: Float32Array) -> Float32Array:
        """Largest value in each annulus, (n, band, ring); 0 where it is beyond the cutout."""
        inside, starts = self._ring_pixels
        used = np.diff([*starts, len(inside)]) > 0
        peak = np.zeros((*excess.shape[:2], len(starts)), dtype=np.float32)
        pixels = np.take(excess, inside, axis=-1)
        peak[..., used] = np.maximum.reduceat(pixels, starts[used], axis=-1)
        return peak

    def _colors(self, sums: Float32Array, noise: Float32Array) -> NDArray[np.floating]:
        """asinh-magnitude colors (n, ring, band − 1) of ring sums (n, band, ring) in noise units.

        The softening is the noise of each sum, so that a color of nothing but noise tends to the
        color of the noise and never to infinity.
        """
        zero_points = np.nan_to_num(np.array(self.geometry.zero_points_mag))
        root = np.sqrt(self._ring_masks.sum(axis=1))
        softening = noise[..., None] * 10 ** (-0.4 * (zero_points - 25.0))[:, None] * root
        magnitude = -2.5 / np.log(10) * (np.arcsinh(sums / root / 2) + np.log(softening))
        return (magnitude[:, :-1] - magnitude[:, 1:]).transpose(0, 2, 1)


def _steps_squared(image: Float32Array) -> Float32Array:
    """Squared gradient (n, y, x) by central differences, at the border by one-sided ones."""
    down = np.empty_like(image)
    np.subtract(image[:, 2:], image[:, :-2], out=down[:, 1:-1])
    across = np.empty_like(image)
    np.subtract(image[..., 2:], image[..., :-2], out=across[..., 1:-1])
    for end, inside in ((0, 1), (-1, -2)):  # twice, as the others span two pixels
        np.multiply(image[:, inside] - image[:, end], 2, out=down[:, end])
        np.multiply(image[..., inside] - image[..., end], 2, out=across[..., end])
    down *= down
    across *= across
    down += across
    down *= 0.25
    return down
