"""Circles through sets of points whose circle is known."""

from __future__ import annotations

import numpy as np
import pytest

from lensing_core.features.circles import fit_circles


def points_on_arc(radius: float, opening: float, scatter: float, n: int, rng) -> np.ndarray:
    """(n, 2) about their mean, ordered along the arc."""
    angle = np.sort(rng.uniform(-opening / 2, opening / 2, n))
    r = radius + rng.normal(0, scatter, n)
    xy = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)
    return xy - xy.mean(axis=0)


def fit(*sets: np.ndarray, tolerance: float = 1.0):
    x, y = np.concatenate(sets).T
    return fit_circles(x, y, np.ones(len(x)), np.array([len(s) for s in sets]), tolerance)


@pytest.mark.parametrize(("radius", "opening"), [(8, 1.0), (8, 3.0), (30, 0.6), (100, 0.5)])
def test_exact_arcs_are_recovered(radius, opening):
    rng = np.random.default_rng(0)
    found = fit(*(points_on_arc(radius, opening, 0, n, rng) for n in (10, 40)))
    np.testing.assert_allclose(found.curvature, 1 / radius, rtol=1e-6)
    np.testing.assert_allclose(found.inliers, 1)
    np.testing.assert_allclose(found.rms, 0, atol=1e-6)


def test_thick_arcs_have_the_curvature_of_their_middle():
    rng = np.random.default_rng(1)
    found = fit(*(points_on_arc(10, 1.6, 1.0, 200, rng) for _ in range(50)), tolerance=2.0)
    # An algebraic fit is wrong by a fifth here.
    assert np.median(found.curvature) == pytest.approx(0.1, rel=0.03)
    assert np.std(found.curvature) < 0.015


def test_one_third_of_other_light_does_not_bend_an_arc():
    rng = np.random.default_rng(2)
    sets = []
    for _ in range(20):
        arc = points_on_arc(12, 1.8, 0.2, 60, rng)
        blob = arc[-1] + np.array([5.0, 2.0]) + rng.normal(0, 0.7, (25, 2))
        both = np.concatenate([arc, blob])
        sets.append(both[np.argsort(both[:, 1])])
    found = fit(*sets)
    assert np.median(found.curvature) == pytest.approx(1 / 12, rel=0.05)
    assert 0.6 < np.median(found.inliers) < 0.85


def test_a_straight_line_has_no_curvature():
    rng = np.random.default_rng(3)
    t = np.sort(rng.uniform(-10, 10, 300))
    line = np.stack([t * 0.6, t * 0.8], axis=1) + rng.normal(0, 0.3, (300, 2))
    assert fit(line).curvature[0] < 0.005


def test_the_curvature_vector_points_at_the_center():
    rng = np.random.default_rng(4)
    arc = points_on_arc(10, 1.0, 0, 500, rng)  # center at smaller x
    vector = fit(arc).curvature_vector()[0]
    np.testing.assert_allclose(vector / np.hypot(*vector), [-1, 0], atol=0.05)


def test_sets_do_not_see_each_other():
    rng = np.random.default_rng(5)
    sets = [points_on_arc(r, 1.2, 0.5, n, rng) for r, n in ((8, 30), (20, 60), (50, 9))]
    together = fit(*sets).coefficients
    alone = np.concatenate([fit(s).coefficients for s in sets])
    np.testing.assert_allclose(together, alone, rtol=1e-8, atol=1e-10)


def test_points_in_one_place_are_no_error():
    found = fit(np.zeros((5, 2)), points_on_arc(10, 1, 0, 20, np.random.default_rng(6)))
    assert np.isfinite(found.coefficients).all()
    assert found.curvature[1] == pytest.approx(0.1, rel=1e-6)
