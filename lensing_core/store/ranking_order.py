"""The rows of a ranking as a sequence that is never read as a whole."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, select, tuple_, union_all
from sqlalchemy.orm import Session, aliased

from lensing_core.store.catalogs import listed_catalogs
from lensing_core.store.ranking_filters import (
    Filter,
    candidate_conditions,
    candidate_filters,
    score_conditions,
    score_filters,
    scored,
    votes_told,
)
from lensing_core.store.ranking_query import NULLABLE_SORTS, SORT_COLUMNS, Cursor, RankingQuery
from lensing_core.store.tables import Candidate, Catalog, Crossmatch, Score, Vote

_FEW = 6000  # rows that are quicker sorted in memory than searched for along an index
_SOME = 60_000  # rows of one filter that are quicker checked for the others than searched for
_LOGIT_RANGE = 64.0
_COUNTED = 50_000  # candidates up to which filtered rows are counted one by one
_SAMPLE = 4000
_LEAST_PASSED = 20  # of the sample; the estimate is then good to about 22 %


class RankingOrder:
    """The rows of one query as a sequence of (value, id) keys that is never wholly read."""

    def __init__(self, session: Session, query: RankingQuery) -> None:
        self._session = session
        self._query = query
        self._value = SORT_COLUMNS[query.sort]
        self._id: Any = Candidate.id
        if query.by_score or query.by_vote:
            self._id = Score.candidate_id if query.by_score else Vote.candidate_id
        self._catalog = Score.catalog_id if query.by_score else Candidate.catalog_id
        sizes = select(Catalog.id, Catalog.n_candidates)
        if listed := listed_catalogs(session, query.catalog_ids):
            sizes = sizes.where(Catalog.id.in_(listed))
        if query.scales:
            sizes = sizes.where(Catalog.scale.in_(query.scales))
        if query.match is not None:  # a catalog that was never matched would be read in vain
            sizes = sizes.where(Catalog.id.in_(select(Crossmatch.catalog_id)))
        self._sizes = {row.id: row.n_candidates for row in session.execute(sizes)}
        self._catalog_ids = tuple(self._sizes)
        self._bounds = _logit_bounds(session, query) if query.limits_probability else []
        few = self._narrow()
        self._few = None if few is None else self._sorted_keys(few)

    def keys(self, cursor: Cursor | None, limit: int, *, backward: bool) -> list[Cursor]:
        """Up to ``limit`` keys beyond ``cursor``, walking back from it or on from it."""
        if self._few is not None:
            return self._slice(self._few, cursor, limit, backward=backward)
        cursors: list[Cursor] = []
        segments = [False, True] if self._query.sort in NULLABLE_SORTS else [False]
        for nulls in reversed(segments) if backward else segments:
            if cursor is not None and len(segments) == 2 and (cursor.value is None) != nulls:
                if nulls == backward:
                    continue  # the cursor lies beyond this segment
                start = None
            else:
                start = cursor
            missing = limit - len(cursors)
            if missing:
                rows = self._session.execute(
                    self._statement(start, missing, nulls=nulls, backward=backward)
                )
                cursors += [Cursor(value, int(key)) for value, key in rows]
        return cursors

    def count_before(self, cursor: Cursor) -> int:
        """Return how many rows precede ``cursor``."""
        if self._few is not None:
            return sum(self._precedes(key, cursor) for key in self._few)
        preceding = self._count(self._beyond(cursor, backward=True))
        if cursor.value is None:
            preceding += self._count(self._value.is_not(None))
        return preceding

    def count(self) -> tuple[int, bool]:
        """The number of rows, and whether it is exact."""
        if self._few is not None:
            return len(self._few), True
        total = sum(self._sizes.values())
        if self._query.filtered and total > _COUNTED:
            passed, estimate = self._estimate(total)
            if passed >= _LEAST_PASSED:
                digits = len(str(estimate)) - 2
                return round(estimate, -digits), False
        elif self._query.ensemble_id is None and not self._query.filtered:
            return total, True
        return self._count(), True

    def _estimate(self, total: int) -> tuple[int, int]:
        """Return how many of a random sample pass the filters, and of all, by proportion."""
        generator = random.Random(0)  # noqa: S311 - a sample, not a secret
        passed, estimate = 0, 0.0
        conditions = candidate_conditions(self._query)
        if self._query.ensemble_id is not None:
            conditions.append(scored(self._query))
        for catalog_id, n in self._sizes.items():
            n_sample = min(n, max(50, round(_SAMPLE * n / total)))
            drawn = generator.sample(range(n), n_sample)
            statement = select(func.count()).where(
                Candidate.catalog_id == catalog_id, Candidate.cutout_index.in_(drawn), *conditions
            )
            n_rows = self._session.scalar(statement) or 0
            passed += n_rows
            estimate += n_rows / max(n_sample, 1) * n
        return passed, round(estimate)

    # -- along the index --------------------------------------------------------------------

    def _conditions(self) -> list[ColumnElement[bool]]:
        query = self._query
        conditions = candidate_conditions(query)
        if query.by_score:
            filters = [
                Score.ensemble_id == query.ensemble_id,
                *(self._bounds if query.sort == "score" else []),
                *score_conditions(query),
            ]
            if conditions:
                filters.append(exists().where(Candidate.id == Score.candidate_id, *conditions))
            return filters
        if query.ensemble_id is not None:
            conditions.append(scored(query))
        if query.by_vote:
            newer = aliased(Vote)
            conditions.append(Candidate.catalog_id.in_(self._catalog_ids))
            return [
                *votes_told(query),
                ~exists().where(
                    newer.candidate_id == Vote.candidate_id,
                    newer.event_id > Vote.event_id,
                    *votes_told(query, newer),
                ),
                exists().where(Candidate.id == Vote.candidate_id, *conditions),
            ]
        return conditions

    def _beyond(self, cursor: Cursor, *, backward: bool) -> ColumnElement[bool]:
        if cursor.value is None:  # in the order of their ids, whatever the direction
            beyond = self._id < cursor.candidate_id if backward else self._id > cursor.candidate_id
            return and_(self._value.is_(None), beyond)
        ours, theirs = tuple_(self._value, self._id), tuple_(cursor.value, cursor.candidate_id)
        return ours < theirs if self._query.descending != backward else ours > theirs

    def _statement(
        self, cursor: Cursor | None, limit: int, *, nulls: bool, backward: bool
    ) -> Select[Any]:
        conditions = self._conditions()
        if nulls:
            conditions.append(self._value.is_(None))
        elif self._query.sort in NULLABLE_SORTS:
            conditions.append(self._value.is_not(None))
        if cursor is not None:
            conditions.append(self._beyond(cursor, backward=backward))
        descending = backward if nulls else self._query.descending != backward

        def ordered(statement: Select[Any], value: Any, key: Any) -> Select[Any]:
            columns = [key] if nulls else [value, key]
            return statement.order_by(*(c.desc() if descending else c for c in columns)).limit(
                limit
            )

        base = select(self._value.label("value"), self._id.label("key")).where(*conditions)
        if self._query.by_vote:
            return ordered(base, self._value, self._id)
        branches = [
            ordered(base.where(self._catalog == catalog), self._value, self._id)
            for catalog in self._catalog_ids
        ]
        if len(branches) == 1:
            return branches[0]
        parts = [select(branch.subquery()) for branch in branches]
        if not parts:
            return base.where(false())
        merged = union_all(*parts).subquery()
        return ordered(select(merged.c.value, merged.c.key), merged.c.value, merged.c.key)

    def _count(self, *conditions: ColumnElement[bool]) -> int:
        statement = select(func.count(self._id)).where(*self._conditions(), *conditions)
        if not self._query.by_vote:
            statement = statement.where(self._catalog.in_(self._catalog_ids))
        return self._session.scalar(statement) or 0

    # -- few rows, in memory -----------------------------------------------------------------

    def _narrow(self) -> list[int] | None:
        """Ids that one of the filters leaves, or all of them, when few; None when they are many."""
        filters = [
            *candidate_filters(self._query, self._catalog_ids),
            *score_filters(self._query, self._catalog_ids, self._bounds),
        ]
        lists = [part.ids for part in filters if part.ids is not None]
        for ids in lists:
            first_ids = list(self._session.scalars(ids.limit(_FEW + 1)))
            if len(first_ids) <= _FEW:
                return list(set(first_ids))
        return self._join(filters) if len(filters) > 1 else None

    def _join(self, filters: Sequence[Filter]) -> list[int] | None:
        """Ids that pass all filters, when one of them leaves some and together they leave few."""
        conditions = candidate_conditions(self._query)
        if self._query.ensemble_id is not None:
            conditions.append(scored(self._query))
        for part in filters:
            if part.ids is None:
                continue
            some = part.ids.limit(_SOME + 1).subquery()
            if (self._session.scalar(select(func.count()).select_from(some)) or 0) > _SOME:
                continue
            together = select(Candidate.id).where(Candidate.id.in_(part.ids), *conditions)
            first_ids = list(self._session.scalars(together.limit(_FEW + 1)))
            return first_ids if len(first_ids) <= _FEW else None
        return None

    def _sorted_keys(self, ids: Sequence[int]) -> list[Cursor]:
        # from the candidates on: their ids and the score's primary key leave nothing to plan wrong
        query = self._query
        value: ColumnElement[Any] = self._value.expression
        conditions = candidate_conditions(query)
        if query.ensemble_id is not None:
            conditions.append(scored(query))
        if query.by_score:
            mine = (Score.ensemble_id == query.ensemble_id, Score.candidate_id == Candidate.id)
            value = select(value).where(*mine).scalar_subquery()
        elif query.by_vote:
            visible = votes_told(query)
            last = select(func.max(Vote.event_id)).where(
                Vote.candidate_id == Candidate.id, *visible
            )
            value = last.scalar_subquery()
        # catalogs are sorted out here: in SQL they would tempt the planner away from the ids
        rows = self._session.execute(
            select(value, Candidate.id, Candidate.catalog_id).where(
                Candidate.id.in_(ids), *conditions
            )
        )
        keys = [Cursor(value, key) for value, key, catalog in rows if catalog in self._sizes]
        with_value = [key for key in keys if key.value is not None]
        with_value.sort(key=_by_value, reverse=self._query.descending)
        return with_value + sorted(
            (key for key in keys if key.value is None), key=lambda key: key.candidate_id
        )

    def _precedes(self, one: Cursor, other: Cursor) -> bool:
        if one.value is None or other.value is None:
            if one.value is None and other.value is None:
                return one.candidate_id < other.candidate_id
            return other.value is None
        if self._query.descending:
            return _by_value(one) > _by_value(other)
        return _by_value(one) < _by_value(other)

    def _slice(
        self, keys: list[Cursor], cursor: Cursor | None, limit: int, *, backward: bool
    ) -> list[Cursor]:
        if cursor is None:
            return keys[::-1][:limit] if backward else keys[:limit]
        place = self.count_before(cursor)
        if backward:
            return keys[:place][::-1][:limit]
        return [key for key in keys[place : place + limit + 1] if key != cursor][:limit]


def _by_value(key: Cursor) -> Any:
    return (key.value, key.candidate_id)


def _logit_bounds(session: Session, query: RankingQuery) -> list[ColumnElement[bool]]:
    """The probability range as a range of logits, which an index can search.

    The probability of an ensemble rises with its logit by a calibration that is not known here, so
    each end is bracketed by bisection; the bracket's outer end is taken and the probabilities are
    checked row by row as well.
    """

    def first_at_or_above(logit: float) -> float | None:
        return session.scalar(
            select(Score.probability)
            .where(Score.ensemble_id == query.ensemble_id, Score.logit >= logit)
            .order_by(Score.logit)
            .limit(1)
        )

    def bracket(reaches: Callable[[float], bool]) -> tuple[float, float]:
        low, high = -_LOGIT_RANGE, _LOGIT_RANGE
        while high - low > 1e-3:
            middle = (low + high) / 2
            n_above = first_at_or_above(middle)
            low, high = (low, middle) if n_above is None or reaches(n_above) else (middle, high)
        return low, high

    bounds: list[ColumnElement[bool]] = []
    if query.probability_min > 0:
        low, _ = bracket(lambda p: p >= query.probability_min)
        if low > -_LOGIT_RANGE:
            bounds.append(Score.logit >= low)
    if query.probability_max < 1:
        _, high = bracket(lambda p: p > query.probability_max)
        if high < _LOGIT_RANGE:
            bounds.append(Score.logit <= high)
    return bounds
