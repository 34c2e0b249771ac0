"""The NFW halo as a lens: convergence, deflection and Einstein radius.

Formulas: Navarro, Frenk & White 1997 (ApJ 490, 493); projected by Wright & Brainerd 2000
(ApJ 534, 34). Angles in arcsec, masses in solar masses, redshifts of lens and source.
"""

from __future__ import annotations

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy import constants
from astropy.cosmology import FLRW
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from lensing_core.errors import BadInputError

Floats = NDArray[np.float64]
_ARCSEC_PER_RAD = float(u.rad.to(u.arcsec))


@dataclass(frozen=True)
class NFWLens:
    """A spherical NFW lens in angular units.

    Attributes
    ----------
    scale_radius_arcsec : float
        Angular size of the scale radius r_s.
    kappa_s : float
        ρ_s r_s / Σ_crit.
    """

    scale_radius_arcsec: float
    kappa_s: float

    @classmethod
    def from_mass(
        cls, m200_msun: float, concentration: float, z_lens: float, z_source: float, cosmology: FLRW
    ) -> NFWLens:
        """From M_200 (200 times the critical density at the lens) and c = r_200 / r_s.

        Raises
        ------
        BadInputError
            If the source is not behind the lens, or mass or concentration is not positive.
        """
        if not 0 < z_lens < z_source:
            raise BadInputError(f"Redshifts {z_lens} and {z_source}: the source must lie behind.")
        if m200_msun <= 0 or concentration <= 0:
            raise BadInputError(f"M_200 {m200_msun}, c {concentration}: both must be positive.")
        critical = cosmology.critical_density(z_lens)
        r200 = (3 * m200_msun * u.Msun / (4 * np.pi * 200 * critical)) ** (1 / 3)
        r_s = (r200 / concentration).to(u.Mpc)
        shape = np.log1p(concentration) - concentration / (1 + concentration)
        rho_s = 200 / 3 * critical * concentration**3 / shape
        d_l, d_s = (cosmology.angular_diameter_distance(z) for z in (z_lens, z_source))
        d_ls = cosmology.angular_diameter_distance(z_lens, z_source)
        sigma_crit = constants.c**2 / (4 * np.pi * constants.G) * d_s / (d_l * d_ls)
        return cls(
            scale_radius_arcsec=float((r_s / d_l).decompose()) * _ARCSEC_PER_RAD,
            kappa_s=float((rho_s * r_s / sigma_crit).decompose()),
        )

    def convergence(self, radius_arcsec: ArrayLike) -> Floats:
        """κ = 2 κ_s (1 − F) / (x² − 1), with x = θ / θ_s; 2 κ_s / 3 at x = 1."""
        x = np.asarray(radius_arcsec, dtype=np.float64) / self.scale_radius_arcsec
        near = np.abs(x - 1) < 1e-4
        off = np.where(near, 2.0, x)
        kappa = 2 * self.kappa_s * (1 - _f(off)) / (off**2 - 1)
        # First order around x = 1: (1 − F)/(x² − 1) = 1/3 − 2 (x − 1)/5 + …
        return np.where(near, 2 * self.kappa_s * (1 / 3 - 0.4 * (x - 1)), kappa)

    def deflection(self, radius_arcsec: ArrayLike) -> Floats:
        """Radial deflection in arcsec: α = 4 κ_s θ_s g(x) / x, g = ln(x/2) + F."""
        x = np.asarray(radius_arcsec, dtype=np.float64) / self.scale_radius_arcsec
        return 4 * self.kappa_s * self.scale_radius_arcsec * (np.log(x / 2) + _f(x)) / x

    def einstein_radius_arcsec(self) -> float:
        """Radius inside which the mean convergence is one; 0 where the halo is too weak for one.

        An NFW halo always has a formal Einstein radius, exponentially small for weak halos; below
        1e-6 scale radii it is reported as none.
        """
        low, high = 1e-6, 1e3

        def excess(x: float) -> float:
            radius = x * self.scale_radius_arcsec
            return float(self.deflection(radius)) / radius - 1

        if excess(low) < 0:
            return 0.0
        return float(brentq(excess, low, high, xtol=1e-10)) * self.scale_radius_arcsec


def _f(x: Floats) -> Floats:
    """F(x): arccosh(1/x)/√(1−x²) inside, arccos(1/x)/√(x²−1) outside, 1 at x = 1."""
    x = np.asarray(x, dtype=np.float64)
    inside = np.minimum(x, 1 - 1e-9)
    outside = np.maximum(x, 1 + 1e-9)
    return np.where(
        x < 1,
        np.arccosh(1 / inside) / np.sqrt(1 - inside**2),
        np.arccos(1 / outside) / np.sqrt(outside**2 - 1),
    )
