"""Columns of charts, of all candidates of a ranking.

Tables are read whole and in the order of their keys, without joins, and put together here: a join
of 1,000,000 candidates with their scores takes SQLite many times longer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from lensing_core.arrays import Float64Array, IntArray
from lensing_core.store.catalogs import listed_catalogs
from lensing_core.store.ranking import RankingQuery
from lensing_core.store.ranking_filters import candidate_filters, score_conditions
from lensing_core.store.tables import Candidate, Catalog, Run, Score

MOST_CHARTED = 3_000_000
_WHERE = [("candidate_id", "i8"), ("catalog_id", "i8"), ("cutout_index", "i8"), ("healpix", "i8"),
          ("ra_deg", "f8"), ("dec_deg", "f8")]  # fmt: skip
_SCORE = [("candidate_id", "i8"), ("logit", "f8"), ("probability", "f8"), ("epistemic", "f8")]


@dataclass(frozen=True)
class ChartColumns:
    """Columns of n candidates by rising id; NaN where unknown, healpix −1 without a place."""

    candidate_id: IntArray
    catalog_id: IntArray
    cutout_index: IntArray
    healpix: IntArray
    ra_deg: Float64Array
    dec_deg: Float64Array
    logit: Float64Array
    probability: Float64Array
    epistemic: Float64Array

    def __len__(self) -> int:
        return len(self.candidate_id)

    def take(self, candidate_ids: IntArray | None, catalog_ids: Sequence[int] = ()) -> ChartColumns:
        """Those of some candidates (None: all) in some catalogs (none: in any)."""
        if candidate_ids is None and not catalog_ids:
            return self
        kept = np.ones(len(self), dtype=bool)
        if candidate_ids is not None:
            kept &= np.isin(self.candidate_id, candidate_ids, assume_unique=True)
        if catalog_ids:
            kept &= np.isin(self.catalog_id, catalog_ids)
        return ChartColumns(*(getattr(self, field.name)[kept] for field in fields(self)))


@dataclass(frozen=True)
class LogitHistogram:
    """Candidates by score: ``counts`` between ``edges`` (logit), the probability at each edge."""

    counts: IntArray
    edges: Float64Array
    probabilities: Float64Array


def columns_version(session: Session) -> tuple[Any, ...]:
    """Changes with the catalogs and whenever a run starts or ends; not while one goes on."""
    archived = func.count(Catalog.archived_at), func.max(Catalog.archived_at)
    size = func.count(), func.max(Catalog.id), func.sum(Catalog.n_candidates), *archived
    state = select(Run.status, func.count(), func.max(Run.finished_at)).group_by(Run.status)
    rows = sorted(tuple(row) for row in session.execute(state))
    return tuple(session.execute(select(*size)).one()), *rows


def fetch_columns(session: Session, ensemble_id: int | None) -> ChartColumns:
    """Columns of all candidates, of an ensemble those that it has scored; 3,000,000 at most."""
    known = func.coalesce
    places = _table(
        session,
        select(
            Candidate.id,
            Candidate.catalog_id,
            Candidate.cutout_index,
            known(Candidate.healpix, -1),
            known(Candidate.ra_deg, math.inf),
            known(Candidate.dec_deg, math.inf),
        ).order_by(Candidate.id),
        _WHERE,
    )
    where = [places[name] for name, _ in _WHERE]
    if ensemble_id is None:
        return ChartColumns(*where, *np.full((3, len(places)), np.nan))
    scores = _table(
        session,
        select(
            Score.candidate_id,
            Score.logit,
            Score.probability,
            Score.epistemic,
        )
        .where(Score.ensemble_id == ensemble_id)
        .order_by(Score.candidate_id),
        _SCORE,
    )
    ids = (places["candidate_id"], scores["candidate_id"])
    _, here, there = np.intersect1d(*ids, assume_unique=True, return_indices=True)
    return ChartColumns(
        *(column[here] for column in where),
        *(scores[name][there] for name, _ in _SCORE[1:]),
    )


def fetch_passing(session: Session, query: RankingQuery) -> IntArray | None:
    """Ids of the candidates that pass the filters other than by catalog; None: all."""
    catalog_ids = (
        listed_catalogs(session, query.catalog_ids) or session.scalars(select(Catalog.id)).all()
    )
    statements = [
        select(Candidate.id).where(part.condition) if part.ids is None else part.ids
        for part in candidate_filters(query, catalog_ids)
    ]
    limits = score_conditions(query) if query.ensemble_id is not None else []
    if limits:
        scored = select(Score.candidate_id).where(Score.ensemble_id == query.ensemble_id, *limits)
        # in the order of the key: any other index would be left for the table at every row
        statements.append(scored.order_by(Score.candidate_id))
    passing: IntArray | None = None
    for statement in statements:
        ids = np.unique(_table(session, statement, [("id", "i8")])["id"])
        passing = ids if passing is None else np.intersect1d(passing, ids, assume_unique=True)
    return passing


def logit_histogram(session: Session, query: RankingQuery, bins: int) -> LogitHistogram | None:
    """Histogram of all scored candidates of a ranking, counted along the index of scores.

    None where there is none, or where filters other than by catalog leave the index: see
    :func:`histogram_of`.
    """
    if query.ensemble_id is None or candidate_filters(query) or score_conditions(query):
        return None
    mine = Score.ensemble_id == query.ensemble_id
    parts: list[tuple[ColumnElement[bool], ...]] = [
        (mine, Score.catalog_id == k) for k in listed_catalogs(session, query.catalog_ids)
    ] or [(mine,)]
    lows, highs = (
        [
            v
            for part in parts
            if (v := session.scalar(select(end(Score.logit)).where(*part))) is not None
        ]
        for end in (func.min, func.max)
    )
    if not lows:
        return None
    edges = _edges(min(lows), max(highs), bins)
    # the last bin has its upper edge, as numpy's
    counts = np.zeros(bins, dtype=np.int64)
    known: set[tuple[float, float]] = set()
    for part in parts:
        for k, (low, high) in enumerate(pairwise(edges.tolist())):
            upper = Score.logit <= high if k == bins - 1 else Score.logit < high
            inside = select(func.count()).where(*part, Score.logit >= low, upper)
            counts[k] += session.scalar(inside) or 0
        for edge in edges.tolist():
            known |= _around(session, part, edge)
    logit, probability = np.array(sorted(known)).T
    return LogitHistogram(counts, edges, np.interp(edges, logit, probability))


def histogram_of(columns: ChartColumns, bins: int) -> LogitHistogram | None:
    """The same of columns; None where none has a score."""
    logit = columns.logit[np.isfinite(columns.logit)]
    if not len(logit):
        return None
    edges = _edges(float(logit.min()), float(logit.max()), bins)
    order = np.argsort(columns.logit)
    at = np.interp(edges, columns.logit[order], columns.probability[order])
    return LogitHistogram(np.histogram(logit, edges)[0], edges, at)


def _edges(low: float, high: float, bins: int) -> Float64Array:
    return np.linspace(low, max(high, low + 1e-6), bins + 1)


def _around(
    session: Session, part: Sequence[ColumnElement[bool]], edge: float
) -> set[tuple[float, float]]:
    """Logit and probability of the scored candidates on either side of an edge."""
    nearest = select(Score.logit, Score.probability).where(*part).limit(1)
    sides = (
        nearest.where(Score.logit <= edge).order_by(Score.logit.desc()),
        nearest.where(Score.logit >= edge).order_by(Score.logit),
    )
    return {(row.logit, row.probability) for side in sides for row in session.execute(side)}


def _table(
    session: Session, statement: Select[*tuple[Any, ...]], types: list[tuple[str, str]]
) -> NDArray[Any]:
    """Rows as a structured array; infinity, which stands for NULL, as NaN.

    Rows go from the database's own cursor into the array: SQLAlchemy's would take as long again.
    """
    cursor = session.connection().execute(statement.limit(MOST_CHARTED)).cursor
    table: NDArray[Any] = np.fromiter(iter(cursor.fetchone, None), dtype=types)
    for name, kind in types:
        if kind == "f8":
            table[name][np.isinf(table[name])] = np.nan
    return table
