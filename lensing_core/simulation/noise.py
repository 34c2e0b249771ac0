"""Sky, photon and read noise of a survey's coadds."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter

from lensing_core.arrays import Float32Array
from lensing_core.surveys import Band


def sky_sigma(band: Band, pixel_scale_arcsec: float) -> float:
    """Standard deviation of an empty pixel, in flux units, that gives the band's stated depth.

    The depth is 5σ in white noise, σ_flux = σ_pixel sqrt(N): in an aperture, where the survey says
    so, with the pixels N in it; else of a point source weighted by its own PSF, with
    N = 1 / Σ psf² = 4π σ_psf² of a Gaussian PSF. A stated depth holds what sky, read noise,
    stacking and correlated noise did to a survey's images, which its nominal exposure does not.
    """
    flux_5_sigma = 10 ** (-0.4 * (band.depth_mag - band.zero_point_mag))
    if math.isnan(band.depth_aperture_arcsec):
        sigma_psf_px = band.psf_fwhm_arcsec / 2.3548 / pixel_scale_arcsec
        n_pixels = 4 * math.pi * sigma_psf_px**2
    else:
        n_pixels = math.pi * (band.depth_aperture_arcsec / 2 / pixel_scale_arcsec) ** 2
    return float(flux_5_sigma / 5 / math.sqrt(n_pixels))


def variance(
    images: Float32Array, bands: Sequence[Band], pixel_scale_arcsec: float
) -> Float32Array:
    """Noise variance of sky-subtracted images (n, band, y, x): empty sky and photons of objects."""
    sky = np.array([sky_sigma(band, pixel_scale_arcsec) for band in bands], dtype=np.float32)
    gain = np.array([band.gain_e_per_unit for band in bands], dtype=np.float32)
    return sky[:, None, None] ** 2 + images / gain[:, None, None]


def observed_noise(
    rng: np.random.Generator, variance: Float32Array, correlation_px: float
) -> tuple[Float32Array, float]:
    """A draw of the noise of one image (band, y, x), and what its variance is multiplied by.

    Coadds are resampled, which spreads the noise of a pixel over its neighbors: white noise is
    blurred by a Gaussian of σ = ``correlation_px`` and sum 1. The noise of an aperture much wider
    than that, and with it the survey's depth, stays; that of a pixel falls.
    """
    white = rng.standard_normal(variance.shape, dtype=np.float32) * np.sqrt(variance)
    if not correlation_px:
        return white, 1.0
    noise = gaussian_filter(white, (0, correlation_px, correlation_px), mode="wrap")
    impulse = np.zeros(33)
    impulse[16] = 1
    kept = (gaussian_filter(impulse, correlation_px, mode="wrap") ** 2).sum()
    return noise, float(kept**2)
