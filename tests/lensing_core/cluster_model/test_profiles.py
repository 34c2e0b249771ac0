"""Deflections against closed forms, caustics, and κ = ∇·α / 2."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
import torch
from caustics.lenses import func
from scipy.signal import fftconvolve
from torch import Tensor

from lensing_core.cluster_model.curves import einstein_radius
from lensing_core.cluster_model.mass import ModelLens
from lensing_core.cluster_model.parametric import Halo, ParametricModel, axis_ratio
from lensing_core.cluster_model.planes import LensPlane, cosmology_of
from lensing_core.cluster_model.profiles import (
    SIS_ARCSEC,
    RadialTable,
    dpie_deflection,
    gaussians_of_power_law,
    nfw_convergence,
    nfw_deflection,
    pull_of_gaussians,
    smoothed,
    turned,
)
from lensing_core.physics.cosmology import sis_einstein_radius_arcsec
from lensing_core.physics.point_images import jacobian

X = torch.tensor([0.4, 3.0, -20.0, 55.0], dtype=torch.float64)
Y = torch.tensor([0.3, -7.0, 11.0, 30.0], dtype=torch.float64)


def number(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def test_isothermal_limit_of_the_dpie() -> None:
    b, tiny, endless = number(12.0), number(1e-6), number(math.inf)
    ax, ay = dpie_deflection(X, Y, b, tiny, endless, number(1.0), number(0.3))
    assert torch.hypot(ax, ay).numpy() == pytest.approx(12.0, rel=1e-5)
    expected = sis_einstein_radius_arcsec(700.0, 1e-9, 1.0)
    assert pytest.approx(float(expected), rel=1e-6) == SIS_ARCSEC * 700**2


def test_round_dpie_is_the_pseudo_jaffe_of_caustics() -> None:
    b, core, cut = number(9.0), number(2.0), number(40.0)
    arcsec = math.radians(1 / 3600)
    mass = math.pi * 9.0 * (40.0 - 2.0)
    expected = func.reduced_deflection_angle_pseudo_jaffe(
        number(0.0), number(0.0), mass, core, cut, X, Y, 1 / arcsec, 1.0
    )
    found = dpie_deflection(X, Y, b, core, cut, number(1.0), number(0.0))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-8)


def test_elliptical_dpie_has_the_convergence_of_eliasdottir() -> None:
    b, core, cut, q, angle = (number(v) for v in (9.0, 2.0, 40.0, 0.6, 0.7))
    xx, _, _, yy = jacobian(lambda x, y: dpie_deflection(x, y, b, core, cut, q, angle), X, Y)
    px, py = turned(X, Y, angle)
    e = (1 - 0.6) / (1 + 0.6)
    r2 = px**2 / (1 + e) ** 2 + py**2 / (1 - e) ** 2
    expected = 4.5 * (1 / torch.sqrt(4.0 + r2) - 1 / torch.sqrt(1600.0 + r2))
    torch.testing.assert_close((xx + yy) / 2, expected, rtol=1e-5, atol=1e-8)


def test_nfw_deflection() -> None:
    kappa_s, scale, angle = number(0.3), number(60.0), number(0.4)
    ax, ay = nfw_deflection(X, Y, kappa_s, scale, number(1.0), angle)
    u = torch.hypot(X, Y) / 60.0
    inside = torch.log(u / 2) + torch.where(
        u < 1,
        torch.arccosh(1 / u.clamp(max=1)) / torch.sqrt((1 - u**2).abs()),
        torch.arccos(1 / u.clamp(min=1)) / torch.sqrt((u**2 - 1).abs()),
    )
    torch.testing.assert_close(torch.hypot(ax, ay), 4 * 0.3 * 60 * inside / u, rtol=1e-8, atol=0)

    q = number(0.5)
    xx, _, _, yy = jacobian(lambda x, y: nfw_deflection(x, y, kappa_s, scale, q, angle), X, Y)
    px, py = turned(X, Y, angle)
    expected = nfw_convergence(torch.sqrt(q * px**2 + py**2 / q), kappa_s, scale)
    torch.testing.assert_close((xx + yy) / 2, expected, rtol=1e-5, atol=0)


def test_nfw_convergence_is_smooth_at_the_scale_radius() -> None:
    r = torch.linspace(0.99, 1.01, 41, dtype=torch.float64)
    kappa = nfw_convergence(r, number(1.0), number(1.0))
    assert float(kappa[20]) == pytest.approx(2 / 3)
    torch.testing.assert_close(kappa.diff().diff(), torch.full((39,), 52 / 35 * 5e-4**2).double(),
                               rtol=0.05, atol=0)  # fmt: skip


@pytest.mark.parametrize(("mass", "theta_e"), [(2e14, 1.6), (5e14, 5.4), (1e15, 11.7)])
def test_einstein_radius_of_a_halo_without_galaxies(mass: float, theta_e: float) -> None:
    plane = LensPlane(0.4, 30.0, 10.0, cosmology_of({}))
    halo = Halo("main", 0, 0, "nfw", mass_msun=mass, concentration=5.0)
    model = ParametricModel(plane, [halo], shear=False)
    lens = ModelLens(model, np.array([0.0, 0.0, 0.0, 0.0, mass, 5.0]))
    found = einstein_radius(lens, float(plane.ratio(1.2)))
    assert found == pytest.approx(theta_e, abs=0.06)


def test_power_law_as_gaussians() -> None:
    r = torch.tensor([0.5, 2.0, 10.0, 60.0], dtype=torch.float64)
    width, amplitude = gaussians_of_power_law(number(1.1), 1e4)
    density = (amplitude * torch.exp(-(r[:, None] ** 2) / (2 * width**2))).sum(dim=-1)
    torch.testing.assert_close(density, r**-1.1, rtol=1e-3, atol=0)
    pull, slope = pull_of_gaussians(r[:, None] ** 2, width, amplitude)
    torch.testing.assert_close(pull, 2 / (2 - 1.1) * r**-1.1, rtol=5e-3, atol=0)
    torch.testing.assert_close(slope, -0.55 * pull, rtol=5e-3, atol=0)


def test_smoothing_is_that_of_a_grid() -> None:
    width, amplitude = gaussians_of_power_law(number(1.1), 12.0)
    wide, less = smoothed(width, amplitude, number(5.0))
    axis = (np.arange(241) - 120) * 0.5
    r2 = axis[:, None] ** 2 + axis**2
    kept = width.numpy() > 1.0  # a pixel holds no narrower one
    map_ = sum(
        a * np.exp(-r2 / (2 * w**2))
        for w, a in zip(width.numpy()[kept], amplitude.numpy()[kept], strict=True)
    )
    kernel = np.exp(-r2 / 50.0)
    grid = fftconvolve(map_, kernel / kernel.sum(), mode="same")[120, 120:170:10]
    at = torch.from_numpy(axis[120:170:10] ** 2)[:, None]
    exact = (less[kept] * torch.exp(-at / (2 * wide[kept] ** 2))).sum(dim=-1)
    assert grid == pytest.approx(exact.numpy(), rel=1e-6)


def test_radial_table() -> None:
    width, amplitude = gaussians_of_power_law(number(1.3), 200.0)
    pull = partial(pull_of_gaussians, width=width, amplitude=amplitude)
    values, slopes = pull(torch.exp(RadialTable.nodes())[:, None])
    table = RadialTable(values[None], slopes[None])
    r2 = torch.tensor([[0.013, 0.4, 7.0, 900.0, 2e4]], dtype=torch.float64)
    torch.testing.assert_close(table(r2)[0], pull(r2[0][:, None])[0], rtol=1e-5, atol=0)


def test_axis_ratio_of_components() -> None:
    q, angle = axis_ratio(number(0.0), number(0.1))
    assert float(q) == pytest.approx(0.9 / 1.1, abs=0.002)
    assert float(angle) == pytest.approx(math.pi / 4)
    assert float(axis_ratio(number(5.0), number(0.0))[0]) == pytest.approx(0.4 / 1.6, abs=1e-3)
