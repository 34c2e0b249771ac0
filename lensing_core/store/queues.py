"""Candidates that a queue may take: which are free, by which scores, and what graders said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, aliased

from lensing_core.arrays import IntArray
from lensing_core.store.batches import in_batches
from lensing_core.store.blinding import graded_blind
from lensing_core.store.catalogs import listed_catalogs
from lensing_core.store.ranking_filters import candidate_conditions, scored
from lensing_core.store.ranking_query import RankingQuery
from lensing_core.store.tables import Candidate, LabelEvent, Score, Vote

_AT_ONCE = 10_000


def expected_lenses(
    session: Session, ensemble_id: int | None, catalog_ids: Sequence[int] = ()
) -> tuple[float, int]:
    """The logit that ends the list of expected lenses, and how many are expected.

    The expectation is the sum of an ensemble's probabilities, in some catalogs or in all; the logit
    is that of the candidate whose rank is this number.
    """
    mine: list[ColumnElement[bool]] = [Score.ensemble_id == ensemble_id]
    if listed := listed_catalogs(session, catalog_ids):
        mine.append(Score.catalog_id.in_(listed))
    n, total = session.execute(select(func.count(), func.sum(Score.probability)).where(*mine)).one()
    expected = min(max(1, round(total or 0.0)), max(n, 1))
    logit = session.scalar(
        select(Score.logit).where(*mine).order_by(Score.logit.desc()).offset(expected - 1).limit(1)
    )
    return (0.0 if logit is None else logit), expected


def graded_of(session: Session, candidate_ids: Collection[int]) -> set[int]:
    """Those of some candidates that anybody has graded."""
    graded: set[int] = set()
    for part in in_batches(candidate_ids):
        graded.update(session.scalars(select(Vote.candidate_id).where(Vote.candidate_id.in_(part))))
    return graded


def labeled_of(session: Session, candidate_ids: Collection[int]) -> set[int]:
    """Those of some candidates that came with a label."""
    labeled: set[int] = set()
    for part in in_batches(candidate_ids):
        statement = select(Candidate.id).where(Candidate.id.in_(part), Candidate.label.is_not(None))
        labeled.update(session.scalars(statement))
    return labeled


def stream_free(
    session: Session, query: RankingQuery, *, keep_graded: bool, keep_labeled: bool
) -> Iterator[IntArray]:
    """Yield the ids of the candidates of a query, in parts and in no order.

    Parameters
    ----------
    keep_graded, keep_labeled : bool
        Whether those that anybody has graded, or that came with a label, are among them.
    """
    statement = select(Candidate.id).where(*_conditions(session, query))
    if not keep_graded:
        statement = statement.where(~select(Vote).where(Vote.candidate_id == Candidate.id).exists())
    if not keep_labeled:
        statement = statement.where(Candidate.label.is_(None))
    stream = session.scalars(statement.execution_options(yield_per=_AT_ONCE))
    for part in stream.partitions():
        yield np.asarray(part, dtype=np.int64)


def differing_votes(session: Session, query: RankingQuery) -> Iterator[tuple[int, float, str]]:
    """Yield candidate, P(lens) and grade of the votes on candidates whose votes differ, by id."""
    several = select(Vote.candidate_id).group_by(Vote.candidate_id)
    several = several.having(func.count() > 1, func.max(Vote.p_lens) > func.min(Vote.p_lens))
    statement = (
        select(Vote.candidate_id, Vote.p_lens, Vote.grade)
        .join(Candidate, Candidate.id == Vote.candidate_id)
        .where(Vote.candidate_id.in_(several), *_conditions(session, query), *_told(query))
        .order_by(Vote.candidate_id)
    )
    for candidate_id, p, grade in session.execute(statement):
        if p is not None:
            yield candidate_id, p, grade


def flagged_candidates(session: Session, query: RankingQuery) -> dict[int, int]:
    """Return how many graders' flags stand on candidates of a query, for those with any."""
    undo = aliased(LabelEvent)
    undone = exists().where(undo.undoes == LabelEvent.uuid, undo.kind == "undo")
    statement = (
        select(LabelEvent.candidate_id, LabelEvent.grader_id, LabelEvent.kind)
        .join(Candidate, Candidate.id == LabelEvent.candidate_id)
        .where(
            LabelEvent.kind.in_(("flag", "unflag")),
            ~undone,
            *_conditions(session, query),
            *_told(query),
        )
        .order_by(LabelEvent.id)
    )
    last = {(candidate, grader): kind for candidate, grader, kind in session.execute(statement)}
    return Counter(candidate for (candidate, _), kind in last.items() if kind == "flag")


def last_graded(
    session: Session, ensemble_id: int | None, catalog_ids: Collection[int], limit: int
) -> list[int]:
    """Ids of the graded candidates that an ensemble has scored, those graded last first."""
    statement = (
        select(Vote.candidate_id)
        .join(Score, Score.candidate_id == Vote.candidate_id)
        .where(Score.ensemble_id == ensemble_id)
        .group_by(Vote.candidate_id)
        .order_by(func.max(Vote.event_id).desc())
        .limit(limit)
    )
    if catalog_ids:
        statement = statement.where(Score.catalog_id.in_(catalog_ids))
    return list(session.scalars(statement))


def ranking_values(
    session: Session, ensemble_id: int, candidate_ids: Collection[int]
) -> dict[int, tuple[float, float, float, float]]:
    """Logit, epistemic, disagreement and OOD distance (NaN: none) of candidates, by id."""
    values: dict[int, tuple[float, float, float, float]] = {}
    columns = (Score.logit, Score.epistemic, Score.disagreement, Score.ood_distance)
    for part in in_batches(candidate_ids):
        rows = session.execute(
            select(Score.candidate_id, *columns).where(
                Score.ensemble_id == ensemble_id, Score.candidate_id.in_(part)
            )
        )
        for key, logit, epistemic, disagreement, distance in rows:
            far = float("nan") if distance is None else distance
            values[key] = (logit, epistemic, disagreement, far)
    return values


def _told(query: RankingQuery) -> list[Any]:
    """Conditions under which grades of a candidate may be shown to the reader."""
    return [Candidate.id.not_in(graded_blind())] if query.hides_blind else []


def _conditions(session: Session, query: RankingQuery) -> list[Any]:
    conditions: list[Any] = list(candidate_conditions(query))
    if listed := listed_catalogs(session, query.catalog_ids):
        conditions.append(Candidate.catalog_id.in_(listed))
    if query.ensemble_id is not None:
        conditions.append(scored(query))
    return conditions
