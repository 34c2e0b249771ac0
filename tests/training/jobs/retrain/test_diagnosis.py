"""What a retraining says of its labels: class prior, and whether they are a fair sample."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import select, update

from lens_triage.training.jobs import retrain as retraining
from lens_triage.training.jobs.retrain.class_prior import estimate_prior, scan_prior
from lens_triage.training.jobs.retrain.diagnosis import diagnose
from lens_triage.training.jobs.retrain.heads import TrainingSet, plan_heads
from lens_triage.training.jobs.retrain.selection import RetrainingSample
from lens_triage.training.settings import RetrainSettings
from lensing_core.datasets.table import (
    LENS,
    OTHER,
    UNLABELED,
)
from lensing_core.models.head import HeadInput
from lensing_core.store import open_database
from lensing_core.store.observations import fetch_covariates
from lensing_core.store.tables import Candidate, Ensemble, Observation, RunLog


def selection_of(state, share=1.0):
    n = len(state)
    ids = np.arange(n)
    flags = np.zeros(n, dtype=bool)
    return RetrainingSample(
        ids, ids, ids, ids, state.astype(np.int8), flags, flags,
        np.ones(len(ids), dtype=np.float32), np.full(len(ids), -1, dtype=np.int8), share,
    )  # fmt: skip


def training_of(state, x=None):
    rows = np.arange(len(state))
    x = np.zeros((len(state), 1), dtype=np.float32) if x is None else x
    return TrainingSet(x, state.astype(np.int8), rows, rows % 3, np.ones_like(rows))


def test_a_sample_that_was_stored_before_the_name_of_its_frozen_set_is_read(tmp_path):
    sample = selection_of(np.array([LENS, OTHER, UNLABELED]), share=0.5)
    sample.write(tmp_path / "today.npz")
    with np.load(tmp_path / "today.npz") as stored:
        older = {("reserved" if k == "frozen" else k): stored[k] for k in stored.files}
    np.savez(tmp_path / "older.npz", **older)
    for name in ("today", "older"):
        read = RetrainingSample.read(tmp_path / f"{name}.npz")
        assert read.share_unlabeled == 0.5
        np.testing.assert_array_equal(read.frozen, sample.frozen)


@pytest.mark.parametrize("share", [1.0, 0.25])
def test_the_class_prior_is_that_of_all_unlabeled(share):
    """5 % of the unlabeled are lenses, c = 1/3; whether all or a quarter of them were drawn."""
    rng = np.random.default_rng(1)
    n_unlabeled, prior = 20_000, 0.05
    drawn = round(share * n_unlabeled)
    lens = rng.random(drawn) < prior
    state = np.concatenate([np.full(500, LENS), np.full(drawn, UNLABELED), np.full(50, OTHER)])
    y = np.concatenate([np.ones(500), lens, np.zeros(50)]).astype(bool)
    x = rng.normal(size=len(y)) + 5 * y
    # exact log-odds of labeled against drawn: density ratio exp(5 x - 12.5)
    ratio = np.exp(5 * x - 12.5)
    g_odds = 500 * ratio / (drawn * (prior * ratio + 1 - prior))
    priors = estimate_prior(
        training_of(state), {"trees": np.log(g_odds) + np.log(share)}, np.arange(1), share, seed=0
    )
    found = diagnose(
        selection_of(state, share),
        np.log(prior / (1 - prior)) + 5 * x - 12.5,
        priors,
        {"magnitude": np.full(len(y), np.nan)},
        survey_prior=0.001,
    )
    estimates = {k: v["value"] for k, v in found["priors"]["estimates"].items()}
    assert found["priors"]["n_unlabeled"] == n_unlabeled
    assert estimates["Elkan-Noto"] == pytest.approx(prior, rel=0.15)
    assert estimates["ROC curve"] == pytest.approx(prior, rel=0.2)
    assert "the run used 0.001" in found["sentences"][0]
    assert "cannot be checked: the catalog has no magnitude" in found["sentences"][-1]


@pytest.mark.parametrize(("offset", "verdict"), [(0.0, "alike"), (-1.5, "differs")])
def test_bright_lenses_alone_are_noticed(offset, verdict):
    rng = np.random.default_rng(2)
    state = np.concatenate([np.full(200, LENS), np.full(3000, UNLABELED)])
    lens = np.concatenate([np.ones(200), rng.random(3000) < 0.1]).astype(bool)
    logits = np.where(lens, 3.0, -5.0) + rng.normal(scale=0.5, size=len(lens))
    magnitude = rng.normal(20, 1, len(lens)) + offset * (state == LENS)
    priors = estimate_prior(training_of(state), {"trees": logits}, np.arange(1), 1.0, seed=0)
    found = diagnose(
        selection_of(state), logits, priors, {"magnitude": magnitude}, survey_prior=0.1
    )
    assert found["scar"]["verdict"] == verdict
    assert found["sentences"][-1] == found["scar"]["sentence"]


@pytest.mark.parametrize("share", [1.0, 0.25])
def test_without_a_head_against_the_unlabeled_the_prior_is_estimated_anew(share):
    rng = np.random.default_rng(3)
    state = np.concatenate([np.full(300, LENS), np.full(round(8000 * share), UNLABELED)])
    lens = np.concatenate([np.ones(300), rng.random(len(state) - 300) < 0.05])
    x = (rng.normal(size=(len(state), 3)) + 3 * lens[:, None]).astype(np.float32)
    x[:, 2] = rng.normal(size=len(state)) + 5 * (state == LENS)  # a leak that is not among columns
    priors = estimate_prior(training_of(state, x), {}, np.arange(2), share, seed=0)
    assert priors.n_unlabeled == pytest.approx(8000, abs=1)
    assert priors.roc_curve.value == pytest.approx(0.05, rel=0.3)


def test_a_head_that_is_told_a_prior_is_fitted_at_others_too():
    rng = np.random.default_rng(4)
    state = np.concatenate([np.full(60, LENS), np.full(500, UNLABELED)])
    x = rng.normal(size=(560, 4)).astype(np.float32)
    x[:60] += 2
    embedding = HeadInput("m", "embedding", 4)
    plans = plan_heads(["upu", "bagging", "logistic"], [embedding], prior=0.05, seed=1)
    training = training_of(state, x)
    s = (state == LENS).astype(int)
    fitted = [plan.method.fit(x, s, training.group) for plan in plans]
    scans = [scan_prior(plan, training, model) for plan, model in zip(plans, fitted, strict=True)]
    assert [[(one["head"], one["factor"]) for one in scan] for scan in scans] == [
        [("upu", 0.5), ("upu", 2.0)], [("bagging", 0.5), ("bagging", 2.0)], [],
    ]  # fmt: skip
    assert all(0.5 < one["top_kept"] <= 1 for one in scans[0] + scans[1])


def test_the_run_says_it(workspace, make_survey, make_context):
    make_survey(lenses=120)
    with open_database(workspace).session() as session:
        session.execute(update(Candidate).values(magnitude=20.0 + Candidate.cutout_index % 7))
        ids = np.array(session.scalars(select(Candidate.id).order_by(Candidate.id)).all())
        session.merge(Observation(candidate_id=int(ids[3]), snr=7.5))
    with open_database(workspace).session() as session:
        found = fetch_covariates(session, ids[[3, 0]])
    assert found["signal to noise"][0] == 7.5
    assert np.isnan(found["signal to noise"][1])
    assert found["magnitude"].tolist() == [23.0, 20.0]

    settings = RetrainSettings(
        ensemble="second", heads=["logistic"], folds=3, survey_prior=0.1, base="first"
    )
    result = retraining.run(make_context(settings), settings)
    with open_database(workspace).session() as session:
        manifest = session.scalars(select(Ensemble).where(Ensemble.name == "second")).one().manifest
        logged = session.scalars(select(RunLog.message)).all()
    assert set(manifest["pu"]["priors"]["estimates"]) == {
        "Elkan-Noto", "ROC curve", "two components",
    }  # fmt: skip
    assert manifest["pu"]["prior_scan"] == []  # a logistic head takes no prior
    assert result["notes"] == manifest["pu"]["sentences"]
    assert set(result["notes"]) <= set(logged)
    assert any("labeled lenses" in s for s in result["notes"])
