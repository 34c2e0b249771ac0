from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from lensing_core.consensus import cohen_kappa, fleiss_kappa
from lensing_core.errors import BadInputError
from lensing_core.proportions import Proportion


def test_cohens_kappa_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 4, 250)
    second = np.where(rng.random(250) < 0.6, first, rng.integers(0, 4, 250))
    plain, weighted = (cohen_kappa(first, second, 4, weighted=w) for w in (False, True))
    assert plain.value == pytest.approx(cohen_kappa_score(first, second))
    assert weighted.value == pytest.approx(cohen_kappa_score(first, second, weights="quadratic"))
    assert plain.low_95 < plain.value < plain.high_95
    # Standard error for two equal margins by the usual large-sample formula, to a fifth.
    p_o, p_e = (first == second).mean(), 0.25
    assert (plain.high_95 - plain.low_95) / 3.92 == pytest.approx(
        np.sqrt(p_o * (1 - p_o) / 250) / (1 - p_e), rel=0.2
    )


def test_fleiss_kappa_is_that_of_the_worked_example():
    # Fourteen raters, ten subjects, five categories: the example of many textbooks, κ = 0.210.
    table = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    found = fleiss_kappa(table)
    assert found.value == pytest.approx(0.210, abs=5e-4)
    assert found.low_95 < found.value < found.high_95
    assert fleiss_kappa([*table, [1, 0, 0, 0, 0]]).n == 10  # one grade agrees with nothing


def test_intervals_of_kappa_hold_the_truth():
    # Two graders, who copy the truth with probability q and else guess: κ = q².
    rng, q, inside, fleiss_inside = np.random.default_rng(1), 0.7, 0, 0
    for _ in range(60):
        truth = rng.integers(0, 2, 200)
        a, b = (np.where(rng.random(200) < q, truth, rng.integers(0, 2, 200)) for _ in range(2))
        found = cohen_kappa(a, b, 2)
        inside += found.low_95 <= q**2 <= found.high_95
        counts = np.stack([(a == 0) * 1 + (b == 0), (a == 1) * 1 + (b == 1)], axis=1)
        other = fleiss_kappa(counts)
        fleiss_inside += other.low_95 <= q**2 <= other.high_95
    assert inside >= 53
    assert fleiss_inside >= 53


def test_agreement_without_objects_or_variety_is_not_a_number():
    assert np.isnan(cohen_kappa([], [], 2).value)
    assert np.isnan(cohen_kappa([1, 1], [1, 1], 2).value)
    assert np.isnan(fleiss_kappa(np.zeros((0, 3))).value)
    assert np.isnan(fleiss_kappa([[2, 0], [3, 0]]).value)
    with pytest.raises(BadInputError, match="each object"):
        cohen_kappa([1], [1, 0], 2)


def test_a_share_has_an_exact_interval():
    assert Proportion(0, 0).interval == (0.0, 1.0)
    assert Proportion(9, 10).interval == pytest.approx((0.555, 0.997), abs=1e-3)
    assert Proportion(9, 10).value == 0.9
