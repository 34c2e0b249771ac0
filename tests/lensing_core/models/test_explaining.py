"""Contributions of features to one score: they add up, and they name what speaks for a lens."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.features import GridFeatures
from lensing_core.models.classic import ClassicMember, train_trees
from lensing_core.models.contract import InputContract
from lensing_core.models.explaining import explain_candidate, feature_importance
from lensing_core.models.files import save_member
from lensing_core.models.head import HeadInput, HeadMember
from lensing_core.models.member import MemberOutput
from lensing_core.models.outputs import OutputWriter
from lensing_core.pu import TreesLearner, pu_method

GEOMETRY = CutoutGeometry("hsc", ("g", "i"), 24, 0.168, "flux", (27.0, 27.0), (0.8, 0.6))
N = 160
LENS = np.arange(N) % 2


@pytest.fixture
def trees(workspace):
    """Trees with their outputs of a catalog: every other object has an arc at the right."""
    rng = np.random.default_rng(1)
    flux = rng.normal(size=(N, 2, 24, 24)).astype("f4")
    flux[1::2, :, 9:15, 19] += 8
    compute = GridFeatures(GEOMETRY)
    table = compute(flux)
    table[5, 3] = np.nan
    booster = train_trees(
        (table[:120], LENS[:120]), (table[120:], LENS[120:]), names=compute.schema.names,
        learning_rate=0.2, leaves=4, rounds=24, patience=24, seed=1, threads=1,
    )  # fmt: skip
    member = ClassicMember(InputContract.of(GEOMETRY), booster, compute.schema.to_json())
    save_member(workspace, "trees-1", member, {})
    logit = np.asarray(booster.predict(table, raw_score=True))
    embedding = (rng.normal(size=(N, 5)) + LENS[:, None]).astype("f4")
    OutputWriter(workspace, "trees-1", "survey", N).write(0, MemberOutput(logit, features=table))
    OutputWriter(workspace, "net-1", "survey", N).write(0, MemberOutput(logit, embedding))
    return table, embedding, logit


def head_of(workspace, name, table, embedding, **options):
    """A head on features and embedding, stored; its columns and the head."""
    x = np.concatenate([table, embedding], axis=1)
    s = np.where(np.arange(N) < 100, LENS, 0)
    model = pu_method(name, prior=0.3, seed=1, **options).fit(x, s)
    inputs = (HeadInput("trees-1", "features", table.shape[1]), HeadInput("net-1", "embedding", 5))
    member = HeadMember(inputs, model, 0.4, {})
    save_member(workspace, "head-1", member, {})
    return x, member


def test_contributions_of_trees_add_up_to_the_stored_logit(workspace, trees):
    table, _, logit = trees
    names = GridFeatures(GEOMETRY).schema.names
    for row in (0, 5, 151):
        found = explain_candidate(workspace, "trees-1", "survey", row)
        total = found.base + sum(c.log_odds for c in found.contributions)
        assert total == pytest.approx(logit[row], abs=1e-5)
        assert found.logit == pytest.approx(total)
        sizes = [abs(c.log_odds) for c in found.contributions]
        assert sizes == sorted(sizes, reverse=True)
        values = {c.name: c.value for c in found.contributions}
        assert len(values) == len(names)
        np.testing.assert_array_equal([values[n] for n in names], table[row])
    # The arc lies in the patch in the middle of the right side.
    lens = explain_candidate(workspace, "trees-1", "survey", 151)
    (first, *_), rest = lens.strongest(3)
    assert first.log_odds > 0
    assert rest == pytest.approx(sum(c.log_odds for c in lens.contributions[3:]))
    units = dict(zip(names, GridFeatures(GEOMETRY).schema.units, strict=True))
    assert all(c.unit == units[c.name] for c in lens.contributions)


def test_a_linear_head_is_weights_times_standardized_columns(workspace, trees):
    table, embedding, _ = trees
    x, member = head_of(workspace, "naive", table, embedding, learner="logistic")
    found = explain_candidate(workspace, "head-1", "survey", 7)
    assert found.logit == pytest.approx(member.model.decision(x[7:8])[0] + 0.4, abs=1e-5)
    scorer = member.model.scorers[0]
    by_hand = scorer.standardizer(x[7:8])[0] * scorer.weights[0][:, 0]
    at = {c.name: c for c in found.contributions}
    whole = at["embedding of net-1"]
    assert math.isnan(whole.value)
    assert whole.log_odds == pytest.approx(by_hand[-5:].sum(), abs=1e-5)
    k = table.shape[1] // 2
    name = GridFeatures(GEOMETRY).schema.names[k]
    assert at[name].log_odds == pytest.approx(by_hand[k], abs=1e-6)
    assert at[name].value == table[7, k]


def test_a_head_of_several_trees_adds_up_through_its_bent_scale(workspace, trees):
    table, embedding, _ = trees
    learner = TreesLearner(rounds=10, leaves=4, threads=1)
    x, member = head_of(workspace, "bagging", table, embedding, learner=learner)
    assert len(member.model.scorers) > 1
    assert member.model.link.scale == "case_control"
    for row in (6, 7):
        found = explain_candidate(workspace, "head-1", "survey", row)
        assert found.logit == pytest.approx(
            member.model.decision(x[row : row + 1])[0] + 0.4, abs=1e-6
        )
        total = found.base + sum(c.log_odds for c in found.contributions)
        assert total == pytest.approx(found.logit, abs=1e-6)


def test_what_cannot_be_explained_is_said(workspace, trees):
    table, embedding, logit = trees
    head_of(workspace, "nnpu", table, embedding)
    with pytest.raises(BadInputError, match="no sum over features"):
        explain_candidate(workspace, "head-1", "survey", 3)
    with pytest.raises(NotFoundError, match="no model"):
        explain_candidate(workspace, "ghost-1", "survey", 3)
    with pytest.raises(NotFoundError, match="160 of the 161 candidates"):
        explain_candidate(workspace, "trees-1", "survey", N)
    OutputWriter(workspace, "trees-1", "survey", N).write(3, MemberOutput(logit[3:4] + 1))
    with pytest.raises(BadInputError, match="score the catalog again"):
        explain_candidate(workspace, "trees-1", "survey", 3)


def test_importance_is_a_share_of_the_gain(workspace, trees):
    table, embedding, _ = trees
    found = feature_importance(workspace, "trees-1")
    shares = [share for _, _, share in found]
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)
    assert {name for name, _, _ in found} == set(GridFeatures(GEOMETRY).schema.names)
    # only the right side of the cutouts tells the classes apart
    assert found[0][0].startswith(("patch12", "ring"))
    head_of(workspace, "naive", table, embedding, learner=TreesLearner(rounds=10, threads=1))
    names = [name for name, _, _ in feature_importance(workspace, "head-1")]
    assert names.count("embedding of net-1") == 1


def test_linear_heads_have_no_gain(workspace, trees):
    table, embedding, _ = trees
    head_of(workspace, "naive", table, embedding, learner="logistic")
    assert feature_importance(workspace, "head-1") == ()
