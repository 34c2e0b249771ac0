"""What each method estimates, against problems with a known answer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from lensing_core.errors import BadInputError
from lensing_core.metrics import ranking_metrics
from lensing_core.pu import LogisticLearner, TreesLearner, pu_method
from lensing_core.pu.contract import sample_unlabeled
from lensing_core.pu.elkan_noto import duplicate_weights, label_frequency_of
from lensing_core.pu.learners import Standardizer

LOGISTIC = LogisticLearner(inverse_penalty=10.0)
TREES = TreesLearner(rounds=60, threads=1)
SHIFT = 5.0


def separable(n=20_000, *, prior=0.1, c=0.4, seed=0):
    """Two Gaussians five standard deviations apart: g reaches c, as Elkan & Noto need."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < prior).astype(int)
    x = rng.normal(size=(n, 3)).astype(np.float32)
    x[:, 0] += SHIFT * y
    return x, y, y * (rng.random(n) < c)


def posterior(x, prior):
    """P(y=1 | x) of :func:`separable` at another prior."""
    return expit(SHIFT * x[:, 0] - SHIFT**2 / 2 + logit(prior))


@pytest.mark.parametrize("c", [0.1, 0.4, 0.8])
@pytest.mark.parametrize("name", ["elkan_noto", "elkan_noto_reweighted"])
def test_elkan_noto_recovers_c_and_the_prior(name, c):
    x, y, s = separable(c=c)
    model = pu_method(name, prior=0.5, learner=TREES).fit(x, s)
    assert model.label_frequency.value == pytest.approx(c, rel=0.15)
    assert model.label_frequency.low < model.label_frequency.value < model.label_frequency.high
    assert model.prior.value == pytest.approx(y.mean(), rel=0.15)
    assert model.prior.low < model.prior.value < model.prior.high
    fresh, _, _ = separable(seed=1)
    assert model.probability(fresh).mean() == pytest.approx(0.1, rel=0.25)
    assert np.abs(model.probability(fresh) - posterior(fresh, 0.1)).mean() < 0.03


def test_in_sample_scores_would_overstate_c():
    """Why c comes from out-of-fold scores: trees know the labeled positives by heart."""
    x, _, s = separable(3000, c=0.3)
    trees = TreesLearner(rounds=200, leaves=31, min_rows_in_leaf=2, threads=1)
    inside = expit(trees.fit(x, s, seed=0)(x[s == 1])).mean()
    model = pu_method("elkan_noto", prior=0.5, learner=trees).fit(x, s)
    assert inside > 0.8
    assert model.label_frequency.value < 0.5


def test_interval_of_c_covers_it_nineteen_times_in_twenty():
    """g spread around c: the bootstrap of 40 groups covers the truth in nearly 95 % of draws."""
    rng, inside = np.random.default_rng(0), 0
    for k in range(200):
        g = np.clip(rng.normal(0.5, 0.1, 40), 0, 1)
        c, _ = label_frequency_of(g, np.arange(40), 1000, n_bootstrap=400, seed=k)
        inside += c.low <= 0.5 <= c.high
    assert 180 <= inside <= 199


def test_groups_widen_the_interval():
    g = np.repeat(np.random.default_rng(1).uniform(0.2, 0.8, 20), 5)
    apart, _ = label_frequency_of(g, np.arange(100), 1000, n_bootstrap=1000, seed=0)
    together, _ = label_frequency_of(g, np.repeat(np.arange(20), 5), 1000, n_bootstrap=1000, seed=0)
    assert (together.high - together.low) / (apart.high - apart.low) == pytest.approx(
        np.sqrt(5), rel=0.15
    )


def test_duplicate_weight_is_the_posterior_of_an_unlabeled_object():
    """P(y=1 | x, s=0) by Bayes from P(y=1 | x) and c."""
    truth, c = np.array([0.01, 0.3, 0.9, 1.0]), 0.4
    np.testing.assert_allclose(
        duplicate_weights(c * truth, c), truth * (1 - c) / (1 - c * truth), rtol=1e-12
    )


def test_leaving_unlabeled_objects_out_is_corrected():
    x, _, s = separable()
    full = pu_method("naive", prior=0.1, learner=TREES).fit(x, s)
    part = pu_method("naive", prior=0.1, learner=TREES, most_unlabeled=4000).fit(x, s)
    assert full.probability(x).mean() == pytest.approx(s.mean(), rel=0.02)
    assert part.probability(x).mean() == pytest.approx(s.mean(), rel=0.15)
    for name in ("elkan_noto", "elkan_noto_reweighted"):
        model = pu_method(name, prior=0.1, learner=TREES, most_unlabeled=4000).fit(x, s)
        assert model.label_frequency.value == pytest.approx(0.4, rel=0.1)
        assert model.probability(x).mean() == pytest.approx(0.1, rel=0.15)
        assert model.diagnostics["unlabeled_used"] == 4000


def test_sampling_keeps_all_labeled():
    s = np.zeros(1000, dtype=int)
    s[::50] = 1
    rows, log_share = sample_unlabeled(s, 98, np.random.default_rng(0))
    assert s[rows].sum() == 20
    assert len(rows) == 118
    assert log_share == pytest.approx(np.log(98 / 980))
    assert len(np.unique(rows)) == len(rows)


