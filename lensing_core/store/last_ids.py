"""Ids that are given once: those of deleted candidates, catalogs and ensembles never come again.

SQLite gives a new row one more than the largest id that it finds; a server's sequence never goes
back by itself.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lensing_core.store.tables import Candidate, Catalog, Ensemble, LastId

Counted = type[Candidate] | type[Catalog] | type[Ensemble]


def keep_last_id(session: Session, table: Counted) -> None:
    """Remember the largest id of a table, before rows of it are deleted."""
    newest = session.scalar(select(func.max(table.id))) or 0
    kept = session.get(LastId, table.__tablename__)
    if kept is None:
        session.add(LastId(table_name=table.__tablename__, last=newest))
    else:
        kept.last = max(kept.last, newest)


def next_id(session: Session, table: Counted) -> int | None:
    """Return the id that the next row has to be given; None where the database gives a new one."""
    if session.get_bind().dialect.name != "sqlite":
        return None
    last = session.scalar(select(LastId.last).where(LastId.table_name == table.__tablename__))
    if last is None or (session.scalar(select(func.max(table.id))) or 0) >= last:
        return None
    return last + 1
