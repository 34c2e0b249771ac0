"""Brightness of unit amplitude at points of the sky, for many sets of parameters at once.

Every function here maps points one by one, so that one backward pass gives the derivatives by all
parameters at all points (:mod:`lensing_core.lens_test.fitting`). Parameters are tensors that
broadcast against the points; lengths in arcsec, angles in radians from x towards y.
"""

from __future__ import annotations

import torch
from caustics.lenses import func
from caustics.light.func import k_sersic
from torch import Tensor

MOST_ELLIPTICAL = 0.5
"""Of (1 − q)/(1 + q): axis ratios stay above 0.33."""
MOST_SHEAR = 0.25
SLOPE = (1.2, 2.8)
"""Of a power law: slopes beyond are as these."""
CORE_ARCSEC = 1e-4
_ROUNDEST = 2.5e-3  # of (1 − q)/(1 + q): the closed forms lose their digits at q = 1
_SOFTENING_ARCSEC = 2e-3
_INDEX = (0.35, 7.0)
_TERMS = 12  # of the power law's series, whose ratio is (1 − q)/(1 + q): good to 2e-6 at q = 0.5
_RADIUS_ARCSEC = (0.01, 20.0)

LENS = (
    "log_theta_e",
    "e1",
    "e2",
    "x",
    "y",
    "gamma1",
    "gamma2",
    "source_x",
    "source_y",
    "source_e1",
    "source_e2",
    "source_log_radius",
    "source_log_index",
)
"""Parameters of a lens with one source, in the order of the vector."""
POWER_LAW_LENS = (*LENS, "slope")
"""The same of a mass whose density falls as r^−slope; 2 is isothermal."""
SERSIC = ("x", "y", "e1", "e2", "log_radius", "log_index")
"""Parameters of a galaxy."""
RING = ("x", "y", "e1", "e2", "log_radius", "log_width")
"""Parameters of an elliptical annulus."""
ARC = (*RING, "direction", "log_concentration")
"""Parameters of a piece of one."""
SPIRAL = ("x", "y", "e1", "e2", "log_radius", "winding", "phase", "log_contrast")
"""Parameters of two logarithmic arms in an exponential disc."""


def shape_of(e1: Tensor, e2: Tensor) -> tuple[Tensor, Tensor]:
    """Axis ratio and angle of the major axis from two free numbers.

    (e1, e2) = e (cos 2φ, sin 2φ) with e near (1 − q)/(1 + q) where that is small.
    """
    size = torch.sqrt(e1**2 + e2**2 + _ROUNDEST**2)
    e = MOST_ELLIPTICAL * torch.tanh(size / MOST_ELLIPTICAL)
    return (1 - e) / (1 + e), torch.atan2(e2 + 1e-9, e1 + 1e-9) / 2


def free_shape(axis_ratio: float, angle_rad: float) -> tuple[float, float]:
    """The numbers (e1, e2) of :func:`shape_of`."""
    e = min((1 - axis_ratio) / (1 + axis_ratio), 0.98 * MOST_ELLIPTICAL)
    size = MOST_ELLIPTICAL * float(torch.atanh(torch.tensor(e / MOST_ELLIPTICAL)))
    turn = torch.tensor(2 * angle_rad)
    return size * float(torch.cos(turn)), size * float(torch.sin(turn))


def bounded_shear(gamma1: Tensor, gamma2: Tensor) -> tuple[Tensor, Tensor]:
    """Components of the shear from two free numbers, its strength below :data:`MOST_SHEAR`."""
    size = torch.sqrt(gamma1**2 + gamma2**2 + 1e-12)
    bound = MOST_SHEAR * torch.tanh(size / MOST_SHEAR) / size
    return bound * gamma1, bound * gamma2


