"""The likelihood against variable projection and against integrals over the amplitudes."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import log_ndtr

from lensing_core.lens_model.likelihood import LensLikelihood
from lensing_core.lens_test import shapes
from lensing_core.lens_test.fitting import Fitter, Grid, Part, Problem

SIDE = 24
TRUTH = [
    math.log(1.0),
    0.1,
    -0.05,
    0.02,
    0.0,
    0.03,
    -0.02,
    0.15,
    0.1,
    0.05,
    0.1,
    math.log(0.25),
    0.1,
]


@cache
def problem(peak: float, lens_light: int = 3) -> Problem:
    """Two bands with a source of a peak in units of the noise, and pictures of the galaxy."""
    rng = np.random.default_rng(4)
    axis = np.arange(-2, 3)
    kernel = np.exp(-0.5 * np.add.outer(axis**2, axis**2) / 1.1**2)
    kernels = torch.tensor(np.stack([kernel / kernel.sum()] * 2), dtype=torch.float32)
    grid = Grid(SIDE, 0.2, 3, 2, kernels)
    x, y = grid.points()
    shape = shapes.lensed_source(torch.tensor(TRUTH)[:, None, None], x, y)[None]
    seen = grid.observe(shape, grid.transfer())[0]
    fixed = torch.tensor(rng.random((1, 2, lens_light, SIDE, SIDE)), dtype=torch.float32)
    noise = torch.tensor(rng.normal(size=(2, SIDE, SIDE)), dtype=torch.float32)
    data = (peak * seen + 2 * fixed[0, :, 0] + noise)[None]
    weight = torch.ones(1, 2, SIDE, SIDE)
    weight[0, :, :3] = 0
    sigma = torch.full((1, 2, lens_light), math.inf)
    sigma[:, :, 1] = 0.5
    n = len(shapes.LENS)
    return Problem(
        data, weight, grid, (Part(shapes.lensed_source, n),), torch.zeros(1, n),
        torch.full((1, n), 1e6), fixed, sigma,
    )  # fmt: skip


def points(n: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.array(TRUTH) + 0.05 * rng.normal(size=(n, len(TRUTH)))


def test_chi2_and_amplitudes_are_those_of_variable_projection() -> None:
    known, at = problem(20.0), points(30)
    likelihood = LensLikelihood(known)
    state = Fitter(known).evaluate(torch.tensor(at, dtype=torch.float32))
    np.testing.assert_allclose(likelihood.chi2(at), state.cost.numpy(), rtol=1e-4)
    source, others = likelihood.amplitudes(at)
    np.testing.assert_allclose(source, state.amplitudes[..., 0].numpy(), rtol=1e-3)
    np.testing.assert_allclose(others, state.others.numpy(), rtol=1e-2, atol=1e-2)
    # Of a source that is seen, ln L is −χ²/2.
    np.testing.assert_allclose(likelihood(at), -likelihood.chi2(at) / 2, atol=1e-6)


def test_faint_sources_are_integrated_over_positive_amplitudes() -> None:
    """ln L of a source that noise hides, against the integral over its amplitude."""
    known = problem(0.0, lens_light=2)
    likelihood, at = LensLikelihood(known), points(3)
    _, g, s2 = likelihood._projected(at)
    for k in range(len(at)):
        total = -likelihood.chi2_alone / 2
        for band in range(2):
            u, s = float(g[k, band] / s2[k, band].sqrt()), float(s2[k, band].sqrt())
            value, _ = quad(
                lambda a, u=u, s=s: s * math.exp(-((s * a - u) ** 2 - u**2) / 2), 0, 60 / s
            )
            total += math.log(value / math.sqrt(2 * math.pi))
            assert math.log(value / math.sqrt(2 * math.pi)) == pytest.approx(
                u**2 / 2 + float(log_ndtr(u)), abs=1e-6
            )
        assert likelihood(at[k : k + 1])[0] == pytest.approx(total, abs=1e-6)


def test_differences_are_those_of_a_dense_gaussian() -> None:
    """Integrated over the galaxy's amplitudes by the covariance W⁻¹ + F Λ⁻¹ Fᵀ of the data."""
    known, at = problem(20.0), points(2)
    wide = 1e3  # of amplitudes that are free
    found = LensLikelihood(known)(at)
    state = Fitter(known).evaluate(torch.tensor(at, dtype=torch.float32))
    counted = known.weight[0].numpy() > 0
    dense = np.zeros(2)
    for band in range(2):
        f = known.fixed[0, band].double().numpy()[:, counted[band]]
        sigma = known.fixed_sigma[0, band].double().numpy()
        sigma = np.where(np.isfinite(sigma), sigma, wide)
        covariance = np.eye(f.shape[1]) + (f.T * sigma**2) @ f
        for k in range(2):
            source = state.pictures[k, band, 0].double().numpy()[counted[band]]
            amplitude = float(state.amplitudes[k, band, 0])
            rest = known.data[0, band].double().numpy()[counted[band]] - amplitude * source
            dense[k] -= rest @ np.linalg.solve(covariance, rest) / 2
    assert found[1] - found[0] == pytest.approx(dense[1] - dense[0], abs=0.05)


def test_lensed_flux_without_a_lens_is_that_of_the_profile() -> None:
    known = problem(20.0)
    flat = np.array([TRUTH])
    flat[0, 0], flat[0, 5:7] = math.log(1e-4), 0.0
    flux = LensLikelihood(known).lensed_flux(flat)[0]
    p = torch.tensor(flat[0])
    assert flux == pytest.approx(float(shapes.sersic_flux(p[11], p[12])), rel=0.02)
