"""Two galaxy spectra, old and star-forming, as analytic functions of wavelength.

They are broken power laws in f_ν whose breaks carry the colours that matter here: the 4000 Å break
of an old population (a jump of about 1.9, the D4000 of early-type galaxies, Balogh et al. 1999,
ApJ 527, 54), the weaker Balmer break and blue continuum of a star-forming one, and the Lyman break.
They make lenses red and arcs blue, no more:
against the red sequence the old one is several tenths of a magnitude too blue beyond z = 0.4. They
are nothing to measure by.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lensing_core.physics.cosmology import distance_modulus

Spectrum = Literal["old", "star_forming"]
REFERENCE_NM = 617.0
"""Rest wavelength of the absolute magnitudes (SDSS r)."""

# (upper wavelength in nm, exponent of f_nu, factor by which f_nu jumps up at that wavelength)
_PIECES: dict[Spectrum, list[tuple[float, float, float]]] = {
    "old": [
        (91.2, 0.0, 1e3),
        (250.0, 1.0, 1.0),
        (400.0, 3.2, 1.75),
        (800.0, 1.6, 1.0),
        (1600.0, 0.7, 1.0),
        (1e5, -1.0, 1.0),
    ],
    "star_forming": [
        (91.2, 0.0, 1e3),
        (121.6, 0.0, 1.5),
        (364.6, 0.1, 1.35),
        (800.0, 0.75, 1.0),
        (1600.0, 0.4, 1.0),
        (1e5, -1.0, 1.0),
    ],
}


def _log_f_nu(kind: Spectrum, wavelength_nm: NDArray[np.float64]) -> NDArray[np.float64]:
    """ln f_ν up to a constant: slopes joined, with the jumps."""
    edges = [50.0, *(upper for upper, _, _ in _PIECES[kind])]
    value = np.zeros_like(wavelength_nm)
    for low, (high, slope, jump) in zip(edges, _PIECES[kind], strict=False):
        inside = np.clip(wavelength_nm, low, high)
        value += slope * np.log(inside / low)
        value += np.where(wavelength_nm >= high, np.log(jump), 0.0)
    return value


def apparent_magnitudes(
    kind: Spectrum,
    absolute_magnitude: ArrayLike,
    redshift: ArrayLike,
    wavelengths_nm: ArrayLike,
    *,
    reddening: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    """AB magnitudes through bands, taken at their effective wavelengths.

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
    reference = _log_f_nu(kind, np.array([REFERENCE_NM]))
    log_ratio = _log_f_nu(kind, rest) - reference
    tilt = -np.asarray(reddening)[..., None] * np.log(rest / REFERENCE_NM)
    k_corrected = -2.5 / np.log(10) * (log_ratio + np.log1p(z)) + tilt
    base = np.asarray(absolute_magnitude, dtype=np.float64) + distance_modulus(redshift)
    return base[..., None] + k_corrected
