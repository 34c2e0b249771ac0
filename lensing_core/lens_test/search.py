"""Lens models of a cutout from many starts at once.

A grid of Einstein radii, arcs and source sizes is computed in one tensor program; the best that
differ go through Levenberg-Marquardt together. What stands farther out than images of a lens of a
start's radius can is masked for that start: neighbors outshine most arcs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation
from torch import Tensor

from lensing_core.lens_test import shapes
from lensing_core.lens_test.fitting import Fitter, Grid, Part, Problem, State
from lensing_core.lens_test.light import LensLight, grid_of

OUTERMOST = 1.8
"""Of images, in Einstein radii; an isothermal sphere makes none beyond 2."""
_RADII = 12
_SIZES_ARCSEC = (0.12, 0.35)
_INDEX = 1.2
_MOST_ANCHORS = 4
_ENDS = 4
_FIRST_STEPS, _STEPS, _LAST_STEPS = 6, 12, 16
_LITTLE = 50.0  # of χ²
_DISTINCT = 0.15  # in log θ_E: fits nearer than this are one
_LENS_PART = (Part(shapes.lensed_source, len(shapes.LENS)),)


@dataclass(frozen=True)
class LensFit:
    """A lens model at its minimum, and the same mask without it.

    Attributes
    ----------
    parameters : Tensor of shape (13,)
        See :data:`~.shapes.LENS`.
    covariance : Tensor of shape (13, 13)
        Of white noise as stated.
    counted : ndarray of shape (band, y, x)
        Pixels that were fitted.
    arcs, galaxy : ndarray of shape (band, y, x)
        The model's light of the source, and of the lens with the sky.
    alone : ndarray of shape (band, y, x)
        Light of the lens and sky where there is no source.
    chi2, chi2_alone : float
    amplitudes : ndarray of shape (band,)
        Of the source.
    log_theta_spread : float
        Standard deviation of log θ_E over the starts that came as far.
    n_good : int
        How many those are.
    """

    parameters: Tensor
    covariance: Tensor
    counted: NDArray[np.bool_]
    arcs: NDArray[np.float32]
    galaxy: NDArray[np.float32]
    alone: NDArray[np.float32]
    chi2: float
    chi2_alone: float
    amplitudes: NDArray[np.float32]
    log_theta_spread: float
    n_good: int

    @property
    def theta_e(self) -> float:
        """Einstein radius, arcsec."""
        return math.exp(float(self.parameters[0]))


def largest_radius(light: LensLight, wanted: float) -> float:
    """The largest Einstein radius that is tried, arcsec."""
    fits = 0.6 * light.observed.half_arcsec
    return min(fits, 3.5) if math.isnan(wanted) else min(wanted, 0.9 * light.observed.half_arcsec)


def smallest_radius(light: LensLight) -> float:
    """The smallest Einstein radius that is tried, arcsec: its images are hardly told apart."""
    return max(0.2, 0.45 * light.observed.fwhm_arcsec)


def weights(light: LensLight, theta_e: float) -> Tensor:
    """1 / σ (band, y, x), 0 at what no lens of that Einstein radius images."""
    observed = light.observed
    reach = OUTERMOST * theta_e + 0.5 * observed.fwhm_arcsec
    axis = observed.axis_arcsec()
    radius = np.hypot(axis[None, :] - light.x, axis[:, None] - light.y)
    usable = observed.valid.copy()
    for segment in light.segments:
        if math.hypot(segment.x - light.x, segment.y - light.y) > reach:
            # Its inner part may be the arc that it has grown together with.
            usable &= ~(binary_dilation(segment.pixels, iterations=2) & (radius > theta_e))
    # Wings of bright neighbors reach farther than their segments.
    usable &= radius < max(1.5 * reach, 4 * observed.fwhm_arcsec)
    return torch.from_numpy(np.where(usable, 1 / light.sigma, 0).astype(np.float32))


def find_lenses(
    light: LensLight,
    *,
    largest_arcsec: float,
    starts: int,
    anchors: Sequence[tuple[float, float]] = (),
) -> list[LensFit]:
    """Lens models of different Einstein radii, the one with the lowest cost first.

    Parameters
    ----------
    anchors : sequence of (x, y), optional
        Images; without them the segments.
    """
    observed = light.observed
    smallest = smallest_radius(light)
    radii = np.geomspace(smallest, max(largest_arcsec, 1.3 * smallest), _RADII)
    begun, of_radius = _starts(light, radii, anchors)
    masks = torch.stack([weights(light, float(radius)) for radius in radii])
    alone = fit_alone(light, masks)[1]
    counted = (masks > 0).sum(dim=(1, 2, 3))
    coarse = grid_of(observed, 1)
    which = torch.tensor(of_radius)
    cost = _fitter(light, coarse, masks[which]).evaluate(begun).cost
    best = [int(k) for r in range(len(radii)) for k in _least(cost, which == r, 1)]
    which, begun = which[best], begun[best]
    state = _fitter(light, coarse, masks[which]).minimize(begun, _FIRST_STEPS)
    order = torch.argsort(_share(alone[which], state.cost, counted[which]), descending=True)
    order = order[:starts]
    which, begun = which[order], state.parameters[order]
    state = _fitter(light, coarse, masks[which]).minimize(begun, _STEPS)
    return _finish(light, state, _share(alone[which], state.cost, counted[which]), largest_arcsec)


def _share(alone: Tensor, cost: Tensor, counted: Tensor) -> Tensor:
    """Return how much of what the galaxy leaves unexplained a lens explains; less where that is
    little.
    """
    gain = (alone - cost).clamp_min(0)
    return gain / (alone - counted).clamp_min(1).maximum(gain) * gain / (gain + _LITTLE)


def _least(cost: Tensor, among: Tensor, n: int) -> list[int]:
    """Numbers of the ``n`` least costs among some."""
    places = torch.nonzero(among)[:, 0]
    return [int(k) for k in places[torch.argsort(cost[places])[:n]]]


def _starts(
    light: LensLight, radii: NDArray[np.float64], anchors: Sequence[tuple[float, float]]
) -> tuple[Tensor, list[int]]:
    """Parameters (start, 13) of a grid of radii, images and source sizes, and which radius."""
    floor = 0.5 * light.observed.fwhm_arcsec
    places = list(anchors) or [(one.x, one.y) for one in light.segments]
    rows, of_radius = [], []
    lens_e1, lens_e2 = 0.7 * light.e1, 0.7 * light.e2
    for r, radius in enumerate(radii):
        reach = OUTERMOST * radius + floor
        near = [(x, y) for x, y in places if floor < math.hypot(x - light.x, y - light.y) <= reach][
            :_MOST_ANCHORS
        ]
        sources = [(light.x, light.y)]
        lens = torch.tensor([math.log(radius), lens_e1, lens_e2, light.x, light.y, 0.0, 0.0])
        for x, y in near:
            point = torch.tensor([x, y], dtype=torch.float32)
            ax, ay = shapes.deflection(lens, point[0], point[1])
            sources.append((x - float(ax), y - float(ay)))
        for bx, by in sources:
            if math.hypot(bx - light.x, by - light.y) < 1.1 * radius:
                for size in _SIZES_ARCSEC:
                    of_radius.append(r)
                    rows.append(
                        [*lens.tolist(), bx, by, 0.01, 0.01, math.log(size), math.log(_INDEX)]
                    )
    return torch.tensor(rows, dtype=torch.float32), of_radius


def lens_prior(light: LensLight) -> tuple[Tensor, Tensor]:
    """Mean and σ of the Gaussian prior of each parameter, (1, 13).

    Mass follows light in shape, with a scatter (Koopmans et al. 2006, ApJ 649, 599); shear of a few
    hundredths; the rest is wide.
    """
    off = max(0.02, 0.05 * light.observed.fwhm_arcsec)
    mean = torch.tensor(
        [math.log(1.2), 0.8 * light.e1, 0.8 * light.e2, light.x, light.y, 0, 0,
         light.x, light.y, 0, 0, math.log(0.25), math.log(_INDEX)]
    )  # fmt: skip
    sigma = torch.tensor([1.5, 0.12, 0.12, off, off, 0.06, 0.06, 2, 2, 0.2, 0.2, 0.8, 0.5])
    return mean[None].float(), sigma[None].float()


def _fitter(light: LensLight, grid: Grid, mask: Tensor) -> Fitter:
    mean, sigma = lens_prior(light)
    data = torch.from_numpy(light.observed.flux)[None]
    return Fitter(
        Problem(data, mask, grid, _LENS_PART, mean, sigma, light.fixed, light.fixed_sigma)
    )


def fit_alone(light: LensLight, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures (mask, band, y, x) and χ² (mask,) of the galaxy without other light."""
    data = torch.from_numpy(light.observed.flux)[None]
    grid = grid_of(light.observed, 1)
    none = torch.zeros(1, 0)
    problem = Problem(data, masks, grid, (), none, none, light.fixed, light.fixed_sigma)
    return fixed_only(Fitter(problem), len(masks))


