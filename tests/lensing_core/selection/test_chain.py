"""A known response is recovered within the intervals that are stated."""

from __future__ import annotations

import numpy as np
import pytest
from known_responses import GRADER, GRID, MACHINE, draw, response

from lensing_core.errors import BadInputError
from lensing_core.proportions import clopper_pearson
from lensing_core.selection import Grid, Injections, SelectionFunction, contour, marginal
from lensing_core.selection.chain import of_chain, of_step
from lensing_core.selection.injections import CellCounts
from lensing_core.selection.surface import LogisticSurface

DRAWS = 100


def covers_95(covered: int) -> bool:
    """Return whether a coverage of 95 % lies in the interval of ``covered`` of the draws."""
    low, high = clopper_pearson(covered, DRAWS, level=0.99)
    return bool(low <= 0.95 <= high)


def test_intervals_of_a_chain_cover_its_known_response():
    theta, snr = np.array([0.8, 1.2, 2.0]), np.array([15.0, 30.0, 60.0])
    true = response(MACHINE, theta, snr) * response(GRADER, theta, snr)
    rng = np.random.default_rng(1)
    at_points, of_means = np.zeros(3, dtype=int), 0
    for _ in range(DRAWS):
        function = of_chain(
            draw(rng, 500, machine=MACHINE, grader=GRADER), ["machine", "grader"], GRID
        ).function
        found = function(theta, snr)
        at_points += (found.low <= true) & (true <= found.high)
        mean = function.mean(theta, snr)
        of_means += bool(mean.low <= true.mean() <= mean.high)
    assert all(covers_95(int(covered)) for covered in at_points), at_points
    assert covers_95(of_means), of_means


def test_a_grader_who_sees_nothing_below_a_radius_is_recovered():
    rng = np.random.default_rng(2)
    n, limit = 1500, 1.1
    theta = np.exp(rng.uniform(np.log(0.5), np.log(3.0), n))
    snr = np.exp(rng.uniform(np.log(15.0), np.log(100.0), n))
    injected = Injections(theta, snr, {"grader": (theta > limit).astype(np.int64)})
    measured = of_step(injected, "grader", Grid.logarithmic((0.5, 3.0), (15.0, 100.0), (6, 3)))
    curve = marginal(measured.function, "theta_e_arcsec", points=81)
    crossing = np.interp(0.5, curve.completeness.value, curve.at)
    assert crossing == pytest.approx(limit, rel=0.03)
    assert float(measured.function(0.7, 40).value) < 0.02
    assert float(measured.function(1.8, 40).value) > 0.98
    assert measured.counts.share[0].max() == 0
    assert measured.counts.share[-1].min() == 1


def test_counts_in_cells_are_those_of_the_lenses():
    injected = draw(np.random.default_rng(3), 800, machine=MACHINE)
    measured = of_step(injected, "machine", GRID)
    assert measured.total == 800
    assert measured.found == int(injected.found_by("machine").sum())
    assert 0.01 < measured.misfit <= 1


def test_a_surface_that_does_not_fit_says_so():
    rng = np.random.default_rng(4)
    theta, snr = rng.uniform(0.5, 3.0, 2000), rng.uniform(5, 100, 2000)
    stripes = (np.floor(6 * np.log(theta)) % 2 == 0).astype(np.int64)
    injected = Injections(theta, snr, {"odd": stripes})
    grid = Grid.logarithmic((0.5, 3.0), (5.0, 100.0), (10, 2))
    assert of_step(injected, "odd", grid).misfit < 1e-6


def test_each_step_is_measured_on_what_passes_those_before_it():
    theta, snr = np.full(60, 1.0), np.linspace(10, 50, 60)
    machine = np.repeat([1, 0, 1], 20)
    grader = np.repeat([1, 1, 0], 20)
    machine[:5] = -1
    injected = Injections(theta, snr, {"machine": machine, "grader": grader})
    after = of_step(injected, "grader", GRID, after=["machine"])
    assert (after.found, after.total, after.unknown) == (20, 40, 5)
    both = of_chain(injected, ["machine", "grader"], GRID)
    assert (both.found, both.total) == (15, 55)


@pytest.mark.parametrize("value", [0, 1])
def test_all_or_none_found_gives_a_finite_surface(value):
    injected = draw(np.random.default_rng(5), 60, machine=MACHINE)
    all_alike = Injections(
        injected.theta_e_arcsec, injected.arc_snr, {"machine": np.full(60, value)}
    )
    found = of_step(all_alike, "machine", GRID).function(1.2, 20.0)
    assert abs(float(found.value) - value) < 0.05
    assert float(found.low) <= float(found.value) <= float(found.high)
    assert float(found.high - found.low) > 0


