"""Grades of Review: what is written, what is refused, and what is sent twice."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from rows import add_catalog
from sqlalchemy import select

from lensing_core.labeling.reviewing import record_in_review
from lensing_core.store import open_database
from lensing_core.store.labels import NewEvent, append_events, grader_named, verify
from lensing_core.store.tables import (
    Candidate,
    Ensemble,
    LabelEvent,
    LabelSession,
    Remark,
    Vote,
)


@pytest.fixture
def session(workspace):
    """Candidates 1 and 2, Ada (1) and Vera (2), the ensemble "first" (1)."""
    with open_database(workspace).session() as session:
        assert add_catalog(session, "mine", 2) == [1, 2]
        assert [grader_named(session, name).id for name in ("Ada", "Vera")] == [1, 2]
        session.add(Ensemble(id=1, name="first", fusion="mean", manifest={}))
        session.flush()
        yield session


def grade(key: str, candidate: int = 1, **fields) -> dict:
    at = datetime.now(UTC).isoformat()
    given = {"uuid": str(uuid4()), "kind": "grade", "candidate": candidate, "ensemble_id": 1}
    return {**given, "grade": key, "given_at": at, "shown_ms": 10, **fields}


def undo(candidate: int = 1, **fields) -> dict:
    at = datetime.now(UTC).isoformat()
    return {"uuid": str(uuid4()), "kind": "undo", "candidate": candidate, "given_at": at, **fields}


def refusals(session, grader_id: int, *events: dict) -> list[str]:
    return [outcome.refused for outcome in record_in_review(session, grader_id, events)]


def votes(session) -> dict[tuple[int, int], str]:
    return {(v.grader_id, v.candidate_id): v.grade for v in session.scalars(select(Vote))}


def test_a_grade_is_one_event_that_says_what_was_seen(session) -> None:
    event = grade("B", shown_ms=1234, view={"preset": "faint"})
    assert refusals(session, 1, event) == [""]
    assert refusals(session, 1, event, event) == ["", ""]  # sent again, it is kept once
    assert refusals(session, 2, grade("X")) == [""]
    events = session.scalars(select(LabelEvent).order_by(LabelEvent.id)).all()
    assert [(e.grade, e.is_lens, e.session_id) for e in events] == [("B", 1, None), ("X", 0, None)]
    assert events[0].visible == {
        "blind": False,
        "page": "review",
        "ensemble": "first",
        "votes_of_others": 0,
    }
    assert events[1].visible["votes_of_others"] == 1
    assert (events[0].shown_ms, events[0].view) == (1234, {"preset": "faint"})
    assert verify(session).n_events == 2


def test_an_undo_takes_back_the_grade_that_it_names_or_the_one_that_stands(session) -> None:
    first, second = grade("A"), grade("B")
    assert refusals(session, 1, first, second, undo()) == ["", "", ""]
    assert votes(session) == {(1, 1): "A"}
    again = undo(undoes=first["uuid"])
    assert refusals(session, 1, again, again) == ["", ""]
    assert votes(session) == {}
    assert "no grade" in refusals(session, 1, undo())[0]
    assert verify(session).n_events == 4


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (grade("Q"), "Q"),
        (grade("B", candidate=99), "does not exist"),
        (grade("B", candidate="1"), "andidate: give its id"),
        (grade("B", given_at="yesterday"), "iven_at"),
        (grade("A", reject_reason="ring"), "says no lens"),
        (grade("B", uuid="1"), "UUID"),
        (grade("B", kind="skip"), "kind"),
        (grade("B", ensemble_id=9), "nsemble"),
        (undo(), "no grade"),
        (undo(undoes=str(uuid4())), "not one of yours"),
    ],
)
def test_what_is_wrong_is_refused_and_keeps_none_of_the_others_out(session, event, why) -> None:
    before, after = grade("B", 2), grade("C", 2)
    outcomes = record_in_review(session, 1, [before, event, after])
    assert [bool(outcome.refused) for outcome in outcomes] == [False, True, False]
    assert why in outcomes[1].refused
    assert outcomes[1].uuid == event["uuid"]
    assert votes(session) == {(1, 2): "C"}


def test_grades_of_others_and_of_sessions_are_left_alone(session) -> None:
    hers = grade("A")
    assert refusals(session, 2, hers) == [""]
    assert "not one of yours" in refusals(session, 1, undo(undoes=hers["uuid"]))[0]
    assert "another grader" in refusals(session, 1, {**grade("X"), "uuid": hers["uuid"]})[0]
    session.add(LabelSession(id="abc", name="night", scheme={}, queue={}, options={}))
    session.flush()
    uuid, at = str(uuid4()), datetime.now(UTC)
    append_events(
        session,
        [NewEvent(uuid, "grade", 1, 1, "abcx", at, session_id="abc", grade="C", is_lens=None)],
    )
    assert "undo it there" in refusals(session, 1, undo())[0]
    assert "undo it there" in refusals(session, 1, undo(undoes=uuid))[0]
    assert votes(session) == {(1, 1): "C", (2, 1): "A"}


def remark(kind: str, candidate: int = 1, **fields) -> dict:
    return {"uuid": str(uuid4()), "kind": kind, "candidate": candidate, **fields}


def remarks(session) -> list[tuple[str, str, str]]:
    return [(r.kind, r.value, r.text) for r in session.scalars(select(Remark).order_by(Remark.id))]


def test_notes_tags_and_moves_are_written_once_however_often_they_are_sent(session) -> None:
    sent = [
        remark("note", text=" blue arc "),
        remark("tag", tag="quad"),
        remark("stage", stage="triage", expected="detection"),
        grade("B"),
        remark("stage", stage="rejected", expected="triage", reason="spiral"),
        remark("untag", tag="quad"),
    ]
    assert refusals(session, 1, *sent) == [""] * 6
    assert refusals(session, 1, *sent, *sent) == [""] * 12
    assert remarks(session) == [
        ("note", "", "blue arc"),
        ("tag", "quad", ""),
        ("stage", "triage", ""),
        ("stage", "rejected", "spiral"),
        ("untag", "quad", ""),
    ]
    assert session.get_one(Candidate, 1).stage == "rejected"
    assert votes(session) == {(1, 1): "B"}


def test_what_changed_nothing_changes_nothing_when_it_is_sent_again(session) -> None:
    assert refusals(session, 1, remark("tag", tag="quad")) == [""]
    again = remark("tag", tag="Quad")  # there already
    assert refusals(session, 1, again) == [""]
    assert refusals(session, 2, remark("untag", tag="quad")) == [""]
    assert refusals(session, 1, again) == [""]
    assert [kind for kind, _, _ in remarks(session)] == ["tag", "untag"]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (remark("note", text=" "), "1 to 4000 letters"),
        (remark("note"), "ext None: give text"),
        (remark("note", text="a\x00b"), "U\\+0000"),
        (remark("tag", tag=["quad"]), "give text"),
        (remark("stage", stage="triage", expected="validation"), "Somebody has moved"),
        (remark("stage", stage="rejected"), "with a reason"),
        (remark("tag", tag="x", uuid="1"), "UUID"),
        (remark("tag", candidate=99, tag="x"), "does not exist"),
    ],
)
def test_a_wrong_remark_is_refused_and_keeps_no_other_out(session, event, why) -> None:
    refused, written = refusals(session, 1, event, remark("note", text="fine"))
    assert re.search(why, refused)
    assert written == ""
    assert remarks(session) == [("note", "", "fine")]


def test_the_uuid_of_another_grader_is_refused(session) -> None:
    note = remark("note", text="mine")
    assert refusals(session, 1, note) == [""]
    assert "another grader" in refusals(session, 2, note)[0]
    assert len(remarks(session)) == 1
