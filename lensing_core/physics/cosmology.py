"""Distances and the isothermal relations, vectorized over objects.

Flat ΛCDM with H0 = 70 km/s/Mpc and Ωm = 0.3 throughout; :data:`COSMOLOGY` names it for the record.
"""

from __future__ import annotations

from functools import cache

import astropy.units as u
import numpy as np
from astropy.constants import c as speed_of_light
from astropy.cosmology import FlatLambdaCDM
from numpy.typing import ArrayLike

from lensing_core.arrays import Float64Array

COSMOLOGY = FlatLambdaCDM(H0=70, Om0=0.3, name="FlatLambdaCDM(H0=70, Om0=0.3)")
Z_MAX = 10.0
_C_KM_S = float(speed_of_light.to_value(u.km / u.s))


@cache
def _grid() -> tuple[Float64Array, Float64Array]:
    """Redshifts and comoving distances (Mpc), for interpolation good to 1e-5."""
    z = np.concatenate([[0.0], np.geomspace(1e-4, Z_MAX, 3000)])
    return z, COSMOLOGY.comoving_distance(z).to_value(u.Mpc)


def comoving_distance_mpc(z: ArrayLike) -> Float64Array:
    """Line-of-sight comoving distance."""
    return np.interp(np.asarray(z, dtype=np.float64), *_grid())


def distance_ratio(z_lens: ArrayLike, z_source: ArrayLike) -> Float64Array:
    """D_ls / D_s of angular diameter distances (flat universe); 0 where the source is in front."""
    behind, front = comoving_distance_mpc(z_source), comoving_distance_mpc(z_lens)
    return np.clip(1 - front / behind, 0, None)


def distance_modulus(z: ArrayLike) -> Float64Array:
    """5 log10(D_L / 10 pc)."""
    return 5 * np.log10(comoving_distance_mpc(z) * (1 + np.asarray(z)) * 1e5)


def arcsec_per_kpc(z: ArrayLike) -> Float64Array:
    """Angle of one physical kpc."""
    angular = comoving_distance_mpc(z) / (1 + np.asarray(z)) * 1e3
    return np.degrees(1 / angular) * 3600


def sis_einstein_radius_arcsec(
    sigma_v_km_s: ArrayLike, z_lens: ArrayLike, z_source: ArrayLike
) -> Float64Array:
    """θ_E = 4π (σ_v / c)² D_ls / D_s of a singular isothermal sphere."""
    beta = np.asarray(sigma_v_km_s) / _C_KM_S
    return np.degrees(4 * np.pi * beta**2 * distance_ratio(z_lens, z_source)) * 3600