def test_too_few_lenses_are_refused():
    with pytest.raises(BadInputError, match="12 injected lenses"):
        of_step(draw(np.random.default_rng(6), 12, machine=MACHINE), "machine", GRID)
    with pytest.raises(BadInputError, match="no step 'nobody'"):
        of_step(draw(np.random.default_rng(6), 30, machine=MACHINE), "nobody", GRID)
    with pytest.raises(BadInputError, match="above 0"):
        Injections(np.array([1.0, -1.0]), np.ones(2), {})


def test_outside_the_injected_range_nothing_is_claimed():
    function = of_step(
        draw(np.random.default_rng(7), 200, machine=MACHINE), "machine", GRID
    ).function
    found = function(np.array([1.0, 9.0]), 20.0)
    assert np.isfinite(found.value[0])
    assert np.isnan(found.value[1])
    assert np.isnan(function.covariance([1.0, 9.0], [20.0, 20.0])[1]).all()


def test_errors_are_those_of_the_covariance():
    function = of_chain(
        draw(np.random.default_rng(8), 600, machine=MACHINE, grader=GRADER),
        ["machine", "grader"], GRID,
    ).function  # fmt: skip
    theta, snr = np.array([0.8, 1.5]), np.array([20.0, 40.0])
    covariance = function.covariance(theta, snr)
    assert function(theta, snr).error == pytest.approx(np.sqrt(np.diag(covariance)))
    weights = np.array([1.0, 3.0]) / 4
    expected = float(np.sqrt(weights @ covariance @ weights))
    assert float(function.mean(theta, snr, weights).error) == pytest.approx(expected)
    assert np.linalg.eigvalsh(covariance).min() > 0


def test_contours_lie_where_the_surface_has_their_level():
    function = of_step(
        draw(np.random.default_rng(9), 2000, machine=MACHINE), "machine", GRID
    ).function
    half = contour(function, 0.5)
    inside = np.isfinite(half.arc_snr) & (half.arc_snr > function.domain[1][0] * 1.01)
    assert inside.sum() > 10
    at = function(half.theta_e_arcsec[inside], half.arc_snr[inside])
    assert at.value == pytest.approx(np.full(inside.sum(), 0.5), abs=0.01)
    a, b, c = MACHINE
    true = 20 * np.exp(-(a + b * np.log(half.theta_e_arcsec[inside])) / c)
    assert np.median(half.arc_snr[inside] / true) == pytest.approx(1, abs=0.1)
    low, high = half.low[inside], half.high[inside]
    assert (np.nan_to_num(low, nan=0) <= half.arc_snr[inside]).all()
    assert (np.nan_to_num(high, nan=np.inf) >= half.arc_snr[inside]).all()


def test_functions_read_what_they_wrote_and_refuse_the_rest():
    function = of_step(
        draw(np.random.default_rng(10), 300, machine=MACHINE), "machine", GRID
    ).function
    again = SelectionFunction.from_json(function.to_json())
    assert again(1.0, 30.0).high == function(1.0, 30.0).high
    stored = function.to_json()
    del stored["surfaces"][0]["covariance"]
    for broken in (stored, {}, {"surfaces": [3]}, {"surfaces": []}):
        with pytest.raises(BadInputError):
            SelectionFunction.from_json(broken)


def test_a_grid_holds_its_edges():
    grid = Grid(np.array([0.5, 1.0, 2.0]), np.array([5.0, 10.0]))
    assert grid.cell_of([0.5, 0.99, 1.0, 2.0, 2.1], [5.0, 10.0, 7.0, 5.0, 5.0]).tolist() == [
        0, 0, 1, 1, -1,
    ]  # fmt: skip
    with pytest.raises(BadInputError, match="rise"):
        Grid(np.array([1.0, 1.0]), np.array([5.0, 10.0]))
    empty = CellCounts(np.zeros(2, dtype=int), np.array([0, 3]))
    assert np.isnan(empty.share[0])
    assert empty.interval[1][0] == 1


def test_few_misses_make_a_plane_and_many_a_quadratic_surface():
    rng = np.random.default_rng(11)
    theta, snr = rng.uniform(0.5, 3, 400), rng.uniform(5, 100, 400)
    found = np.arange(400) >= 59
    assert LogisticSurface.fit(theta, snr, found).degree == 1
    assert LogisticSurface.fit(theta, snr, np.arange(400) >= 60).degree == 2
