"""Derived quantities of a lens model: angles, magnification, mass, images, time delays."""

from __future__ import annotations

import math
from dataclasses import dataclass

import astropy.constants as const
import astropy.units as u
import numpy as np
import torch
from numpy.typing import NDArray

from lensing_core.lens_model.likelihood import LensLikelihood
from lensing_core.lens_test import shapes
from lensing_core.lens_test.curves import images_of
from lensing_core.physics.cosmology import COSMOLOGY, arcsec_per_kpc, distance_ratio

Doubles = NDArray[np.float64]
_ARCSEC = math.radians(1 / 3600)


def physical(points: Doubles) -> dict[str, Doubles]:
    """Physical parameters (n,) of points (n, 13 or 14), by name.

    Lengths in arcsec from the cutout's middle, angles in degrees from x towards y in 0 to 180.
    """
    p = torch.from_numpy(np.ascontiguousarray(points.T))
    q, angle = shapes.shape_of(p[1], p[2])
    gamma1, gamma2 = shapes.bounded_shear(p[5], p[6])
    source_q, source_angle = shapes.shape_of(p[9], p[10])
    found = {
        "theta_e_arcsec": torch.exp(p[0]),
        "axis_ratio": q,
        "angle_deg": torch.rad2deg(angle) % 180,
        "shear": torch.hypot(gamma1, gamma2),
        "shear_angle_deg": torch.rad2deg(torch.atan2(gamma2, gamma1) / 2) % 180,
        "lens_x_arcsec": p[3],
        "lens_y_arcsec": p[4],
        "source_x_arcsec": p[7],
        "source_y_arcsec": p[8],
        "source_radius_arcsec": torch.exp(p[11]),
        "source_index": torch.exp(p[12]),
        "source_axis_ratio": source_q,
        "source_angle_deg": torch.rad2deg(source_angle) % 180,
    }
    if len(p) == len(shapes.POWER_LAW_LENS):
        found["slope"] = p[13].clamp(*shapes.SLOPE)
    return {name: np.asarray(values.numpy()) for name, values in found.items()}


def magnification(likelihood: LensLikelihood, points: Doubles) -> Doubles:
    """Flux of the lensed source within the cutout over that of the source (n,)."""
    p = torch.from_numpy(np.ascontiguousarray(points.T))
    return np.asarray(likelihood.lensed_flux(points) / shapes.sersic_flux(p[11], p[12]).numpy())


def mass_in_einstein_radius(theta_e_arcsec: Doubles, z_lens: float, z_source: float) -> Doubles:
    """Mass in projection within θ_E, M = π θ_E² D_l² Σ_cr = c² / (4 G) θ_E² D_l D_s / D_ls.

    In solar masses; distances of :data:`~lensing_core.physics.cosmology.COSMOLOGY`.
    """
    scale = (const.c**2 / (4 * const.G) * _distance(z_lens, z_source)).to_value(u.Msun)
    return np.asarray(scale * (theta_e_arcsec * _ARCSEC) ** 2)


def velocity_dispersion(theta_e_arcsec: Doubles, z_lens: float, z_source: float) -> Doubles:
    """σ_v in km/s of an isothermal lens, θ_E = 4π (σ_v / c)² D_ls / D_s."""
    ratio = float(distance_ratio(z_lens, z_source))
    scale = float(const.c.to_value(u.km / u.s)) / math.sqrt(4 * math.pi * ratio)
    return np.asarray(scale * np.sqrt(theta_e_arcsec * _ARCSEC))


def einstein_radius_kpc(theta_e_arcsec: Doubles, z_lens: float) -> Doubles:
    """θ_E in the lens plane, kpc."""
    return np.asarray(theta_e_arcsec / float(arcsec_per_kpc(z_lens)))


def days_per_arcsec2(z_lens: float, z_source: float) -> float:
    """Delay of an image for a difference of Fermat potentials of 1 arcsec².

    Δt = (1 + z_l) / c · D_l D_s / D_ls · Δφ (Blandford & Narayan 1986, ApJ 310, 568).
    """
    distance = (1 + z_lens) * _distance(z_lens, z_source)
    return float((distance / const.c).to_value(u.day)) * _ARCSEC**2


def _distance(z_lens: float, z_source: float) -> u.Quantity:
    """D_l D_s / D_ls, in a flat universe."""
    front, behind = (COSMOLOGY.comoving_distance(z) for z in (z_lens, z_source))
    return front * behind / (behind - front) / (1 + z_lens)


def fermat_potential(point: Doubles, x: Doubles, y: Doubles) -> Doubles:
    """φ = |θ − β|² / 2 − ψ at places (n,) for one lens (13 or 14 parameters), arcsec².

    ψ of an elliptical power law of slope γ is (θ − θ_0) · α / (3 − γ).
    """
    lens = torch.from_numpy(np.ascontiguousarray(point))
    alone = lens.clone()
    alone[5:7] = 0
    tx, ty = torch.from_numpy(x), torch.from_numpy(y)
    ax, ay = shapes.deflection(alone, tx, ty)
    slope = float(lens[13].clamp(*shapes.SLOPE)) if len(lens) == len(shapes.POWER_LAW_LENS) else 2.0
    dx, dy = tx - lens[3], ty - lens[4]
    gamma1, gamma2 = shapes.bounded_shear(lens[5], lens[6])
    psi = (dx * ax + dy * ay) / (3 - slope)
    psi = psi + gamma1 * (dx**2 - dy**2) / 2 + gamma2 * dx * dy
    way = ((tx - lens[7]) ** 2 + (ty - lens[8]) ** 2) / 2
    return np.asarray((way - psi).numpy())


@dataclass(frozen=True)
class Images:
    """Images of the source's center in draws that have the same number of them.

    Attributes
    ----------
    x, y, magnification : ndarray of shape (draw, image)
        In the order of their arrival; negative magnification: mirrored.
    fermat_arcsec2 : ndarray of shape (draw, image)
        Fermat potential over that of the first image.
    share : float
        Of all draws that have this number of images.
    """

    x: Doubles
    y: Doubles
    magnification: Doubles
    fermat_arcsec2: Doubles
    share: float

    @property
    def n(self) -> int:
        """Number of images."""
        return int(self.x.shape[1])


def images_in(draws: Doubles) -> Images:
    """Images of the source's center in draws (n, parameter)."""
    found: dict[int, list[Doubles]] = {}
    for draw in draws:
        images = images_of(torch.from_numpy(draw), float(draw[7]), float(draw[8]))
        phi = fermat_potential(draw, images[:, 0].copy(), images[:, 1].copy())
        order = np.argsort(phi)
        late = phi[order] - (phi[order[0]] if len(phi) else 0.0)
        rows = np.column_stack([images[order], late])
        found.setdefault(len(images), []).append(rows)
    usual = max(found, key=lambda n: len(found[n]))
    stacked = np.stack(found[usual])
    x, y, mu, late = np.moveaxis(stacked, 2, 0)
    return Images(x, y, mu, late, len(stacked) / len(draws))
