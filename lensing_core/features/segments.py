"""Segments of light that the central galaxy does not explain, found in many cutouts at once.

The galaxy's light is taken out (:mod:`lensing_core.features.light`), the bands are added in units
of their noise, and SEP (Barbary 2016, doi:10.21105/joss.00058; Bertin & Arnouts 1996) finds
connected pixels above the noise in all cutouts of a batch together. Segments are never split: an
arc is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sep
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from lensing_core.arrays import BoolArray, Float32Array, Float64Array, IntArray
from lensing_core.cutouts import CutoutGeometry
from lensing_core.features.circles import Circles, fit_circles
from lensing_core.features.light import Light, model_light
from lensing_core.features.robust import pixel_noise

THRESHOLD = 2.5
"""Significance of a smoothed pixel from which it belongs to a segment."""
LEAST_PX = 5
MISMATCH = 0.1
"""Standard error of the galaxy's model, relative to itself and to its change over a pixel."""
CORE_PX = 2.0
"""Radius around the center, in pixels or half PSF widths, within which nothing is looked for."""
_GAP_PX = 3  # SEP smooths by one pixel to either side before it looks
_PIXELS = 300_000
FWHM_OF_SIGMA = 2 * np.sqrt(2 * np.log(2))


@dataclass(frozen=True)
class CutoutBatch:
    """Cutouts (n, band, y, x) with what several blocks of features need of them, made once."""

    flux: Float32Array
    geometry: CutoutGeometry

    @cached_property
    def valid(self) -> BoolArray:
        """Mask of pixels with data, shape of the flux."""
        return np.isfinite(self.flux)

    @cached_property
    def complete(self) -> bool:
        """Return whether no pixel lacks data."""
        return bool(self.valid.all())

    @cached_property
    def noise(self) -> Float32Array:
        """Noise of a pixel, (n, band), in the unit of the flux."""
        return pixel_noise(self.flux)

    @cached_property
    def image(self) -> Float32Array:
        """Flux in units of its noise, 0 where there is no data."""
        with np.errstate(all="ignore"):
            image = self.flux * (1 / self.noise[..., None, None])
        if not self.complete:
            image[~self.valid] = 0
        return np.asarray(image, dtype=np.float32)

    @cached_property
    def light(self) -> Light:
        """The central galaxies."""
        return model_light(self.image, self.valid)

    @cached_property
    def residual(self) -> Float32Array:
        """:attr:`image` without the central galaxy."""
        return np.where(self.valid, self.image - self.light.model, 0).astype(np.float32)

    @cached_property
    def significance(self) -> Float32Array:
        """Residual of all bands together over its error, (n, y, x); 0 in the core."""
        bands = np.maximum(self.valid.sum(axis=1), 1)
        mean = self.residual.sum(axis=1) / bands
        model = self.light.model.mean(axis=1)
        error = np.sqrt(1 / bands + MISMATCH**2 * (model**2 + self.light.slope**2))
        return np.where(self.core, 0, mean / error).astype(np.float32)

    @cached_property
    def core(self) -> BoolArray:
        """Pixels too near the center, (n, y, x)."""
        return np.asarray(self.light.radius_px < CORE_PX * max(1.0, self.psf_px / 2))

    @property
    def psf_px(self) -> float:
        """Widest PSF FWHM of the bands in pixels; 0 where none is known."""
        known = [w for w in self.geometry.psf_fwhm_arcsec if w == w]
        return max(known, default=0.0) / self.geometry.pixel_scale_arcsec

    @cached_property
    def segments(self) -> Segments:
        """All segments of all cutouts."""
        return find_segments(self)

    def matched(self) -> Float32Array:
        """:attr:`residual` with every band brought to the widest PSF by a Gaussian."""
        out = self.residual.copy()
        for band, fwhm in enumerate(self.geometry.psf_fwhm_arcsec):
            width = fwhm / self.geometry.pixel_scale_arcsec
            if width == width and width < 0.99 * self.psf_px:
                sigma = np.sqrt(self.psf_px**2 - width**2) / FWHM_OF_SIGMA
                for axis in (1, 2):
                    out[:, band] = gaussian_filter1d(out[:, band], sigma, axis=axis, mode="nearest")
        return out


