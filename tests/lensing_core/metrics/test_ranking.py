from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from lensing_core.errors import BadInputError
from lensing_core.metrics import (
    Metric,
    RankingCurve,
    purity_at_deployment,
    ranking_metrics,
    ranking_metrics_with_intervals,
)


def brute_force(scores, labels, most_false):
    """Recall at the best threshold that lets at most ``most_false`` negatives pass."""
    best = 0.0
    for threshold in [*np.unique(scores), np.inf]:
        passed = scores >= threshold
        if (passed & (labels == 0)).sum() <= most_false:
            best = max(best, (passed & (labels == 1)).sum() / (labels == 1).sum())
    return best


@pytest.mark.parametrize("decimals", [0, 1, 8])
@pytest.mark.parametrize("seed", range(5))
def test_metrics_agree_with_brute_force_and_scikit_learn(seed, decimals):
    rng = np.random.default_rng(seed)
    labels = (rng.random(400) < 0.2).astype(int)
    scores = np.round(rng.normal(size=400) + 1.2 * labels, decimals)
    found = ranking_metrics(scores, labels)
    n_negative = (labels == 0).sum()
    assert found["tpr0"] == brute_force(scores, labels, 0)
    assert found["tpr10"] == brute_force(scores, labels, 9)
    assert found["recall_fpr_1e-2"] == brute_force(scores, labels, 0.01 * n_negative)
    assert np.isnan(found["recall_fpr_1e-3"])  # 320 negatives cannot measure 1e-3
    assert found["auroc"] == pytest.approx(roc_auc_score(labels, scores))
    assert found["average_precision"] == pytest.approx(average_precision_score(labels, scores))


def test_a_tie_with_a_negative_passes_together():
    assert ranking_metrics([3, 2, 2, 1], [1, 1, 0, 0])["tpr0"] == 0.5
    assert ranking_metrics([1, 1, 1, 1], [1, 1, 0, 0])["tpr0"] == 0.0


def test_high_auroc_may_have_no_tpr0():
    labels = np.repeat([1, 0], [100, 9900])
    scores = np.concatenate([np.full(100, 0.9), np.linspace(0, 0.5, 9880), np.full(20, 1.0)])
    found = ranking_metrics(scores, labels)
    assert found["auroc"] > 0.99
    assert found["tpr0"] == found["tpr10"] == 0.0


def test_metrics_do_not_depend_on_order_or_monotone_maps():
    rng = np.random.default_rng(1)
    labels = (rng.random(3000) < 0.1).astype(int)
    scores = rng.normal(size=3000) + labels
    order = rng.permutation(3000)
    found = list(ranking_metrics(scores, labels).values())
    for other in ((scores[order], labels[order]), (np.exp(scores), labels)):
        np.testing.assert_array_equal(found, list(ranking_metrics(*other).values()))


def test_intervals_cover_the_true_auroc():
    """For unit-variance normals a distance d apart, AUROC = Φ(d/√2)."""
    from scipy.stats import norm

    truth, covered = norm.cdf(1.0 / np.sqrt(2)), 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        scores = np.concatenate([rng.normal(1, 1, 80), rng.normal(0, 1, 160)])
        metric = ranking_metrics_with_intervals(
            scores, np.repeat([1, 0], [80, 160]), n_bootstrap=200, seed=seed
        )["auroc"]
        covered += metric.low_95 <= truth <= metric.high_95
        assert metric.low_95 <= metric.low_68 <= metric.high_68 <= metric.high_95
    assert 52 <= covered <= 60


def test_purity_and_completeness_at_k():
    curve = RankingCurve.of([5, 4, 3, 3, 1], [1, 0, 1, 0, 1])
    assert curve.purity_completeness_at(1) == (1.0, pytest.approx(1 / 3))
    assert curve.purity_completeness_at(2) == (0.5, pytest.approx(1 / 3))
    purity, completeness = curve.purity_completeness_at(3)  # half of the tied lens
    assert (purity, completeness) == (pytest.approx(0.5), pytest.approx(0.5))
    assert curve.purity_completeness_at(5) == (0.6, 1.0)


def test_purity_at_deployment_is_what_prevalence_makes_it():
    np.testing.assert_allclose(
        purity_at_deployment(0.7, [0.1, 0.01, 1e-3], 1e-3), [0.007, 0.065, 0.41], atol=0.003
    )
    assert purity_at_deployment(1.0, 1e-3, 1e-4) < 0.1


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([1, np.nan], [0, 1], "NaN"),
        ([1, 2], [1, 1], "both kinds"),
        ([1, 2], [0, 2], "0 and 1"),
        ([1, 2, 3], [0, 1], "one each"),
    ],
)
def test_bad_input(scores, labels, message):
    with pytest.raises(BadInputError, match=message):
        ranking_metrics(scores, labels)


def test_metric_json_and_text():
    metric = Metric(float("nan"), *[float("nan")] * 4)
    assert str(metric) == "not measurable"
    assert np.isnan(Metric.from_json(metric.to_json()).value)
    assert str(Metric(0.5, 0.4, 0.6, 0.3, 0.7)) == "0.500 [0.300, 0.700]"


def test_the_roc_curve_begins_at_one_negative_and_agrees_with_the_metrics():
    rng = np.random.default_rng(4)
    labels = np.repeat([1, 0], [300, 20_000])
    scores = rng.normal(2.5 * labels, 1)
    curve = RankingCurve.of(scores, labels)
    roc = curve.roc(most_points=200)
    assert len(roc.fpr) <= 200
    assert roc.fpr[0] == 1 / 20_000
    assert roc.fpr[-1] == 1
    assert (np.diff(roc.fpr) > 0).all()
    for rate in (5e-5, 1e-3, 1e-2):
        k = np.searchsorted(roc.fpr, rate, side="right") - 1
        assert roc.recall[k] <= curve.recall_at_fpr(rate)
    first = curve.recall_with_false_positives(1)
    assert roc.recall[0] == first
    low, high = proportion_interval(round(first * 300), 300)
    assert (roc.low_95[0], roc.high_95[0]) == pytest.approx((low, high))


def proportion_interval(found, total):
    interval = stats.binomtest(found, total).proportion_ci(0.95, method="exact")
    return interval.low, interval.high
