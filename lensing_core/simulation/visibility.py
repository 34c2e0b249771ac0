"""Visibility of painted arcs: lenses that a person could find in the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve, maximum_filter

from lensing_core.arrays import Float32Array, Float64Array
from lensing_core.simulation.noise import sky_sigma
from lensing_core.surveys import Band


@dataclass(frozen=True)
class ArcLimits:
    """Limits that arcs must pass to be painted.

    The first three are the criteria of Collett 2015 (ApJ 811, 20): total S/N of 20, magnification
    of 3, images resolved, θ_E² > r_source² + (seeing / 2)². The S/N of the second-brightest image
    is ours: without a counter-image a lens cannot be told from a blue neighbor, and training down
    to arcs that nobody sees costs recall where no false positive is allowed (Cañameras et al. 2024,
    HOLISMOKES XI, A&A 692, A72).

    Attributes
    ----------
    min_arc_snr : float
        Of all arcs together, matched filter, in the best band, against the noise of sky and galaxy.
    min_magnification : float
        Total.
    min_second_snr : float
        Of the second-brightest image within a disc as wide as the PSF's FWHM.
    """

    min_arc_snr: float = 20.0
    min_magnification: float = 3.0
    min_second_snr: float = 5.0

    def met_by(self, visibility: Visibility) -> bool:
        """Return whether arcs pass all limits."""
        return (
            visibility.arc_snr >= self.min_arc_snr
            and visibility.magnification >= self.min_magnification
            and visibility.second_snr >= self.min_second_snr
        )


@dataclass(frozen=True)
class Visibility:
    """Visibility of arcs; see :class:`ArcLimits`."""

    arc_snr: float
    second_snr: float
    magnification: float


def noise_map(image: Float32Array, sigma: Float64Array, gain: Float64Array) -> Float32Array:
    """Noise of every pixel (band, y, x): empty sky, and photons of what is in the image.

    Parameters
    ----------
    image : shape (band, y, x)
        Less its sky.
    sigma : shape (band,)
        Of an empty pixel; NaN where the band has no data.
    gain : shape (band,)
        Electrons per unit of flux; NaN where unknown: photons are then left out.
    """
    photons = np.nan_to_num(np.clip(image, 0, None) / gain[:, None, None], nan=0.0)
    return np.sqrt(sigma[:, None, None] ** 2 + photons).astype(np.float32)


def visibility(
    arcs: Float32Array, noise: Float32Array, fwhm_px: float, magnification: float
) -> Visibility:
    """Return how well noiseless arcs (band, y, x) can be seen in noise (band, y, x; NaN without
    data).
    """
    seen = np.isfinite(noise).all(axis=(1, 2)) & (noise > 0).all(axis=(1, 2))
    if not seen.any():
        return Visibility(0.0, 0.0, magnification)
    snr = np.sqrt(((arcs[seen].astype("f8") / noise[seen]) ** 2).sum(axis=(1, 2)))
    best = np.flatnonzero(seen)[int(np.argmax(snr))]
    second = second_image_snr(arcs[best], noise[best], fwhm_px)
    return Visibility(float(snr.max()), second, magnification)


def second_image_snr(
    arcs: NDArray[np.floating], noise: NDArray[np.floating], fwhm_px: float
) -> float:
    """S/N of the second-brightest image within a disc of the PSF's FWHM; 0 where there is one.

    Images are local maxima of the light in the disc, more than a FWHM apart.
    """
    radius = max(1.0, fwhm_px / 2)
    axis = np.arange(-int(radius), int(radius) + 1)
    disc = (np.hypot(axis[:, None], axis[None, :]) <= radius).astype(float)
    signal = convolve(np.asarray(arcs, dtype=np.float64), disc, mode="constant")
    scatter = np.sqrt(convolve(np.asarray(noise, dtype=np.float64) ** 2, disc, mode="nearest"))
    snr = signal / scatter
    peaks = (snr == maximum_filter(snr, size=3)) & (snr > 1)
    rows, columns = np.nonzero(peaks)
    if len(rows) < 2:
        return 0.0
    order = np.argsort(snr[rows, columns])[::-1]
    far = np.hypot(rows - rows[order[0]], columns - columns[order[0]]) > 2 * radius
    return float(snr[rows, columns][far].max()) if far.any() else 0.0


def pixel_noise(flux: Float32Array) -> Float64Array:
    """Noise of an empty pixel by band, from the scatter of the outermost pixels; NaN without data.

    Parameters
    ----------
    flux : shape (band, y, x)
    """
    edge = np.concatenate([flux[:, 0], flux[:, -1], flux[:, :, 0], flux[:, :, -1]], axis=1)
    result = np.full(len(flux), np.nan)
    for k, values in enumerate(edge):
        values = values[np.isfinite(values)]
        if len(values) > 8:
            result[k] = 1.4826 * np.median(np.abs(values - np.median(values)))
    return result


def gains(bands: tuple[Band, ...], zero_points_mag: tuple[float, ...]) -> Float64Array:
    """Electrons per unit of flux at the catalog's zero points, by band; NaN where unknown."""
    survey = np.array([band.gain_e_per_unit for band in bands])
    own = np.array([band.zero_point_mag for band in bands])
    return np.asarray(survey * 10 ** (0.4 * (own - np.array(zero_points_mag))))


def faintest_source_mag(bands: tuple[Band, ...], faintest: float) -> float:
    """Faintest source (AB) worth drawing: 1.5 mag below the depth of the deepest band, at most.

    A source of that magnitude needs a magnification above 10 to reach a matched-filter S/N of 20.
    """
    depths = [band.depth_mag for band in bands if np.isfinite(band.depth_mag)]
    return min(faintest, max(depths) + 1.5) if depths else faintest


def stated_noise(bands: tuple[Band, ...], pixel_scale_arcsec: float) -> Float64Array:
    """Noise of an empty pixel by the survey's stated depth, by band, in the survey's unit."""
    return np.array([sky_sigma(band, pixel_scale_arcsec) for band in bands])
