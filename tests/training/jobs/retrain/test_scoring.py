"""Retrained ensembles among the others: scored from pixels, exported, and with outputs lost."""

from __future__ import annotations

import shutil

import numpy as np
from sqlalchemy import delete, select

from lens_triage.training.bundled import export_ensemble, import_ensemble
from lens_triage.training.jobs import (
    retrain as retraining,
)
from lens_triage.training.jobs import (
    score as scoring,
)
from lens_triage.training.settings import RetrainSettings, ScoreSettings
from lensing_core.models.outputs import StoredOutputs, rows_stored
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog, Ensemble, MemberScore, Score
from lensing_core.workspace import Workspace

N = 400


def logits_of(workspace, ensemble, catalog="survey"):
    with open_database(workspace).session() as session:
        return np.array(
            session.scalars(
                select(Score.logit)
                .join(Ensemble, Ensemble.id == Score.ensemble_id)
                .join(Candidate, Candidate.id == Score.candidate_id)
                .join(Catalog, Catalog.id == Score.catalog_id)
                .where(Ensemble.name == ensemble, Catalog.name == catalog)
                .order_by(Candidate.cutout_index)
            ).all()
        )


def score(make_context, ensemble, catalog, run_id, **changes):
    settings = ScoreSettings(
        ensemble=ensemble, catalog=catalog, batch_size=128, device="cpu", **changes
    )
    return scoring.run(make_context(settings, run_id), settings)


def scored_and_retrained(workspace, make_context, make_survey):
    """A survey scored from its pixels, with heads trained on what that stored."""
    make_survey(n=N, outputs=False, share=0.3, lenses=60, others=60)
    score(make_context, "first", "survey", "score-1")
    settings = RetrainSettings(ensemble="second", base="first", heads=["trees"], folds=3)
    retraining.run(make_context(settings), settings)


def test_pixels_and_stored_outputs_give_the_same_scores(workspace, make_context, make_survey):
    scored_and_retrained(workspace, make_context, make_survey)
    assert rows_stored(workspace, "trees-1", "survey") == N
    stored = StoredOutputs.read(workspace, "trees-1", "survey", N)
    assert stored.features is not None
    assert stored.embedding is None
    from_store = logits_of(workspace, "second")
    assert np.unique(from_store).size > 50
    with open_database(workspace).session() as session:
        second = session.scalars(select(Ensemble).where(Ensemble.name == "second")).one()
        session.execute(delete(Score).where(Score.ensemble_id == second.id))
    result = score(make_context, "second", "survey", "score-2")
    assert result["scored"] == N
    np.testing.assert_allclose(logits_of(workspace, "second"), from_store, atol=1e-9)


def test_another_catalog_is_scored_with_the_heads(workspace, make_context, make_survey):
    scored_and_retrained(workspace, make_context, make_survey)
    make_survey("other", 100, seed=7, outputs=False, lenses=0, others=0)
    assert score(make_context, "second", "other", "score-2")["scored"] == 100
    assert np.isfinite(logits_of(workspace, "second", "other")).all()
    with open_database(workspace).session() as session:
        members = {m.model_id for m in session.scalars(select(MemberScore))}
        assert len(members) == 2
    assert rows_stored(workspace, "trees-1", "other") == 100  # ready to be retrained on


def test_outputs_that_were_lost_are_computed_again(workspace, make_context, make_survey):
    """As in a workspace whose catalogs were scored before outputs were kept."""
    scored_and_retrained(workspace, make_context, make_survey)
    before = logits_of(workspace, "first")
    assert score(make_context, "first", "survey", "score-2")["scored"] == 0
    shutil.rmtree(workspace.embeddings / "trees-1" / "logit")
    assert score(make_context, "first", "survey", "score-3")["scored"] == N
    np.testing.assert_array_equal(logits_of(workspace, "first"), before)
    assert rows_stored(workspace, "trees-1", "survey") == N


def test_a_retrained_ensemble_travels(workspace, make_context, make_survey, tmp_path):
    scored_and_retrained(workspace, make_context, make_survey)
    folder = export_ensemble(workspace, "second", tmp_path)
    other = Workspace.create(tmp_path / "elsewhere")
    assert import_ensemble(other, folder)
    with open_database(other).session() as session:
        kinds = [m.model.kind for m in session.scalars(select(Ensemble)).one().members]
    assert kinds == ["lightgbm", "pu_head"]