@pytest.mark.parametrize(
    ("name", "options"),
    [("nnpu", {"balance": None}), ("nnpu", {}), ("upu", {}), ("bagging", {"learner": TREES})],
)
def test_methods_told_the_prior_give_the_posterior_at_it(name, options):
    x, y, s = separable(c=0.4)
    prior = y[s == 0].mean()
    model = pu_method(name, prior=float(prior), **options).fit(x, s)
    fresh, _, _ = separable(seed=2)
    truth = posterior(fresh, prior)  # of which 0.10 is the mean: one in ten is positive here
    assert model.probability(fresh).mean() == pytest.approx(truth.mean(), rel=0.3)
    assert np.abs(model.probability(fresh) - truth).mean() < 0.035
    assert model.prior.value == prior


def test_prior_moves_the_log_odds_of_bagging_and_never_its_ranking():
    x, _, s = separable(3000)
    one, two = (
        pu_method("bagging", prior=p, learner=LOGISTIC, bags=4).fit(x, s) for p in (0.05, 0.1)
    )
    np.testing.assert_array_equal(np.argsort(one.decision(x)), np.argsort(two.decision(x)))
    low = two.probability(x) < 0.5
    np.testing.assert_allclose(two.probability(x)[low], 2 * one.probability(x)[low], rtol=1e-6)


def test_bagging_scores_training_rows_by_bags_without_their_group():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(400), 3)
    x = (rng.normal(size=(400, 5))[groups] + 0.01 * rng.normal(size=(1200, 5))).astype(np.float32)
    s = np.isin(groups, np.arange(40)).astype(int)
    s[:3] = [1, 0, 0]  # unlabeled objects of a group that holds a labeled one
    trees = TreesLearner(rounds=40, min_rows_in_leaf=3, threads=1)
    model = pu_method("bagging", prior=0.1, learner=trees, bags=15, draw=1.0).fit(x, s, groups)
    assert np.isnan(model.training_logits[:120]).all()
    assert np.isfinite(model.training_logits[120:]).all()
    assert model.diagnostics["unlabeled_never_out_of_bag"] == 2
    # Out of bag the labels mean nothing; in the bag the trees remember them.
    inside = model.decision(x)[120:].mean() - model.decision(x)[:120].mean()
    outside = model.training_logits[120:].mean() - model.decision(x)[:120].mean()
    assert inside < outside < 0


def test_spies_set_positives_aside_and_say_how_many_negatives_remain():
    x, y, s = separable(5000)
    model = pu_method("spy", prior=0.1, learner=LOGISTIC).fit(x, s)
    found = model.diagnostics
    assert found["spies"] == round(0.15 * s.sum())
    assert found["reliable_negatives"] + found["unlabeled_set_aside"] == (s == 0).sum()
    assert found["reliable_negatives"] == pytest.approx((y == 0).sum(), rel=0.05)


@pytest.mark.parametrize("name", ["elkan_noto", "elkan_noto_reweighted", "spy"])
def test_positives_of_one_group_are_refused_where_some_are_held_out(name):
    x, _, s = separable(500)
    groups = np.where(s == 1, 0, np.arange(500) + 1)
    with pytest.raises(BadInputError, match="labeled positives in at least two groups"):
        pu_method(name, prior=0.1, learner=LOGISTIC).fit(x, s, groups)


def test_unlabeled_of_one_group_are_refused():
    x, _, s = separable(500)
    groups = np.where(s == 1, np.arange(500) + 1, 0)
    with pytest.raises(BadInputError, match="All unlabeled objects are in one group"):
        pu_method("elkan_noto", prior=0.1, learner=LOGISTIC).fit(x, s, groups)


def test_monotone_trees_rise_with_their_column():
    x, _, s = separable(3000, seed=4)
    trees = TreesLearner(rounds=60, monotone=(1, 0, -1), threads=1)
    model = pu_method("naive", prior=0.1, learner=trees).fit(x, s)
    line = np.zeros((200, 3), dtype=np.float32)
    line[:, 0] = np.linspace(-3, 8, 200)
    assert (np.diff(model.decision(line)) >= 0).all()
    line = np.zeros((200, 3), dtype=np.float32)
    line[:, 2] = np.linspace(-3, 3, 200)
    assert (np.diff(model.decision(line)) <= 0).all()


def test_trees_resolve_positives_that_are_one_in_two_hundred():
    """In the tail of one feature, where coarse bins would pool them with negatives."""
    x, y, _ = separable(prior=0.005)
    fresh, truth, _ = separable(40_000, prior=0.005, seed=1)
    best = ranking_metrics(fresh[:, 0], truth)["average_precision"]
    found = {
        bins: ranking_metrics(TreesLearner(bins=bins, threads=1).fit(x, y, seed=0)(fresh), truth)[
            "average_precision"
        ]
        for bins in (TreesLearner().bins, 31)
    }
    assert found[TreesLearner().bins] > 0.9 * best
    assert found[31] < 0.7 * best


def test_standardizer_fills_gaps_and_leaves_constants():
    x = np.array([[1.0, 5, np.nan], [3, 5, np.nan], [np.nan, 5, np.nan]], dtype=np.float32)
    out = Standardizer.measure(x)(x)
    np.testing.assert_allclose(out[:, 0], [-np.sqrt(1.5), np.sqrt(1.5), 0], rtol=1e-5)
    assert (out[:, 1:] == 0).all()
