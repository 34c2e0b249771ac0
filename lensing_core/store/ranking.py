"""The ranking of candidates, a page at a time, at a cost that does not grow with its number.

Pages are read by keyset: "the hundred rows after this value and id", which an index answers
directly. Each catalog is read through an index that begins with it, and several are merged.
A filter that leaves few rows is applied first and those are sorted in memory; filters that leave
many are checked along the index. NULL values come last in either direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.store.catalogs import listed_catalogs
from lensing_core.store.ranking_filters import candidate_conditions, scored, votes_told
from lensing_core.store.ranking_order import RankingOrder
from lensing_core.store.ranking_query import (
    LABEL_STATES,
    SORT_COLUMNS,
    SORT_KEYS,
    Cone,
    Cursor,
    LabelState,
    Range,
    RankingQuery,
    SortKey,
)
from lensing_core.store.tables import Candidate, Score, Vote

__all__ = [
    "LABEL_STATES",
    "SORT_KEYS",
    "Cone",
    "Count",
    "Cursor",
    "LabelState",
    "Range",
    "RankedCandidate",
    "RankingPage",
    "RankingQuery",
    "SortKey",
    "contains",
    "count_rows",
    "cursor_of",
    "fetch_page",
    "load_rows",
    "rank_of",
]

_MAX_PAGE = 1000


@dataclass(frozen=True)
class Count:
    """A number of rows; ``exact`` False: an estimate to two digits."""

    n: int
    exact: bool

    def __str__(self) -> str:
        return f"{self.n:,}" if self.exact else f"about {self.n:,}"


@dataclass(frozen=True)
class RankedCandidate:
    """One row of a ranking; score fields are None without an ensemble."""

    cursor: Cursor
    candidate: Candidate
    score: Score | None


@dataclass(frozen=True)
class RankingPage:
    """Rows in the order asked for, and whether there are more beyond either end."""

    rows: tuple[RankedCandidate, ...]
    has_before: bool
    has_after: bool


def fetch_page(
    session: Session,
    query: RankingQuery,
    *,
    after: Cursor | None = None,
    before: Cursor | None = None,
    limit: int = 100,
) -> RankingPage:
    """Up to ``limit`` rows that follow ``after``, or that precede ``before``; else the first.

    Raises
    ------
    BadInputError
        If both cursors are given, or ``limit`` is not from 1 to 1000.
    """
    if after is not None and before is not None:
        raise BadInputError("Give one cursor: after or before.")
    if not 1 <= limit <= _MAX_PAGE:
        raise BadInputError(f"Rows per page {limit}: give 1 to {_MAX_PAGE}.")
    order = RankingOrder(session, query)
    backward = before is not None
    keys = order.keys(after or before, limit + 1, backward=backward)
    more = len(keys) > limit
    keys = keys[:limit]
    if backward:
        keys.reverse()
    return RankingPage(
        rows=tuple(load_rows(session, query, keys)),
        has_before=more if backward else after is not None,
        has_after=before is not None if backward else more,
    )


def cursor_of(session: Session, query: RankingQuery, candidate_id: int) -> Cursor:
    """Cursor of a candidate in the order of ``query``, whether or not it passes the filters.

    Raises
    ------
    NotFoundError
        If there is no such candidate, the ensemble has not scored it, or nobody has graded it in
        an order by grades.
    """
    statement = select(SORT_COLUMNS[query.sort]).where(Candidate.id == candidate_id)
    if query.by_score:
        statement = select(SORT_COLUMNS[query.sort]).where(
            Score.ensemble_id == query.ensemble_id, Score.candidate_id == candidate_id
        )
    if query.by_vote:
        statement = select(func.max(Vote.event_id)).where(
            Vote.candidate_id == candidate_id, *votes_told(query)
        )
    row = session.execute(statement).one_or_none()
    if row is None or (query.by_vote and row[0] is None):
        raise NotFoundError(f"Candidate {candidate_id} is not in this ranking.")
    return Cursor(row[0], candidate_id)


def contains(session: Session, query: RankingQuery, candidate_id: int) -> bool:
    """Return whether the filters of ``query`` pass a candidate."""
    statement = select(Candidate.id).where(
        Candidate.id == candidate_id,
        *candidate_conditions(query),
        *([scored(query)] if query.ensemble_id is not None else []),
    )
    if listed := listed_catalogs(session, query.catalog_ids):
        statement = statement.where(Candidate.catalog_id.in_(listed))
    return session.scalar(statement) is not None


def rank_of(session: Session, query: RankingQuery, cursor: Cursor) -> int:
    """The rank, from 1, of the row at ``cursor`` among the rows of ``query``."""
    return RankingOrder(session, query).count_before(cursor) + 1


def count_rows(session: Session, query: RankingQuery) -> Count:
    """The number of rows of a ranking: exact where that is quick, else about.

    It is exact without filters, for up to 50,000 candidates, and where a filter leaves few. Else
    it is estimated from 4,000 candidates drawn at random (with a fixed seed, so that a reload shows
    the same number), unless fewer than 20 of them pass.
    """
    return Count(*RankingOrder(session, query).count())


def load_rows(
    session: Session, query: RankingQuery, keys: Sequence[Cursor]
) -> list[RankedCandidate]:
    """The rows of ``keys``, in their order, whether or not the filters pass them."""
    ids = [key.candidate_id for key in keys]
    candidates = {c.id: c for c in session.scalars(select(Candidate).where(Candidate.id.in_(ids)))}
    scores: dict[int, Score] = {}
    if query.ensemble_id is not None:
        wanted = select(Score).where(
            Score.ensemble_id == query.ensemble_id, Score.candidate_id.in_(ids)
        )
        scores = {s.candidate_id: s for s in session.scalars(wanted)}
    return [
        RankedCandidate(key, candidates[key.candidate_id], scores.get(key.candidate_id))
        for key in keys
    ]