def fixed_only(fitter: Fitter, n: int) -> tuple[Tensor, Tensor]:
    """Pictures and χ² of the fixed pictures alone."""
    problem = fitter.problem
    empty = torch.zeros(n, problem.data.shape[1], 0, *problem.data.shape[2:])
    state = fitter.solve(torch.zeros(n, 0), empty)
    return torch.einsum(
        "sbk,sbkyx->sbyx", state.others, problem.fixed.expand(n, -1, -1, -1, -1)
    ), state.cost


def _finish(light: LensLight, state: State, share: Tensor, largest_arcsec: float) -> list[LensFit]:
    """Fit the distinct ends of a first round anew, more finely, each with its own mask."""
    order = torch.argsort(share, descending=True).tolist()
    ends: list[int] = []
    for k in order:
        log_theta = float(state.parameters[k, 0])
        known = [float(state.parameters[j, 0]) for j in ends]
        possible = 0.8 * smallest_radius(light) <= math.exp(log_theta) <= 1.2 * largest_arcsec
        if possible and all(abs(log_theta - other) > _DISTINCT for other in known):
            ends.append(k)
        if len(ends) == _ENDS:
            break
    if not ends:
        return []
    begun = state.parameters[torch.tensor(ends)]
    masks = torch.stack([weights(light, math.exp(float(row[0]))) for row in begun])
    fitter = _fitter(light, grid_of(light.observed, 2), masks)
    last = fitter.minimize(begun, _LAST_STEPS)
    covariance = fitter.covariance(last.parameters)
    alone, chi2_alone = fit_alone(light, masks)
    found = []
    for i, k in enumerate(ends):
        near = (state.parameters[:, 0] - state.parameters[k, 0]).abs() < _DISTINCT
        scale = max(1.0, float(state.cost[k]) / max(1, int((masks[i] > 0).sum())))
        good = near & (state.cost < state.cost[k] + 9 * scale * light.observed.correlation)
        spread = float(state.parameters[good, 0].std(correction=0)) if int(good.sum()) > 1 else 0.0
        galaxy = torch.einsum("bk,bkyx->byx", last.others[i], light.fixed[0])
        arcs = last.only(torch.tensor([i])).light()[0]
        counted = masks[i] > 0
        residual = (torch.from_numpy(light.observed.flux) - galaxy - arcs) * masks[i]
        found.append(
            LensFit(
                last.parameters[i],
                covariance[i],
                counted.numpy(),
                arcs.numpy(),
                galaxy.numpy(),
                alone[i].numpy(),
                float((residual.double() ** 2).sum()),
                float(chi2_alone[i]),
                last.amplitudes[i, :, 0].numpy(),
                spread,
                int(good.sum()),
            )
        )
    return found
