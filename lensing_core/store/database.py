"""Opening the database: SQLite in WAL mode by default, PostgreSQL by URL, migrated on opening."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session, sessionmaker

from lensing_core.errors import WorkspaceError
from lensing_core.private_files import touch_private
from lensing_core.workspace import Workspace

_MIGRATIONS = Path(__file__).parent / "migrations"


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


@dataclass(frozen=True)
class Database:
    """An engine with a session factory.

    ``with database.session() as session:`` commits at the end and rolls back on an error.
    """

    engine: Engine
    _sessions: sessionmaker[Session]

    @classmethod
    def from_url(cls, url: str, *, migrate: bool = True) -> Database:
        """Open ``url`` and bring its schema up to date.

        Raises
        ------
        WorkspaceError
            If the schema is newer than this program knows.
        """
        engine = create_engine(url)
        event.listen(engine, "connect", _configure_sqlite)
        database = cls(engine, sessionmaker(engine, expire_on_commit=False))
        if migrate:
            database._migrate()
        return database

    def _migrate(self) -> None:
        config = _alembic_config(self.engine)
        script = ScriptDirectory.from_config(config)
        with self.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        if current == script.get_current_head():
            return
        if current is not None and current not in {r.revision for r in script.walk_revisions()}:
            raise WorkspaceError(
                f"The database {self.engine.url.render_as_string()} was written by a newer "
                "lens-triage; update the program to open it."
            )
        command.upgrade(config, "head")

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session that commits when the block ends well."""
        with self._sessions.begin() as session:
            yield session


@lru_cache(maxsize=32)
def _open(url: str) -> Database:
    return Database.from_url(url)


def open_database(workspace: Workspace) -> Database:
    """The database of a workspace (made and migrated when needed), one engine a process.

    A file ``database-url`` in the workspace names another database (``postgresql+psycopg://…``).
    """
    override = workspace.root / "database-url"
    url = override.read_text().strip() if override.is_file() else f"sqlite:///{workspace.database}"
    if not override.is_file() and workspace.root.is_dir():
        touch_private(workspace.database)  # SQLite gives its other files the mode of this one
    return _open(url)
