from __future__ import annotations

import pytest
import torch

from lensing_core.errors import BadInputError
from lensing_core.physics.operators import (
    area_pool,
    gradient,
    laplacian,
    magnification,
    poisson_residual,
)


def grid(n: int = 101, spacing: float = 0.05):
    axis = (torch.arange(n, dtype=torch.float64) - (n - 1) / 2) * spacing
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return x, y, spacing


def test_operators_are_exact_for_a_quadratic():
    x, y, h = grid()
    map_ = 3 * x**2 + 2 * y**2 + x * y
    torch.testing.assert_close(laplacian(map_, h), torch.full((99, 99), 10.0).double())
    along_x, along_y = gradient(map_, h)
    torch.testing.assert_close(along_x, (6 * x + y)[1:-1, 1:-1])
    torch.testing.assert_close(along_y, (4 * y + x)[1:-1, 1:-1])


def test_poisson_residual_of_a_softened_isothermal_sphere_vanishes():
    x, y, h = grid()
    s2 = 0.5**2
    r2 = x**2 + y**2
    potential = torch.sqrt(r2 + s2)
    kappa = (r2 + 2 * s2) / (2 * (r2 + s2) ** 1.5)
    assert poisson_residual(potential, kappa, h).abs().max() < 0.01 * kappa.max()
    # halving the spacing divides the error by four
    x2, y2, h2 = grid(201, 0.025)
    r2 = x2**2 + y2**2
    fine = poisson_residual(torch.sqrt(r2 + s2), (r2 + 2 * s2) / (2 * (r2 + s2) ** 1.5), h2)
    coarse = poisson_residual(potential, kappa, h)
    assert fine.abs().max() == pytest.approx(float(coarse.abs().max()) / 4, rel=0.05)


def test_the_critical_curve_of_an_isothermal_sphere_is_its_einstein_ring():
    x, y, h = grid(201, 0.02)
    theta_e = 1.0
    mu = magnification(theta_e * torch.sqrt(x**2 + y**2 + 1e-12), h)
    radius = torch.sqrt(x**2 + y**2)[1:-1, 1:-1]
    outside = (radius > 1.1) & (radius < 1.8)
    expected = 1 / (1 - theta_e / radius[outside])
    torch.testing.assert_close(mu[outside], expected, rtol=0.01, atol=0)
    assert (mu[(radius > 0.3) & (radius < 0.9)] < 0).all()


def test_pooling_conserves_mass():
    kappa = torch.rand(2, 12, 8, dtype=torch.float64)
    pooled = area_pool(kappa, 4)
    assert pooled.shape == (2, 3, 2)
    torch.testing.assert_close(pooled.sum() * 16, kappa.sum())
    with pytest.raises(BadInputError, match="pooled by 5"):
        area_pool(kappa, 5)


def test_gradients_flow_and_bad_maps_are_said():
    potential = torch.rand(1, 6, 6, requires_grad=True)
    poisson_residual(potential, torch.zeros(1, 6, 6), 0.1).square().mean().backward()
    assert potential.grad.abs().sum() > 0
    with pytest.raises(BadInputError, match="too small"):
        laplacian(torch.zeros(2, 5), 0.1)
    with pytest.raises(BadInputError, match="positive"):
        laplacian(torch.zeros(5, 5), 0.0)
    with pytest.raises(BadInputError, match="one shape"):
        poisson_residual(torch.zeros(5, 5), torch.zeros(6, 5), 0.1)
