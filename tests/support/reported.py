"""A filled workspace made into a search that has something to report."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import numpy as np
from manifests import rule

from lensing_core.acquisition import QueueEntry
from lensing_core.labeling import NewSession, create_session
from lensing_core.labeling.options import SessionOptions
from lensing_core.store import open_database
from lensing_core.store.consensus import update_consensus
from lensing_core.store.consensus_choice import ConsensusSettings
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.tables import Candidate, Catalog, Ensemble, Score
from lensing_core.workspace import Workspace

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
GRADERS = ("Ada Lovelace", "Henrietta Leavitt")
N_GRADED = 30
BLIND = (41, 42, 43)
"""Candidates of an open blind session, each with one grade of the first grader in it."""


def report_something(workspace: Workspace) -> None:
    """Give cosmos labels that its scores follow, grades by two people, and a consensus.

    The ensemble ``first`` states a class prior, and was trained on another catalog.
    """
    rng = np.random.default_rng(8)
    with open_database(workspace).session() as session:
        ensemble = session.query(Ensemble).filter_by(name="first").one()
        ensemble.manifest = {**ensemble.manifest, "rule": rule(0.01, members=2)}
        catalog = session.query(Catalog).filter_by(name="cosmos").one()
        scores = {s.candidate_id: s for s in session.query(Score).filter_by(catalog_id=catalog.id)}
        for k, candidate in enumerate(
            session.query(Candidate).filter_by(catalog_id=catalog.id).order_by(Candidate.id)
        ):
            if k >= 120:
                continue
            candidate.label = int(k % 4 == 0)
            logit = float(rng.normal(1.5 if candidate.label else -4.0, 1.6))
            score = scores[candidate.id]
            score.logit, score.probability = logit, float(1 / (1 + np.exp(-logit)))
    with open_database(workspace).session() as session:
        people = [grader_named(session, name) for name in GRADERS]
        entries = [QueueEntry(key, "") for key in BLIND]
        blind = NewSession("blind", entries, {}, options=SessionOptions(blind=True))
        session_id = create_session(session, blind, None).id
        events = [
            _grade(f"{who}", k, person.id, key, "AX"[(k + (who and k % 7 == 0)) % 2])
            for who, person in enumerate(people)
            for k, key in enumerate(range(1, N_GRADED + 1))
        ]
        events += [
            _grade("9", k, people[0].id, key, "A", session_id) for k, key in enumerate(BLIND)
        ]
        append_events(session, events)
    with open_database(workspace).session() as session:
        update_consensus(session, ConsensusSettings("swap", prior=0.1))


def _grade(
    who: str, k: int, grader_id: int, candidate_id: int, grade: str, session_id: str | None = None
) -> NewEvent:
    uuid = str(UUID(f"00000000-0000-4000-8000-{who}{k:011d}"))
    is_lens = int(grade == "A")
    return NewEvent(uuid, "grade", grader_id, candidate_id, "abcx", AT, session_id, grade=grade,
                    is_lens=is_lens, p_lens=0.95 if is_lens else 0.02)  # fmt: skip
