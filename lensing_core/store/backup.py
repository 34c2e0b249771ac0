"""Copies of the database, taken while it is in use, and the way back to one."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lensing_core.disk import require_space
from lensing_core.errors import NotFoundError, WorkspaceError
from lensing_core.private_files import make_private_folder, touch_private
from lensing_core.store.failures import sentence_of
from lensing_core.store.use import alone
from lensing_core.workspace import Workspace

BY_HAND, SCHEDULED = "triage", "scheduled"
"""Beginnings of names of backups: asked for or taken before a migration, and on schedule."""
_TIME_FORMAT = "%Y%m%dT%H%M%S%fZ"
_PAGES_A_STEP = 4096  # between steps other writers get their turn
_BESIDE = ("-wal", "-shm")


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

    @property
    def is_scheduled(self) -> bool:
        """Return whether it was taken on schedule, so that it goes when there are too many."""
        return self.path.name.startswith(f"{SCHEDULED}-")


@dataclass(frozen=True)
class Restored:
    """A backup that was put in place of the database.

    Attributes
    ----------
    backup : Path
    replaced : Path or None
        Where the database that it replaced is kept; None if there was none.
    """

    backup: Path
    replaced: Path | None


def backup_database(workspace: Workspace, *, kind: str = BY_HAND) -> Backup:
    """Copy the database into ``backups/``, as it stood at one moment, while others go on writing.

    The copy is checked before it gets its name; :func:`restore_database` goes back to one.

    Raises
    ------
    WorkspaceError
        If the database is not SQLite, the copy cannot be written, or it is damaged.
    """
    _require_file(workspace, "back it up")
    now = datetime.now(UTC)
    path = workspace.backups / f"{kind}-{now.strftime(_TIME_FORMAT)}.sqlite"
    require_space(workspace.backups, _size(workspace.database), "A backup of the database")
    try:
        make_private_folder(workspace.backups)
        _copy(workspace.database, path)
    except (OSError, sqlite3.Error) as error:
        raise WorkspaceError(
            f"The backup {path} could not be written: {sentence_of(error, workspace) or error}"
        ) from error
    return Backup(path, now, path.stat().st_size)


def list_backups(workspace: Workspace) -> list[Backup]:
    """The copies in ``backups/``, the newest first."""
    backups = []
    for path in workspace.backups.glob("*.sqlite"):
        kind, _, time = path.stem.partition("-")
        if kind not in (BY_HAND, SCHEDULED):
            continue
        try:
            at = datetime.strptime(time, _TIME_FORMAT).replace(tzinfo=UTC)
        except ValueError:  # not one of ours
            continue
        backups.append(Backup(path, at, path.stat().st_size))
    return sorted(backups, key=lambda backup: backup.taken_at, reverse=True)


def restore_database(workspace: Workspace, backup: Path | None = None) -> Restored:
    """Put a backup in place of the database; the database that it replaces is kept in ``backups/``.

    Parameters
    ----------
    backup : Path, optional
        Default: the newest of ``backups/``.

    Raises
    ------
    NotFoundError
        If there is no such backup.
    WorkspaceError
        If a server or a run uses the workspace, or the backup is damaged; nothing is changed.
    """
    _require_file(workspace, "restore it")
    if backup is None:
        backups = list_backups(workspace)
        if not backups:
            raise NotFoundError(f"{workspace.backups} holds no backup.")
        backup = backups[0].path
    if not backup.is_file():
        raise NotFoundError(f"There is no backup {backup}.")
    require_space(workspace.root, _size(backup), "The restored database")
    part = workspace.database.with_suffix(".restoring")
    with alone(workspace):
        try:
            _copy(backup, part)
            _require_ours(part, backup)
            replaced = set_aside(workspace)
            part.rename(workspace.database)
            sync_folder(workspace.root)
        except (OSError, sqlite3.Error) as error:
            raise WorkspaceError(
                f"{backup} could not be restored: {sentence_of(error, workspace) or error} "
                "Choose another backup."
            ) from error
        finally:
            part.unlink(missing_ok=True)
    return Restored(backup, replaced)


def _size(database: Path) -> int:
    """Bytes of a database with its write-ahead log."""
    files = [database, *(database.with_name(database.name + suffix) for suffix in _BESIDE)]
    return sum(file.stat().st_size for file in files if file.is_file())


def _require_file(workspace: Workspace, what: str) -> None:
    if workspace.database_url_file.is_file():
        raise WorkspaceError(
            f"This workspace keeps its database on a server ({workspace.database_url_file}): "
            f"{what} with that server's own tools (PostgreSQL: pg_dump, pg_restore)."
        )


def _copy(source: Path, target: Path) -> None:
    """Copy a database into one file, complete in itself and checked, which appears whole."""
    part = target.with_name(target.name + ".part")
    touch_private(part)
    address = f"{source.resolve().as_uri()}?mode=ro"
    try:
        with (
            closing(sqlite3.connect(address, uri=True)) as reading,
            closing(sqlite3.connect(part)) as copy,
        ):
            # One moment is held, or every write of another process would begin the copy anew.
            reading.isolation_level = None
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
            reading.backup(copy, pages=_PAGES_A_STEP)
            copy.execute("PRAGMA journal_mode=DELETE")
            (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise WorkspaceError(f"{source} is damaged: {verdict}. It was not copied.")
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.rename(target)
        sync_folder(target.parent)
    finally:
        part.unlink(missing_ok=True)


def _require_ours(copy: Path, backup: Path) -> None:
    """Refuse a database of another program, or an empty one."""
    with closing(sqlite3.connect(copy)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if not {"alembic_version", "label_event", "candidate"} <= names:
        raise WorkspaceError(f"{backup} is no database of lens-triage; choose another backup.")


def set_aside(workspace: Workspace) -> Path | None:
    """Move the database, with what belongs to it, into ``backups/`` under a name of its own."""
    if not workspace.database.exists():
        return None
    make_private_folder(workspace.backups)
    aside = workspace.backups / f"replaced-{datetime.now(UTC).strftime(_TIME_FORMAT)}.sqlite"
    # The write-ahead log first: without it the file would be an older state of itself.
    for suffix in _BESIDE:
        beside = workspace.database.with_name(workspace.database.name + suffix)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + suffix))
    workspace.database.rename(aside)
    return aside


def sync_folder(folder: Path) -> None:
    """Bring names that were given in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
