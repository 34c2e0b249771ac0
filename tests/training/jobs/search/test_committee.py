"""The committee of a search: pairs, weights, mining, and who may be asked about whom."""

from __future__ import annotations

import numpy as np
import pytest

from lens_triage.training.jobs.search.committee import fit_committee
from lens_triage.training.jobs.search.sets import SearchData, member_rows
from lens_triage.training.settings import SearchSettings
from lensing_core.datasets.splits import fold_of_groups, split_groups
from lensing_core.datasets.table import CandidateLabels
from lensing_core.datasets.uses import LENS, UNLABELED
from lensing_core.models.ensemble import EnsembleRule
from lensing_core.pu import LogisticLearner

N, SETS = 400, 2
SETTINGS = SearchSettings(
    catalog="sky", training_sets=SETS, n_negatives=60, most_mined=20, survey_prior=0.01
)


def labels_of(state):
    n = len(state)
    return CandidateLabels(
        np.arange(n), np.zeros(n, dtype=np.int64), np.arange(n), np.full(n, np.nan),
        np.full(n, np.nan), state, state != UNLABELED, [], {0: "sky"},
        np.ones(n, dtype=np.float32), np.full(n, -1, dtype=np.int8), np.zeros(n, dtype=bool),
    )  # fmt: skip


@pytest.fixture(scope="module")
def data():
    """400 objects, of which the first 150 are hosts in both sets; the last ten are lenses."""
    hosts = np.arange(150)
    number = np.concatenate([np.zeros(N, int), *(np.full(150, k + 1) for k in range(SETS))])
    parent = np.concatenate([np.arange(N), *[hosts] * SETS])
    state = np.where(number > 0, LENS, UNLABELED).astype(np.int8)
    state[N - 10 : N] = LENS
    split = np.empty(len(number), dtype="U12")
    shares = {"train": 0.7, "calibration": 0.15, "test": 0.15}
    for name, rows in split_groups(parent, shares, seed=1).items():
        split[rows] = name
    known = np.zeros(len(number), dtype=bool)
    known[200] = True
    half = fold_of_groups(parent, 2, seed=1)
    return SearchData(labels_of(state), number, parent, parent, split, half, known, True)


@pytest.fixture(scope="module")
def embeddings(data):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(len(data), 6)).astype(np.float32)
    x[:, 1:3] = x[data.parent, 1:3]  # what a host looks like
    x[data.labels.state == LENS, 0] += 3
    x[300:320, 0] += 2.0  # look-alikes
    return x


@pytest.fixture(scope="module")
def committee(data, embeddings):
    return fit_committee(data, embeddings, SETTINGS)


def test_every_host_stands_with_and_without_arcs(data):
    for number in (1, 2):
        for half in (0, 1):
            painted, others = member_rows(data, number, half, n_negatives=60, seed=1)
            hosts = data.parent[painted]
            assert len(painted) > 20
            assert np.isin(hosts, others).all()
            assert len(others) == len(painted) + 30
            assert len(np.unique(others)) == len(others)
            chosen = np.concatenate([painted, others])
            assert (data.split[chosen] == "train").all()
            assert (data.half[chosen] == half).all()
            assert 200 not in others  # near a known lens
            assert (data.labels.state[others] == UNLABELED).all()
    first, second = (member_rows(data, k, 0, n_negatives=60, seed=1)[1] for k in (1, 2))
    assert set(first.tolist()) != set(second.tolist())


def test_nothing_held_out_is_learned_from_or_mined(data, committee):
    assert 0 < committee.mined <= 20
    seen = committee.seen(len(data))
    assert not seen[data.split != "train"].any()
    # Members of one half of the sky saw nothing of the other.
    halves = np.array([member.half for member in committee.members])
    for half in (0, 1):
        assert not seen[data.half == half][:, halves != half].any()
    assert len(committee.members) == 4


def test_lenses_rank_above_their_hosts(data, embeddings, committee):
    rows, label = data.of_split("test")
    logit = committee.rule(committee.raw(embeddings[rows])).logit
    assert (logit[label == 1][:, None] > logit[label == 0]).mean() > 0.85


def test_no_second_round_where_nothing_may_be_mined(data, embeddings):
    alone = SearchSettings(**{**SETTINGS.to_json(), "most_mined": 0})
    assert fit_committee(data, embeddings, alone).mined == 0


def test_learner_and_fusion_are_those_asked_for(data, embeddings, committee):
    alone = SearchSettings(**{**SETTINGS.to_json(), "most_mined": 0})
    strong = fit_committee(
        data, embeddings, alone, learner=LogisticLearner(0.000001), fusion="stacking"
    )
    spread, usual = (np.ptp(c.raw(embeddings), axis=0).max() for c in (strong, committee))
    assert spread < 0.05 * usual
    assert (committee.rule.fusion, strong.rule.fusion) == ("mean", "stacking")


def test_members_are_not_asked_about_what_they_were_fitted_on():
    rng = np.random.default_rng(2)
    labels = (rng.random(300) < 0.5).astype(int)
    raw = labels[:, None] * 2 + rng.normal(size=(300, 3))
    rule = EnsembleRule.fit(raw, labels, fusion="mean", survey_prior=0.1)
    flattered = raw[:3].copy()
    flattered[:, 0] = 50
    without = np.array([[True, False, False], [False, False, False], [True, True, True]])
    scores = rule(flattered, without=without)
    honest = rule(flattered)
    assert scores.logit[0] < honest.logit[0]
    assert scores.member_logits[0, 0] == pytest.approx(scores.member_logits[0, 1:].mean())
    np.testing.assert_array_equal(scores.logit[1:], honest.logit[1:])