@dataclass(frozen=True)
class Segments:
    """S segments of n cutouts, ordered by cutout, brightest first; lengths in arcsec.

    Attributes
    ----------
    n : int
        Cutouts.
    owner, rank : ndarray of shape (S,)
        Number of the cutout; place among its segments.
    x, y : ndarray of shape (S,)
        Light-weighted center, from the center of the cutout.
    snr : ndarray of shape (S,)
        Of all bands together.
    length, width : ndarray of shape (S,)
        Along the fitted circle, at least the major axis (√12 σ); area over length.
    major : ndarray of shape (S,)
        Light-weighted standard deviation along the major axis.
    angle : ndarray of shape (S,)
        Of the major axis, radians from the x axis.
    ellipticity : ndarray of shape (S,)
        (1 − q) / (1 + q) of the moments.
    curvature, concavity : ndarray of shape (S,)
        1 / radius of the circle; that part of it that points at the cutout's center, times the
        distance from there: 1 for an arc around the center.
    inliers, rms : ndarray of shape (S,)
        Share of the light on the circle; its distance from it.
    pixel, of_pixel : ndarray of shape (P,)
        Flat index of every segment's pixels in (n, y, x), and the segment of each.
    failed : ndarray of shape (n,)
        Cutouts whose segments could not be found; they have none, and their features are unknown.
    """

    n: int
    owner: IntArray
    rank: IntArray
    x: Float64Array
    y: Float64Array
    snr: Float64Array
    length: Float64Array
    width: Float64Array
    major: Float64Array
    angle: Float64Array
    ellipticity: Float64Array
    curvature: Float64Array
    concavity: Float64Array
    inliers: Float64Array
    rms: Float64Array
    pixel: IntArray
    of_pixel: IntArray
    failed: BoolArray

    def __len__(self) -> int:
        return len(self.owner)

    @property
    def radius(self) -> Float64Array:
        """Distance from the cutout's center, arcsec."""
        return np.hypot(self.x, self.y)

    @property
    def count(self) -> NDArray[np.integer]:
        """Segments of each cutout, shape (n,)."""
        return np.bincount(self.owner, minlength=self.n)

    @property
    def alignment(self) -> Float64Array:
        """cos 2Δ with Δ between major axis and tangent: 1 tangential, −1 radial."""
        return -np.cos(2 * (self.angle - np.arctan2(self.y, self.x)))

    def sums(self, values: NDArray[np.floating]) -> Float64Array:
        """Sum over the pixels of each segment of ``values`` (n·y·x,), shape (S,)."""
        return np.asarray(np.bincount(self.of_pixel, values[self.pixel], len(self)), np.float64)

    def table(self, values: Float64Array, most: int) -> Float64Array:
        """``values`` (S,) as (n, most), the brightest first; NaN where there are fewer."""
        out = np.full((self.n, most), np.nan)
        kept = self.rank < most
        out[self.owner[kept], self.rank[kept]] = values[kept]
        return out


