"""Grades of visibility: in the log, no votes, one class a candidate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from rows import add_catalog

from lensing_core.consensus import SCHEMES
from lensing_core.store import open_database
from lensing_core.store.label_events import build_event
from lensing_core.store.labels import append_events, grader_named, rebuild_votes, verify
from lensing_core.store.tables import Vote
from lensing_core.store.visibility import visibility_complete, visibility_of

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
ARCS, LENS = SCHEMES["visibility"], SCHEMES["abcx"]


@pytest.fixture
def session(workspace):
    with open_database(workspace).session() as opened:
        add_catalog(opened, "sky", 4)
        yield opened


def say(session, name, candidate, grade, scheme=ARCS, **more) -> str:
    sent = {"uuid": str(uuid4()), "kind": "grade", "grade": grade, "given_at": AT, **more}
    grader = grader_named(session, name).id
    event = build_event(sent, scheme=scheme, grader_id=grader, candidate_id=candidate)
    append_events(session, [event])
    return event.uuid


def test_they_are_no_votes_and_leave_those_of_lenses_alone(session):
    say(session, "Ana", 1, "A", LENS)
    say(session, "Ana", 1, "clear")
    say(session, "Ana", 2, "no")
    (vote,) = session.query(Vote)
    assert (vote.candidate_id, vote.grade, vote.is_lens) == (1, "A", 1)
    assert verify(session).n_votes == 1
    assert rebuild_votes(session) == 1


def test_most_graders_decide_and_of_a_tie_the_less_visible_class(session):
    for name, grade in (("Ana", "clear"), ("Bo", "clear"), ("Cy", "no")):
        say(session, name, 1, grade)
    say(session, "Ana", 2, "clear")
    say(session, "Bo", 2, "doubtful")
    assert visibility_of(session, [1, 2, 3]) == {1: "clear", 2: "doubtful"}


def test_the_newest_grade_counts_unless_it_was_taken_back(session):
    say(session, "Ana", 1, "clear")
    later = say(session, "Ana", 1, "no")
    assert visibility_of(session, [1]) == {1: "no"}
    say(session, "Ana", 1, None, kind="undo", undoes=later, given_at=AT + timedelta(minutes=1))
    assert visibility_of(session, [1]) == {1: "clear"}


def test_complete_is_what_enough_graders_have_graded(session):
    session_id = None
    for name in ("Ana", "Bo"):
        say(session, name, 1, "clear")
    assert visibility_complete(session, session_id, 0) == set()
    assert visibility_complete(session, session_id, 2) == {1}
    assert visibility_complete(session, session_id, 3) == set()
