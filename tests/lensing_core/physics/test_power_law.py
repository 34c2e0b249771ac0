"""The convergence of power-law lenses against its closed form and its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from lensing_core.physics.power_law import pixel_centers, power_law_convergence


@pytest.mark.parametrize("slope", [1.8, 2.0, 2.3])
def test_a_cell_holds_the_mean_of_the_closed_form(slope):
    q, angle, theta_e = 0.6, 0.7, 1.3
    kappa = power_law_convergence(
        torch.tensor([theta_e]),
        torch.tensor([q]),
        torch.tensor([angle]),
        torch.tensor([slope]),
        cells=9,
        spacing_arcsec=0.8,
    )
    assert kappa.shape == (1, 9, 9)
    fine = (np.arange(200) + 0.5) / 200 * 0.8
    x, y = np.meshgrid(1.2 + fine, -2.0 + fine)  # cell of column 6, row 2
    u = x * math.cos(angle) + y * math.sin(angle)
    v = y * math.cos(angle) - x * math.sin(angle)
    closed = (3 - slope) / 2 * (theta_e / np.sqrt(q * u**2 + v**2 / q)) ** (slope - 1)
    np.testing.assert_allclose(kappa[0, 2, 6], closed.mean(), rtol=2e-3)


@pytest.mark.parametrize(("q", "slope"), [(0.5, 2.0), (0.99, 2.0), (0.7, 1.7)])
def test_the_mean_within_the_einstein_ellipse_is_one(q, slope):
    """Within R = θ_E, of area π θ_E², the mean of κ is 1 whatever the slope."""
    cells, spacing = 300, 0.02
    kappa = power_law_convergence(
        torch.tensor([2.0]),
        torch.tensor([q]),
        torch.tensor([0.0]),
        torch.tensor([slope]),
        cells=cells,
        spacing_arcsec=spacing,
    )[0]
    x, y = torch.meshgrid(*[pixel_centers(cells, spacing)] * 2, indexing="xy")
    inside = q * x**2 + y**2 / q <= 2.0**2
    assert float(inside.sum()) * spacing**2 == pytest.approx(math.pi * 4, rel=5e-3)
    assert float(kappa[inside].mean()) == pytest.approx(1.0, rel=5e-3)
