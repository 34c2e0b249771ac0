"""Going back to a backup; databases that are empty, missing, damaged or of another program."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest
import sqlalchemy as sa
from alembic import command

from lensing_core.errors import NotFoundError, StorageError, WorkspaceError
from lensing_core.store import Database, database, open_database
from lensing_core.store.backup import backup_database, list_backups, restore_database
from lensing_core.store.tables import Candidate, Run, SurveyRow


def close(workspace) -> None:
    """What the end of a process does."""
    open_database(workspace).engine.dispose()
    database._open.cache_clear()


def count(workspace, table) -> int:
    with open_database(workspace).session() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_a_restored_backup_is_the_database_and_the_replaced_one_is_kept(filled_workspace):
    before = count(filled_workspace, Candidate), count(filled_workspace, SurveyRow)
    backup = backup_database(filled_workspace)
    with open_database(filled_workspace).session() as session:
        session.add(SurveyRow(name="later", definition={}))
    close(filled_workspace)
    restored = restore_database(filled_workspace)
    assert restored.backup == backup.path
    assert (count(filled_workspace, Candidate), count(filled_workspace, SurveyRow)) == before
    with sqlite3.connect(restored.replaced) as kept:
        assert ("later",) in kept.execute("SELECT name FROM survey").fetchall()
    assert list_backups(filled_workspace) == [backup]


def test_what_is_only_in_the_write_ahead_log_is_kept_with_the_replaced_database(workspace):
    backup_database(workspace)
    program = (
        "import os, sys; from lensing_core.store import open_database\n"
        "from lensing_core.store.tables import SurveyRow\n"
        "from lensing_core.workspace import Workspace\n"
        "with open_database(Workspace.open(sys.argv[1])).session() as session:\n"
        "    session.add(SurveyRow(name='unwritten', definition={}))\n"
        "os._exit(0)"  # as kill -9: the log is not brought into the file
    )
    subprocess.run([sys.executable, "-c", program, workspace.root], check=True)
    assert workspace.database.with_name("triage.sqlite-wal").stat().st_size > 0
    replaced = restore_database(workspace).replaced
    assert not workspace.database.with_name("triage.sqlite-wal").exists()
    with sqlite3.connect(replaced) as kept:
        assert kept.execute("SELECT name FROM survey").fetchall() == [("unwritten",)]


def test_nothing_is_restored_under_a_server_or_a_run(filled_workspace):
    backup_database(filled_workspace)
    program = (
        "import sys; from lensing_core.store import open_database\n"
        "from lensing_core.workspace import Workspace\n"
        "open_database(Workspace.open(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    close(filled_workspace)
    with subprocess.Popen(
        [sys.executable, "-c", program, filled_workspace.root],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as user:  # fmt: skip
        assert user.stdout.readline() == "open\n"
        with pytest.raises(WorkspaceError, match="is in use: stop its server"):
            restore_database(filled_workspace)
        user.stdin.close()
    assert restore_database(filled_workspace).replaced is not None


def test_a_damaged_backup_changes_nothing(filled_workspace):
    backup = backup_database(filled_workspace).path
    with backup.open("rb+") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 4)
    foreign = filled_workspace.root / "foreign.sqlite"
    with sqlite3.connect(foreign) as other:
        other.execute("CREATE TABLE thing (id)")
    close(filled_workspace)
    before = filled_workspace.database.read_bytes()
    for path, words in ((backup, "damaged|malformed"), (foreign, "no database of lens-triage")):
        with pytest.raises(WorkspaceError, match=words):
            restore_database(filled_workspace, path)
    with pytest.raises(NotFoundError, match="There is no backup"):
        restore_database(filled_workspace, filled_workspace.root / "none.sqlite")
    assert filled_workspace.database.read_bytes() == before
    assert not list(filled_workspace.root.glob("*.restoring*"))


def test_an_empty_or_missing_database_is_not_a_new_workspace(workspace):
    backup_database(workspace)
    close(workspace)
    workspace.database.write_bytes(b"")
    with pytest.raises(WorkspaceError, match=r"empty \(0 bytes\).*db restore"):
        open_database(workspace)
    assert workspace.database.stat().st_size == 0
    workspace.database.unlink()
    with pytest.raises(WorkspaceError, match=r"is missing although .* holds copies"):
        open_database(workspace)
    restore_database(workspace)
    assert count(workspace, Run) == 0


def test_a_database_of_another_program_is_left_alone(workspace):
    workspace.database.unlink()
    with sqlite3.connect(workspace.database) as other:
        other.execute("CREATE TABLE thing (id)")
    with pytest.raises(WorkspaceError, match="tables of another program"):
        open_database(workspace)


def test_a_migration_is_preceded_by_a_checked_backup(workspace):
    older = Database.from_url(f"sqlite:///{workspace.database}")
    command.downgrade(database._alembic_config(older.engine), "-1")
    older.engine.dispose()
    (revision,) = (
        sqlite3.connect(workspace.database)
        .execute("SELECT version_num FROM alembic_version")
        .fetchone()
    )
    open_database(workspace)
    (taken,) = list_backups(workspace)
    kept = sqlite3.connect(taken.path)
    assert kept.execute("SELECT version_num FROM alembic_version").fetchone() == (revision,)
    assert kept.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_migration_without_room_for_its_backup_is_not_begun(workspace, monkeypatch):
    older = Database.from_url(f"sqlite:///{workspace.database}")
    command.downgrade(database._alembic_config(older.engine), "-1")
    older.engine.dispose()
    before = workspace.database.read_bytes()
    workspace.backups.rmdir()
    workspace.backups.write_text("a file where the folder was")
    with pytest.raises(WorkspaceError, match="could not be written"):
        open_database(workspace)
    assert workspace.database.read_bytes() == before


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (b"no database" * 500, "damaged or not a database of SQLite; restore a backup"),
        (b"SQLite format 3\0" + b"\xff" * 8000, "damaged or not a database"),
    ],
)
def test_a_damaged_file_is_one_sentence(workspace, contents, words):
    workspace.database.write_bytes(contents)
    with pytest.raises(StorageError, match=words) as told:
        open_database(workspace)
    assert str(workspace.database) in str(told.value)
