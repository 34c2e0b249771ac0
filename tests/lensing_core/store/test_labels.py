from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa

from lensing_core.errors import BadInputError, NotFoundError, WorkspaceError
from lensing_core.store import open_database
from lensing_core.store.labels import (
    GENESIS,
    NewEvent,
    append_events,
    grader_named,
    rebuild_votes,
    verify,
)
from lensing_core.store.tables import Candidate, LabelEvent, Vote

ON_BOTH_DATABASES = True
AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def database(filled_workspace):
    return open_database(filled_workspace)


@pytest.fixture
def make(database):
    """A function that makes an event of a grader on the k-th candidate."""
    with database.session() as session:
        ids = session.scalars(sa.select(Candidate.id).order_by(Candidate.id).limit(5)).all()
        graders = {name: grader_named(session, name).id for name in ("Ana", "Bo")}

    def new(k: int = 0, grader: str = "Ana", grade: str | None = "A", **fields) -> NewEvent:
        kind = fields.pop("kind", "grade")
        is_lens = {"A": 1, "X": 0}.get(grade or "")
        return NewEvent(
            uuid=str(uuid4()),
            kind=kind,
            grader_id=graders[grader],
            candidate_id=ids[k],
            scheme="abcx",
            given_at=AT,
            grade=grade if kind == "grade" else None,
            is_lens=is_lens if kind == "grade" else None,
            **fields,
        )

    return new


def append(database, *events: NewEvent) -> list[int]:
    with database.session() as session:
        return [event.id for event in append_events(session, events)]


def votes(database) -> dict[tuple[int, int], str]:
    with database.session() as session:
        return {(v.candidate_id, v.grader_id): v.grade for v in session.scalars(sa.select(Vote))}


def test_events_form_a_chain(database, make):
    assert append(database, make(0), make(1, view={"q": 8.0, "bands": ["i", "r", "g"]})) == [1, 2]
    assert append(database, make(2, "Bo", "X", reject_reason="ring", comment="ångström")) == [3]
    with database.session() as session:
        report = verify(session)
        rows = session.scalars(sa.select(LabelEvent).order_by(LabelEvent.id)).all()
    assert report.n_events == 3
    assert report.head == rows[-1].hash
    assert [row.previous_hash for row in rows] == [GENESIS, rows[0].hash, rows[1].hash]


def test_an_event_sent_twice_is_kept_once(database, make):
    event = make(0)
    assert append(database, event) == append(database, event) == append(database, event, event)[:1]
    with database.session() as session:
        assert verify(session).n_events == 1


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE label_event SET grade = 'X' WHERE id = 2",
        "UPDATE label_event SET given_at = '2020-01-01 00:00:00.000000' WHERE id = 2",
        "UPDATE label_event SET previous_hash = 'f' WHERE id = 2",
    ],
)
def test_a_changed_event_is_found(database, make, tamper):
    append(database, make(0), make(1), make(2))
    with database.session() as session:
        session.execute(sa.text(tamper))
    with database.session() as session, pytest.raises(WorkspaceError, match=r"event 2 .* changed"):
        verify(session)


def test_a_removed_event_is_found(database, make):
    append(database, make(0), make(1), make(2))
    with database.session() as session:
        session.execute(sa.text("DELETE FROM vote"))
        session.execute(sa.text("DELETE FROM label_event WHERE id = 2"))
    with database.session() as session, pytest.raises(WorkspaceError, match="event 2 is missing"):
        verify(session)


def test_the_last_grade_that_stands_is_the_vote(database, make):
    first, second = make(0, grade="A"), make(0, grade="X")
    key = (first.candidate_id, first.grader_id)
    append(database, first, second)
    assert votes(database) == {key: "X"}
    append(database, make(0, kind="undo", undoes=second.uuid))
    assert votes(database) == {key: "A"}
    append(database, make(0, grade="B", is_repeat=True))
    assert votes(database) == {key: "A"}
    append(database, make(0, kind="undo", undoes=first.uuid))
    assert votes(database) == {}


def test_graders_do_not_touch_each_others_votes(database, make):
    mine, other = make(0, "Ana", "A"), make(0, "Bo", "X")
    append(database, mine, other)
    with pytest.raises(BadInputError, match="not of this grader"):
        append(database, make(0, "Bo", kind="undo", undoes=mine.uuid))
    assert sorted(votes(database).values()) == ["A", "X"]


def test_votes_can_be_made_again_from_the_log(database, make):
    undone = make(1)
    append(database, make(0), undone, make(0, "Bo", "X"), make(0, grade="B"), make(2, kind="skip"))
    append(database, make(1, kind="undo", undoes=undone.uuid))
    before = votes(database)
    with database.session() as session:
        session.execute(sa.delete(Vote))
    with database.session() as session:
        assert rebuild_votes(session) == 2
    assert votes(database) == before


def test_nothing_is_written_where_one_event_is_bad(database, make):
    good = make(0)
    for bad in (
        replace(make(1), uuid="not-a-uuid"),
        replace(make(1), grade=None),
        make(1, "Ana", "X", reject_reason="ufo"),
        make(1, kind="undo", undoes=str(uuid4())),
        make(1, comment="x" * 4001),
    ):
        with pytest.raises(BadInputError, match=r"Event|Undo"):
            append(database, good, bad)
    with pytest.raises(NotFoundError, match="Candidate 999999 does not exist"):
        append(database, good, replace(make(1), candidate_id=999999))
    with database.session() as session:
        assert verify(session).n_events == 0


def test_writers_take_turns(database, make):
    each, failures = 25, []
    batches = [[make(k % 5, grader) for k in range(each)] for grader in ("Ana", "Bo", "Ana", "Bo")]

    def write(events: list[NewEvent]) -> None:
        try:
            for event in events:
                append(database, event)
        except Exception as error:  # noqa: BLE001 - reported by the test
            failures.append(error)

    threads = [threading.Thread(target=write, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with database.session() as session:
        assert verify(session).n_events == 4 * each
