"""Opening the database: SQLite in WAL mode by default, PostgreSQL by URL, migrated on opening."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Concatenate, ParamSpec, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, inspect
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.orm import Session, sessionmaker

from lensing_core.errors import PolicyError, StorageError, WorkspaceError
from lensing_core.private_files import touch_private
from lensing_core.store.backup import backup_database
from lensing_core.store.failures import explain_database_errors
from lensing_core.store.file_systems import refuse_network
from lensing_core.store.use import opening, share
from lensing_core.workspace import Workspace

_MIGRATIONS = Path(__file__).parent / "migrations"
_READ_ONLY = "lens_triage_read_only"
_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")
# What reads, and what opens and closes a transaction; a WITH that writes names a verb that does.
_READS = re.compile(
    r"\s*(SELECT|PRAGMA|EXPLAIN|SHOW|VALUES|SAVEPOINT|RELEASE|ROLLBACK|BEGIN|SET TRANSACTION"
    r"|WITH(?!.*\b(INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM)\b))\b",
    re.IGNORECASE | re.DOTALL,
)


def _configure_sqlite(connection: Any, _record: Any) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # an acknowledged write survives a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.close()


def _alembic_config(engine: Engine) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["engine"] = engine
    return config


def _refuse_write(
    _connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool
) -> None:
    """Raise PolicyError for a statement that writes, over a database that is for reading."""
    if context is None or not context.execution_options.get(_READ_ONLY):
        return
    if not _READS.match(statement):
        raise PolicyError(
            "This part of the program may read the database and not write to it; nothing was "
            "written. What writes is an action of the table in app/permissions.py."
        )


@dataclass(frozen=True)
class Database:
    """An engine with a session factory.

    ``with database.session() as session:`` commits at the end and rolls back on an error.
    """

    engine: Engine
    _sessions: sessionmaker[Session]

    _use: IO[bytes] | None = None  # open as long as this process uses the workspace

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        migrate: bool = True,
        before_migration: Callable[[], object] = lambda: None,
        use: IO[bytes] | None = None,
    ) -> Database:
        """Open ``url`` and bring its schema up to date.

        Parameters
        ----------
        before_migration : callable, optional
            Called before the schema of a database that holds something is changed.

        Raises
        ------
        WorkspaceError
            If the schema is newer than this program knows, or is another program's.
        StorageError
            If the database cannot be opened, now or later.
        """
        try:
            engine = create_engine(url)
        except (ArgumentError, ModuleNotFoundError, NoSuchModuleError) as error:
            raise WorkspaceError(
                f"The database URL cannot be used ({error}); write one such as "
                "postgresql+psycopg://user:password@host/database, and install the driver with: "
                "pip install 'lens-triage[postgres]'."
            ) from error
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "before_cursor_execute", _refuse_write)
        event.listen(engine, "handle_error", explain_database_errors, retval=True)
        database = cls(engine, sessionmaker(engine, expire_on_commit=False), use)
        if migrate:
            database._migrate(before_migration)
        return database

    def _migrate(self, before_migration: Callable[[], object]) -> None:
        config = _alembic_config(self.engine)
        script = ScriptDirectory.from_config(config)
        with self.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
            tables = inspect(connection).get_table_names() if current is None else []
        if set(tables) - {"alembic_version"}:
            raise WorkspaceError(
                f"The database {self.engine.url.render_as_string()} holds tables of another "
                f"program ({', '.join(sorted(tables)[:3])}, …); give lens-triage one of its own."
            )
        if current == script.get_current_head():
            return
        if current is not None and current not in {r.revision for r in script.walk_revisions()}:
            raise WorkspaceError(
                f"The database {self.engine.url.render_as_string()} was written by a newer "
                "lens-triage; update the program to open it."
            )
        if current is not None:
            before_migration()
        command.upgrade(config, "head")

    def seal_for(self, workspace: Workspace) -> None:
        """Seal the log of labels with a workspace's secret (:mod:`lensing_core.store.sealing`)."""
        self._sessions.configure(info={"workspace": workspace})

    def reading(self) -> Database:
        """The same database, over the same connections, for reading alone.

        A statement that writes raises PolicyError, whoever made it.
        """
        engine = self.engine.execution_options(**{_READ_ONLY: True})
        return Database(engine, sessionmaker(engine, expire_on_commit=False), self._use)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session that commits when the block ends well."""
        with self._sessions.begin() as session:
            yield session

    def ask(
        self,
        function: Callable[Concatenate[Session, _Arguments], _Answer],
        *arguments: _Arguments.args,
        **named: _Arguments.kwargs,
    ) -> _Answer:
        """Return what a function of the store answers, in a session of its own.

        ``database.ask(get_run, run_id)`` is ``get_run(session, run_id)``; where several answers
        must be of one moment, open a :meth:`session` for them.
        """
        with self.session() as session:
            return function(session, *arguments, **named)


@lru_cache(maxsize=32)
def _open(workspace: Workspace, url: str) -> Database:
    with opening(workspace):
        return _open_alone(workspace, url)


def _open_alone(workspace: Workspace, url: str) -> Database:
    if url:
        return Database.from_url(url, use=share(workspace))
    if workspace.database.is_file() and workspace.database.stat().st_size == 0:
        raise WorkspaceError(
            f"{workspace.database} is empty (0 bytes): its contents are lost. Restore a backup "
            f"with: lens-triage db restore {workspace.root}; or remove the file to begin anew."
        )
    if not workspace.database.exists() and any(workspace.backups.glob("*.sqlite")):
        raise WorkspaceError(
            f"{workspace.database} is missing although {workspace.backups} holds copies of it; "
            f"restore one with: lens-triage db restore {workspace.root}"
        )
    if not workspace.database.exists():
        refuse_network(workspace.root)
    if workspace.root.is_dir():
        touch_private(workspace.database)  # SQLite gives its other files the mode of this one
    try:
        return Database.from_url(
            f"sqlite:///{workspace.database}",
            before_migration=lambda: backup_database(workspace),
            use=share(workspace),
        )
    except StorageError:
        if workspace.database.is_file() and not workspace.database.stat().st_size:
            workspace.database.unlink()  # made above: the disk has no room for more
        raise


def open_database(workspace: Workspace) -> Database:
    """The database of a workspace (made and migrated when needed), one engine a process.

    A file ``database-url`` in the workspace names another database (``postgresql+psycopg://…``).
    A database of an older program is copied into ``backups/`` before its schema is changed.

    Raises
    ------
    WorkspaceError
        If the file is empty, another program's, of a newer version, or being restored.
    StorageError
        If the database cannot be read or written.
    """
    file = workspace.database_url_file
    database = _open(workspace, file.read_text().strip() if file.is_file() else "")
    database.seal_for(workspace)
    return database


def choose_database(workspace: Workspace, url: str) -> None:
    """Keep the database of a new workspace on the server that ``url`` names.

    The file is readable by its user alone: the URL may hold a password. It is written only once the
    database could be opened.

    Raises
    ------
    WorkspaceError
        If the workspace has a database already, elsewhere.
    StorageError
        If the server cannot be reached.
    """
    file = workspace.database_url_file
    present = file.read_text().strip() if file.is_file() else ""
    if present == url:
        return
    if present or workspace.database.exists():
        raise WorkspaceError(
            f"{workspace.root} has a database already ({file if present else workspace.database}); "
            "make a new workspace for another one."
        )
    Database.from_url(url).engine.dispose()
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(url + "\n")
