"""Masses, images and galaxies of the simulator against closed forms and an independent code."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from lenstronomy.LensModel.lens_model import LensModel
from lenstronomy.LensModel.Solver.lens_equation_solver import LensEquationSolver
from lenstronomy.Util.param_util import phi_q2_ellipticity

from lensing_core.errors import BadInputError
from lensing_core.simulation import Deflector, galaxies
from lensing_core.simulation.clusters import einstein_radius_arcsec
from lensing_core.simulation.deflection import deflection_field, deflection_fields
from lensing_core.simulation.lenses import image_positions
from lensing_core.simulation.templates import apparent_magnitudes

GRIZ_NM = np.array([481.0, 617.0, 752.0, 866.0])


@pytest.mark.parametrize("q", [0.5, 0.8, 0.95])
def test_deflection_of_an_sie_is_that_of_kormann_et_al(q):
    """The closed form of Kormann, Schneider & Bartelmann 1994 (A&A 284, 285), as in Keeton 2001."""
    phi = torch.linspace(0.05, 6.2, 40, dtype=torch.float64)
    x, y = 1.7 * torch.cos(phi), 1.7 * torch.sin(phi)
    alpha_x, alpha_y = deflection_field((Deflector(0, 0, q, 0.0, 1.3),), x, y)
    f = np.sqrt(1 - q**2)
    x, y = x.numpy(), y.numpy()
    expected_x = 1.3 * np.sqrt(q) / f * np.arctan(f * x / np.sqrt(q**2 * x**2 + y**2))
    expected_y = 1.3 * np.sqrt(q) / f * np.arctanh(f * y / np.sqrt(q**2 * x**2 + y**2))
    np.testing.assert_allclose(alpha_x, expected_x, rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(alpha_y, expected_y, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize(("q", "slope"), [(0.5, 1.7), (0.7, 2.3), (0.95, 2.05)])
def test_deflection_of_a_power_law_agrees_with_lenstronomy(q, slope):
    d = Deflector(0.1, -0.2, q, 0.7, 1.3, 0.03, -0.05, slope=slope)
    e1, e2 = phi_q2_ellipticity(d.angle, q)
    model = LensModel(["EPL", "SHEAR"])
    place = {"center_x": d.x, "center_y": d.y}
    keywords = [
        {"theta_E": d.einstein_radius, "gamma": slope, "e1": e1, "e2": e2, **place},
        {"gamma1": d.shear_1, "gamma2": d.shear_2, "ra_0": d.x, "dec_0": d.y},
    ]
    x, y = np.random.default_rng(0).uniform(-3, 3, size=(2, 200))
    found = deflection_field((d,), torch.from_numpy(x), torch.from_numpy(y))
    np.testing.assert_allclose(np.stack(found), model.alpha(x, y, keywords), atol=2e-4)


def test_lenses_deflect_together_as_each_does_alone():
    galaxy = Deflector(0, 0, 0.7, 0.2, 1.2, 0.03, 0.0, slope=2.1)
    halo = Deflector(0.3, 0, 0.8, 1.0, 9.0, 0.0, 0.02, core_radius=3.0, cut_radius=90.0)
    lenses = [[galaxy], [halo, Deflector(0.3, 0, 0.9, 0, 0.8)], [], [Deflector(0, 1, 0.6, 0, 1.0)]]
    x, y = torch.rand(2, 5, 6, dtype=torch.float64)
    together = torch.stack(deflection_fields(lenses, x, y), dim=1)
    assert together.shape == (4, 2, 5, 6)
    for lens, found in zip(lenses, together, strict=True):
        alone = [torch.stack(deflection_field([d], x, y)) for d in lens]
        expected = sum(alone, torch.zeros(2, 5, 6, dtype=torch.float64))
        torch.testing.assert_close(found, expected)


def test_a_power_law_with_a_core_is_refused():
    with pytest.raises(BadInputError, match="only an isothermal one"):
        Deflector(0, 0, 0.8, 0, 1.0, core_radius=0.1, slope=2.2)


def test_mass_of_a_truncated_halo_is_finite_and_as_in_closed_form():
    """A round dPIE deflects by b/R (√(R²+c²) − c − √(R²+t²) + t)."""
    core, cut, b = 2.0, 40.0, 15.0
    radius = torch.tensor([1.0, 5.0, 20.0, 100.0, 1000.0], dtype=torch.float64)
    halo = Deflector(0, 0, 0.9999, 0.0, b, core_radius=core, cut_radius=cut)
    found, across = deflection_field((halo,), radius, torch.zeros_like(radius))
    expected = (
        b / radius * (torch.sqrt(radius**2 + core**2) - core - torch.sqrt(radius**2 + cut**2) + cut)
    )
    np.testing.assert_allclose(found, expected, rtol=2e-3)
    np.testing.assert_allclose(across, 0, atol=1e-6)


def test_einstein_radius_is_that_of_the_mean_convergence():
    assert einstein_radius_arcsec([Deflector(0, 0, 0.7, 0.4, 20.0, 0.05, 0.02)]) == pytest.approx(
        20, abs=0.3
    )
    weak = Deflector(0, 0, 0.8, 0, 5.0, core_radius=6.0, cut_radius=100.0)
    assert einstein_radius_arcsec([weak]) == 0.0


@pytest.mark.parametrize("source", [(0.02, 0.03), (0.25, -0.1), (0.6, 0.4)])
def test_quasar_images_agree_with_lenstronomy(source):
    d = Deflector(0, 0, 0.7, 0.6, 1.2, 0.04, -0.02)
    e1, e2 = phi_q2_ellipticity(d.angle, d.axis_ratio)
    model = LensModel(["SIE", "SHEAR"])
    keywords = [
        {"theta_E": d.einstein_radius, "e1": e1, "e2": e2, "center_x": 0, "center_y": 0},
        {"gamma1": d.shear_1, "gamma2": d.shear_2, "ra_0": 0, "dec_0": 0},
    ]
    x, y = LensEquationSolver(model).image_position_from_source(
        *source, keywords, min_distance=0.02, search_window=6
    )
    expected = sorted(zip(x, y, np.abs(model.magnification(x, y, keywords)), strict=True))
    found = sorted(image_positions(d, *source))
    assert len(found) == len(expected)
    for image, other in zip(found, expected, strict=True):
        assert image[:2] == pytest.approx(other[:2], abs=2e-3)
        assert image[2] == pytest.approx(other[2], rel=0.05)


def test_luminosity_at_a_dispersion_follows_from_both_distributions():
    """Drawing M, then log σ at M, and looking at one σ gives what is drawn for that σ."""
    rng = np.random.default_rng(3)
    magnitude = rng.normal(-21.15, 0.841, 2_000_000)
    log_sigma = 2.203 - 0.102 * (magnitude + 21.15) + rng.normal(0, 0.07, len(magnitude))
    near = np.abs(log_sigma - np.log10(250)) < 0.003
    drawn = [galaxies.magnitude_of_dispersion(250.0, rng) for _ in range(20_000)]
    assert np.mean(drawn) == pytest.approx(magnitude[near].mean(), abs=0.02)
    assert np.std(drawn) == pytest.approx(magnitude[near].std(), rel=0.03)


@pytest.mark.parametrize(
    ("z", "g_r", "r_i", "i_z"),
    [
        (0.267, 1.37, 0.46, 0.30),
        (0.409, 1.62, 0.55, 0.32),
        (0.57, 1.71, 0.81, 0.39),
        (0.724, 1.70, 1.00, 0.43),
    ],
)
def test_old_galaxies_have_the_colors_of_the_red_sequence(z, g_r, r_i, i_z):
    """Medians of redMaPPer members (Rykoff et al. 2016, ApJS 224, 1)."""
    colors = -np.diff(apparent_magnitudes("old", -22, z, GRIZ_NM))
    assert colors == pytest.approx([g_r, r_i, i_z], abs=0.085)


def test_knots_do_not_change_the_magnitude_of_a_source():
    rng = np.random.default_rng(0)
    sources = [galaxies.clumpy_source(rng, np.array([617.0]), 1.5, 23.0, 0, 0) for _ in range(30)]
    assert {len(source) > 1 for source in sources} == {True, False}
    for source in sources:
        total = -2.5 * np.log10(sum(10 ** (-0.4 * part.magnitudes[0]) for part in source))
        assert total == pytest.approx(23.0, abs=1e-6)
