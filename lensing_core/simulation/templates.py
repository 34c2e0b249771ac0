"""Two galaxy spectra, old and star-forming, as functions of rest wavelength and redshift.

The old one is fitted to colors of real galaxies: the red sequence of redMaPPer clusters from
z = 0.27 to 0.81 (median g−r, r−i and i−z of the brighter half of the members; Rykoff et al. 2016,
ApJS 224, 1) and ellipticals at z = 0 (Fukugita, Shimasaku & Ichikawa 1995, PASP 107, 945). It is
right to 0.07 mag from z = 0.27 to 0.81 in r−i, i−z and g−r, to 0.15 mag below; beyond 1 μm of rest
wavelength it is our choice. The star-forming one is a broken power law: a blue continuum with a
weak Balmer break and the Lyman break. They give simulated objects the colors of the sky; they are
nothing to measure by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from lensing_core.arrays import Float64Array
from lensing_core.physics.cosmology import distance_modulus

Spectrum = Literal["old", "star_forming"]
REFERENCE_NM = 617.0
"""Rest wavelength of the absolute magnitudes (SDSS r)."""

_BAND = np.linspace(0.9, 1.1, 7)
"""Wavelengths at which a band of typical width is sampled, relative to its effective one."""


@dataclass(frozen=True)
class _Template:
    """log10 f_ν at wavelengths (nm), linear in the logarithm of wavelength between them.

    ``evolution`` is how much fainter, in magnitudes a unit of redshift and factor e of wavelength,
    light short and long of the break is at a redshift above 0.5.
    """

    log_f_nu: dict[float, float]
    break_nm: float = 430.0
    evolution: tuple[float, float] = (0.0, 0.0)

    def magnitude(self, rest_nm: Float64Array, redshift: Float64Array) -> Float64Array:
        """AB magnitude up to a constant, averaged over a band around each rest wavelength."""
        knots = np.log(list(self.log_f_nu))
        wavelengths = np.log(rest_nm[..., None] * _BAND)
        f_nu = 10 ** np.interp(wavelengths, knots, list(self.log_f_nu.values()))
        from_break = np.log(rest_nm / self.break_nm)
        short, long = self.evolution
        change = short * np.minimum(from_break, 0) + long * np.maximum(from_break, 0)
        return -2.5 * np.log10(f_nu.mean(axis=-1)) + (redshift - 0.5) * change


# fmt: off
_TEMPLATES: dict[Spectrum, _Template] = {
    "old": _Template(
        {
            91.2: -4.96, 121.6: -3.03, 200: -1.93, 250: -1.80, 290: -1.61, 330: -1.00, 360: -0.87,
            385: -0.66, 405: -0.54, 430: -0.27, 470: -0.30, 520: -0.11, 570: -0.04, 617: 0.00,
            680: 0.12, 750: 0.10, 830: 0.23, 920: 0.27, 1050: 0.21, 1250: 0.25, 1600: 0.33,
            2200: 0.21, 5000: -0.15,
        },
        evolution=(4.03, 0.90),
    ),
    "star_forming": _Template(
        {
            91.1: -3.53, 91.2: -0.53, 121.5: -0.53, 121.6: -0.35, 364.5: -0.30, 364.6: -0.17,
            617: 0.00, 800: 0.085, 1600: 0.205, 5000: -0.29,
        }
    ),
}
# fmt: on


def apparent_magnitudes(
    kind: Spectrum,
    absolute_magnitude: ArrayLike,
    redshift: ArrayLike,
    wavelengths_nm: ArrayLike,
    *,
    reddening: ArrayLike = 0.0,
) -> Float64Array:
    """AB magnitudes through bands of effective wavelengths ``wavelengths_nm``.

    Parameters
    ----------
    absolute_magnitude : AB, at 617 nm rest wavelength; broadcasts with ``redshift``, shape (...)
    wavelengths_nm : shape (band,)
    reddening : A tilt in magnitudes per factor e of wavelength, positive is redder; stands for
        the spread of ages, metals and dust.

    Returns
    -------
    ndarray of shape (..., band)
    """
    z = np.asarray(redshift, dtype=np.float64)[..., None]
    rest = np.asarray(wavelengths_nm, dtype=np.float64) / (1 + z)
    template = _TEMPLATES[kind]
    relative = template.magnitude(rest, z) - template.magnitude(np.full_like(z, REFERENCE_NM), z)
    tilt = -np.asarray(reddening)[..., None] * np.log(rest / REFERENCE_NM)
    base = np.asarray(absolute_magnitude, dtype=np.float64) + distance_modulus(redshift)
    return base[..., None] + relative - 2.5 * np.log10(1 + z) + tilt
