from __future__ import annotations

import sqlite3
import threading

import pytest
import sqlalchemy as sa

from lensing_core.errors import WorkspaceError
from lensing_core.store import open_database
from lensing_core.store.backup import backup_database, list_backups
from lensing_core.store.tables import Candidate, SurveyRow
from lensing_core.workspace import Workspace


def test_a_backup_is_a_whole_workspace_database(filled_workspace, tmp_path):
    database = open_database(filled_workspace)
    first = backup_database(filled_workspace)
    second = backup_database(filled_workspace)
    assert [b.path for b in list_backups(filled_workspace)] == [second.path, first.path]
    assert first.size_bytes == first.path.stat().st_size

    restored = Workspace.create(tmp_path / "restored")
    restored.database.write_bytes(first.path.read_bytes())
    count = sa.select(sa.func.count()).select_from(Candidate)
    with database.session() as session, open_database(restored).session() as other:
        assert session.scalar(count) == other.scalar(count) > 0


def test_writers_go_on_while_a_backup_is_taken(workspace):
    database = open_database(workspace)
    stop, written = threading.Event(), []

    def write() -> None:
        while not stop.is_set():
            with database.session() as session:
                session.add(SurveyRow(name=f"s{len(written)}", definition={}))
            written.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        backup = backup_database(workspace)
    finally:
        stop.set()
        writer.join()
    rows = sqlite3.connect(backup.path).execute("SELECT count(*) FROM survey").fetchone()[0]
    assert 0 <= rows <= len(written)
    assert len(written) > 0


def test_a_damaged_database_gives_no_backup(filled_workspace):
    database = open_database(filled_workspace)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.engine.dispose()
    with filled_workspace.database.open("rb+") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 4)
    with pytest.raises(WorkspaceError, match=r"damaged|could not be written"):
        backup_database(filled_workspace)
    assert list(filled_workspace.backups.iterdir()) == []
