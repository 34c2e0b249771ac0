"""The four ways to join members: what each does where the best way is known."""

from __future__ import annotations

import numpy as np
import pytest

from lensing_core.errors import BadInputError
from lensing_core.metrics import ranking_metrics
from lensing_core.models.ensemble import FUSIONS, EnsembleRule, choose_fusion


@pytest.fixture(scope="module")
def objects():
    """Two good members and one of noise; the good ones say so by their variances."""
    rng = np.random.default_rng(1)
    labels = (rng.random(4000) < 0.3).astype(np.int64)
    signal = 3.0 * (labels - 0.5)
    raw = np.stack(
        [
            2 * (signal + rng.normal(0, 1.2, 4000)),
            0.5 * (signal + rng.normal(0, 1.2, 4000)) + 4,
            rng.normal(0, 3, 4000),
        ],
        axis=1,
    )
    variances = np.stack([np.full(4000, 0.1), np.full(4000, 0.01), np.full(4000, 9.0)], axis=1)
    return raw, labels, variances


@pytest.mark.parametrize("fusion", FUSIONS)
def test_every_fusion_is_a_calibrated_ranking(objects, fusion):
    raw, labels, variances = (part[:2000] for part in objects)
    rule = EnsembleRule.fit(raw, labels, fusion=fusion, survey_prior=0.3, variances=variances)
    held_raw, held_labels, held_variances = (part[2000:] for part in objects)
    scores = rule(held_raw, held_variances)
    alone = max(ranking_metrics(held_raw[:, k], held_labels)["auroc"] for k in range(3))
    assert ranking_metrics(scores.logit, held_labels)["auroc"] > alone
    # Calibrated: the mean probability is the share of lenses, in all and among the surest.
    assert scores.probability.mean() == pytest.approx(held_labels.mean(), abs=0.02)
    sure = scores.probability > 0.9
    assert held_labels[sure].mean() > 0.9


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_rule_survives_its_file(objects, fusion):
    raw, labels, variances = objects
    rule = EnsembleRule.fit(raw, labels, fusion=fusion, survey_prior=1e-3, variances=variances)
    again = EnsembleRule.from_json(rule.to_json())
    np.testing.assert_allclose(again(raw, variances).logit, rule(raw, variances).logit)


def test_stacking_ignores_a_member_of_noise(objects):
    raw, labels, _ = objects
    rule = EnsembleRule.fit(raw, labels, fusion="stacking", survey_prior=0.3)
    good, other_good, noise = np.abs(rule.combiner.weights)
    assert noise < 0.3 * min(good, other_good)


def test_the_choice_is_made_on_objects_left_out(objects):
    raw, labels, variances = objects
    choice = choose_fusion(raw, labels, variances=variances)
    assert set(choice.metrics) == set(FUSIONS)
    order = [tuple(metrics.values()) for metrics in choice.metrics.values()]
    assert tuple(choice.metrics[choice.fusion].values()) == max(order)
    assert "inverse_variance" not in choose_fusion(raw, labels).metrics


def test_shuffled_labels_leave_nothing_to_find(objects):
    """Learned fusions are judged out of fold: on shuffled labels they find nothing."""
    raw, labels, variances = objects
    rng = np.random.default_rng(0)
    found = [
        choose_fusion(raw, rng.permutation(labels), variances=variances).metrics["stacking"][
            "average_precision"
        ]
        for _ in range(3)
    ]
    assert np.mean(found) == pytest.approx(labels.mean(), abs=0.02)


def test_missing_variances_are_asked_for(objects):
    raw, labels, _ = objects
    with pytest.raises(BadInputError, match="variance"):
        EnsembleRule.fit(raw, labels, fusion="inverse_variance", survey_prior=0.1)
    with pytest.raises(BadInputError, match="vote"):
        EnsembleRule.fit(raw, labels, fusion="vote", survey_prior=0.1)
