"""Proportions and their intervals."""

import numpy as np
import pytest
from scipy.stats import binomtest

from lensing_core.proportions import Proportion, clopper_pearson


@pytest.mark.parametrize(("found", "total"), [(0, 10), (3, 17), (50, 50)])
@pytest.mark.parametrize("level", [0.68, 0.95])
def test_intervals_are_those_of_the_exact_test(found, total, level):
    expected = binomtest(found, total).proportion_ci(confidence_level=level, method="exact")
    ends = clopper_pearson(found, total, level=level)
    assert ends == pytest.approx((expected.low, expected.high))


def test_arrays_are_taken_element_by_element():
    low, high = clopper_pearson([0, 3, 0], [10, 17, 0])
    for k, (found, total) in enumerate([(0, 10), (3, 17), (0, 0)]):
        assert (low[k], high[k]) == pytest.approx(Proportion(found, total).interval)


def test_nothing_is_known_of_nothing():
    nothing = Proportion(0, 0)
    assert nothing.interval == (0.0, 1.0)
    assert np.isnan(nothing.value)
    assert nothing.to_json()["value"] is None


def test_a_proportion_tells_its_counts():
    assert Proportion(9, 10).to_json() == {
        "found": 9, "total": 10, "value": 0.9,
        "low_95": pytest.approx(0.555, abs=1e-3), "high_95": pytest.approx(0.9975, abs=1e-3),
    }  # fmt: skip
