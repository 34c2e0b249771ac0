from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import logit

from lensing_core.errors import BadInputError
from lensing_core.pu import TreesLearner, pu_method
from lensing_core.pu.contract import IntervalEstimate
from lensing_core.pu.mixture import RocProportion, TwoComponents
from lensing_core.pu.priors import (
    estimate_priors,
    prior_sensitivity,
    prior_warnings,
    priors_from_scores,
)

TREES = TreesLearner(rounds=60, threads=1)


def drawn(n_p=500, n_u=20_000, prior=0.1, shift=5.0, seed=0):
    """Features of labeled positives and of a mixture, unit Gaussians ``shift`` apart."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.ones(n_p), rng.random(n_u) < prior])
    x = rng.normal(size=(n_p + n_u, 3)).astype(np.float32)
    x[:, 0] += shift * y
    return x, np.repeat([1, 0], [n_p, n_u])


def log_odds(x, s, prior, shift=5.0):
    """The true log-odds of s."""
    ratio = np.exp(shift * x[:, 0].astype(float) - shift**2 / 2)
    share = s.mean()
    return np.log(share * ratio) - np.log((1 - share) * (prior * ratio + 1 - prior))


@pytest.mark.parametrize("prior", [0.3, 0.1, 0.02])
def test_mixture_proportions_of_separable_components(prior):
    x, s = drawn(prior=prior)
    z = log_odds(x, s, prior)
    w_p, w_u = np.ones(500), np.ones(20_000)
    share, bound = RocProportion(z[s == 1], z[s == 0])(w_p, w_u)
    assert share == pytest.approx(prior, rel=0.12)
    assert bound > share
    linear = 5 * x[:, 0].astype(float)
    assert TwoComponents(linear[s == 1], linear[s == 0])(w_p, w_u) == pytest.approx(prior, rel=0.1)


def test_counting_objects_twice_equals_giving_them_twice():
    rng = np.random.default_rng(0)
    z_p, z_u = rng.normal(3, 1, 60), rng.normal(0, 1, 800)
    w_p, w_u = rng.integers(0, 3, 60), rng.integers(0, 3, 800)
    assert w_p[np.argsort(z_p)[-10:]].sum() > 0
    roc = RocProportion(z_p, z_u)
    repeated = RocProportion(z_p, z_u)
    repeated.in_p, repeated.in_u = np.repeat(roc.in_p, w_p), np.repeat(roc.in_u, w_u)
    ones = np.ones(w_p.sum()), np.ones(w_u.sum())
    assert roc(w_p.astype(float), w_u.astype(float)) == pytest.approx(repeated(*ones))


def test_roc_curve_proportion_is_an_upper_bound_where_no_set_is_pure():
    """Overlap of half a width: nothing is pure, the estimate exceeds π and says no falsehood."""
    rng = np.random.default_rng(1)
    z_p = rng.normal(0.5, 1, 2000)
    z_u = np.concatenate([rng.normal(0.5, 1, 400), rng.normal(0, 1, 3600)])
    share, _ = RocProportion(z_p, z_u)(np.ones(2000), np.ones(4000))
    assert share > 0.2


@pytest.mark.parametrize("prior", [0.2, 0.05])
def test_all_three_find_a_prior_that_can_be_found(prior):
    x, s = drawn(prior=prior)
    found = estimate_priors(x, s, learner=TREES, n_bootstrap=60)
    assert found.n_unlabeled == 20_000
    for estimate in found.by_name.values():
        assert estimate.value == pytest.approx(prior, rel=0.3)
        assert estimate.low < estimate.value < estimate.high
    assert found.warnings == ()
    stored = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert stored["estimates"]["ROC curve"]["value"] == found.roc_curve.value


def test_a_sample_of_the_unlabeled_tells_the_same():
    x, s = drawn(prior=0.1)
    found = estimate_priors(x, s, learner=TREES, n_bootstrap=20, most_unlabeled=5000)
    assert found.n_unlabeled == 20_000
    for estimate in found.by_name.values():
        assert estimate.value == pytest.approx(0.1, rel=0.35)


def test_none_unlabeled_positive_is_warned_of_with_the_raw_values():
    rng = np.random.default_rng(3)
    s = np.repeat([1, 0], [200, 3000])
    z = np.concatenate([rng.normal(9, 1, 200), rng.normal(-9, 1, 3000)])
    found = priors_from_scores(z, s, np.arange(3200), n_bootstrap=30)
    assert found.roc_curve.value == 0
    assert found.roc_curve.high > 0  # the binomial bound, 3 in 3,000 or so
    assert found.roc_curve.high < 3e-3
    said = " ".join(found.warnings)
    assert "no share" in said
    assert "fewer than ten" in said
    assert f"{found.elkan_noto.value:.3g}, 0, " in said


def test_groups_widen_intervals():
    x, s = drawn(n_p=300, n_u=3000, prior=0.1)
    x, s = np.repeat(x, 4, axis=0), np.repeat(s, 4)
    z = log_odds(x, s, 0.1)
    apart = priors_from_scores(z, s, np.arange(len(s)), n_bootstrap=300).roc_curve
    together = priors_from_scores(z, s, np.arange(len(s)) // 4, n_bootstrap=300).roc_curve
    assert together.low < apart.low


@pytest.mark.parametrize(
    ("values", "n", "words"),
    [
        ((0.01, 0.012, 0.014), 10_000, []),
        ((0.01, 0.012, 0.016), 10_000, ["differ by more than 50 %"]),
        ((1e-3, 1.2e-3, 1.4e-3), 5000, ["About 6.0 positives are expected among 5,000"]),
        ((-0.01, 0.01, 0.012), 10_000, ["no share (-0.01, 0.01, 0.012)", "differ"]),
        ((float("nan"), 0.01, 0.012), 10_000, ["no share (nan, ", "differ", "fewer than ten"]),
    ],
)
def test_warnings(values, n, words):
    said = prior_warnings([IntervalEstimate(v) for v in values], n)
    assert len(said) == len(words)
    for sentence, word in zip(said, words, strict=True):
        assert word in sentence


def test_sensitivity_to_the_prior():
    x, s = drawn(n_p=200, n_u=3000, prior=0.1, shift=2.0)
    bagging = pu_method("bagging", prior=0.1, learner=TREES, bags=3)
    for found in prior_sensitivity(bagging, x, s):
        assert (found.rank_correlation, found.top_kept, found.top) == (pytest.approx(1), 1, 100)
    nnpu = pu_method("nnpu", prior=0.1, min_steps=200, epochs=1)
    half, twice = prior_sensitivity(nnpu, x, s, ranked=x[200:], top=50)
    assert (half.factor, twice.factor) == (0.5, 2.0)
    for found in (half, twice):
        assert 0.5 < found.rank_correlation < 1
        assert 0.5 < found.top_kept <= 1
    with pytest.raises(BadInputError, match="naive takes no class prior"):
        prior_sensitivity(pu_method("naive", prior=0.1), x, s)


def test_elkan_noto_estimate_is_that_of_the_unlabeled():
    """c = 1/2 of a tenth labeled: 0.1 of all, and 0.05 / 0.95 of the unlabeled, are positive."""
    s = np.repeat([1, 0], [500, 9500])
    z = np.where(s == 1, logit(0.5), -9.0)
    found = priors_from_scores(z + 0.0, s, np.arange(10_000), n_bootstrap=10)
    assert found.elkan_noto.value == pytest.approx(0.05 / 0.95)
