"""One sentence for what disks and databases refuse: which file, what is wrong, what to do."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import SQLAlchemyError

from lensing_core.errors import (
    BadInputError,
    ContractError,
    LensTriageError,
    NotFoundError,
    PolicyError,
    StorageError,
)
from lensing_core.workspace import Workspace

DATABASE_ERRORS = (StorageError, SQLAlchemyError)
"""Errors that a statement can raise: with a sentence for people, and without."""
_OF_SYSTEM = {
    errno.ENOSPC: "no space is left on its disk; free some, then try again",
    errno.EDQUOT: "the quota of this user is used up; free some space, then try again",
    errno.EROFS: "it lies on a file system that is read-only; remount it, or copy it elsewhere",
    errno.EACCES: "this user has no right to it; change its permissions or its owner",
    errno.EPERM: "this user has no right to it; change its permissions or its owner",
    errno.EIO: "the disk could not read or write it; check the disk, then restore a backup",
    errno.EMFILE: "too many files are open; raise the limit (ulimit -n), then try again",
    errno.ENOENT: "there is no such file or folder",
    errno.ENOTDIR: "a part of its path is a file, not a folder",
    errno.EISDIR: "it is a folder; a file is needed",
    errno.ENAMETOOLONG: "its name is too long; choose a shorter one",
}
_DAMAGED = (
    "it is damaged or not a database of SQLite; restore a backup with: lens-triage db restore"
)
_OF_SQLITE = {
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_READONLY: (
        "it cannot be written; make the file and its folder writable for this user"
    ),
    sqlite3.SQLITE_FULL: _OF_SYSTEM[errno.ENOSPC],
    sqlite3.SQLITE_IOERR: (
        "the disk could not read or write it; free some space or check the disk, then try again"
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "it cannot be opened; make the file and its folder readable and writable for this user"
    ),
    sqlite3.SQLITE_PERM: _OF_SYSTEM[errno.EACCES],
    sqlite3.SQLITE_BUSY: "another process keeps it locked; wait for it to end, then try again",
    sqlite3.SQLITE_LOCKED: "another process keeps it locked; wait for it to end, then try again",
}
_OF_POSTGRESQL = {
    "53100": "its disk is full; free some space there, then try again",
    "53300": "it has too many connections; close some, or raise max_connections",
    "25006": "it takes no writes (read-only)",
    "28P01": "it refuses the password; correct the file database-url",
    "28000": "it refuses this user; correct the file database-url",
    "3D000": "it has no database of that name; make it, or correct the file database-url",
    "42501": "this user may not do that there; grant it the rights on the database",
}


def sentence_of(error: BaseException, workspace: Workspace | None = None) -> str | None:
    """Return what a user is told of a failure of the disk or the database; None for any other
    error.

    Parameters
    ----------
    workspace : Workspace, optional
        Named where the error itself names no file.
    """
    if isinstance(error, StorageError):
        return str(error)
    if isinstance(error, sqlite3.Error):
        return _of_sqlite(error, None if workspace is None else str(workspace.database))
    if isinstance(error, OSError):
        return _of_system(error, workspace)
    if isinstance(error, MemoryError):
        return "The memory ran out; close other programs, or choose a smaller batch size."
    cause = getattr(error, "orig", None) or error.__cause__
    return None if cause is None else sentence_of(cause, workspace)


def describe(error: OSError) -> str:
    """One sentence for any error of the system."""
    return _of_system(error, None) or f"{error}."


def kind_of_failure(error: BaseException) -> str:
    """Return the kind of a run's failure: ``settings``, ``input``, ``machine`` or ``bug``.

    Only of ``settings`` is it certain that the same run would fail again.
    """
    if isinstance(error, (ContractError, PolicyError)):
        return "settings"
    if isinstance(error, (BadInputError, NotFoundError)):
        return "input"
    if isinstance(error, LensTriageError) or sentence_of(error) is not None:
        return "machine"
    return "bug"


def explain_database_errors(context: ExceptionContext) -> StorageError | None:
    """Return a sentence for the driver's error, if known; for SQLAlchemy's ``handle_error``."""
    original = context.original_exception
    engine: Engine | None = context.engine
    if isinstance(original, sqlite3.Error):
        sentence = _of_sqlite(original, None if engine is None else engine.url.database)
    else:
        sentence = _of_server(original, engine)
    return None if sentence is None else StorageError(sentence)


def _of_system(error: OSError, workspace: Workspace | None) -> str | None:
    what = _OF_SYSTEM.get(error.errno or 0)
    place = error.filename or (workspace.root if workspace is not None else None)
    if what is None or (place is None and error.errno in (errno.ENOENT, errno.EPERM)):
        return None
    if place is None:
        return f"A file could not be written or read: {what}."
    name = place.decode(errors="replace") if isinstance(place, bytes) else str(place)
    return f"{name}: {what}."


def _of_sqlite(error: sqlite3.Error, file: str | None) -> str | None:
    code = getattr(error, "sqlite_errorcode", None)
    what = None if code is None else _OF_SQLITE.get(code & 0xFF)
    if what is None and "Could not decode to UTF-8" in str(error):
        what = _DAMAGED
    if what is None:
        return None
    return f"Database {Path(file) if file else 'file'}: {what} ({error})."


def _of_server(error: BaseException, engine: Engine | None) -> str | None:
    state = getattr(error, "sqlstate", None)
    where = "of the workspace" if engine is None else engine.url.render_as_string()
    if state is not None:
        what = _OF_POSTGRESQL.get(state)
        return None if what is None else f"Database {where}: {what}."
    if type(error).__name__ == "OperationalError":  # no connection: there is no state to look at
        first = str(error).strip().splitlines()[0] if str(error).strip() else "no answer"
        return (
            f"Database {where} cannot be reached ({first}); start its server, or correct the file "
            "database-url."
        )
    return None
