"""Hashes that an older version took of values in another form."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa
from rows import add_catalog

from lensing_core.errors import WorkspaceError
from lensing_core.store import open_database, sealed_log
from lensing_core.store.chain import event_hash
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.tables import LabelEvent, LogNote

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
FORMS = {
    2: {"given_at": "2026-05-01T14:00:00.000000+02:00"},
    4: {"shown_ms": "12"},
    5: {"given_at": "2026-05-01T17:30:00.000000+05:30", "shown_ms": "12"},
    7: {"shown_ms": 12.0},
}


@pytest.fixture
def database(workspace):
    """A log of eight events; the hashes of four are those that an older version took."""
    database = open_database(workspace)
    with database.session() as session:
        add_catalog(session, "survey", 8)
        ana = grader_named(session, "Ana").id
        events = [
            NewEvent(str(uuid4()), "grade", ana, k, "abcx", AT, grade="A", is_lens=1, shown_ms=12)
            for k in range(1, 9)
        ]
        append_events(session, events)
    with database.session() as session:
        previous = "0" * 64
        for event in session.scalars(sa.select(LabelEvent).order_by(LabelEvent.id)).all():
            event.previous_hash = previous
            previous = event.hash = event_hash(event, FORMS.get(event.id))
        session.execute(sa.text("DELETE FROM log_seal"))
        session.execute(sa.text("DELETE FROM sealed_identity"))
    return database


def test_a_repair_notes_in_which_form_values_were_hashed(workspace, database):
    with pytest.raises(WorkspaceError, match=r"event 2 .* db repair"):
        sealed_log.check(workspace, database)
    with database.session() as session:
        before = [e.hash for e in session.scalars(sa.select(LabelEvent).order_by(LabelEvent.id))]
    report = sealed_log.repair(database)
    assert (report.repaired, report.n_events) == ((2, 4, 5, 7), 8)
    sealed_log.seal(workspace, database)
    checked = sealed_log.check(workspace, database)
    assert (checked.n_events, checked.n_repaired, checked.n_votes) == (8, 4, 8)
    with database.session() as session:
        notes = session.scalars(sa.select(LogNote).where(LogNote.kind == "repair")).all()
        after = [e.hash for e in session.scalars(sa.select(LabelEvent).order_by(LabelEvent.id))]
    assert after == before  # nothing is discarded
    assert {n.event_id: n.details["hashed_as"] for n in notes} == FORMS
    assert all(n.made_by and n.details["hash"] == before[n.event_id - 1] for n in notes)
    assert sealed_log.repair(database).repaired == ()


def test_tampering_is_never_repaired(workspace, database):
    with database.session() as session:
        session.execute(sa.text("UPDATE label_event SET grade = 'X' WHERE id = 5"))
    with pytest.raises(WorkspaceError, match=r"event 5 .* Nothing was repaired"):
        sealed_log.repair(database)
    with database.session() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(LogNote)) == 0


def test_a_note_cannot_change_what_an_event_says(workspace, database):
    sealed_log.repair(database)
    with database.session() as session:
        session.execute(
            sa.text("UPDATE label_event SET given_at = '2020-01-01 00:00:00.000000' WHERE id = 2")
        )
    with pytest.raises(WorkspaceError, match="repair of label event 2 does not fit"):
        sealed_log.check(workspace, database)
