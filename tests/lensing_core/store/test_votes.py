"""Grades that stand."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from rows import add_catalog

from lensing_core.store import Session, open_database
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.tables import LabelSession
from lensing_core.store.votes import (
    GivenGrade,
    OwnGrade,
    count_grades_of_others,
    grades_of,
    own_grade,
)


@pytest.fixture
def session(workspace):
    with open_database(workspace).session() as session:
        yield session


def give(session: Session, candidate: int, grader: int, grade: str | None, **fields) -> str:
    kind = "grade" if grade else "undo"
    uuid, at = str(uuid4()), datetime.now(UTC)
    event = NewEvent(uuid, kind, grader, candidate, "abcx", at, grade=grade, **fields)
    append_events(session, [event])
    return uuid


def test_grades_come_by_the_name_of_the_grader(session) -> None:
    a, b, _ = add_catalog(session, "mine", 3)
    vera, ada = (grader_named(session, name).id for name in ("Vera", "Ada"))
    give(session, a, vera, "B")
    give(session, a, ada, "C")
    give(session, b, vera, "X")
    give(session, a, vera, "A")  # instead of the first
    assert grades_of(session, {a, b}) == [
        GivenGrade(a, ada, "Ada", "abcx", "C"),
        GivenGrade(a, vera, "Vera", "abcx", "A"),
        GivenGrade(b, vera, "Vera", "abcx", "X"),
    ]
    assert grades_of(session, []) == []
    assert count_grades_of_others(session, a, ada) == 1
    assert count_grades_of_others(session, b, ada) == 1
    assert count_grades_of_others(session, b, vera) == 0


def test_an_own_grade_is_named_by_the_event_that_gave_it(session) -> None:
    (only,) = add_catalog(session, "mine", 1)
    ada, vera = (grader_named(session, name).id for name in ("Ada", "Vera"))
    first = give(session, only, ada, "B")
    second = give(session, only, ada, "A")
    assert own_grade(session, only, ada) == OwnGrade(second, "abcx", None)
    give(session, only, ada, None, undoes=second)
    assert own_grade(session, only, ada) == OwnGrade(first, "abcx", None)
    give(session, only, ada, None, undoes=first)
    assert own_grade(session, only, ada) is None
    assert own_grade(session, only, vera) is None


def test_an_own_grade_says_in_which_session_it_was_given(session) -> None:
    (only,) = add_catalog(session, "mine", 1)
    ada = grader_named(session, "Ada").id
    session.add(LabelSession(id="s1", name="Night one", scheme={}, queue={}, options={}))
    session.flush()
    uuid = give(session, only, ada, "B", session_id="s1")
    assert own_grade(session, only, ada) == OwnGrade(uuid, "abcx", "s1")
