"""Backups on a schedule, and going back to one that was taken while people graded."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
import sqlalchemy as sa

from lensing_core.errors import BadInputError
from lensing_core.store import backup, database, open_database, sealed_log
from lensing_core.store.backup import backup_database, list_backups, restore_database
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.schedule import (
    BackupSchedule,
    back_up_when_due,
    read_schedule,
    write_schedule,
)
from lensing_core.store.tables import Candidate


@pytest.fixture
def grade(filled_workspace):
    """A function with which Ana grades the first candidate once more."""
    with open_database(filled_workspace).session() as session:
        ana = grader_named(session, "Ana").id
        first = session.scalars(sa.select(Candidate.id).limit(1)).one()

    def give() -> None:
        now = datetime.now(UTC)
        event = NewEvent(str(uuid4()), "grade", ana, first, "abcx", now, grade="A", is_lens=1)
        with open_database(filled_workspace).session() as session:
            append_events(session, [event])

    return give


def test_backups_are_taken_when_due_and_the_oldest_scheduled_ones_go(filled_workspace, grade):
    there = open_database(filled_workspace)
    write_schedule(filled_workspace, BackupSchedule(6, keep=2))
    assert back_up_when_due(filled_workspace, there) is None  # nothing has been graded
    by_hand = backup_database(filled_workspace)
    taken = []
    for k in range(4):
        grade()
        now = datetime.now(UTC) + timedelta(hours=5.9)
        assert back_up_when_due(filled_workspace, there, now) is None, k
        taken.append(back_up_when_due(filled_workspace, there, now + timedelta(hours=0.2)))
    kept = [copy.path for copy in list_backups(filled_workspace)]
    assert kept == [taken[3].path, taken[2].path, by_hand.path]
    later = datetime.now(UTC) + timedelta(days=3)
    for name in ("triage.sqlite", "triage.sqlite-wal"):
        os.utime(filled_workspace.root / name, (0, 0))
    assert back_up_when_due(filled_workspace, there, later) is None  # nothing was written since
    grade()
    write_schedule(filled_workspace, BackupSchedule(0))
    assert back_up_when_due(filled_workspace, there, later) is None


def test_a_schedule_that_cannot_be_is_one_sentence(workspace):
    assert read_schedule(workspace) == BackupSchedule(24, 7)
    for text in ("every_hours = 'daily'", "keep = 0", "keep = 1.5", "evry = 3", "]["):
        (workspace.root / "backups.toml").write_text(text)
        with pytest.raises(BadInputError, match=r"backups\.toml: .*two numbers"):
            read_schedule(workspace)


def test_a_backup_taken_while_people_grade_holds_what_was_acknowledged(
    filled_workspace, grade, monkeypatch
):
    given = []

    class Busy(sqlite3.Connection):
        """Between two steps of its backup somebody grades."""

        def backup(self, target, **_how) -> None:
            def between(*_) -> None:
                assert len(given) < 200, "the backup began anew at each write"
                grade()
                given.append(1)

            super().backup(target, pages=20, progress=between)

    grade()
    with monkeypatch.context() as patch:
        patch.setattr(backup.sqlite3, "connect", partial(sqlite3.connect, factory=Busy))
        backup_database(filled_workspace)
    assert len(given) > 5
    open_database(filled_workspace).engine.dispose()
    database._open.cache_clear()
    restore_database(filled_workspace)
    there = open_database(filled_workspace)
    assert sealed_log.accept_restore(filled_workspace, there).n_events == 1
    grade()
    assert sealed_log.check(filled_workspace, there).n_events == 2
