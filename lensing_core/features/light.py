"""Taking the light of the central galaxy out of a cutout.

The model has concentric elliptical isophotes of one axis ratio and angle. Their brightness is the
median along the ellipse, which an arc over less than half of it does not move, and never rises
outwards, so that a closed ring stands out above the gap inside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lensing_core.arrays import BoolArray, Float32Array, Float64Array
from lensing_core.features.robust import frame_mask, median

WINDOW = 0.06
"""Width of the Gaussian window of the moments, in sides of the cutout."""
FLATTEST = 0.3
STEP_PX = 1.0


@dataclass(frozen=True)
class Light:
    """Models of the central galaxies of n cutouts.

    Attributes
    ----------
    model : ndarray of shape (n, band, y, x)
        In the unit of the image.
    slope : ndarray of shape (n, y, x)
        Absolute change of the mean model over a pixel along the radius.
    radius_px : ndarray of shape (n, y, x)
        Elliptical radius, sqrt(q u² + v²/q) with u along the major axis.
    axis_ratio : ndarray of shape (n,)
    """

    model: Float32Array
    slope: Float32Array
    radius_px: Float32Array
    axis_ratio: Float32Array


def model_light(image: Float32Array, valid: BoolArray) -> Light:
    """Elliptical light of the galaxies in the middle of ``image`` (n, band, y, x).

    Parameters
    ----------
    image : ndarray
        In units of its noise, 0 where there is no data.
    valid : ndarray
        Where there is data, same shape.
    """
    mean = image.sum(axis=1) / np.maximum(valid.sum(axis=1), 1)
    frame = np.flatnonzero(frame_mask(mean.shape[-1]))
    flat = mean.reshape(len(mean), mean.shape[-1] ** 2)
    mean = mean - median(np.take(flat, frame, axis=-1))[:, None, None]
    # Arcs seldom stand on both sides: what the turned image does not show is no galaxy.
    radius, ratio = _elliptical_radius(np.minimum(mean, mean[:, ::-1, ::-1]))
    profile = np.minimum.accumulate(_profile(image, valid, radius), axis=-1)
    (n, bands, bins), side = profile.shape, image.shape[-1]
    place = np.clip(radius.reshape(n, 1, side**2) / STEP_PX - 0.5, 0, bins - 1.001)
    low = place.astype(np.int64)
    share = (place - low).astype(np.float32)
    low = np.broadcast_to(low, (n, bands, low.shape[-1]))
    inner = np.take_along_axis(profile, low, axis=-1)
    outer = np.take_along_axis(profile, low + 1, axis=-1)
    model = (inner + share * (outer - inner)).reshape(image.shape)
    slope = np.abs(outer - inner).mean(axis=1).reshape(radius.shape) / STEP_PX
    return Light(model, slope.astype(np.float32), radius, ratio)


def _elliptical_radius(image: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Radius in pixels (n, y, x) on ellipses of the image's shape, and the axis ratios (n,).

    Moments under a circular Gaussian window of covariance W measure M; for a Gaussian galaxy its
    own covariance is (M⁻¹ − W⁻¹)⁻¹.
    """
    n, side, _ = image.shape
    axis = np.arange(side, dtype=np.float64) - (side - 1) / 2
    y, x = axis[:, None], axis[None, :]
    window = (WINDOW * side) ** 2
    weight = np.maximum(image, 0) * np.exp(-(x**2 + y**2) / (2 * window))
    flat = weight.reshape(n, side**2).astype(np.float64)
    basis = np.stack([np.ones_like(x * y), x * x + 0 * y, y * y + 0 * x, x * y])
    total, xx, yy, xy = (flat @ basis.reshape(4, -1).T).T
    total = np.maximum(total, 1e-12)
    xx, yy, xy = xx / total, yy / total, xy / total
    # Eigenvalues of M, then of the galaxy's own covariance; the axes are the same.
    middle, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    angle = np.arctan2(2 * xy, xx - yy) / 2
    major = 1 / np.maximum(1 / np.maximum(middle + spread, 1e-3) - 1 / window, 1e-6)
    minor = 1 / np.maximum(1 / np.maximum(middle - spread, 1e-3) - 1 / window, 1e-6)
    ratio = np.clip(np.sqrt(minor / major), FLATTEST, 1)
    c, s = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    q = ratio[:, None, None]
    radius = np.sqrt(q * (c * x + s * y) ** 2 + (c * y - s * x) ** 2 / q)
    return radius.astype(np.float32), ratio.astype(np.float32)


def _profile(image: Float32Array, valid: BoolArray, radius: Float32Array) -> Float32Array:
    """Median in each elliptical ring, (n, band, ring), rings of :data:`STEP_PX`.

    A ring without data takes the value of the ring inside it; 0 if there is none.
    """
    n, bands, side, _ = image.shape
    rings = int(side / np.sqrt(2) / STEP_PX) + 1
    which = np.minimum(radius / STEP_PX, rings - 1).astype(np.int64).reshape(n, 1, side**2)
    usable = valid.reshape(n, bands, side**2)
    which = np.where(usable, which, rings)  # beyond all rings: sorts last
    # One sort for all rings: values are squeezed into (0, 1) and stand behind the ring's number.
    squeezed = 0.5 + np.arctan(image.reshape(n, bands, side**2).astype(np.float64)) / (
        np.pi * 1.0001
    )
    ordered = np.sort(which + squeezed, axis=-1)
    row = np.arange(n * bands)[:, None] * (rings + 1) + which.reshape(n * bands, side**2)
    count = np.bincount(row.ravel(), minlength=n * bands * (rings + 1))
    count = count.reshape(n, bands, rings + 1)[..., :rings]
    start = np.cumsum(count, axis=-1) - count
    last = ordered.shape[-1] - 1
    low = np.take_along_axis(ordered, np.minimum(start + np.maximum(count - 1, 0) // 2, last), -1)
    high = np.take_along_axis(ordered, np.minimum(start + count // 2, last), -1)
    ring = np.arange(rings)
    middle = [np.tan((part - ring - 0.5) * (np.pi * 1.0001)) for part in (low, high)]
    profile = np.where(count > 0, (middle[0] + middle[1]) / 2, np.nan)
    return _filled_outwards(profile).astype(np.float32)


def _filled_outwards(profile: Float64Array) -> Float64Array:
    known = np.isfinite(profile)
    last = np.maximum.accumulate(np.where(known, np.arange(profile.shape[-1]), 0), axis=-1)
    return np.nan_to_num(np.take_along_axis(profile, last, axis=-1))
