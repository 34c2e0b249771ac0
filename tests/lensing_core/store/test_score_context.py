"""Percentiles and scores of several ensembles."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from rows import add_catalog, score_row
from sqlalchemy import select

from lensing_core.store import open_database
from lensing_core.store.score_context import (
    find_score,
    ood_percentile,
    probabilities_of,
    scores_by_ensemble,
)
from lensing_core.store.tables import Candidate, Ensemble, Score

DISTANCES = [3.0, 1.0, 4.0, 4.0, None]


@pytest.fixture
def scored(workspace):
    """Five candidates scored by two ensembles; the newer one has no distances."""
    database = open_database(workspace)
    with database.session() as session:
        ids = add_catalog(session, "mine", len(DISTANCES))
        for k, name in enumerate(("older", "newer")):
            session.add(
                Ensemble(
                    name=name,
                    fusion="mean",
                    manifest={},
                    created_at=datetime(2026, 1, 1 + k, tzinfo=UTC),
                    promoted_at=datetime(2026, 1, 2, tzinfo=UTC) if k == 0 else None,
                )
            )
        session.flush()
        for ensemble in session.scalars(select(Ensemble)):
            for k, distance in enumerate(DISTANCES):
                known = {"ood_distance": distance} if ensemble.name == "older" else {}
                row = score_row(
                    ensemble.id, 1, ids[k], logit=float(k), probability=0.1 * k, **known
                )
                session.add(row)
    return database


def test_percentile_counts_candidates_with_a_distance(scored) -> None:
    with scored.session() as session:
        older = session.scalar(select(Ensemble.id).where(Ensemble.name == "older"))
        scores = session.scalars(
            select(Score).where(Score.ensemble_id == older).order_by(Score.candidate_id)
        ).all()
        found = [ood_percentile(session, score) for score in scores]
        assert [p and (p.percent, p.n) for p in found] == [
            (25.0, 4),
            (0.0, 4),
            (50.0, 4),
            (50.0, 4),
            None,
        ]


def test_scores_by_ensemble_newest_first(scored) -> None:
    with scored.session() as session:
        candidate = session.scalar(select(Candidate.id).where(Candidate.object_id == "o3"))
        found = scores_by_ensemble(session, candidate)
        assert [(s.name, s.promoted, s.logit) for s in found] == [
            ("newer", False, 3.0),
            ("older", True, 3.0),
        ]
        assert len(scores_by_ensemble(session, candidate, most=1)) == 1
        assert scores_by_ensemble(session, 999) == []


def test_scores_and_probabilities_of_one_ensemble(scored) -> None:
    with scored.session() as session:
        older = session.scalar(select(Ensemble.id).where(Ensemble.name == "older"))
        ids = session.scalars(select(Candidate.id).order_by(Candidate.id)).all()
        assert find_score(session, older, ids[2]).logit == 2.0
        assert find_score(session, older, 999) is None
        assert find_score(session, 999, ids[2]) is None
        found = probabilities_of(session, older, [ids[3], ids[1], 999])
        assert found == {ids[1]: pytest.approx(0.1), ids[3]: pytest.approx(0.3)}
        assert probabilities_of(session, None, ids) == {}
