"""Steerable filters around the center: ridges of light along the tangent, and along the radius.

The filters are second derivatives of a Gaussian, whose response in any direction follows from three
of them (Freeman & Adelson 1991, doi:10.1109/34.93808). Taken across the radius they answer to arcs,
along it to spokes and bars; a set of oriented filters about the lens did best among the classic
methods of the ground-based challenge of Metcalf et al. (2019; Hartley et al. 2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import BoolArray, Float32Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.features.block import Metadata, PixelBlock
from lensing_core.features.schema import FeatureSchema
from lensing_core.features.segments import FWHM_OF_SIGMA, CutoutBatch

WIDTHS = (1.0, 2.0)
"""Widths of the Gaussians, in that of the PSF (at least one pixel)."""
RINGS = (0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0)
"""Edges of the annuli, in half sides of the cutout."""
STRONG_SIGMA = 4.0


@dataclass(frozen=True)
class RidgeFeatures(PixelBlock):
    """Tangential and radial ridges by annulus and width, of cutouts of one geometry."""

    geometry: CutoutGeometry

    @cached_property
    def schema(self) -> FeatureSchema:
        """Names and units, in the order of the columns."""
        rings = [f"ring{k}" for k in range(len(RINGS) - 1)]
        names = [
            f"ridge{w}_{ring}_{kind}"
            for w in range(len(WIDTHS))
            for kind in ("tangential_peak", "tangential_mean", "radial_peak", "coverage")
            for ring in rings
        ]
        units = ["fraction" if name.endswith("coverage") else "sigma" for name in names]
        return FeatureSchema("ridges-1", tuple(names), tuple(units))

    def of(self, scene: CutoutBatch, metadata: Metadata | None = None) -> Float32Array:
        """Features of a scene, (n, len(schema))."""
        spectrum = np.fft.rfft2(scene.significance)
        parts = [part for width in range(len(WIDTHS)) for part in self._width(spectrum, width)]
        table = np.concatenate(parts, axis=1).astype(np.float32)
        table[~scene.valid.any(axis=(1, 2, 3))] = np.nan
        return table

    def _width(self, spectrum: NDArray[np.complexfloating], width: int) -> list[Float32Array]:
        side = self.geometry.size_px
        xx, yy, xy = (
            np.fft.irfft2(spectrum * kernel, s=(side, side)).astype(np.float32)
            for kernel in self._kernels[width]
        )
        c, s = self._direction
        # A ridge is dark–bright–dark across itself: minus the second derivative across it.
        tangential = np.maximum(-(c * c * xx + 2 * c * s * xy + s * s * yy), 0)
        radial = np.maximum(-(s * s * xx - 2 * c * s * xy + c * c * yy), 0)
        peaks, means, across, covered = [], [], [], []
        for mask in self._rings:
            inside = tangential[:, mask]
            peaks.append(inside.max(axis=1, initial=0))
            means.append(inside.mean(axis=1))
            across.append(radial[:, mask].max(axis=1, initial=0))
            covered.append((inside > STRONG_SIGMA).mean(axis=1))
        return [np.stack(part, axis=1) for part in (peaks, means, across, covered)]

    @cached_property
    def _sigma_px(self) -> tuple[float, ...]:
        known = [w for w in self.geometry.psf_fwhm_arcsec if w == w]
        psf = max(known, default=0.0) / self.geometry.pixel_scale_arcsec / FWHM_OF_SIGMA
        return tuple(width * max(psf, 1.0) for width in WIDTHS)

    @cached_property
    def _kernels(self) -> list[tuple[Float32Array, Float32Array, Float32Array]]:
        """Transfer functions of ∂xx, ∂yy and ∂xy of a Gaussian, by width.

        Scaled so that white noise of 1 gives a response of 1 in every direction: ∂xx of a Gaussian
        of norm 1 has the squared norm 3 / (16 π σ⁶), and so has every turned one.
        """
        side = self.geometry.size_px
        ky = 2 * np.pi * np.fft.fftfreq(side)[:, None]
        kx = 2 * np.pi * np.fft.rfftfreq(side)[None, :]
        out = []
        for sigma in self._sigma_px:
            low = np.exp(-(sigma**2) * (kx**2 + ky**2) / 2) * np.sqrt(16 * np.pi / 3) * sigma**3
            xx, yy, xy = ((-low * k).astype(np.float32) for k in (kx * kx, ky * ky, kx * ky))
            out.append((xx, yy, xy))
        return out

    @cached_property
    def _direction(self) -> tuple[Float32Array, Float32Array]:
        """Unit vector away from the center, x and y, each (y, x)."""
        axis = np.arange(self.geometry.size_px, dtype=np.float32) - (self.geometry.size_px - 1) / 2
        radius = np.maximum(np.hypot(axis[:, None], axis[None, :]), 1e-6)
        return (axis[None, :] / radius).astype("f4"), (axis[:, None] / radius).astype("f4")

    @cached_property
    def _rings(self) -> list[BoolArray]:
        axis = np.arange(self.geometry.size_px) - (self.geometry.size_px - 1) / 2
        radius = np.hypot(axis[:, None], axis[None, :]) / (self.geometry.size_px / 2)
        return [(radius >= a) & (radius < b) for a, b in pairwise(RINGS)]
