"""Models without a lens that a lens must beat: neighbors, a ring, arms, a tail."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lensing_core.lens_test import shapes
from lensing_core.lens_test.fitting import Fitter, Part, Problem
from lensing_core.lens_test.light import LensLight, grid_of
from lensing_core.lens_test.search import OUTERMOST, LensFit

_STEPS = 16
_MOST = 3
_NUMBERS = {2: "two", 3: "three"}


@dataclass(frozen=True)
class Rival:
    """A model without a lens at its minimum.

    Attributes
    ----------
    name : str
    chi2 : float
    n_free : int
        Parameters and amplitudes beyond those of the galaxy.
    """

    name: str
    chi2: float
    n_free: int


def fit_rivals(light: LensLight, lens: LensFit) -> list[Rival]:
    """Fit unlensed galaxies where light stands out, a ring, and a curved tail with and without."""
    places = _places(light, lens)
    found = [_ring(light, lens), _spiral(light, lens)]
    found += [_tail(light, lens, places[:n]) for n in (1, 2) if n <= len(places)]
    found += [_neighbors(light, lens, places[:n]) for n in range(1, len(places) + 1)]
    return found


def _places(light: LensLight, lens: LensFit) -> list[tuple[float, float]]:
    """Places of possible neighbors: the fitted segments, else the model's brightest spot."""
    reach = OUTERMOST * lens.theta_e + 0.5 * light.observed.fwhm_arcsec
    shown = np.asarray(lens.counted.any(axis=0))
    places = [
        (one.x, one.y)
        for one in light.segments
        if math.hypot(one.x - light.x, one.y - light.y) <= reach and shown[one.pixels].any()
    ][:_MOST]
    if not places:
        total = np.where(shown, lens.arcs.sum(axis=0), 0)
        row, column = np.unravel_index(int(total.argmax()), total.shape)
        axis = light.observed.axis_arcsec()
        places = [(float(axis[column]), float(axis[row]))]
    return places


def _neighbors(light: LensLight, lens: LensFit, places: list[tuple[float, float]]) -> Rival:
    means, sigmas = [], []
    near = 0.4 * light.observed.fwhm_arcsec
    for x, y in places:
        means += [x, y, 0.0, 0.0, math.log(0.3), math.log(1.2)]
        sigmas += [near, near, 0.3, 0.3, 0.8, 0.5]
    parts = tuple(Part(shapes.sersic, len(shapes.SERSIC)) for _ in places)
    n = len(places)
    name = "an unlensed neighbor" if n == 1 else f"{_NUMBERS[n]} unlensed neighbors"
    mean = torch.tensor(means)[None]
    return _fit(light, lens, name, parts, mean, torch.tensor(sigmas)[None], mean)


def _ring(light: LensLight, lens: LensFit) -> Rival:
    off = 0.3 * light.observed.fwhm_arcsec
    mean = torch.tensor(
        [light.x, light.y, light.e1, light.e2, math.log(lens.theta_e), math.log(0.2)]
    )
    sigma = torch.tensor([off, off, 0.25, 0.25, 0.4, 0.7])
    radii = math.log(lens.theta_e) + torch.tensor([-0.25, 0.0, 0.25])
    begun = mean.repeat(len(radii), 1)
    begun[:, 4] = radii
    parts = (Part(shapes.ring, len(shapes.RING)),)
    return _fit(light, lens, "an unlensed ring", parts, mean[None], sigma[None], begun)


def _spiral(light: LensLight, lens: LensFit) -> Rival:
    """Two arms, begun with either winding and four phases."""
    off = 0.2 * light.observed.fwhm_arcsec
    base = [light.x, light.y, light.e1, light.e2, math.log(lens.theta_e), 0.0, 0.0, 0.5]
    sigma = torch.tensor([off, off, 0.2, 0.2, 0.5, 2.0, 2.0, 0.8])
    begun = torch.tensor(base).repeat(8, 1)
    begun[:, 5] = torch.tensor([1.5, -1.5]).repeat_interleave(4)
    begun[:, 6] = torch.arange(4).repeat(2) * (math.pi / 4)
    parts = (Part(shapes.spiral, len(shapes.SPIRAL)),)
    return _fit(light, lens, "spiral arms", parts, begun.mean(dim=0)[None], sigma[None], begun)


def _piece(light: LensLight, x: float, y: float) -> tuple[list[float], list[float]]:
    """Mean and σ of a piece of an annulus around the galaxy through a place beside it."""
    radius = max(math.hypot(x, y), 0.3)
    off = 0.3 * radius
    return (
        [light.x, light.y, 0.0, 0.0, math.log(radius), math.log(0.2), math.atan2(y, x), 1.5],
        [off, off, 0.25, 0.25, 0.5, 0.7, 0.5, 1.2],
    )


def _tail(light: LensLight, lens: LensFit, places: list[tuple[float, float]]) -> Rival:
    """A piece of an annulus through the first place, and a galaxy at the second."""
    mean, sigma = _piece(light, places[0][0] - light.x, places[0][1] - light.y)
    parts = [Part(shapes.arc, len(shapes.ARC))]
    name = "an unlensed tail"
    if len(places) > 1:
        near = 0.4 * light.observed.fwhm_arcsec
        mean += [*places[1], 0.0, 0.0, math.log(0.3), math.log(1.2)]
        sigma += [near, near, 0.3, 0.3, 0.8, 0.5]
        parts.append(Part(shapes.sersic, len(shapes.SERSIC)))
        name += " and a neighbor"
    begun = torch.tensor(mean)[None]
    return _fit(light, lens, name, tuple(parts), begun, torch.tensor(sigma)[None], begun)


def _fit(
    light: LensLight,
    lens: LensFit,
    name: str,
    parts: tuple[Part, ...],
    mean: Tensor,
    sigma: Tensor,
    begun: Tensor,
) -> Rival:
    weight = torch.from_numpy(np.where(lens.counted, 1 / light.sigma, 0).astype(np.float32))[None]
    data = torch.from_numpy(light.observed.flux)[None]
    grid = grid_of(light.observed, 1)
    problem = Problem(data, weight, grid, parts, mean, sigma, light.fixed, light.fixed_sigma)
    best = Fitter(problem).minimize(begun, _STEPS).best()
    galaxy = torch.einsum("bk,bkyx->byx", best.others[0], light.fixed[0])
    residual = (data[0] - galaxy - best.light()[0]) * weight[0]
    n_free = sum(part.n for part in parts) + len(parts) * len(data[0])
    return Rival(name, float((residual.double() ** 2).sum()), n_free)
