"""Copies of the database, taken while it is in use."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lensing_core.errors import WorkspaceError
from lensing_core.private_files import make_private_folder, touch_private
from lensing_core.store.database import Database
from lensing_core.workspace import Workspace

_STAMP = "%Y%m%dT%H%M%S%fZ"
_PAGES_A_STEP = 4096  # between steps other writers get their turn


@dataclass(frozen=True)
class Backup:
    """A copy of the database.

    Attributes
    ----------
    path : Path
    taken_at : datetime
        UTC.
    size_bytes : int
    """

    path: Path
    taken_at: datetime
    size_bytes: int


def backup_database(workspace: Workspace, database: Database) -> Backup:
    """Copy the database into ``backups/``, as it stood at one moment, while others go on writing.

    The copy is checked before it gets its name; to go back to one, stop the server and put it in
    the place of ``triage.sqlite`` (without the files ``-wal`` and ``-shm``).

    Raises
    ------
    WorkspaceError
        If the database is not SQLite, the copy cannot be written, or it is damaged.
    """
    if database.engine.dialect.name != "sqlite":
        raise WorkspaceError(
            f"This workspace keeps its database on {database.engine.dialect.name}: back it up with "
            "that server's own tools (PostgreSQL: pg_dump)."
        )
    now = datetime.now(UTC)
    path = workspace.backups / f"triage-{now.strftime(_STAMP)}.sqlite"
    part = path.with_suffix(".part")
    try:
        make_private_folder(workspace.backups)
        touch_private(part)
        with (
            closing(sqlite3.connect(workspace.database)) as source,
            closing(sqlite3.connect(part)) as copy,
        ):
            source.backup(copy, pages=_PAGES_A_STEP)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, complete in itself
            (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise WorkspaceError(f"{workspace.database} is damaged: {verdict}. No backup was made.")
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.rename(path)
    except (OSError, sqlite3.Error) as error:
        raise WorkspaceError(f"The backup {path} could not be written: {error}.") from error
    finally:
        part.unlink(missing_ok=True)
    return Backup(path, now, path.stat().st_size)


def list_backups(workspace: Workspace) -> list[Backup]:
    """The copies in ``backups/``, the newest first."""
    found = []
    for path in workspace.backups.glob("triage-*.sqlite"):
        try:
            at = datetime.strptime(path.stem.removeprefix("triage-"), _STAMP).replace(tzinfo=UTC)
        except ValueError:  # not one of ours
            continue
        found.append(Backup(path, at, path.stat().st_size))
    return sorted(found, key=lambda backup: backup.taken_at, reverse=True)
