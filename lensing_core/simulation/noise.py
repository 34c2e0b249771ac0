"""Sky, photon and read noise of a survey's coadds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lensing_core.surveys import Band


def sky_sigma(band: Band, pixel_scale_arcsec: float) -> float:
    """Standard deviation of an empty pixel, in flux units, that gives the band's stated depth.

    The depth is 5σ for a point source measured with its own PSF as weights in white noise:
    σ_flux = σ_pixel sqrt(N_eff), with N_eff = 1 / Σ psf² = 4π σ_psf² of a Gaussian PSF. A stated
    depth holds what sky, read noise, stacking and correlated noise did to a survey's images, which
    its nominal exposure does not.
    """
    flux_5_sigma = 10 ** (-0.4 * (band.depth_mag - band.zero_point_mag))
    sigma_psf_px = band.psf_fwhm_arcsec / 2.3548 / pixel_scale_arcsec
    return flux_5_sigma / 5 / np.sqrt(4 * np.pi * sigma_psf_px**2)


def variance(
    images: NDArray[np.float32], bands: Sequence[Band], pixel_scale_arcsec: float
) -> NDArray[np.float32]:
    """Noise variance of sky-subtracted images (n, band, y, x): empty sky and photons of objects."""
    sky = np.array([sky_sigma(band, pixel_scale_arcsec) for band in bands], dtype=np.float32)
    gain = np.array([band.gain_e_per_unit for band in bands], dtype=np.float32)
    return sky[:, None, None] ** 2 + images / gain[:, None, None]
