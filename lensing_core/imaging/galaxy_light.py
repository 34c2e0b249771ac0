"""Taking the light of the central galaxy out of one cutout, for the eye.

Concentric elliptical isophotes about the galaxy's own center, of one axis ratio and angle in all
bands, with a smooth profile in each band that never rises outwards; where the PSF rounds them off,
the isophotes may change shape. Pixels that stand out of their isophote (arcs, images, neighbors)
weigh little in the fit, so that they are left in the residual; a closed ring is left because the
profile may not rise again outside the gap within it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from lensing_core.arrays import BoolArray, Float32Array, Float64Array, IntArray

_KNOT_STEP = 0.35  # in asinh(r / 1 px): a third of a pixel in the core, a third of r outside
_FLATTEST = 0.2
_MOMENT_STEPS = 30
_START_WIDTH = 0.05  # of the side: the window of the first moments
_WANDER = 0.12  # of the side: the center stays this near to the middle of the cutout
_MODEL_ERROR = 0.02  # of the model: isophotes are no perfect ellipses
_MODEL_ERRORS = (0.5, 0.15, 0.05, _MODEL_ERROR, _MODEL_ERROR)  # step by step
_CLIP_ABOVE, _CLIP_BELOW = 2.0, 3.0  # sigma
_WHOLE_WITHIN_PX = 20.0
_OUTER_PIXELS = 2500
_FINE_STEP_PX = 0.1

# Threads of BLAS cost more than these small matrices, on busy cores 20 times more. Their number
# belongs to the whole process: who changes it for a while must be alone.
_ALONE = Lock()


@cache
def _threads() -> ThreadpoolController:
    return ThreadpoolController()


@dataclass(frozen=True)
class GalaxyLight:
    """A model of the central galaxy.

    Attributes
    ----------
    model : ndarray of shape (band, y, x)
        In the unit of the image, the local sky included; NaN in a band without data.
    center_px : (x, y)
        From the middle of the first pixel.
    axis_ratio : float
    angle_deg : float
        Of the major axis, from the x axis towards the y axis.
    """

    model: Float32Array
    center_px: tuple[float, float]
    axis_ratio: float
    angle_deg: float


@dataclass(frozen=True)
class _Ellipse:
    x: float
    y: float
    covariance: Float64Array  # (2, 2) of (x, y), px²

    @property
    def axes(self) -> tuple[float, float]:
        """Axis ratio and angle of the major axis in radians."""
        (xx, xy), (_, yy) = self.covariance
        spread = np.hypot((xx - yy) / 2, xy)
        middle = (xx + yy) / 2
        return (
            float(np.sqrt(max(middle - spread, 0.0) / (middle + spread))),
            float(np.arctan2(2 * xy, xx - yy) / 2),
        )

    def radius(self, side: int) -> tuple[Float64Array, Float64Array]:
        """Elliptical radius sqrt(q u² + v²/q), px, and azimuth from the major axis; (y, x)."""
        ratio, angle = self.axes
        q = max(ratio, _FLATTEST)
        y, x = np.mgrid[:side, :side].astype(np.float64)
        u = np.cos(angle) * (x - self.x) + np.sin(angle) * (y - self.y)
        v = np.cos(angle) * (y - self.y) - np.sin(angle) * (x - self.x)
        return np.sqrt(q * u**2 + v**2 / q), np.arctan2(v, u)


def fit_galaxy_light(image: NDArray[np.floating], psf_fwhm_px: float) -> GalaxyLight:
    """Model the galaxy in the middle of ``image``.

    Parameters
    ----------
    image : ndarray of shape (band, y, x)
        In units of the sky noise above the sky; NaN where there is no data.
    psf_fwhm_px : float
        Of the band with the widest PSF; NaN if it is not known.
    """
    with _ALONE, _threads().limit(limits=1, user_api="blas"):
        return _fit(image, psf_fwhm_px)


def _fit(image: NDArray[np.floating], psf_fwhm_px: float) -> GalaxyLight:
    pixels = np.asarray(image, dtype=np.float64)
    finite = np.isfinite(pixels)
    known = np.asarray(finite.any(axis=0))
    side = pixels.shape[-1]
    if not known.any():
        middle = (side - 1) / 2
        return GalaxyLight(pixels.astype(np.float32), (middle, middle), 1.0, 0.0)
    total = np.where(finite, pixels, 0).sum(axis=0) / np.sqrt(np.maximum(finite.sum(axis=0), 1))
    core_px = 1.2 * psf_fwhm_px if np.isfinite(psf_fwhm_px) else 3.0
    ellipse = _adaptive_moments(total, known)
    # What stands out of a first model would pull at the center and the shape.
    first = _fit_band(total, known, _Basis.of(ellipse, side, core_px)).model()
    allowed = 4 * np.sqrt(1 + (0.1 * np.maximum(first, 0)) ** 2)
    ellipse = _adaptive_moments(np.where(total - first > allowed, first, total), known)
    basis = _Basis.of(ellipse, side, core_px)
    basis = basis.with_shape(_fit_band(total, known, basis))
    model = np.full(pixels.shape, np.nan, dtype=np.float32)
    for band in range(len(pixels)):
        if finite[band].any():
            model[band] = _fit_band(pixels[band], finite[band], basis).model()
    ratio, angle = ellipse.axes
    return GalaxyLight(model, (ellipse.x, ellipse.y), ratio, float(np.rad2deg(angle)))


def _adaptive_moments(image: Float64Array, known: BoolArray) -> _Ellipse:
    """Center and shape by moments under the Gaussian that matches the galaxy.

    For a Gaussian galaxy of covariance C under a window of covariance W the moments are
    (C⁻¹ + W⁻¹)⁻¹, so that W = C where the window is twice the moments (Bernstein & Jarvis 2002,
    AJ 123, 583, section 3).
    """
    side = image.shape[-1]
    middle = (side - 1) / 2
    y, x = np.mgrid[:side, :side].astype(np.float64)
    sky = float(np.median(image[known]))
    light = np.where(known, image - sky, 0.0)
    start = np.eye(2) * max(2.0, _START_WIDTH * side) ** 2
    here = _Ellipse(middle, middle, start)
    for _ in range(_MOMENT_STEPS):
        dx, dy = x - here.x, y - here.y
        inverse = np.linalg.inv(here.covariance)
        distance = inverse[0, 0] * dx**2 + inverse[1, 1] * dy**2 + 2 * inverse[0, 1] * dx * dy
        weight = light * np.exp(-distance / 2)
        total = weight.sum()
        if total <= 0:
            return _Ellipse(middle, middle, start)
        mx, my = (weight * dx).sum() / total, (weight * dy).sum() / total
        xx = (weight * dx**2).sum() / total - mx**2
        yy = (weight * dy**2).sum() / total - my**2
        xy = (weight * dx * dy).sum() / total - mx * my
        shape = _bounded(2 * np.array([[xx, xy], [xy, yy]]), side)
        reach = _WANDER * side
        there = _Ellipse(
            float(np.clip(here.x + 2 * mx, middle - reach, middle + reach)),
            float(np.clip(here.y + 2 * my, middle - reach, middle + reach)),
            shape,
        )
        moved = np.hypot(there.x - here.x, there.y - here.y)
        change = np.abs(there.covariance - here.covariance).max()
        settled = moved < 1e-3 and change < 1e-3 * here.covariance.max()
        here = there
        if settled:
            break
    return here


def _bounded(covariance: Float64Array, side: int) -> Float64Array:
    values, vectors = np.linalg.eigh(covariance)
    high = float(np.clip(values[1], 0.8**2, (side / 5) ** 2))
    low = float(np.clip(values[0], _FLATTEST**2 * high, high))
    return np.asarray(vectors @ np.diag([low, high]) @ vectors.T)


@dataclass(frozen=True)
class _Basis:
    """Functions of the image plane that a galaxy is made of.

    Attributes
    ----------
    radius, azimuth : ndarray of shape (pixel,)
        Elliptical radius in px and angle from the major axis.
    core_px : float
        Radius within which nothing that is lensed is resolved.
    knots : ndarray
        Of cubic splines in asinh(radius), the profile.
    sample : ndarray of int
        Pixels that are fitted: all of the inner ones, of the many outer ones as many as needed.
    profile : ndarray of shape (sample, function)
    shape : ndarray of shape (pixel, function)
        What a change of center, axis ratio or angle with radius adds; none in a first fit.
    """

    radius: Float64Array
    azimuth: Float64Array
    core_px: float
    knots: Float64Array
    sample: IntArray
    profile: Float64Array
    shape: Float64Array

    @classmethod
    def of(cls, ellipse: _Ellipse, side: int, core_px: float) -> _Basis:
        from scipy.interpolate import BSpline  # here: slow to import, and most pictures need none

        radius, azimuth = (part.ravel() for part in ellipse.radius(side))
        inner = radius < _WHOLE_WITHIN_PX
        outer = np.flatnonzero(~inner)
        if len(outer) > _OUTER_PIXELS:  # at random: every n-th would make a pattern
            outer = np.random.default_rng(0).choice(outer, _OUTER_PIXELS, replace=False)
        sample = np.concatenate([np.flatnonzero(inner), outer])
        places = np.arange(0.0, np.arcsinh(radius.max()) + _KNOT_STEP, _KNOT_STEP)
        knots = np.r_[[0.0] * 3, places, [places[-1]] * 3]
        profile = BSpline.design_matrix(np.arcsinh(radius[sample]), knots, 3).toarray()
        none = np.empty((len(radius), 0))
        return cls(radius, azimuth, core_px, knots, sample, profile, none)

    def with_shape(self, fit: _Fit) -> _Basis:
        """Let isophotes of the galaxy ``fit`` differ from the common ellipse.

        To first order, an isophote of axis ratio 1 − 2ε more than the common one has
        I(r) − ε r I'(r) cos 2φ, and one that is shifted by δ has I(r) − δ I'(r) cos φ. ε is a
        parabola in asinh(r), δ matters in the core. All are tied to the galaxy's own gradient: an
        arc, which stands where the galaxy is flat, cannot be made of them.
        """
        fine, values = fit.profile()
        falling = np.maximum(-np.gradient(values, _FINE_STEP_PX), 0)
        gradient = np.interp(self.radius, fine, falling / max(falling.max(), 1e-12))
        depth = np.arcsinh(self.radius) / np.arcsinh(self.radius.max())
        turning = self.radius * gradient
        parts = [gradient * np.cos(self.azimuth), gradient * np.sin(self.azimuth)]
        for wave in (np.cos(2 * self.azimuth), np.sin(2 * self.azimuth)):
            parts += [turning * wave, turning * depth * wave, turning * depth**2 * wave]
        parts += [turning * np.cos(4 * self.azimuth), turning * np.sin(4 * self.azimuth)]
        scaled = self.radius / self.core_px  # what the PSF makes of it is no parabola
        window = np.where(scaled < 2, scaled**2 * np.exp(-2 * scaled**2), 0)
        for wave in (np.cos(2 * self.azimuth), np.sin(2 * self.azimuth)):
            parts += [window * wave, window * scaled**2 * wave]
        return replace(self, shape=np.stack(parts, axis=1))


@dataclass(frozen=True)
class _Fit:
    """Coefficients of a band."""

    basis: _Basis
    coefficients: Float64Array

    def profile(self) -> tuple[Float64Array, Float64Array]:
        """Radii in px and the profile there, made non-increasing outside the core."""
        from scipy.interpolate import BSpline  # here, as above

        basis = self.basis
        fine = np.arange(0.0, float(basis.radius.max()) + _FINE_STEP_PX, _FINE_STEP_PX)
        depth = np.minimum(np.arcsinh(fine), basis.knots[-1])
        spline = BSpline(basis.knots, self.coefficients[: basis.profile.shape[1]], 3)
        values = np.asarray(spline(depth))
        outside = fine >= basis.core_px
        values[outside] = np.minimum.accumulate(values[outside])
        return fine, values

    def model(self) -> Float64Array:
        """Model at every pixel of the square cutout, (y, x)."""
        basis = self.basis
        shape = basis.shape @ self.coefficients[basis.profile.shape[1] :]
        out = np.interp(basis.radius, *self.profile()) + shape
        side = int(np.sqrt(len(out)))
        return np.asarray(out.reshape(side, side))


def _fit_band(pixels: Float64Array, known: BoolArray, basis: _Basis) -> _Fit:
    """Least squares in which outliers weigh less and less."""
    use = known.ravel()[basis.sample]
    sample = basis.sample[use]
    values, radius = pixels.ravel()[sample], basis.radius[sample]
    matrix = np.hstack([basis.profile[use], basis.shape[sample]])
    model = _ring_medians(values, radius)
    coefficients = np.zeros(matrix.shape[1])
    for error in _MODEL_ERRORS:
        variance = 1 + (error * model) ** 2
        z = np.where(radius < basis.core_px, 0, (values - model) / np.sqrt(variance))
        above, below = np.maximum(z / _CLIP_ABOVE, 1), np.maximum(-z / _CLIP_BELOW, 1)
        weighted = matrix * (1 / (variance * above**2 * below))[:, None]
        normal = matrix.T @ weighted
        # Functions that no pixel reaches stay 0.
        normal.flat[:: len(normal) + 1] += 1e-9 * normal.diagonal().max() + 1e-12
        coefficients = np.linalg.solve(normal, weighted.T @ values)
        model = matrix @ coefficients
    return _Fit(basis, coefficients)


def _ring_medians(values: Float64Array, radius: Float64Array) -> Float64Array:
    """The median of each ring, at each pixel."""
    ring = (np.arcsinh(radius) / _KNOT_STEP).astype(np.int64)
    order = np.argsort(ring, kind="stable")
    edges = np.flatnonzero(np.diff(ring[order])) + 1
    out = np.empty_like(values)
    for part in np.split(order, edges):
        out[part] = np.median(values[part])
    return out
