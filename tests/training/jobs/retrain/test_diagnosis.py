"""What a retraining says of its labels: class prior, and whether they are a fair sample."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import select, update

from lens_triage.training.jobs import retrain as retraining
from lens_triage.training.jobs.retrain.diagnosis import (
    diagnose,
    fetch_covariates,
)
from lens_triage.training.jobs.retrain.selection import Selection
from lens_triage.training.settings import RetrainSettings
from lensing_core.datasets.table import (
    LENS,
    OTHER,
    UNLABELED,
)
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Ensemble, Observation, RunLog


def selection_of(state, share=1.0):
    n = len(state)
    ids = np.arange(n)
    flags = np.zeros(n, dtype=bool)
    return Selection(
        ids, ids, ids, ids, state.astype(np.int8), flags, flags,
        np.ones(len(ids), dtype=np.float32), np.full(len(ids), -1, dtype=np.int8), share,
    )  # fmt: skip


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
    found = diagnose(
        selection_of(state, share),
        np.log(prior / (1 - prior)) + 5 * x - 12.5,
        np.log(g_odds) + np.log(share),
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
    found = diagnose(selection_of(state), logits, None, {"magnitude": magnitude}, survey_prior=0.1)
    assert found["priors"] is None
    assert found["scar"]["verdict"] == verdict
    assert found["sentences"] == [found["scar"]["sentence"]]


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
    assert result["notes"] == manifest["pu"]["sentences"]
    assert set(result["notes"]) <= set(logged)
    assert any("labeled lenses" in s for s in result["notes"])
