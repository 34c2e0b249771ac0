"""Entries of graders on a candidate, with their names."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.store.tables import Confirmation, FollowUp, Grader

Entry = TypeVar("Entry", Confirmation, FollowUp)


def entries_of(session: Session, table: type[Entry], candidate_id: int) -> list[tuple[Entry, str]]:
    """Return the rows of a table for a candidate, each with its grader's name, the latest first."""
    rows = session.execute(
        select(table, Grader.name)
        .join(Grader, Grader.id == table.grader_id)
        .where(table.candidate_id == candidate_id)
        .order_by(table.id.desc())
    )
    return [(row, name) for row, name in rows]
