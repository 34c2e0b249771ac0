"""All graders together: agreement, pace, repeats, gold, and skill by consensus."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa

from lensing_core.acquisition import QueueEntry
from lensing_core.labeling import (
    NewSession,
    SessionOptions,
    create_session,
    open_grader_view,
    record,
)
from lensing_core.labeling.team import MIN_SHARED, team_metrics
from lensing_core.proportions import Proportion
from lensing_core.store import open_database
from lensing_core.store.consensus_choice import ConsensusSettings
from lensing_core.store.graders import sign_in
from lensing_core.store.tables import Candidate

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def database(filled_workspace):
    return open_database(filled_workspace)


def team_of(database, method: str = "dawid_skene"):
    return database.ask(team_metrics, ConsensusSettings(method))


def grade_all(database, session_id: str, name: str, grade_of, shown_ms: int) -> None:
    """Grade every cutout of a session; ``grade_of`` has its number and its answer."""
    with database.session() as session:
        view = open_grader_view(session, "secret", session_id, sign_in(session, name).id)
        events = [
            {"uuid": str(uuid4()), "kind": "grade", "token": cutout.token,
             "given_at": AT.isoformat(), "shown_ms": shown_ms, "grade": grade_of(k, cutout)}
            for k, cutout in enumerate(view.cutouts)
        ]  # fmt: skip
        assert not any(outcome.refused for outcome in record(session, view, events))


@pytest.fixture
def graded(database):
    """Ana calls all gold right, Bo calls none a lens; Cy has not begun."""
    with database.session() as session:
        ids = session.scalars(sa.select(Candidate.id).order_by(Candidate.id).limit(12)).all()
        options = SessionOptions(gold_fraction=0.25, repeat_fraction=0.25, seed=5)
        entries = [QueueEntry(key, "") for key in ids]
        key = create_session(session, NewSession("s", entries, {}, options=options), None).id
        sign_in(session, "Cy")
    grade_all(database, key, "Ana", lambda k, cutout: "A" if cutout.answer == 1 else "X", 4000)
    grade_all(database, key, "Bo", lambda k, cutout: "X", 2000)
    return database


def test_without_grades_there_is_nothing_to_tell(database):
    team = team_of(database)
    assert team.graders == team.pairs == ()
    assert team.fleiss.n == 0
    assert math.isnan(team.fleiss.value)


def test_gold_repeats_and_pace_are_those_of_all_sessions(graded):
    ana, bo = team_of(graded).graders
    assert [grader.name for grader in (ana, bo)] == ["Ana", "Bo"]
    n_lenses = ana.gold_lenses.total
    assert n_lenses > 0
    assert ana.gold_lenses == Proportion(n_lenses, n_lenses)
    assert bo.gold_lenses == Proportion(0, n_lenses)
    assert bo.gold_non_lenses == Proportion(bo.gold_non_lenses.total, bo.gold_non_lenses.total)
    assert ana.repeats == bo.repeats == Proportion(3, 3)
    assert (ana.seconds, ana.per_hour) == (4.0, 900.0)
    assert bo.per_hour == 1800.0


@pytest.mark.parametrize("method", ["dawid_skene", "swap"])
def test_who_calls_gold_wrong_is_estimated_to_see_fewer_lenses(graded, method):
    ana, bo = team_of(graded, method).graders
    assert 0 <= bo.lens_seen < ana.lens_seen <= 1
    assert bo.other_seen > 0.5


def test_pairs_are_of_those_who_share_enough_objects(graded):
    (pair,) = team_of(graded).pairs
    assert (pair.first, pair.second) == ("Ana", "Bo")
    assert pair.kappa.n == team_of(graded).fleiss.n >= MIN_SHARED
    # Bo gives one grade to all: agreement is what chance alone would give
    assert pair.kappa.value == pytest.approx(0)
