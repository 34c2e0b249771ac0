"""Purity and discoveries at a survey's class prior, against closed forms and a drawn survey."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from lensing_core.errors import BadInputError
from lensing_core.metrics import RankingCurve, deploy, discoveries

PRIOR = 1e-3


@pytest.fixture(scope="module")
def curve():
    rng = np.random.default_rng(2)
    labels = np.repeat([1, 0], [4000, 40_000])
    return RankingCurve.of(rng.normal(2.0 * labels, 1), labels)


def test_purity_is_that_of_the_formula(curve):
    found = deploy(curve, PRIOR)
    for rate in (1e-3, 1e-2, 0.1):
        k = found.at_fpr(rate)
        assert found.fpr[k] == pytest.approx(rate, rel=0.05)
        tpr = norm.sf(norm.isf(rate) - 2)  # two unit Gaussians, two standard deviations apart
        assert found.recall[k] == pytest.approx(tpr, abs=0.02)
        purity = PRIOR * tpr / (PRIOR * tpr + (1 - PRIOR) * rate)
        assert found.purity_low[k] < purity < found.purity_high[k]
        assert found.purity[k] == pytest.approx(purity, rel=0.1)
    assert found.fpr[0] == 1 / 40_000
    assert found.at_fpr(1e-5) is None  # below one in the number of non-lenses
    assert found.at_fpr(1 / 40_000) == 0


def test_discoveries_are_those_of_a_drawn_survey(curve):
    n, seconds = 400_000, 9.0
    found = discoveries(deploy(curve, PRIOR), n, seconds)
    rng = np.random.default_rng(3)
    lens = rng.random(n) < PRIOR
    ranked = lens[np.argsort(-rng.normal(2.0 * lens, 1))]
    total = np.cumsum(ranked)
    for k in np.searchsorted(found.reviewed, [300, 5_000, 100_000]):
        reviewed = found.reviewed[k]
        assert found.hours[k] == pytest.approx(reviewed * 9 / 3600)
        spread = 4 * np.sqrt(found.found[k]) + 2
        assert total[int(reviewed)] == pytest.approx(found.found[k], abs=spread)
        assert found.low[k] <= found.found[k] <= found.high[k]
    np.testing.assert_allclose(found.at_random, PRIOR * found.reviewed)
    assert (np.diff(found.found) >= 0).all()
    assert found.reviewed[-1] == pytest.approx(n)
    assert found.found[-1] == pytest.approx(PRIOR * n)


@pytest.mark.parametrize("prior", [0.0, 1.0, -1e-3])
def test_a_class_prior_is_a_share(curve, prior):
    with pytest.raises(BadInputError, match="Class prior"):
        deploy(curve, prior)


@pytest.mark.parametrize(("n", "seconds"), [(0, 3.0), (10, 0.0), (10, float("nan"))])
def test_a_review_needs_candidates_and_time(curve, n, seconds):
    with pytest.raises(BadInputError, match="both must be above 0"):
        discoveries(deploy(curve, PRIOR), n, seconds)
