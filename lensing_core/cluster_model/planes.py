"""Distances of a lens plane in a stated cosmology, and its tangent plane on the sky."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import astropy.constants as const
import astropy.cosmology
import astropy.units as u
import numpy as np
from astropy.cosmology import FLRW, FlatLambdaCDM, LambdaCDM
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from lensing_core.arrays import Float64Array
from lensing_core.errors import BadInputError

ARCSEC = math.radians(1 / 3600)
Z_MAX = 20.0
OVERDENSITY = 200.0
"""Of the mass M_200, over the critical density at the lens."""


@dataclass(frozen=True)
class LensPlane:
    """The plane of a cluster: its redshift, its cosmology and the place where x = y = 0.

    Angles are in arcsec on the tangent plane (gnomonic), x to the west and y to the north, as in a
    picture whose north is up; directions go from x towards y.

    Attributes
    ----------
    z_lens : float
    ra_deg, dec_deg : float
        Of x = y = 0, ICRS.
    cosmology : astropy.cosmology.FLRW
    """

    z_lens: float
    ra_deg: float
    dec_deg: float
    cosmology: FLRW

    def __post_init__(self) -> None:
        if not 0 < self.z_lens < Z_MAX:
            raise BadInputError(
                f"z_lens is {self.z_lens:g}: give a redshift above 0 and below {Z_MAX:g}."
            )

    def ratio(self, z_source: ArrayLike) -> Float64Array:
        """D_ls / D_s of angular diameter distances; 0 for a source that is not behind the lens."""
        z = np.atleast_1d(np.asarray(z_source, dtype=np.float64))
        found = np.zeros(z.shape)
        behind = z > self.z_lens
        if behind.any():
            between = self.cosmology.angular_diameter_distance(self.z_lens, z[behind])
            found[behind] = (between / self.cosmology.angular_diameter_distance(z[behind])).value
        return found.reshape(np.shape(z_source))

    def redshift_of(self, ratio: float) -> float:
        """Redshift of a source with this D_ls / D_s; NaN where none up to 20 has it."""
        if not 0 < ratio < float(self.ratio(Z_MAX)):
            return math.nan
        return float(brentq(lambda z: float(self.ratio(z)) - ratio, self.z_lens, Z_MAX))

    @cached_property
    def distance_mpc(self) -> float:
        """Angular diameter distance of the lens."""
        return float(self.cosmology.angular_diameter_distance(self.z_lens).to_value(u.Mpc))

    @cached_property
    def kpc_per_arcsec(self) -> float:
        """Proper kpc of one arcsec in the plane."""
        return 1e3 * self.distance_mpc * ARCSEC

    @cached_property
    def critical_surface_density(self) -> float:
        """Σ_cr = c² / (4 π G D_l) for D_ls / D_s = 1, in solar masses per square Mpc."""
        unit = u.Msun / u.Mpc**2
        distance = self.distance_mpc * u.Mpc
        return float((const.c**2 / (4 * math.pi * const.G * distance)).to_value(unit))

    @cached_property
    def critical_density(self) -> float:
        """ρ_cr of the universe at the lens, in solar masses per cubic Mpc."""
        return float(self.cosmology.critical_density(self.z_lens).to_value(u.Msun / u.Mpc**3))

    @cached_property
    def solar_masses_per_kappa_arcsec2(self) -> float:
        """Mass of one square arcsec with κ = 1 for D_ls / D_s = 1."""
        return self.critical_surface_density * (self.kpc_per_arcsec / 1e3) ** 2

    def to_plane(self, ra_deg: ArrayLike, dec_deg: ArrayLike) -> tuple[Float64Array, Float64Array]:
        """x and y (arcsec) of places on the sky, by gnomonic projection."""
        ra = np.radians(np.asarray(ra_deg, dtype=np.float64) - self.ra_deg)
        dec, dec0 = np.radians(np.asarray(dec_deg, dtype=np.float64)), math.radians(self.dec_deg)
        cosine = math.sin(dec0) * np.sin(dec) + math.cos(dec0) * np.cos(dec) * np.cos(ra)
        x = -np.cos(dec) * np.sin(ra) / cosine
        y = (math.cos(dec0) * np.sin(dec) - math.sin(dec0) * np.cos(dec) * np.cos(ra)) / cosine
        return np.asarray(x / ARCSEC), np.asarray(y / ARCSEC)

    def to_sky(self, x: ArrayLike, y: ArrayLike) -> tuple[Float64Array, Float64Array]:
        """Right ascension and declination (degrees) of x and y (arcsec)."""
        xi, eta = -np.asarray(x, dtype=np.float64) * ARCSEC, np.asarray(y) * ARCSEC
        dec0 = math.radians(self.dec_deg)
        below = math.cos(dec0) - eta * math.sin(dec0)
        ra = np.degrees(np.arctan2(xi, below)) + self.ra_deg
        up = math.sin(dec0) + eta * math.cos(dec0)
        return np.asarray(ra % 360), np.asarray(np.degrees(np.arctan2(up, np.hypot(xi, below))))


def cosmology_of(stated: dict[str, Any]) -> FLRW:
    """A cosmology from ``{"name": "Planck18"}`` (of astropy) or ``{"H0": 70, "Om0": 0.3}``.

    ``Ode0`` besides makes it curved. Without any: flat ΛCDM, H0 = 70 km/s/Mpc, Ωm = 0.3.

    Raises
    ------
    BadInputError
        If astropy has no such cosmology, or a value is none.
    """
    if unknown := set(stated) - {"name", "H0", "Om0", "Ode0"}:
        raise BadInputError(f"[cosmology] has {', '.join(sorted(unknown))}: give name, or H0, Om0.")
    if name := stated.get("name"):
        if name not in astropy.cosmology.realizations.available:
            known = ", ".join(astropy.cosmology.realizations.available)
            raise BadInputError(f"Cosmology {name!r} is not known: use one of {known}.")
        return getattr(astropy.cosmology, name)
    try:
        h0, matter = float(stated.get("H0", 70)), float(stated.get("Om0", 0.3))
        if not (20 < h0 < 200 and 0 < matter < 2):
            raise ValueError
        if "Ode0" in stated:
            return LambdaCDM(H0=h0, Om0=matter, Ode0=float(stated["Ode0"]))
        return FlatLambdaCDM(H0=h0, Om0=matter)
    except (TypeError, ValueError):
        raise BadInputError(
            "[cosmology] needs H0 in km/s/Mpc and Om0, as numbers: H0 = 70, Om0 = 0.3."
        ) from None


def described(cosmology: FLRW) -> str:
    """Name and parameters, for the record."""
    name = f"{cosmology.name}: " if cosmology.name else ""
    kind = type(cosmology).__name__
    density = "" if isinstance(cosmology, FlatLambdaCDM) else f", Ode0={cosmology.Ode0:g}"
    h0 = cosmology.H0.to_value(u.km / u.s / u.Mpc)
    return f"{name}{kind}(H0={h0:g}, Om0={cosmology.Om0:g}{density})"
