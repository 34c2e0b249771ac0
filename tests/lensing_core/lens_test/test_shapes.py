"""Shapes, curves and images against lenstronomy and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from lenstronomy.LensModel.lens_model import LensModel
from lenstronomy.LensModel.Solver.lens_equation_solver import LensEquationSolver
from lenstronomy.Util.param_util import phi_q2_ellipticity

from lensing_core.lens_test import shapes
from lensing_core.lens_test.curves import critical_curve, cut, images_of, to_source


def _vector(theta_e: float, q: float, angle: float, gamma1: float, gamma2: float) -> torch.Tensor:
    e1, e2 = shapes.free_shape(q, angle)
    return torch.tensor(
        [math.log(theta_e), e1, e2, 0.1, -0.05, gamma1, gamma2, 0.15, 0.1, 0.1, 0.0, -1.5, 0.2],
        dtype=torch.float64,
    )


def _peer(theta_e: float, q: float, angle: float, gamma1: float, gamma2: float):
    e1, e2 = phi_q2_ellipticity(angle, q)
    return LensModel(["SIE", "SHEAR"]), [
        {"theta_E": theta_e, "e1": e1, "e2": e2, "center_x": 0.1, "center_y": -0.05},
        {"gamma1": gamma1, "gamma2": gamma2, "ra_0": 0.1, "dec_0": -0.05},
    ]


CASES = [(1.3, 0.95, 0.3, 0.0, 0.0), (1.0, 0.7, 1.2, 0.05, -0.03), (2.1, 0.5, -0.4, -0.06, 0.02)]


@pytest.mark.parametrize("case", CASES)
def test_deflection_is_that_of_lenstronomy(case: tuple[float, ...]) -> None:
    lens = _vector(*case)
    axis = torch.linspace(-3, 3, 31, dtype=torch.float64) + 0.017
    x, y = torch.meshgrid(axis, axis, indexing="xy")
    q = float(shapes.shape_of(lens[1], lens[2])[0])
    gamma1, gamma2 = (float(g) for g in shapes.bounded_shear(lens[5], lens[6]))
    model, known = _peer(case[0], q, case[2], gamma1, gamma2)
    wanted = model.alpha(x.numpy().ravel(), y.numpy().ravel(), known)
    found = shapes.deflection(lens, x, y)
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(ours.numpy().ravel(), theirs, atol=2e-3)


def test_without_shear_the_critical_curve_encloses_the_einstein_disc() -> None:
    curve = critical_curve(_vector(1.4, 0.6, 0.5, 0.0, 0.0))
    x, y = curve.T
    area = abs(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2
    assert area == pytest.approx(math.pi * 1.4**2, rel=2e-3)
    np.testing.assert_allclose(curve[0], curve[-1], atol=1e-6)


def test_caustic_and_cut_bound_the_number_of_images() -> None:
    lens = _vector(1.2, 0.7, 0.4, 0.03, 0.0)
    middle = (0.1, -0.05)
    caustic = to_source(lens, critical_curve(lens))
    edge = cut(lens)
    assert len(images_of(lens, *middle)) == 4  # inside the astroid
    between = 1.1 * caustic[np.hypot(*(caustic - middle).T).argmax()] - 0.1 * np.array(middle)
    assert len(images_of(lens, *between)) == 2
    outside = 1.3 * edge[0] - 0.3 * np.array(middle)
    assert len(images_of(lens, *outside)) == 1


@pytest.mark.parametrize("case", CASES)
def test_images_are_those_of_lenstronomy(case: tuple[float, ...]) -> None:
    lens = _vector(*case)
    q = float(shapes.shape_of(lens[1], lens[2])[0])
    gamma1, gamma2 = (float(g) for g in shapes.bounded_shear(lens[5], lens[6]))
    model, known = _peer(case[0], q, case[2], gamma1, gamma2)
    x, y = LensEquationSolver(model).image_position_from_source(
        0.15, 0.1, known, min_distance=0.02, search_window=8, magnification_limit=0.06
    )
    found = images_of(lens, 0.15, 0.1)
    assert len(found) == len(x)
    order, wanted = np.argsort(found[:, 0]), np.argsort(x)
    np.testing.assert_allclose(found[order, 0], x[wanted], atol=2e-3)
    np.testing.assert_allclose(found[order, 1], y[wanted], atol=2e-3)


def test_shape_and_free_numbers_are_inverse() -> None:
    e1, e2 = (torch.tensor(v) for v in shapes.free_shape(0.6, 0.7))
    q, phi = shapes.shape_of(e1, e2)
    assert float(q) == pytest.approx(0.6, abs=2e-3)
    assert float(phi) == pytest.approx(0.7, abs=1e-3)


def test_every_parameter_moves_each_shape_and_none_breaks_its_gradient() -> None:
    x, y = (torch.tensor([0.31, -0.8, 1.2]), torch.tensor([0.2, 0.9, -0.4]))
    sersic = [0.1, 0.0, 0.1, -0.05, math.log(0.4), 0.3]
    arc = [0.0, 0.1, 0.1, 0.05, 0.1, math.log(0.3), 0.4, 0.5]
    for shape, values in (
        (shapes.lensed_source, _vector(1.1, 0.7, 0.2, 0.02, 0.01).tolist()),
        (shapes.sersic, sersic),
        (shapes.ring, arc[:6]),
        (shapes.arc, arc),
        (shapes.spiral, [*arc[:5], 1.4, 0.4, 0.5]),
    ):
        own = torch.tensor(values)[:, None].expand(-1, 3).clone().requires_grad_()
        (slope,) = torch.autograd.grad(shape(own, x, y).sum(), own)
        assert torch.isfinite(slope).all()
        assert (slope.abs().amax(dim=1) > 0).all()
