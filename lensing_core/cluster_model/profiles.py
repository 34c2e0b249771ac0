"""Deflections and convergences of the profiles of clusters, for D_ls / D_s = 1, in torch.

All take places of shape (…) and parameters that broadcast against them, so that many parameter
sets are computed at once. Angles are in arcsec, directions in radians from x towards y. An axis
ratio q is that of minor to major axis.
"""

from __future__ import annotations

import math
from functools import cache

import astropy.constants as const
import astropy.units as u
import numpy as np
import torch
from caustics.lenses import func
from torch import Tensor

Pair = tuple[Tensor, Tensor]
_C_KM_S = float(const.c.to_value(u.km / u.s))
SIS_ARCSEC = 4 * math.pi / _C_KM_S**2 / math.radians(1 / 3600)
"""Einstein radius of an isothermal sphere of 1 km/s for D_ls / D_s = 1, arcsec."""
LENSTOOL_SIGMA = math.sqrt(1.5)
"""σ_0 over Lenstool's ``v_disp`` (Elíasdóttir et al. 2007; Bergamini et al. 2019)."""
_NODES = 32
_LOG_STEP = 0.7
_NARROWEST_ARCSEC, _WIDEST_ARCSEC = 1e-3, 3e4


def turned(x: Tensor, y: Tensor, angle: Tensor | float) -> Pair:
    """Components of (x, y) along and across a direction."""
    angle = torch.as_tensor(angle, dtype=torch.float64)
    cosine, sine = torch.cos(angle), torch.sin(angle)
    return x * cosine + y * sine, y * cosine - x * sine


def dpie_deflection(
    x: Tensor, y: Tensor, b: Tensor, core: Tensor, cut: Tensor, q: Tensor, angle: Tensor
) -> Pair:
    """Deflection of a dual pseudo-isothermal elliptical mass distribution (dPIE), centered on 0.

    κ = b/2 [1/√(a² + R²) − 1/√(s² + R²)], R² = x²/(1+ε)² + y²/(1−ε)² with ε = (1−q)/(1+q): the
    PIEMD of Kassiola & Kovner (1993, ApJ 417, 450) as Elíasdóttir et al. (2007, arXiv:0710.5636)
    write it. It is the difference of two isothermal ellipsoids with cores a(1+ε) and s(1+ε), whose
    deflection is that of caustics. For a → 0, s → ∞ and q = 1: an isothermal sphere of θ_E = b.

    Parameters
    ----------
    b : Tensor
        4π (σ_0/c)² in arcsec; Lenstool's is 6π (v_disp/c)² s/(s−a).
    core, cut : Tensor
        a and s, arcsec; ``cut`` may be infinite.
    """
    wide = 2 / (1 + q)
    scale = b * wide * torch.sqrt(q)
    zero = torch.zeros((), dtype=torch.float64)
    inner = func.reduced_deflection_angle_sie(zero, zero, q, angle, scale, x, y, s=wide * core)
    finite = torch.where(torch.isfinite(cut), cut, torch.ones_like(cut))
    outer = func.reduced_deflection_angle_sie(zero, zero, q, angle, scale, x, y, s=wide * finite)
    kept = torch.isfinite(cut).to(x.dtype)
    return inner[0] - kept * outer[0], inner[1] - kept * outer[1]


def nfw_convergence(r: Tensor, kappa_s: Tensor, scale: Tensor) -> Tensor:
    """κ = 2 κ_s (1 − F) / (x² − 1) at radii r, x = r / r_s (Bartelmann 1996, A&A 313, 697).

    The profile of Navarro, Frenk & White (1997, ApJ 490, 493); a series bridges x = 1.
    """
    u = r / scale
    near = torch.abs(u - 1) < 1e-3
    inside = torch.where(near, torch.full_like(u, 0.5), u).clamp(max=1 - 1e-3)
    outside = torch.where(near, torch.full_like(u, 2.0), u).clamp(min=1 + 1e-3)
    low = torch.arccosh(1 / inside) / torch.sqrt(1 - inside**2)
    high = torch.arccos(1 / outside) / torch.sqrt(outside**2 - 1)
    away = torch.where(near, torch.full_like(u, 2.0), u)
    exact = (1 - torch.where(u < 1, low, high)) / (away**2 - 1)
    d = u - 1
    series = 1 / 3 - 2 / 5 * d + 13 / 35 * d**2
    return 2 * kappa_s * torch.where(near, series, exact)


@cache
def _nodes() -> tuple[Tensor, Tensor]:
    """Nodes and weights of ∫ du over 0 to 1; with u = t⁴ the cusp at 0 is smooth."""
    t, weight = np.polynomial.legendre.leggauss(_NODES)
    t = (t + 1) / 2
    return torch.from_numpy(t**4), torch.from_numpy(weight / 2 * 4 * t**3)


