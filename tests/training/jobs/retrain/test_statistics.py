"""Out-of-fold stacking: no leakage, and what each part of it does."""

from __future__ import annotations

import numpy as np
import pytest

from lens_triage.training.jobs.retrain.heads import (
    TrainingSet,
    cross_fit,
    deal_folds,
    plan_heads,
)
from lens_triage.training.jobs.retrain.sample_weights import sample_weights_of
from lens_triage.training.jobs.retrain.stacking import (
    evaluation_set,
    join,
)
from lensing_core.calibration import Calibration
from lensing_core.datasets.table import (
    LENS,
    NO_REASON,
    OTHER,
    REASONS,
    UNLABELED,
)
from lensing_core.errors import BadInputError
from lensing_core.metrics import RankingCurve, ranking_metrics
from lensing_core.models.ensemble import EnsembleRule
from lensing_core.models.head import HeadInput

BASE = EnsembleRule(
    "mean",
    (Calibration("platt", 2.0, 1.0, (), (), 0.5),),
    Calibration("platt", 1.0, 0.0, (), (), 0.5),
    1e-3,
)
PLANS = {
    plan.name: plan
    for plan in plan_heads(
        ["nnpu", "logistic", "trees", "bagging"],
        [HeadInput("m", "embedding", 24)],
        prior=0.05,
        seed=1,
    )
}


