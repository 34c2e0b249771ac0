"""Critical curves, caustics and Einstein radii of a mass for a source."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from contourpy import contour_generator

from lensing_core.arrays import Float64Array
from lensing_core.cluster_model.maps import LensingMaps
from lensing_core.cluster_model.mass import Lens

_RADII, _ANGLES = 240, 48


@dataclass(frozen=True)
class Curve:
    """A critical curve and its caustic.

    Attributes
    ----------
    points, caustic : ndarray of shape (n, 2)
        Arcsec, in order.
    tangential : bool
        Else radial.
    closed : bool
        False where it leaves the field.
    """

    points: Float64Array
    caustic: Float64Array
    tangential: bool
    closed: bool

    @property
    def area_arcsec2(self) -> float:
        """Area that it encloses; 0 if it is open."""
        if not self.closed:
            return 0.0
        x, y = self.points.T
        return float(abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2)


def critical_curves(lens: Lens, maps: LensingMaps, ratio: float) -> list[Curve]:
    """Curves where det A = 0 within the field of the maps, the largest first.

    A curve is tangential where κ < 1: there 1 − κ − γ = 0, else 1 − κ + γ.
    """
    det = 1 / maps.magnification(ratio)
    lines = contour_generator(maps.axis_x, maps.axis_y, det).lines(0.0)
    curves = []
    for line in lines:
        points = np.asarray(line, dtype=np.float64)
        x, y = torch.from_numpy(points[:, 0].copy()), torch.from_numpy(points[:, 1].copy())
        ax, ay = lens.deflection(x, y)
        caustic = np.column_stack(
            [points[:, 0] - ratio * ax.numpy(), points[:, 1] - ratio * ay.numpy()]
        )
        tangential = bool(np.median(ratio * maps.kappa_at(points)) < 1)
        closed = bool(np.allclose(points[0], points[-1]))
        curves.append(Curve(points, caustic, tangential, closed))
    return sorted(curves, key=lambda curve: -curve.area_arcsec2)


def effective_radius(curves: list[Curve]) -> float:
    """√(area/π) of the largest closed tangential curve, arcsec; NaN if there is none."""
    areas = [curve.area_arcsec2 for curve in curves if curve.tangential and curve.closed]
    return math.sqrt(max(areas) / math.pi) if areas else math.nan


def einstein_radius(
    lens: Lens,
    ratio: float,
    *,
    center: tuple[float, float] = (0.0, 0.0),
    within: tuple[float, float] = (0.05, 200.0),
    n: int = _RADII,
) -> float:
    """Radius (arcsec) of the circle about a place within which κ is 1 in the mean; 0 without one.

    By Gauss' theorem that mean is the deflection's mean radial part on the circle over the radius.
    ``n`` radii ``within`` a range are tried.
    """
    radii = torch.from_numpy(np.geomspace(*within, n))
    angles = torch.arange(_ANGLES, dtype=torch.float64) * (2 * math.pi / _ANGLES)
    cosine, sine = torch.cos(angles), torch.sin(angles)
    x, y = center[0] + radii[:, None] * cosine, center[1] + radii[:, None] * sine
    ax, ay = lens.deflection(x, y)
    mean = (ratio * (ax * cosine + ay * sine)).mean(dim=1) / radii
    above = torch.nonzero(mean >= 1)
    if not len(above) or int(above[-1]) == n - 1:
        return within[1] if len(above) else 0.0
    k = int(above[-1])
    low, high = float(mean[k]), float(mean[k + 1])
    share = math.log(low) / (math.log(low) - math.log(high))
    return float(torch.exp((1 - share) * torch.log(radii[k]) + share * torch.log(radii[k + 1])))
