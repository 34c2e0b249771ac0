"""Values to filter by, and saved filters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from lensing_core.errors import BadInputError, NotFoundError, PolicyError
from lensing_core.store.ranking_query import RANGE_COLUMNS, SCORE_RANGES
from lensing_core.store.tables import CandidateTag, Crossmatch, SavedFilter, Vote

_MOST_VALUES = 60


@dataclass(frozen=True)
class Facets:
    """Values that filters can be set to.

    Attributes
    ----------
    grades, tags : tuple of str
        In use, in order; the first 60.
    known : dict
        For each range of a candidate's own columns, whether any candidate has the value.
    matched : bool
        Whether any catalog has been cross-matched.
    """

    grades: tuple[str, ...]
    tags: tuple[str, ...]
    known: dict[str, bool]
    matched: bool


def read_facets(session: Session) -> Facets:
    """Read them from indexes."""
    known = {
        name: session.scalar(select(column).where(column.is_not(None)).limit(1)) is not None
        for name, column in RANGE_COLUMNS.items()
        if name not in SCORE_RANGES
    }
    return Facets(
        grades=_distinct(session, Vote.grade),
        tags=_distinct(session, CandidateTag.tag),
        known=known,
        matched=bool(session.scalar(select(exists().where(Crossmatch.state != "unreachable")))),
    )


def _distinct(session: Session, column: Any) -> tuple[str, ...]:
    """Distinct values, each found by one search of the index: there are few among many rows."""
    values: list[str] = []
    while len(values) < _MOST_VALUES:
        statement = select(column).order_by(column).limit(1)
        value = session.scalar(statement.where(column > values[-1]) if values else statement)
        if value is None:
            break
        values.append(value)
    return tuple(values)


def list_filters(session: Session, grader_id: int | None) -> list[SavedFilter]:
    """Everybody's filters and those of a grader, by name."""
    return list(
        session.scalars(
            select(SavedFilter)
            .where(or_(SavedFilter.grader_id.is_(None), SavedFilter.grader_id == grader_id))
            .order_by(SavedFilter.name, SavedFilter.grader_id.is_(None))
        )
    )


def save_filter(
    session: Session, name: str, query: Mapping[str, Any], grader_id: int | None
) -> SavedFilter:
    """Keep a query under a name, in place of an earlier one of the same name and owner.

    Raises
    ------
    BadInputError
        If the name is empty or longer than 120 letters.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= 120:
        raise BadInputError("Give the filter a name of 1 to 120 letters.")
    owner = SavedFilter.grader_id == grader_id
    if grader_id is None:
        owner = SavedFilter.grader_id.is_(None)
    saved = session.scalar(select(SavedFilter).where(SavedFilter.name == name, owner))
    if saved is None:
        saved = SavedFilter(name=name, grader_id=grader_id, query={})
        session.add(saved)
    saved.query = dict(query)
    session.flush()
    return saved


def find_filter(session: Session, name: str) -> SavedFilter:
    """Return a saved filter of a name, whoever owns it; raises NotFoundError."""
    saved = session.scalar(select(SavedFilter).where(SavedFilter.name == name).limit(1))
    if saved is None:
        raise NotFoundError(f"There is no saved filter {name!r}.")
    return saved


def filter_names(session: Session) -> list[str]:
    """Names of saved filters."""
    return sorted(set(session.scalars(select(SavedFilter.name))))


def is_shared(session: Session, filter_id: int) -> bool:
    """Return whether a filter is everybody's; one that is no longer there is nobody's."""
    saved = session.get(SavedFilter, filter_id)
    return saved is not None and saved.grader_id is None


def delete_filter(session: Session, filter_id: int, grader_id: int | None) -> None:
    """Remove a filter of one's own or of everybody.

    Raises
    ------
    NotFoundError, PolicyError
        If there is none, or it is another grader's.
    """
    saved = session.get(SavedFilter, filter_id)
    if saved is None:
        raise NotFoundError("This filter no longer exists.")
    if saved.grader_id not in (None, grader_id):
        raise PolicyError("This filter belongs to somebody else.")
    session.delete(saved)
