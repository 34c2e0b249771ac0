from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import logit
from scipy.stats import spearmanr
from sklearn.metrics import log_loss, roc_auc_score

from lensing_core.errors import BadInputError
from lensing_core.uncertainty.combination import IsotonicBayes, LogisticStack


def independent_members(n: int, separations, prior=0.3, seed=0):
    """Gaussian scores, independent given the class; each logit is the exact log odds ratio."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < prior).astype(int)
    d = np.array(separations)
    x = rng.normal(size=(n, len(d))) + np.where(labels[:, None] == 1, d / 2, -d / 2)
    log_ratio = x * d  # N(d/2, 1) against N(-d/2, 1)
    return log_ratio + logit(prior), labels, log_ratio.sum(axis=1) + logit(prior)


def test_stacking_recovers_the_exact_weights_of_independent_members():
    logits, labels, _ = independent_members(60_000, [2.0, 1.0, 0.5])
    stack = LogisticStack.fit(logits, labels)
    np.testing.assert_allclose(stack.weights, 1.0, atol=0.06)
    # each logit carries the prior once; the joint one must carry it once, not three times
    assert stack.intercept == pytest.approx(-2 * logit(0.3), abs=0.1)


def test_stacking_gives_no_weight_to_noise():
    logits, labels, _ = independent_members(40_000, [2.0])
    noise = np.random.default_rng(1).normal(size=(len(labels), 1)) * 3
    stack = LogisticStack.fit(np.hstack([logits, noise]), labels)
    assert stack.weights[0] == pytest.approx(1, abs=0.05)
    assert stack.weights[1] == pytest.approx(0, abs=0.02)


def test_stacking_with_little_data_stays_near_equal_weights():
    logits, labels, _ = independent_members(60, [2.0, 2.0, 2.0], seed=5)
    free = LogisticStack.fit(logits, labels, inverse_penalty=100.0)
    shrunk = LogisticStack.fit(logits, labels, inverse_penalty=1e-4)
    assert np.ptp(shrunk.weights) < 0.1 * np.ptp(free.weights)


def test_one_member_is_its_own_stack():
    logits, labels, _ = independent_members(30_000, [2.0])
    stack = LogisticStack.fit(logits, labels)
    assert stack.weights[0] == pytest.approx(1, abs=0.05)


def test_shuffled_labels_give_chance():
    logits, labels, _ = independent_members(20_000, [2.0, 1.0])
    shuffled = np.random.default_rng(2).permutation(labels)
    for rule in (LogisticStack, IsotonicBayes):
        joint = rule.fit(logits[:10_000], shuffled[:10_000])(logits[10_000:])
        assert roc_auc_score(shuffled[10_000:], joint) == pytest.approx(0.5, abs=0.02)


def test_isotonic_bayes_is_bayes_for_independent_members():
    logits, labels, exact = independent_members(200_000, [1.5, 1.0])
    joint = IsotonicBayes.fit(logits[:100_000], labels[:100_000])(logits[100_000:])
    truth, best = labels[100_000:], exact[100_000:]
    assert spearmanr(joint, best).statistic > 0.999
    found = log_loss(truth, 1 / (1 + np.exp(-joint)))
    assert found == pytest.approx(log_loss(truth, 1 / (1 + np.exp(-best))), abs=0.002)


def test_isotonic_bayes_never_says_never():
    logits = np.array([[-9.0], [-8], [-7], [7], [8], [9]])
    rule = IsotonicBayes.fit(logits, np.array([0, 0, 0, 1, 1, 1]))
    assert np.isfinite(rule(np.array([[-100.0], [100.0]]))).all()
    assert np.all(np.diff(rule(np.sort(logits, axis=0))) > 0)


@pytest.mark.parametrize("rule", [LogisticStack, IsotonicBayes])
def test_json_round_trip_and_bad_input(rule):
    logits, labels, _ = independent_members(500, [2.0, 1.0])
    fitted = rule.fit(logits, labels)
    again = rule.from_json(json.loads(json.dumps(fitted.to_json())))
    np.testing.assert_array_equal(again(logits), fitted(logits))
    with pytest.raises(BadInputError, match="both classes"):
        rule.fit(logits, np.ones_like(labels))
    with pytest.raises(BadInputError, match="NaN"):
        rule.fit(np.where(logits > 0, np.nan, logits), labels)
    with pytest.raises(BadInputError, match="give"):
        rule.fit(logits[:3], labels)
