"""Votes: the grades that stand, as the log of label events has them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lensing_core.store.tables import Grader, LabelEvent, Vote


@dataclass(frozen=True)
class GivenGrade:
    """The standing grade that somebody gave a candidate."""

    candidate_id: int
    grader_id: int
    grader: str
    scheme: str
    grade: str


@dataclass(frozen=True)
class OwnGrade:
    """What a grader needs to take a standing grade back.

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
    """Standing grades of a few candidates, by the name of the grader."""
    rows = session.execute(
        select(Vote.candidate_id, Vote.grader_id, Grader.name, Vote.scheme, Vote.grade)
        .join(Grader, Grader.id == Vote.grader_id)
        .where(Vote.candidate_id.in_(candidate_ids))
        .order_by(Grader.name, Vote.candidate_id)
    )
    return [GivenGrade(*row) for row in rows]


def own_grade(session: Session, candidate_id: int, grader_id: int) -> OwnGrade | None:
    """A grader's standing grade of a candidate; None where there is none."""
    row = session.execute(
        select(LabelEvent.uuid, Vote.scheme, Vote.session_id)
        .join(LabelEvent, LabelEvent.id == Vote.event_id)
        .where(Vote.candidate_id == candidate_id, Vote.grader_id == grader_id)
    ).one_or_none()
    return None if row is None else OwnGrade(*row)


def count_grades_of_others(session: Session, candidate_id: int, grader_id: int) -> int:
    """How many graders but one have a standing grade of a candidate."""
    statement = select(func.count()).where(
        Vote.candidate_id == candidate_id, Vote.grader_id != grader_id
    )
    return session.scalar(statement) or 0
