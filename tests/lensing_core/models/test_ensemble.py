"""The rule that joins members, step by step with calibrations given by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit

from lensing_core.calibration import Calibration
from lensing_core.errors import BadInputError
from lensing_core.models import ensemble
from lensing_core.models.ensemble import EnsembleRule, choose_fusion


def line(slope: float = 1.0, intercept: float = 0.0, prior: float = 0.5) -> Calibration:
    return Calibration("platt", slope, intercept, (), (), prior)


RAW = np.array([[2.0, 4.0], [-1.0, 3.0], [0.5, 0.5]])
PLAIN = EnsembleRule("mean", (line(), line()), line(), 0.5)


def test_mean_of_members_that_need_no_calibration():
    scores = PLAIN(RAW)
    np.testing.assert_allclose(scores.logit, [3, 1, 0.5])
    np.testing.assert_allclose(scores.probability, 1 / (1 + np.exp([-3, -1, -0.5])))
    np.testing.assert_allclose(scores.member_logits, RAW)
    np.testing.assert_allclose(scores.disagreement, [1, 2, 0])


def test_members_then_fusion_then_joint_then_prior():
    rule = EnsembleRule("mean", (line(2, 1), line(0.5, -1)), line(0.8, 0.2, prior=0.25), 0.01)
    scores = rule(RAW)
    shift = logit(0.01) - logit(0.25)
    members = np.array([[5, 1], [-1, 0.5], [2, -0.75]])
    np.testing.assert_allclose(scores.member_logits, members + shift)
    np.testing.assert_allclose(scores.logit, 0.8 * members.mean(axis=1) + 0.2 + shift)
    np.testing.assert_allclose(scores.probability, expit(scores.logit))


def test_inverse_variance_weighs_variances_of_calibrated_logits():
    rule = EnsembleRule("inverse_variance", (line(2), line()), line(), 0.5)
    assert rule.needs_variances
    assert not PLAIN.needs_variances
    # Slope 2 makes 0.0225 into 0.09; with the floor of 0.01 the weights are 10 and 2.
    scores = rule(np.array([[1.5, -3.0]]), np.array([[0.0225, 0.49]]))
    np.testing.assert_allclose(scores.logit, [(10 * 3 + 2 * -3) / 12])
    with pytest.raises(BadInputError, match="needs a variance"):
        rule(RAW)


def test_uncertainty_of_agreement_and_of_dispute():
    scores = PLAIN(np.array([[0.0, 0.0], [20.0, -20.0], [20.0, 20.0]]))
    np.testing.assert_allclose(scores.aleatoric, [math.log(2), 0, 0], atol=1e-6)
    np.testing.assert_allclose(scores.epistemic, [0, math.log(2), 0], atol=1e-6)


def test_order_of_members_and_objects_does_not_matter():
    rule = EnsembleRule("mean", (line(2, 1), line(0.5, -1)), line(), 0.1)
    turned = replace(rule, members=rule.members[::-1])
    np.testing.assert_allclose(turned(RAW[:, ::-1]).logit, rule(RAW).logit)
    np.testing.assert_array_equal(rule(RAW[[2, 0, 1]]).logit, rule(RAW).logit[[2, 0, 1]])


def test_another_prior_moves_all_logits_alike():
    moved = PLAIN.at_prior(1e-3)
    assert PLAIN.survey_prior == 0.5
    shift = logit(1e-3)
    np.testing.assert_allclose(moved(RAW).logit, PLAIN(RAW).logit + shift)
    np.testing.assert_allclose(moved(RAW).member_logits, RAW + shift)


def test_too_few_and_too_many_members_are_refused():
    for columns in (1, 3):
        with pytest.raises(ValueError, match="zip"):
            PLAIN(np.zeros((4, columns)))


def test_rules_of_before_learned_fusions_are_read():
    stored = json.loads(json.dumps(PLAIN.to_json()))
    del stored["combiner"]
    assert EnsembleRule.from_json(stored) == PLAIN


@pytest.fixture(scope="module")
def objects():
    """Two members that see the same noise: worth no more than one."""
    rng = np.random.default_rng(0)
    labels = (rng.random(4000) < 0.4).astype(np.int64)
    seen = 2 * (labels - 0.5) + rng.normal(0, 1, 4000)
    return np.stack([seen, 3 * seen - 1], axis=1), labels


def test_members_that_see_one_image_do_not_count_twice(objects):
    raw, labels = objects
    both = EnsembleRule.fit(raw, labels, fusion="mean", survey_prior=0.4)
    one = EnsembleRule.fit(raw[:, :1], labels, fusion="mean", survey_prior=0.4)
    np.testing.assert_allclose(both(raw).logit, one(raw[:, :1]).logit, atol=0.05)
    # log N(x; 1, 1) / N(x; -1, 1) = 2 x, and the odds of the class prior.
    np.testing.assert_allclose(one(raw[:, :1]).logit, 2 * raw[:, 0] + logit(0.4), atol=0.5)
    assert both.joint.prior == pytest.approx(labels.mean())


def test_objects_of_one_class_are_not_enough(objects):
    raw, _ = objects
    with pytest.raises(BadInputError, match="both classes"):
        EnsembleRule.fit(raw, np.ones(4000, int), fusion="mean", survey_prior=0.1)


@pytest.mark.parametrize("learn", ["choose", "fit"])
def test_copies_of_an_object_stay_on_one_side(objects, monkeypatch, learn):
    raw, labels = (part[:400] for part in objects)
    raw, labels, groups = (np.repeat(part, 3, axis=0) for part in (raw, labels, np.arange(400)))
    folds = []
    split = ensemble._folds

    def spy(*arguments):
        for fold in split(*arguments):
            folds.append(fold)
            yield fold

    monkeypatch.setattr(ensemble, "_folds", spy)
    if learn == "choose":
        choose_fusion(raw, labels, groups=groups)
    else:
        EnsembleRule.fit(raw, labels, fusion="stacking", survey_prior=0.1, groups=groups)
    assert len(folds) % 5 == 0
    assert folds
    for fit, rest in folds:
        assert len(fit) + len(rest) == 1200
        assert not set(groups[fit]) & set(groups[rest])
