"""Choice of objects that look like lens galaxies: bright, red and extended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import BoolArray, Float32Array, Float64Array

APERTURE_ARCSEC = 1.5
WIDE_ARCSEC = 4.0
MIN_SNR = 15.0
MIN_EXTENT = 1.15
"""Half-light radius over that of the PSF, from which an object is extended."""


@dataclass(frozen=True)
class ObjectMeasurements:
    """Simple photometry of the central objects of n cutouts.

    Attributes
    ----------
    magnitude : ndarray of shape (n,)
        −2.5 log10 of the aperture's flux in the reddest band, without zero point; NaN where it is
        not positive.
    color : ndarray of shape (n,)
        Bluest less reddest band, −2.5 log10 of the flux ratio, without zero points.
    snr : ndarray of shape (n,)
        Of the aperture's flux in the best band.
    half_light_radius_arcsec : ndarray of shape (n,)
        Of all bands together, within 4″.
    """

    magnitude: Float64Array
    color: Float64Array
    snr: Float64Array
    half_light_radius_arcsec: Float64Array

    @classmethod
    def concatenate(cls, parts: list[ObjectMeasurements]) -> ObjectMeasurements:
        """Those of several batches, one after the other."""
        return cls(*(np.concatenate([getattr(p, name) for p in parts]) for name in _NAMES))


_NAMES = ("magnitude", "color", "snr", "half_light_radius_arcsec")


def measure_objects(
    images: Float32Array, pixel_scale_arcsec: float, *, blue_first: bool = True
) -> ObjectMeasurements:
    """Measure the central objects of cutouts (n, band, y, x), all at once; NaN counts as sky.

    Parameters
    ----------
    blue_first : bool
        Whether bands run from blue to red; in color pictures they run from red to blue.
    """
    images = images if blue_first else images[:, ::-1]
    edge = np.concatenate(
        [images[..., 0, :], images[..., -1, :], images[..., :, 0], images[..., :, -1]], axis=-1
    )
    with np.errstate(all="ignore"):
        sky = np.nan_to_num(np.nanmedian(edge, axis=-1))[..., None, None]
        noise = 1.4826 * np.nanmedian(np.abs(edge - sky[..., 0]), axis=-1)
    light = np.nan_to_num(images - sky)
    size = images.shape[-1]
    axis = (np.arange(size) - (size - 1) / 2) * pixel_scale_arcsec
    radius = np.hypot(axis[:, None], axis[None, :])
    inside = radius < APERTURE_ARCSEC
    flux = light[..., inside].sum(axis=-1, dtype=np.float64)
    with np.errstate(all="ignore"):
        snr = np.nan_to_num(flux / (noise * np.sqrt(inside.sum())), posinf=0.0).max(axis=1)
        known = np.where(flux > 0, flux, np.nan)
        magnitude = -2.5 * np.log10(known[:, -1])
        color = -2.5 * np.log10(known[:, 0] / known[:, -1])
    return ObjectMeasurements(magnitude, color, snr, _half_light(light.sum(axis=1), radius))


def _half_light(light: NDArray[np.floating], radius: Float64Array) -> Float64Array:
    """Radius that holds half of the light within 4″, (n,), in arcsec; NaN without light."""
    chosen = np.flatnonzero(radius.ravel() < WIDE_ARCSEC)
    order = chosen[np.argsort(radius.ravel()[chosen], kind="stable")]
    growth = np.cumsum(light.reshape(len(light), radius.size)[:, order], axis=1, dtype=np.float64)
    total = growth[:, -1]
    reached = growth >= 0.5 * total[:, None]
    half_light = radius.ravel()[order][reached.argmax(axis=1)]
    return np.asarray(np.where((total > 0) & reached.any(axis=1), half_light, np.nan))


def red_and_extended(measures: ObjectMeasurements, psf_fwhm_arcsec: float) -> BoolArray:
    """Mask of objects that may be lens galaxies, shape (n,).

    Bright (S/N of :data:`MIN_SNR`), wider than the PSF by :data:`MIN_EXTENT` (a Gaussian's
    half-light radius is half its FWHM), and of these the redder half: red against the catalog
    itself, for colors of pictures have no zero point.
    """
    with np.errstate(invalid="ignore"):
        extended = (measures.snr > MIN_SNR) & (
            measures.half_light_radius_arcsec > MIN_EXTENT * psf_fwhm_arcsec / 2
        )
        extended &= np.isfinite(measures.color)
        if not extended.any():
            return extended
        return extended & (measures.color >= np.median(measures.color[extended]))