def nfw_deflection(
    x: Tensor, y: Tensor, kappa_s: Tensor, scale: Tensor, q: Tensor, angle: Tensor
) -> Pair:
    """Deflection of an NFW halo whose surface density is constant on ellipses, centered on 0.

    The radius is √(q x² + y²/q) (intermediate axis). By one-dimensional integrals over nested
    ellipses (Schramm 1990, A&A 231, 19); for q = 1 it is 4 κ_s r_s g(x)/x.

    Parameters
    ----------
    kappa_s : Tensor
        ρ_s r_s / Σ_cr for D_ls / D_s = 1.
    scale : Tensor
        r_s, arcsec.
    """
    px, py = turned(x, y, angle)
    u, weight = _nodes()
    px, py, kappa_s, scale, q = (
        value[..., None] for value in torch.broadcast_tensors(px, py, kappa_s, scale, q)
    )
    below = 1 - (1 - q**2) * u
    radius = torch.sqrt(q * u * (px**2 + py**2 / below) + 1e-16)
    kappa = weight * nfw_convergence(radius, kappa_s, scale) / torch.sqrt(below)
    ax = (q * px * kappa).sum(dim=-1)
    ay = (q * py * kappa / below).sum(dim=-1)
    return turned(ax, ay, -torch.as_tensor(angle))


def nfw_scales(
    mass: Tensor,
    concentration: Tensor,
    *,
    distance_mpc: float,
    critical_density: float,
    critical_surface_density: float,
    overdensity: float,
) -> Pair:
    """κ_s and r_s (arcsec) of an NFW halo of a mass (solar masses) and concentration.

    The mass is that within the radius whose mean density is ``overdensity`` times the critical one.
    Densities in solar masses and Mpc.
    """
    rs = func.scale_radius_nfw(critical_density, mass, concentration, overdensity)
    rho = func.scale_density_nfw(critical_density, concentration, overdensity)
    return rho * rs / critical_surface_density, rs / distance_mpc / math.radians(1 / 3600)


def shear_deflection(x: Tensor, y: Tensor, gamma_1: Tensor, gamma_2: Tensor) -> Pair:
    """Deflection of an external shear about 0: γ_1 > 0 stretches images along x."""
    zero = torch.zeros((), dtype=torch.float64)
    ax, ay = func.reduced_deflection_angle_external_shear(zero, zero, gamma_1, gamma_2, x, y)
    return ax, ay


def gaussians_of_power_law(slope: Tensor, cut: float) -> Pair:
    """Widths and amplitudes (…, n) of Gaussians whose sum is (r/1″)^−slope exp(−r²/2 cut²).

    r^−n = ∫ t^(n/2−1) exp(−t r²) dt / Γ(n/2), by the trapezoidal rule in ln t: good to 2e-3
    from 0.01″ to 100″; the core is 1 mas.

    Parameters
    ----------
    slope : Tensor of shape (…)
    cut : float
        Arcsec.
    """
    t = torch.exp(
        torch.arange(
            math.log(0.5 / _WIDEST_ARCSEC**2),
            math.log(0.5 / _NARROWEST_ARCSEC**2),
            _LOG_STEP,
            dtype=torch.float64,
        )
    )
    half = slope[..., None] / 2
    amplitude = _LOG_STEP * torch.exp(half * torch.log(t) - torch.lgamma(half))
    return torch.sqrt(0.5 / (t + 0.5 / cut**2)).expand_as(amplitude), amplitude


def smoothed(width: Tensor, amplitude: Tensor, kernel: Tensor) -> Pair:
    """Gaussians (…, n) convolved with a normalized Gaussian kernel of a width (…), arcsec."""
    wider = torch.sqrt(width**2 + kernel[..., None] ** 2)
    return wider, amplitude * (width / wider) ** 2


def pull_of_gaussians(r_squared: Tensor, width: Tensor, amplitude: Tensor) -> Pair:
    """α(r)/r of a sum over the last axis of round κ = amplitude exp(−r²/2 width²), and d/d ln r².

    α(r) = 2 amplitude width² (1 − exp(−r²/2 width²)) / r.
    """
    v = r_squared / (2 * width**2)
    share = torch.where(v > 1e-8, -torch.expm1(-v) / v.clamp(min=1e-8), 1 - v / 2)
    slope = torch.where(v > 1e-8, torch.exp(-v) - share, -v / 2)
    return (amplitude * share).sum(dim=-1), (amplitude * slope).sum(dim=-1)


class RadialTable:
    """Functions of ln r² (k of them), by cubic Hermite interpolation between exact nodes."""

    STEP = 0.2
    LOW, HIGH = math.log(1e-6), math.log(1e6)

    @classmethod
    def nodes(cls) -> Tensor:
        """ln r² (n,) at which the functions are wanted."""
        return torch.arange(cls.LOW, cls.HIGH, cls.STEP, dtype=torch.float64)

    def __init__(self, values: Tensor, slopes: Tensor) -> None:
        """Take values and derivatives (k, n) at the nodes."""
        self.values, self.slopes = values, slopes * self.STEP

    def __call__(self, r_squared: Tensor) -> Tensor:
        """Values (k, …) at r² (k, …), arcsec²; constant beyond the table's ends."""
        k, n = self.values.shape
        place = (torch.log(r_squared.clamp(min=1e-300)) - self.LOW) / self.STEP
        place = place.reshape(k, -1).clamp(0, n - 1 - 1e-9)
        left = place.long()
        t = place - left
        f0, f1 = self.values.gather(1, left), self.values.gather(1, left + 1)
        d0, d1 = self.slopes.gather(1, left), self.slopes.gather(1, left + 1)
        cubic = (2 * (f0 - f1) + d0 + d1) * t + (3 * (f1 - f0) - 2 * d0 - d1)
        return ((cubic * t + d0) * t + f0).reshape(r_squared.shape)