def deflection(lens: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Reduced deflection of an SIE or a power law with external shear about its center.

    The intermediate-axis convention of lenstronomy's SIE (Kormann et al. 1994, A&A 284, 285):
    κ = θ_E / (2 sqrt(q x² + y²/q)), so that without shear the critical curve encloses π θ_E². With
    a slope γ it is an elliptical power law (Tessore & Metcalf 2015, A&A 580, A79), κ = (3 − γ)/2
    (θ_E / sqrt(q x² + y²/q))^(γ − 1), which encloses the same mass within θ_E.

    Parameters
    ----------
    lens : Tensor of shape (7 or more, …)
        The first seven of :data:`LENS`; shears beyond a tenth are bent below :data:`MOST_SHEAR`.
        With all of :data:`POWER_LAW_LENS` a power law, with fewer an SIE.
    """
    log_theta, e1, e2, x0, y0, gamma1, gamma2 = lens[:7]
    q, phi = shape_of(e1, e2)
    gamma1, gamma2 = bounded_shear(gamma1, gamma2)
    theta_e = torch.exp(log_theta)
    if len(lens) == len(POWER_LAW_LENS):
        t = lens[13].clamp(*SLOPE) - 1
        ax, ay = func.reduced_deflection_angle_epl(
            x0, y0, q, phi, theta_e, t, x, y, _TERMS, chunk_size=1
        )
    else:
        ax, ay = func.reduced_deflection_angle_sie(x0, y0, q, phi, theta_e, x, y, s=CORE_ARCSEC)
    bx, by = func.reduced_deflection_angle_external_shear(x0, y0, gamma1, gamma2, x, y)
    return ax + bx, ay + by


def sersic_flux(log_radius: Tensor, log_index: Tensor) -> Tensor:
    """Flux of :func:`sersic` over the whole plane, in units of its amplitude times arcsec²."""
    index = torch.exp(log_index.clamp(*_logs(_INDEX)))
    k = k_sersic(index)
    logarithm = k + torch.lgamma(2 * index) - 2 * index * torch.log(k)
    return 2 * torch.pi * index * torch.exp(logarithm + 2 * _bounded_log(log_radius))


def lensed_source(lens: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Brightness of the source of :data:`LENS` seen through its lens, (…)."""
    ax, ay = deflection(lens, x, y)
    return sersic(lens[7:13], x - ax, y - ay)


def sersic(galaxy: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Brightness of an elliptical Sérsic profile, 1 at its half-light radius.

    The radius is sqrt(q u² + v²/q), u along the major axis.
    """
    x0, y0, e1, e2, log_radius, log_index = galaxy
    index = torch.exp(log_index.clamp(*_logs(_INDEX)))
    ratio = _radius2(x0, y0, e1, e2, x, y) * torch.exp(-2 * _bounded_log(log_radius))
    return torch.exp(-k_sersic(index) * (ratio ** (0.5 / index) - 1))


def ring(annulus: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Brightness of an elliptical Gaussian annulus, 1 on its ridge."""
    x0, y0, e1, e2, log_radius, log_width = annulus
    radius = torch.sqrt(_radius2(x0, y0, e1, e2, x, y))
    return torch.exp(
        -0.5 * ((radius - torch.exp(_bounded_log(log_radius))) / torch.exp(log_width)) ** 2
    )


def arc(piece: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Brightness of a piece of an annulus: its azimuth has a von Mises distribution."""
    dx, dy = x - piece[0], y - piece[1]
    # cos of the angle to the arc's direction; the middle has none.
    cosine = (dx * torch.cos(piece[6]) + dy * torch.sin(piece[6])) / torch.sqrt(
        dx**2 + dy**2 + _SOFTENING_ARCSEC**2
    )
    concentration = torch.exp(piece[7].clamp(-3.0, 5.0))
    return ring(piece[:6], x, y) * torch.exp(concentration * (cosine - 1))


def spiral(arms: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Brightness of two logarithmic spiral arms in an exponential disc.

    Arms follow φ = phase + winding ln(r / R) in the plane of the disc.
    """
    x0, y0, e1, e2, log_radius, winding, phase, log_contrast = arms
    q, turn = shape_of(e1, e2)
    dx, dy = x - x0, y - y0
    u = (dx * torch.cos(turn) + dy * torch.sin(turn)) * torch.sqrt(q)
    v = (dy * torch.cos(turn) - dx * torch.sin(turn)) / torch.sqrt(q)
    radius = torch.sqrt(u**2 + v**2 + _SOFTENING_ARCSEC**2) * torch.exp(-_bounded_log(log_radius))
    along = 2 * (torch.atan2(v + 1e-7, u + 1e-7) - winding * torch.log(radius) - phase)
    contrast = torch.exp(log_contrast.clamp(-3.0, 3.0))
    # No arms in the middle: there the bulge is.
    return radius**2 * torch.exp(-2 * radius + contrast * (torch.cos(along) - 1))


def _radius2(x0: Tensor, y0: Tensor, e1: Tensor, e2: Tensor, x: Tensor, y: Tensor) -> Tensor:
    q, phi = shape_of(e1, e2)
    dx, dy = x - x0, y - y0
    u = dx * torch.cos(phi) + dy * torch.sin(phi)
    v = dy * torch.cos(phi) - dx * torch.sin(phi)
    return q * u**2 + v**2 / q + _SOFTENING_ARCSEC**2


def _bounded_log(log_radius: Tensor) -> Tensor:
    return log_radius.clamp(*_logs(_RADIUS_ARCSEC))


def _logs(bounds: tuple[float, float]) -> tuple[float, float]:
    low, high = torch.log(torch.tensor(bounds)).tolist()
    return float(low), float(high)