def find_segments(scene: CutoutBatch) -> Segments:
    """Find and measure the segments of a scene."""
    n, side, _ = scene.significance.shape
    labels, failed = _label(scene.significance)
    pixel = np.flatnonzero(labels)
    owner = pixel // side**2
    _, which = np.unique(labels.reshape(-1)[pixel], return_inverse=True)
    significance = scene.significance.reshape(-1)[pixel].astype(np.float64)
    size = int(which.max(initial=-1)) + 1
    area = np.bincount(which, minlength=size)
    snr = np.bincount(which, significance, size) / np.sqrt(np.maximum(area, 1))
    of_segment = np.zeros(size, dtype=np.int64)
    of_segment[which] = owner
    order = np.lexsort((-snr, of_segment))
    place = np.empty(size, dtype=np.int64)
    place[order] = np.arange(size)
    which, of_segment, snr, area = place[which], of_segment[order], snr[order], area[order]
    rank = np.arange(size) - np.searchsorted(of_segment, of_segment)

    scale = scene.geometry.pixel_scale_arcsec
    x, y = pixel % side - (side - 1) / 2, pixel // side % side - (side - 1) / 2
    # Light itself, not its significance, which falls towards the galaxy and would bend arcs.
    weight = np.maximum(scene.residual.mean(axis=1).reshape(-1)[pixel], 1e-3).astype(np.float64)
    total = np.bincount(which, weight, size)

    def mean(values: Float64Array) -> Float64Array:
        return np.asarray(np.bincount(which, weight * values, size) / total)

    cx, cy = mean(x), mean(y)
    dx, dy = x - cx[which], y - cy[which]
    xx, yy, xy = mean(dx * dx), mean(dy * dy), mean(dx * dy)
    angle = np.arctan2(2 * xy, xx - yy) / 2
    spread = np.hypot((xx - yy) / 2, xy)
    major, minor = (np.sqrt(np.maximum((xx + yy) / 2 + s, 1 / 12)) for s in (spread, -spread))

    along = dx * np.cos(angle)[which] + dy * np.sin(angle)[which]
    order = np.lexsort((along, which))
    which, pixel = which[order], pixel[order]
    dx, dy, weight = dx[order], dy[order], weight[order]
    circles = fit_circles(dx, dy, weight, area, max(1.0, scene.psf_px / 2))
    length = np.maximum(_arc_length(circles, dx, dy, which, area), np.sqrt(12) * major)
    towards = circles.curvature_vector()
    # No circle is smaller than that of a ring of the segment's extent, major = radius / √2: light
    # that only is round has no curvature of its own.
    limit = np.minimum(1, 1 / np.maximum(np.sqrt(2) * major * circles.curvature, 1e-12))
    concavity = -limit * (towards[:, 0] * cx + towards[:, 1] * cy)
    return Segments(
        n=n,
        owner=of_segment,
        rank=rank,
        x=cx * scale,
        y=cy * scale,
        snr=snr,
        length=length * scale,
        width=area / length * scale,
        major=major * scale,
        angle=angle,
        ellipticity=(major - minor) / (major + minor),
        curvature=limit * circles.curvature / scale,
        concavity=concavity,
        inliers=circles.inliers,
        rms=circles.rms * scale,
        pixel=pixel,
        of_pixel=which,
        failed=failed,
    )


def _arc_length(
    circles: Circles, x: Float64Array, y: Float64Array, which: IntArray, area: IntArray
) -> Float64Array:
    """√12 times the scatter of pixels along the circle: the length of an even distribution."""
    a, b, c, _ = circles.coefficients.T
    twice = 2 * np.where(np.abs(a) < 1e-6, 1e-6, a)[which]
    # Along (−C, B) and towards the center −(B, C) / 2A, from the point nearest to the mean.
    u, v = -c[which] * x + b[which] * y, -(b[which] * x + c[which] * y)
    along = np.arctan2(twice * u, 1 - twice * v) / twice
    size = len(area)
    mean = np.bincount(which, along, size) / area
    return np.asarray(np.sqrt(12 * np.bincount(which, (along - mean[which]) ** 2, size) / area))


def _label(significance: Float32Array) -> tuple[IntArray, BoolArray]:
    """Number of the segment of every pixel, 0 for none, (n, y, x), and which cutouts failed, (n,).

    All cutouts stand in one tall image, with a gap between them that no segment crosses; numbers
    are distinct over all. If SEP gives up on them together, each is tried alone.
    """
    n, side, _ = significance.shape
    failed = np.zeros(n, dtype=np.bool_)
    tall = np.zeros((n, side + _GAP_PX, side), dtype=np.float32)
    tall[:, :side] = significance
    try:
        labels = _extract(tall.reshape(-1, side)).reshape(tall.shape)
    except SegmentationError:
        labels = np.zeros(tall.shape, dtype=np.int64)
        for k, one in enumerate(tall):
            try:
                extracted = _extract(one)
            except SegmentationError:
                failed[k] = True
            else:
                labels[k] = np.where(extracted, extracted + labels.max(), 0)
    return labels[:, :side], failed


class SegmentationError(Exception):
    """Thrown when SEP gives up on an image."""


def _extract(image: Float32Array) -> IntArray:
    """Number of the segment of every pixel of an image, 0 for none."""
    if not image.size:
        return np.zeros(image.shape, dtype=np.int64)
    # Every pixel may belong to one segment: SEP's own limit is 300,000 for all of them.
    sep.set_extract_pixstack(max(_PIXELS, image.size))
    try:
        # One level: segments are never split. With more, SEP splits and joins again, to the same
        # segments, and gives up on one with more than a thousand peaks.
        _, labels = sep.extract(
            image, THRESHOLD, err=1.0, minarea=LEAST_PX, deblend_nthresh=1, deblend_cont=1.0,
            clean=False, segmentation_map=True,
        )  # fmt: skip
    except MemoryError:
        raise
    except Exception as error:
        raise SegmentationError(str(error)) from error
    return np.asarray(labels, dtype=np.int64)
