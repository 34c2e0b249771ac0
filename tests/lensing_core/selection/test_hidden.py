"""What is still hidden: estimators against simulated searches."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lensing_core.errors import BadInputError
from lensing_core.proportions import clopper_pearson
from lensing_core.selection import calibrated_tail, capture_recapture, price_of_next


def test_chapman_of_known_counts():
    found = capture_recapture(40, 30, 20)
    assert found.value == pytest.approx(41 * 31 / 21 - 1 - 50)
    assert 0 < found.low < found.value < found.high


def test_the_interval_covers_what_two_independent_searches_miss():
    rng = np.random.default_rng(1)
    covered, draws = 0, 300
    for _ in range(draws):
        first, second = rng.random(80) < 0.6, rng.random(80) < 0.5
        hidden = int((~first & ~second).sum())
        found = capture_recapture(int(first.sum()), int(second.sum()), int((first & second).sum()))
        covered += found.low <= hidden <= found.high
    _low, high = clopper_pearson(covered, draws)
    assert high > 0.93, covered


def test_a_search_that_found_all_of_the_other_bounds_what_is_hidden():
    found = capture_recapture(50, 10, 10)
    missed = 1 - 0.025 ** (1 / 10)
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(50 * missed / (1 - missed))
    assert capture_recapture(5, 0, 0).high == math.inf
    with pytest.raises(BadInputError, match="both of searches"):
        capture_recapture(3, 2, 3)


def test_the_tail_is_corrected_by_what_judged_objects_were():
    rng = np.random.default_rng(2)
    covered, draws = 0, 200
    for _ in range(draws):
        promised = rng.beta(0.2, 3, 3000)
        lens = rng.random(3000) < np.clip(0.7 * promised, 0, 1)
        judged = rng.random(3000) < 0.3
        found = calibrated_tail(promised[~judged], promised[judged], int(lens[judged].sum()))
        covered += found.hidden.low <= lens[~judged].sum() <= found.hidden.high
    low, high = clopper_pearson(covered, draws)
    assert low <= 0.99, covered
    assert high >= 0.95, covered
    assert found.ratio == pytest.approx(0.7, abs=0.3)


def test_a_tail_that_nobody_judged_is_taken_at_its_word():
    found = calibrated_tail(np.full(100, 0.1), np.empty(0), 0)
    assert found.hidden.value == pytest.approx(10)
    assert math.isnan(found.ratio)
    assert found.hidden.high - found.hidden.value == pytest.approx(1.96 * 3, rel=1e-3)
    none = calibrated_tail(np.full(100, 0.1), np.full(50, 0.2), 0)
    assert none.hidden.value == 0
    assert none.hidden.high > 3
    with pytest.raises(BadInputError, match="among 1 judged"):
        calibrated_tail(np.zeros(1), np.full(1, 0.5), 2)


def test_the_next_ten_cost_what_the_probabilities_say():
    probability = np.full(100, 0.5)
    tail = calibrated_tail(probability, np.full(40, 0.5), 20)
    price = price_of_next(probability, tail, 6.0)
    assert (price.objects, price.minutes) == (20, 2.0)
    assert price.low_minutes < 2.0 < price.high_minutes
    poor = price_of_next(np.full(10, 0.01), calibrated_tail(np.full(10, 0.01), np.empty(0), 0), 6)
    assert poor.objects is None
    assert poor.minutes is None
    with pytest.raises(BadInputError, match="above 0"):
        price_of_next(probability, tail, 0.0)