def survey(n, lenses, others, *, contrast, seed, sample_weights=1):
    """Features, states and groups; ``sample_weights`` near-identical objects make a group."""
    rng = np.random.default_rng(seed)
    y = np.zeros(n // sample_weights, dtype=int)
    y[: n // sample_weights // 5] = 1
    x = rng.normal(size=(len(y), 24)).astype("f4")
    x[:, :3] += contrast * y[:, None]
    x, y = np.repeat(x, sample_weights, axis=0), np.repeat(y, sample_weights)
    x += rng.normal(scale=0.01, size=x.shape).astype("f4")
    group = np.repeat(np.arange(len(y) // sample_weights), sample_weights)
    state = np.full(len(y), UNLABELED, dtype=np.int8)
    state[rng.permutation(np.flatnonzero(y == 1))[:lenses]] = LENS
    state[rng.permutation(np.flatnonzero(y == 0))[:others]] = OTHER
    return x, y, state, group


def sample_weights(state, non_lens_weight):
    """Sure labels without reasons."""
    return sample_weights_of(
        state, np.ones(len(state), "f4"), np.full(len(state), NO_REASON, "i1"),
        non_lens_weight=non_lens_weight, hard_weight=2.0,
    )  # fmt: skip


def fitted(name, x, state, group, *, non_lens_weight=5):
    fold = deal_folds(state, group, 5, seed=1)
    training = TrainingSet(x, state, group, fold, sample_weights(state, non_lens_weight))
    return cross_fit(PLANS[name].method, training)


@pytest.mark.parametrize(("name", "draws"), [("logistic", 16), ("trees", 6)])
def test_with_shuffled_labels_the_stack_ranks_by_chance(name, draws):
    """Groups of four near-copies: one that leaked between folds would be recognized."""
    aurocs = []
    for seed in range(draws):
        x, _, state, group = survey(2400, 0, 0, contrast=0.0, seed=seed, sample_weights=4)
        rng = np.random.default_rng(seed)
        labeled = rng.permutation(600)[:150]  # whole groups
        for k, state_of in enumerate((LENS, OTHER)):
            state[np.isin(group, labeled[75 * k : 75 * (k + 1)])] = state_of
        out, _ = fitted(name, x, state, group)
        vetted = np.flatnonzero(state != UNLABELED)
        deep = rng.normal(size=len(x))  # a base member that knows nothing of these labels
        raw = np.column_stack([deep, out])[vetted]
        labels = state[vetted].astype(int)
        half = group[vetted] % 2 == 0
        joined = join(
            raw[half], labels[half], group[vetted][half],
            fusion="stacking", survey_prior=0.1, bases=BASE,
        )  # fmt: skip
        assert joined.calibrated
        scores = joined.rule(raw[~half]).logit
        aurocs.append(ranking_metrics(scores, labels[~half])["auroc"])
    # in 40 such draws the AUROC had a spread of 0.07
    assert abs(np.mean(aurocs) - 0.5) < 3.5 * 0.07 / np.sqrt(draws), aurocs


def test_in_sample_scores_would_have_passed_for_skill():
    """The test above can fail: the same objects scored by the model that saw them."""
    x, _, state, group = survey(2400, 0, 0, contrast=0.0, seed=1, sample_weights=4)
    state[np.isin(group, np.arange(75))] = LENS
    state[np.isin(group, np.arange(75, 150))] = OTHER
    out, model = fitted("trees", x, state, group)
    vetted = state != UNLABELED
    labels = state[vetted].astype(int)
    assert ranking_metrics(model.decision(x)[vetted], labels)["auroc"] > 0.95
    assert ranking_metrics(out[vetted], labels)["auroc"] < 0.65


@pytest.mark.parametrize("name", PLANS)
def test_every_head_learns_and_is_the_same_again(name):
    x, y, state, group = survey(3000, 150, 50, contrast=1.2, seed=3)
    calls = []
    fold = deal_folds(state, group, 3, seed=1)
    training = TrainingSet(x, state, group, fold, sample_weights(state, 3))
    out, model = cross_fit(PLANS[name].method, training, done=calls.append)
    assert calls == [0, 1, 2, 3, 4]
    unlabeled = state == UNLABELED
    assert ranking_metrics(out[unlabeled], y[unlabeled])["auroc"] > 0.82
    again, twin = cross_fit(PLANS[name].method, training, workers=2)
    np.testing.assert_array_equal(out, again)
    np.testing.assert_array_equal(model.decision(x), twin.decision(x))


def test_vetted_others_push_their_like_down():
    rng = np.random.default_rng(0)
    x, _, state, group = survey(4000, 100, 0, contrast=1.5, seed=2)
    rings = rng.permutation(np.flatnonzero(state == UNLABELED))[:80]
    x[rings, :3] += 1.5  # impostors: like lenses, but for one more column
    x[rings, 5] += 3
    before = fitted("logistic", x, state, group)[1].decision(x)
    state[rings[:40]] = OTHER
    light = fitted("logistic", x, state, group, non_lens_weight=1)[1].decision(x)
    heavy = fitted("logistic", x, state, group, non_lens_weight=20)[1].decision(x)
    unvetted, lenses = rings[40:], state == LENS

    def gap(z):
        return z[lenses].mean() - z[unvetted].mean()

    assert gap(before) == gap(light)  # an unlabeled object is taken for an other anyway
    assert gap(heavy) > gap(light) + 0.2


def test_the_share_drawn_is_put_back():
    """Trained on a tenth of the unlabeled, the log-odds are those of training on all of them."""
    x, _, state, group = survey(20_000, 1500, 0, contrast=1.0, seed=4)
    whole = fitted("logistic", x, state, group)[1].decision(x)
    rng = np.random.default_rng(0)
    unlabeled = np.flatnonzero(state == UNLABELED)
    kept = np.sort(
        np.concatenate([np.flatnonzero(state == LENS), rng.choice(unlabeled, len(unlabeled) // 10)])
    )
    part = fitted("logistic", x[kept], state[kept], group[kept])[1].decision(x)
    assert np.median(part - whole) == pytest.approx(np.log(10), abs=0.1)
    shifted = part + PLANS["logistic"].shift(0.1)
    assert np.median(shifted - whole) == pytest.approx(0, abs=0.1)
    assert PLANS["nnpu"].shift(0.1) == PLANS["bagging"].shift(0.1) == 0


def test_the_stack_finds_the_member_that_knows():
    rng = np.random.default_rng(0)
    labels = (np.arange(400) < 150).astype(int)
    raw = np.column_stack([rng.normal(size=400), rng.normal(size=400) + 3 * labels])
    joined = join(raw, labels, np.arange(400), fusion="stacking", survey_prior=0.01, bases=BASE)
    assert joined.rule.fusion == "stacking"
    fresh = np.column_stack([rng.normal(size=400), rng.normal(size=400) + 3 * labels])
    both, best = joined.rule(fresh), RankingCurve.of(fresh[:, 1], labels).auroc()
    assert ranking_metrics(both.logit, labels)["auroc"] > best - 0.01
    # at the prior of the vetted objects the probabilities are right on the whole
    assert joined.rule.at_prior(150 / 400)(fresh).probability.mean() == pytest.approx(
        150 / 400, abs=0.03
    )


@pytest.mark.parametrize(
    ("lenses", "others", "groups", "calibrated"),
    [(10, 10, 20, True), (9, 30, 39, False), (30, 9, 39, False), (20, 20, 8, False)],
)
def test_a_calibration_needs_both_classes(lenses, others, groups, calibrated):
    labels = np.repeat([1, 0], [lenses, others])
    raw = np.random.default_rng(0).normal(size=(len(labels), 2)) + labels[:, None]
    group = np.arange(len(labels)) * groups // len(labels)
    joined = join(raw, labels, group, fusion="mean", survey_prior=0.01, bases=BASE)
    assert joined.calibrated is calibrated
    if not calibrated:
        assert f"{lenses} lenses and {others} non-lenses" in joined.sentence
        # the base member as calibrated before, moved to the survey's prior; the head as it is
        found = joined.rule(np.array([[0.5, -1.0]]))
        base = 2 * 0.5 + 1 + np.log(0.01 / 0.99)
        np.testing.assert_allclose(found.member_logits, [[base, -1.0]])
        np.testing.assert_allclose(found.logit, [(base - 1.0) / 2])


def test_what_metrics_stand_on():
    state = np.array([1, 1, 0, -1, -1, -1], dtype=np.int8)
    vetted = evaluation_set(state, vetted=True)
    assert vetted.chosen.tolist() == [0, 1, 2]
    against = evaluation_set(state, vetted=False)
    assert against.chosen.tolist() == [0, 1, 3, 4, 5]
    assert against.labels.tolist() == [1, 1, 0, 0, 0]
    assert "counted as others" in against.sentence
    assert evaluation_set(state[2:], vetted=False) is None
    assert evaluation_set(state[[0, 3]], vetted=True) is None


def test_heads_ask_for_their_columns():
    features = [HeadInput("trees-1", "features", 7)]
    assert plan_heads(["trees"], features, prior=0.01, seed=1)[0].inputs == tuple(features)
    with pytest.raises(BadInputError, match="Head nnpu needs embeddings"):
        plan_heads(["trees", "nnpu"], features, prior=0.01, seed=1)
    with pytest.raises(BadInputError, match="needs features or embeddings"):
        plan_heads(["bagging"], [], prior=0.01, seed=1)


def test_lenses_in_one_group_cannot_be_dealt():
    state = np.array([1, 1, -1, -1], dtype=np.int8)
    with pytest.raises(BadInputError, match="2 labeled lenses in 1 groups"):
        deal_folds(state, np.array([0, 0, 1, 2]), 5, seed=1)
    assert len(np.unique(deal_folds(state, np.arange(4), 5, seed=1))) == 2


def test_labels_count_by_their_weight_and_hard_negatives_more_and_evenly():
    state = np.array([LENS, LENS, OTHER, OTHER, UNLABELED] + 8 * [OTHER] + 2 * [OTHER], dtype="i1")
    weight = np.array([1, 0.3, 1, 0.2, 1] + 10 * [1], dtype="f4")
    reason = np.array(5 * [-1] + 8 * [REASONS.index("spiral")] + 2 * [REASONS.index("ring")], "i1")
    found = sample_weights_of(state, weight, reason, non_lens_weight=10, hard_weight=2.0)
    # spirals: 20 · sqrt(5 / 8) = 15.8; rings: 20 · sqrt(5 / 2) = 31.6
    assert found.tolist() == [4, 1, 10, 2, 1, *8 * [16], *2 * [32]]
    assert sample_weights(state, 10).tolist() == [1, 1, 10, 10, 1] + 10 * [10]


def test_copies_of_lenses_do_not_move_their_log_odds():
    x, _, state, group = survey(3000, 200, 200, contrast=1.0, seed=3)
    plan = PLANS["logistic"]
    logits = []
    for factor in (1, 4):
        counts = sample_weights(state, 5)
        counts[state == LENS] *= factor
        training = TrainingSet(x, state, group, deal_folds(state, group, 5, seed=1), counts)
        out, _ = cross_fit(plan.method, training)
        logits.append(out + plan.shift(1.0, float(counts[state == LENS].mean())))
    assert np.median(logits[1] - logits[0]) == pytest.approx(
        0, abs=0.4
    )  # ln 4 less what the penalty does
