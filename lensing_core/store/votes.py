"""Votes: the grades that stand, as the log of label events has them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Integer, func, select
from sqlalchemy.orm import Session

from lensing_core.store.batches import in_batches
from lensing_core.store.consensus_choice import current_consensus_method
from lensing_core.store.tables import (
    Candidate,
    Catalog,
    Consensus,
    ConsensusChoice,
    Grader,
    LabelEvent,
    Vote,
)


@dataclass(frozen=True)
class GivenGrade:
    """The active grade that somebody gave a candidate."""

    candidate_id: int
    grader_id: int
    grader: str
    scheme: str
    grade: str


@dataclass(frozen=True)
class OwnGrade:
    """Event and grade that a grader can undo.

    Attributes
    ----------
    uuid : str
        Of the event that gave it.
    scheme : str
    session_id : str or None
        The labeling session in which it was given; None: Review, or an import.
    """

    uuid: str
    scheme: str
    session_id: str | None


def grades_of(session: Session, candidate_ids: Collection[int]) -> list[GivenGrade]:
    """Active grades of a few candidates, by the name of the grader."""
    rows = session.execute(
        select(Vote.candidate_id, Vote.grader_id, Grader.name, Vote.scheme, Vote.grade)
        .join(Grader, Grader.id == Vote.grader_id)
        .where(Vote.candidate_id.in_(candidate_ids))
        .order_by(Grader.name, Vote.candidate_id)
    )
    return [GivenGrade(*row) for row in rows]


def own_grade(session: Session, candidate_id: int, grader_id: int) -> OwnGrade | None:
    """A grader's active grade of a candidate; None where there is none."""
    row = session.execute(
        select(LabelEvent.uuid, Vote.scheme, Vote.session_id)
        .join(LabelEvent, LabelEvent.id == Vote.event_id)
        .where(Vote.candidate_id == candidate_id, Vote.grader_id == grader_id)
    ).one_or_none()
    return None if row is None else OwnGrade(*row)


def grade_of_event(session: Session, uuid: str, candidate_id: int) -> OwnGrade | None:
    """The grade that an event gave a candidate, taken back or not; None for any other event."""
    row = session.execute(
        select(LabelEvent.uuid, LabelEvent.scheme, LabelEvent.session_id).where(
            LabelEvent.uuid == uuid,
            LabelEvent.kind == "grade",
            LabelEvent.candidate_id == candidate_id,
        )
    ).one_or_none()
    return None if row is None else OwnGrade(*row)


def count_grades_of_others(session: Session, candidate_id: int, grader_id: int) -> int:
    """Return how many graders but one have an active grade of a candidate."""
    statement = select(func.count()).where(
        Vote.candidate_id == candidate_id, Vote.grader_id != grader_id
    )
    return session.scalar(statement) or 0


def reject_reasons(
    session: Session, candidate_ids: Iterable[int] | None = None
) -> Iterator[tuple[int, str]]:
    """Yield candidate and reason of each vote with a reason; of all candidates without ids."""
    statement = select(Vote.candidate_id, Vote.reject_reason).where(Vote.reject_reason.is_not(None))
    if candidate_ids is None:
        statements = [statement]
    else:
        parts = in_batches(candidate_ids)
        statements = [statement.where(Vote.candidate_id.in_(part)) for part in parts]
    for one in statements:
        for candidate_id, reason in session.execute(one):
            yield candidate_id, str(reason)


class NewerVotes(NamedTuple):
    """Votes of a candidate: the share of those decided that say lens, and how many there are."""

    candidate_id: int
    share: float
    n_votes: int


def votes_after(session: Session, last_event_id: int) -> list[NewerVotes]:
    """Decided votes of the candidates that were graded after an event of the log."""
    rows = session.execute(
        select(Vote.candidate_id, func.avg(Vote.is_lens), func.count())
        .where(Vote.is_lens.is_not(None))
        .group_by(Vote.candidate_id)
        .having(func.max(Vote.event_id) > last_event_id)
    )
    return [NewerVotes(candidate_id, float(share), n) for candidate_id, share, n in rows]


def votes_fingerprint(session: Session) -> tuple[Any, ...]:
    """Changes whenever a vote or the consensus does."""
    votes = session.execute(select(func.count(), func.max(Vote.event_id))).one()
    return (*votes, session.scalar(select(func.max(ConsensusChoice.joined_at))))


class FirstGrade(NamedTuple):
    """Time of the first active grade of a candidate, and its consensus."""

    at: datetime
    posterior: float
    prior: float


def first_graded(session: Session, catalog_id: int) -> list[FirstGrade]:
    """First grades of the candidates of a catalog, by the consensus that was made last."""
    rows = session.execute(
        select(func.min(Vote.at), func.max(Consensus.posterior), func.max(Consensus.prior))
        .join(Candidate, Candidate.id == Vote.candidate_id)
        .join(Consensus, Consensus.candidate_id == Vote.candidate_id)
        .where(Candidate.catalog_id == catalog_id, Consensus.method == current_consensus_method())
        .group_by(Vote.candidate_id)
    )
    return [FirstGrade(*row) for row in rows]


class Coverage(NamedTuple):
    """Number of candidates of a catalog with one vote, or several."""

    catalog: str
    n_candidates: int
    n_graded: int
    n_several: int


def coverage_of_catalogs(session: Session) -> list[Coverage]:
    """Coverage of the catalogs with votes, the most graded first."""
    per_object = (
        select(Candidate.catalog_id, Vote.candidate_id, func.count().label("n"))
        .join(Candidate, Candidate.id == Vote.candidate_id)
        .group_by(Candidate.catalog_id, Vote.candidate_id)
        .subquery()
    )
    rows = session.execute(
        select(
            Catalog.name,
            Catalog.n_candidates,
            func.count(),
            func.sum((per_object.c.n > 1).cast(Integer)),
        )
        .join(per_object, per_object.c.catalog_id == Catalog.id)
        .group_by(Catalog.id, Catalog.name, Catalog.n_candidates)
        .order_by(func.count().desc())
    )
    return [Coverage(name, n, graded, int(several or 0)) for name, n, graded, several in rows]
