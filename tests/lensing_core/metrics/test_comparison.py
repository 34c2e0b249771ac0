"""Paired differences and strata against cases worked out by hand."""

from __future__ import annotations

import numpy as np

from lensing_core.metrics import compare_rankings, recall_by
from lensing_core.metrics.strata import threshold_at_fpr


def test_a_ranking_differs_from_itself_by_nothing():
    rng = np.random.default_rng(0)
    labels = (rng.random(200) < 0.5).astype(int)
    scores = labels + rng.normal(0, 1, 200)
    for difference in compare_rankings(scores, 2 * scores + 1, labels).values():
        if difference.value == difference.value:
            assert (difference.value, difference.low_95, difference.high_95) == (0, 0, 0)
            assert difference.share_better == 0.5


def test_a_better_ranking_is_found_and_the_pairing_narrows_the_interval():
    rng = np.random.default_rng(1)
    labels = (rng.random(600) < 0.5).astype(int)
    common = labels + rng.normal(0, 1, 600)
    better = common + 0.4 * labels
    paired = compare_rankings(common, better, labels)["auroc"]
    assert paired.low_95 > 0
    assert paired.share_better == 1.0
    independent = compare_rankings(labels + rng.normal(0, 1, 600), better, labels)["auroc"]
    assert paired.high_95 - paired.low_95 < 0.6 * (independent.high_95 - independent.low_95)


def test_the_threshold_lets_no_more_pass_than_it_may():
    others = np.array([0.1, 0.5, 0.5, 0.9, 0.2, 0.3, 0.0, 0.4, 0.6, 0.7])
    assert (others >= threshold_at_fpr(others, 0.0)).sum() == 0
    assert (others >= threshold_at_fpr(others, 0.2)).sum() == 2
    # Two tie for the fourth place: neither passes.
    assert (others >= threshold_at_fpr(others, 0.4)).sum() == 3


def test_recall_is_given_by_bin():
    scores = np.concatenate([np.linspace(0, 0.5, 100), [0.9, 0.1, 0.8, 0.95]])
    labels = np.concatenate([np.zeros(100, int), np.ones(4, int)])
    theta_e = [None] * 100 + [0.6, 0.7, 1.0, None]
    found = recall_by(scores, labels, {"theta_e_arcsec": theta_e})["theta_e_arcsec"]
    assert [(b["low"], b["found"], b["lenses"]) for b in found] == [(0.5, 1, 2), (0.8, 1, 1)]
    assert found[0]["low_95"] < 0.5 < found[0]["high_95"]


def test_recall_is_given_by_name():
    scores = np.concatenate([np.linspace(0, 0.5, 100), [0.9, 0.1, 0.8, 0.95]])
    labels = np.concatenate([np.zeros(100, int), np.ones(4, int)])
    survey = ["hsc"] * 100 + ["kids", "kids", "hsc", "hsc"]
    found = recall_by(scores, labels, {}, kinds={"survey": survey})["survey"]
    assert [(b["name"], b["found"], b["lenses"]) for b in found] == [("hsc", 2, 2), ("kids", 1, 2)]
    assert recall_by(scores, labels, {}, kinds={"survey": ["hsc"] * 104}) == {}
