"""The lock of a run within the database, for machines that share one PostgreSQL server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.orm import Session

from lensing_core.store.database import Database

_CLAIM = 7_215_411_003


@contextmanager
def lock_in_database(database: Database, run_id: str) -> Iterator[bool]:
    """Hold a run's lock on the server as long as this process is connected; False if another does.

    On SQLite, which one machine uses, there is nothing to hold: the lock of the file decides.
    """
    if not _is_shared(database):
        yield True
        return
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # A machine that has gone is noticed within a minute, not after hours.
        for name, seconds in (("idle", 20), ("interval", 10), ("count", 3)):
            connection.execute(text(f"SET tcp_keepalives_{name} = {seconds}"))
        taken = connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _key(run_id)})
        try:
            yield bool(taken)
        finally:
            connection.invalidate()  # the server frees the lock with the connection


def is_locked_in_database(session: Session, run_id: str) -> bool:
    """Return whether a worker on any machine holds the run's lock on the server."""
    if session.get_bind().dialect.name != "postgresql":
        return False
    key = _key(run_id) & 0xFFFF_FFFF_FFFF_FFFF
    n_locks = session.scalar(
        text(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND "
            "objsubid = 1 AND classid::bigint = :high AND objid::bigint = :low AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        ),
        {"high": key >> 32, "low": key & 0xFFFF_FFFF},
    )
    return bool(n_locks)


def take_turn_to_claim(session: Session) -> None:
    """Let one process at a time, on all machines, decide which run starts; ends with the session.

    SQLite needs no more than its write lock, which the claim itself takes.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CLAIM})


def _is_shared(database: Database) -> bool:
    return database.engine.dialect.name == "postgresql"


def _key(run_id: str) -> int:
    digest = hashlib.sha256(f"lens-triage run {run_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
