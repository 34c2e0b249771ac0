"""Grades of people as training labels: by consensus, with weights, reasons and policies."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import select, update

from lens_triage.training.jobs import retrain as retraining
from lens_triage.training.settings import RetrainSettings
from lensing_core.consensus import SCHEMES
from lensing_core.datasets.grades import GradeRule
from lensing_core.datasets.labels import labels_to_retrain
from lensing_core.datasets.table import (
    LENS,
    OTHER,
    REASONS,
    UNLABELED,
)
from lensing_core.errors import BadInputError
from lensing_core.metrics import ranking_metrics
from lensing_core.store import open_database
from lensing_core.store.consensus import update_consensus
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.tables import (
    Candidate,
    Catalog,
    Consensus,
    Ensemble,
    LabelSession,
    Score,
    SessionItem,
)

AT = datetime(2026, 5, 1, tzinfo=UTC)
Said = dict[int, list[tuple[str, str, str | None]]]


def grade(workspace, said: Said) -> None:
    """(grader, grade, reject reason) by row of the cutouts."""
    with open_database(workspace).session() as session:
        ids = dict(
            session.execute(
                select(Candidate.cutout_index, Candidate.id).where(
                    Candidate.object_id.startswith("survey-")
                )
            ).all()
        )
        graders: dict[str, int] = {}
        events = []
        for row, votes in said.items():
            for who, key, reason in votes:
                if who not in graders:
                    graders[who] = grader_named(session, who).id
                given = SCHEMES["abcx"].grade(key)
                events.append(
                    NewEvent(
                        str(uuid4()), "grade", graders[who], ids[row], "abcx", AT, grade=key,
                        is_lens=given.is_lens, p_lens=given.p_lens, reject_reason=reason,
                    )
                )  # fmt: skip
        append_events(session, events)


def labels_of(workspace, **rule):
    with open_database(workspace).session() as session:
        grades = GradeRule(**rule)
        update_consensus(session, grades.rule)
        return labels_to_retrain(session, ["survey"], grades=grades)


def test_grades_become_labels_by_consensus(workspace, make_survey):
    make_survey(n=400, lenses=6, others=6, outputs=False)
    with open_database(workspace).session() as session:
        free = session.scalars(
            select(Candidate.cutout_index).where(Candidate.label.is_(None)).limit(60)
        ).all()
        labeled = session.scalars(
            select(Candidate.cutout_index).where(Candidate.label == 1).limit(1)
        ).one()
    sure, possible = free[:10], free[11]
    said: Said = {row: [("Ana", "A", None), ("Bo", "A", None)] for row in sure}
    said |= {row: [("Ana", "X", "ring"), ("Bo", "X", "ring")] for row in free[12:60]}
    said[possible] = [("Ana", "C", None)]
    said[labeled] = [("Ana", "X", "ring"), ("Bo", "X", "spiral"), ("Cy", "X", "spiral")]
    grade(workspace, said)

    labels = labels_of(workspace)
    assert (labels.state[sure] == LENS).all()
    assert (labels.state[free[12:60]] == OTHER).all()
    assert (labels.weight[sure] > 0.9).all()
    assert labels.state[possible] == UNLABELED
    assert labels.left_out["graders undecided"] == 1
    # A grade stands above what was imported; of two reasons the one that more graders gave.
    assert labels.state[labeled] == OTHER
    assert REASONS[labels.reason[labeled]] == "spiral"
    assert REASONS[labels.reason[free[20]]] == "ring"
    assert labels.count(LENS) == 10 + 5
    assert labels.graded.sum() == 10 + 48 + 1
    with open_database(workspace).session() as session:
        assert len(session.scalars(select(Consensus)).all()) == len(said)

    only = labels_of(workspace, imported=False)
    assert only.count(LENS) == 10
    assert only.left_out["imported, and only grades were asked for"] == 12
    many = labels_of(workspace, min_votes=3)
    assert many.count(LENS) == 6 - 1
    assert many.left_out["too few votes"] == 58 + 1
    with pytest.raises(BadInputError, match="first at least as large"):
        GradeRule(lens_from=0.2, non_lens_below=0.4)


def test_gold_standards_from_simulations_never_train_an_observed_catalog(workspace, make_survey):
    make_survey(n=200, outputs=False)
    make_survey(name="made", n=120, outputs=False, origin="simulated", seed=2)
    with open_database(workspace).session() as session:
        made = session.scalars(select(Catalog).where(Catalog.name == "made")).one()
        gold = session.scalars(
            select(Candidate.id).where(Candidate.catalog_id == made.id, Candidate.label == 1)
        ).all()[:10]
        session.add(
            LabelSession(id="s", name="s", scheme=SCHEMES["abcx"].to_json(), queue={}, options={})
        )
        session.flush()
        session.add_all(
            SessionItem(session_id="s", position=k, candidate_id=key, kind="gold", answer=1)
            for k, key in enumerate(gold)
        )
        ana = grader_named(session, "Ana").id
        append_events(
            session,
            [
                NewEvent(
                    str(uuid4()), "grade", ana, key, "abcx", AT, grade="A", is_lens=1, p_lens=0.95,
                    is_gold=True,
                )
                for key in gold
            ],
        )  # fmt: skip
    with open_database(workspace).session() as session:
        update_consensus(session, GradeRule().rule)
        both = labels_to_retrain(session, ["survey", "made"], grades=GradeRule())
        assert (both.state[np.isin(both.candidate_id, gold)] == UNLABELED).all()
        assert both.left_out == {"simulated gold standard": 10}
        alone = labels_to_retrain(session, ["made"], grades=GradeRule())
        assert (alone.state[np.isin(alone.candidate_id, gold)] == LENS).all()
        assert not alone.graded.any()


def test_retraining_on_grades_alone_ranks_better_and_counts_contaminants(
    workspace, make_survey, make_context
):
    y = make_survey(lenses=0, others=0)
    rng = np.random.default_rng(0)
    lenses = rng.permutation(np.flatnonzero(y == 1))[:70]
    others = rng.permutation(np.flatnonzero(y == 0))[:90]
    said: Said = {row: [("Ana", "A", None), ("Bo", "B", None)] for row in lenses.tolist()}
    for k, row in enumerate(others.tolist()):
        said[row] = [("Ana", "X", "ring" if k % 3 else "spiral"), ("Bo", "X", None)]
    grade(workspace, said)
    settings = RetrainSettings(
        ensemble="second", heads=["logistic", "trees"], folds=3, survey_prior=0.1
    )
    result = retraining.run(make_context(settings), settings)
    with open_database(workspace).session() as session:
        ensemble = session.scalars(select(Ensemble).where(Ensemble.name == "second")).one()
        logits = np.array(
            session.scalars(
                select(Score.logit)
                .join(Candidate, Candidate.id == Score.candidate_id)
                .where(Score.ensemble_id == ensemble.id)
                .order_by(Candidate.cutout_index)
            ).all()
        )
    stored = np.load(workspace.embeddings / "trees-1" / "logit" / "survey.npy")
    unseen = ~np.isin(np.arange(len(y)), [*lenses, *others])
    before, after = (ranking_metrics(v[unseen], y[unseen])["auroc"] for v in (stored, logits))
    assert after > before + 0.1
    manifest = ensemble.manifest
    held = manifest["splits"]["held_out"]
    assert held["lenses"] + manifest["splits"]["train"]["lenses"] == 70
    difference = manifest["differences"]["auroc"]
    assert difference["low_95"] <= difference["value"] <= difference["high_95"]
    assert difference["second"] == pytest.approx(result["figures"]["auroc"]["value"])
    kinds = manifest["by_reason"]
    assert set(kinds) == {"ring", "spiral"}
    assert sum(kinds[kind]["ensemble"]["total"] for kind in kinds) == held["others"]
    assert set(kinds["ring"]) == {"ensemble", "base first"}

    with open_database(workspace).session() as session:
        session.execute(update(Candidate).values(label=None))
    settings = RetrainSettings(ensemble="third", heads=["logistic"], labels="imported")
    with pytest.raises(BadInputError, match="no labeled lenses"):
        retraining.run(make_context(settings, "third"), settings)
