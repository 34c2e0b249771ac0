"""Survey definitions: bands, pixel scale, zero points, seeing and depth, each with its source.

The built-in surveys stand in ``surveys.toml`` beside this module; a user adds or overrides one with
a TOML file of the same form in the workspace's ``surveys/`` folder.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Band:
    """One filter of a survey.

    Attributes
    ----------
    name : str
        As the survey writes it, e.g. ``"g"`` or ``"VIS"``; unique within the survey.
    zero_point_mag : float
        AB magnitude of a flux of 1 in the survey's stored pixel unit.
    psf_fwhm_arcsec, depth_mag, sky_mag_arcsec2 : float
        Typical PSF FWHM; 5-sigma point-source depth (AB); sky surface brightness (AB / arcsec²).
    wavelength_nm : float
        Effective wavelength.
    exposure_s, gain_e_per_unit, read_noise_e : float
        Total exposure time; electrons per stored flux unit; read noise per pixel of the coadd.
    """

    name: str
    zero_point_mag: float
    psf_fwhm_arcsec: float
    depth_mag: float
    sky_mag_arcsec2: float
    wavelength_nm: float
    exposure_s: float
    gain_e_per_unit: float
    read_noise_e: float
