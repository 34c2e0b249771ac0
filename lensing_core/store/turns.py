"""Writers of the log of labels take turns."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

_ADVISORY_LOCK = 0x1E45  # any number that nothing else of the program uses


def take_turn(session: Session) -> None:
    """Hold the log to the end of this transaction, so that its head is read by one writer."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    else:
        # pysqlite begins a transaction at the first write: this one changes nothing and locks.
        session.execute(text("UPDATE label_event SET id = id WHERE 0"))
