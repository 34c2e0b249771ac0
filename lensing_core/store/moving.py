"""Moving a workspace's database: from its file to a PostgreSQL server, and back."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, insert, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from lensing_core.errors import LensTriageError, StorageError, WorkspaceError
from lensing_core.private_files import touch_private
from lensing_core.store import sealed_log
from lensing_core.store.backup import backup_database, set_aside, sync_folder
from lensing_core.store.chain import ChainReport
from lensing_core.store.database import Database
from lensing_core.store.tables import Base, LastId
from lensing_core.store.use import alone, opening
from lensing_core.workspace import Workspace

SQLITE = "sqlite"
"""Target that names the file of the workspace."""
_AT_ONCE = 2000
_VERSIONS = "alembic_version"


@dataclass(frozen=True)
class Moved:
    """Summary of a move.

    Attributes
    ----------
    n_rows : int
        Rows of all tables.
    n_events : int
        Label events of the log, which was walked at its new place.
    head : str
        Hash of the last of them.
    left : str
        Where the database that it was copied from is kept.
    """

    n_rows: int
    n_events: int
    head: str
    left: str


def move_database(workspace: Workspace, to: str) -> Moved:
    """Copy the database to a server or into the file, check the copy, and use it from then on.

    Either all of it is there and the workspace uses it, or nothing is, and the workspace goes on
    with what it had.

    Parameters
    ----------
    to : str
        URL of an empty database (``postgresql+psycopg://…``), or ``sqlite`` for the workspace's own
        file.

    Raises
    ------
    WorkspaceError
        If something uses the workspace, it is there already, the log of grades is not in order, or
        the target holds something.
    StorageError
        If a database cannot be read or written.
    """
    here = _present_url(workspace)
    part = workspace.database.with_name(f"{workspace.database.name}.copying")
    url = f"sqlite:///{part}" if to == SQLITE else to
    if to == here or (to == SQLITE and here == f"sqlite:///{workspace.database}"):
        raise WorkspaceError(f"The database of {workspace.root} is there already.")
    if to != SQLITE and not to.startswith("postgresql"):
        raise WorkspaceError(
            f"The database can be moved to {SQLITE!r}, the file of the workspace, or to a URL such "
            "as postgresql+psycopg://user:password@host/database."
        )
    with alone(workspace), opening(workspace):
        if to == SQLITE:
            _remove(part)
            touch_private(part)
        try:
            n_rows, report = _copy(workspace, here, url)
            left = _use_file(workspace, part) if to == SQLITE else _use_server(workspace, to)
        finally:
            _remove(part)
    return Moved(n_rows, report.n_events, report.head, left)


def _present_url(workspace: Workspace) -> str:
    file = workspace.database_url_file
    if file.is_file():
        return file.read_text().strip()
    if not workspace.database.is_file() or not workspace.database.stat().st_size:
        raise WorkspaceError(
            f"{workspace.database} is missing or empty; restore a backup with: lens-triage db "
            f"restore {workspace.root}"
        )
    return f"sqlite:///{workspace.database}"


def _copy(workspace: Workspace, here: str, there: str) -> tuple[int, ChainReport]:
    before = (lambda: backup_database(workspace)) if here.startswith("sqlite") else (lambda: None)
    with _opened(here, before_migration=before) as source:
        sealed_log.check(workspace, source)
        with _emptied_on_failure(there) as target:
            n_rows = _copy_rows(source, target)
            return n_rows, sealed_log.check(workspace, target)


@contextmanager
def _opened(url: str, **how: Any) -> Iterator[Database]:
    """A database whose connections end with the block."""
    database = Database.from_url(url, **how)
    try:
        yield database
    finally:
        database.engine.dispose()


@contextmanager
def _emptied_on_failure(url: str) -> Iterator[Database]:
    """Open an empty database with all its tables; take them out again where the block fails."""
    with _opened(url, migrate=False) as bare:
        tables = set(inspect(bare.engine).get_table_names())
        if tables & set(Base.metadata.tables) and _holds_rows(bare):
            raise WorkspaceError(
                f"The database {bare.engine.url.render_as_string()} holds a workspace already; "
                "give an empty one."
            )
    try:
        with _opened(url) as database:  # refuses tables of another program
            yield database
    except BaseException:
        if not tables - {_VERSIONS}:
            with _opened(url, migrate=False) as bare, bare.engine.begin() as connection:
                _drop_all(connection)
        raise


def _holds_rows(database: Database) -> bool:
    present = inspect(database.engine).get_table_names()
    with database.engine.connect() as connection:
        return any(
            connection.execute(select(text("1")).select_from(table).limit(1)).first()
            for table in Base.metadata.sorted_tables
            if table.name in present
        )


def _drop_all(connection: Connection) -> None:
    Base.metadata.drop_all(connection)
    connection.execute(text(f"DROP TABLE IF EXISTS {_VERSIONS}"))


def _copy_rows(source: Database, target: Database) -> int:
    """Copy all rows in one transaction, and compare their numbers."""
    total = 0
    with source.engine.connect() as reading, target.engine.begin() as writing:
        for table in Base.metadata.sorted_tables:
            try:
                n = _copy_table(table, reading, writing)
            except LensTriageError:
                raise
            except SQLAlchemyError as error:
                reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
                raise StorageError(
                    f"Table {table.name} could not be copied: {reason}. Nothing was moved."
                ) from error
            n_copied = writing.scalar(select(func.count()).select_from(table))
            if n_copied != n:
                raise StorageError(
                    f"Of {n:,} rows of table {table.name} {n_copied:,} arrived. Nothing was moved."
                )
            total += n
        if writing.dialect.name == "postgresql":
            _count_on(writing)
    return total


def _copy_table(table: Table, reading: Connection, writing: Connection) -> int:
    n = 0
    keys = list(table.primary_key.columns)
    rows = reading.execution_options(yield_per=_AT_ONCE).execute(select(table).order_by(*keys))
    for some in rows.mappings().partitions():
        writing.execute(insert(table), [dict(row) for row in some])
        n += len(some)
    return n


def _count_on(connection: Connection) -> None:
    """Let the server give ids after those that were copied."""
    for table in Base.metadata.sorted_tables:
        key = table.autoincrement_column
        if key is None:
            continue
        sequence = connection.scalar(
            text("SELECT pg_get_serial_sequence(:table, :column)"),
            {"table": f'"{table.name}"', "column": key.name},
        )
        last = connection.scalar(select(func.max(key)))
        deleted = select(LastId.last).where(LastId.table_name == table.name)
        last = max(last or 0, connection.scalar(deleted) or 0) or None
        if sequence is not None and last is not None:
            connection.execute(
                text("SELECT setval(:name, :last)"), {"name": sequence, "last": last}
            )


def _use_server(workspace: Workspace, url: str) -> str:
    """Name the server's database in the workspace, then set the file aside."""
    file = workspace.database_url_file
    left = _shown(file.read_text().strip()) if file.is_file() else ""
    beside = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(url + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(file)
    sync_folder(workspace.root)
    aside = set_aside(workspace)
    return left or str(aside)


def _use_file(workspace: Workspace, part: Path) -> str:
    """Put the copied file into its place, then forget the server."""
    left = _shown(workspace.database_url_file.read_text().strip())
    set_aside(workspace)  # one that was left when an earlier move was cut short
    part.rename(workspace.database)
    sync_folder(workspace.root)
    workspace.database_url_file.unlink()
    return left


def _shown(url: str) -> str:
    with _opened(url, migrate=False) as database:
        return database.engine.url.render_as_string()


def _remove(part: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        part.with_name(part.name + suffix).unlink(missing_ok=True)
