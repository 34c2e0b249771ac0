"""Fingerprint of the database, which tells of changes without reading any rows."""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from lensing_core.store.database import Database


class ChangeFingerprint:
    """A value that differs after every commit, by whichever process; costs next to nothing.

    Calls must not overlap. The value means something only beside others of the same object: SQLite
    counts what *other* connections have committed, so this one is kept open and writes nothing.
    """

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        self._connection: Connection | None = None
        sqlite = self._engine.dialect.name == "sqlite"
        self._query = text(
            "PRAGMA data_version"
            if sqlite
            else "SELECT CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text)"
        )
        self._reconnections = 0

    def __call__(self) -> tuple[int, object]:
        """Return the value as it stands; raises SQLAlchemyError where the database is away."""
        if self._connection is None:
            self._connection = self._engine.connect().execution_options(
                isolation_level="AUTOCOMMIT"  # no transaction stays open that others wait for
            )
            self._reconnections += 1
        try:
            return self._reconnections, self._connection.execute(self._query).scalar_one()
        except SQLAlchemyError:
            self.close()
            raise

    def close(self) -> None:
        """Give the connection back; the next call opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()
