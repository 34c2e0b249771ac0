"""Graders at work: their progress in open sessions, and candidates that are kept blind."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lensing_core.store.graders import works_alone
from lensing_core.store.tables import (
    Grader,
    LabelEvent,
    LabelSession,
    SessionGrader,
    SessionItem,
)


@dataclass(frozen=True)
class Presence:
    """A grader in an open session.

    Attributes
    ----------
    grader_id : int
    grader : str
    session_id : str
    session : str
    n_done : int
        Candidates that were graded or skipped.
    n_items : int
        Candidates of the session.
    last_at : datetime or None
        Of the last event, by the server's clock; None: invited, and not begun.
    """

    grader_id: int
    grader: str
    session_id: str
    session: str
    n_done: int
    n_items: int
    last_at: datetime | None


def who_is_at_work(session: Session) -> list[Presence]:
    """Return the graders of open sessions, those with the latest event first."""
    is_open = LabelSession.status == "open"
    sizes = dict(
        session.execute(
            select(SessionItem.session_id, func.count())
            .join(LabelSession, LabelSession.id == SessionItem.session_id)
            .where(is_open)
            .group_by(SessionItem.session_id)
        ).all()
    )
    done: dict[tuple[str, int], tuple[int, datetime | None]] = {
        (str(session_id), grader_id): (n_done, last_at)
        for session_id, grader_id, n_done, last_at in session.execute(
            select(
                LabelEvent.session_id,
                LabelEvent.grader_id,
                func.count(LabelEvent.candidate_id.distinct()),
                func.max(LabelEvent.received_at),
            )
            .join(LabelSession, LabelSession.id == LabelEvent.session_id)
            .where(is_open)
            .group_by(LabelEvent.session_id, LabelEvent.grader_id)
        )
    }
    invited = session.execute(
        select(SessionGrader.session_id, SessionGrader.grader_id)
        .join(LabelSession, LabelSession.id == SessionGrader.session_id)
        .where(is_open)
    )
    for session_id, grader_id in invited:
        done.setdefault((session_id, grader_id), (0, None))
    graders = dict(session.execute(select(Grader.id, Grader.name)).all())
    sessions = dict(session.execute(select(LabelSession.id, LabelSession.name)).all())
    present = [
        Presence(
            grader_id,
            graders[grader_id],
            session_id,
            sessions[session_id],
            n_done,
            sizes.get(session_id, 0),
            last_at,
        )
        for (session_id, grader_id), (n_done, last_at) in done.items()
    ]
    begun = [one for one in present if one.last_at is not None]
    begun.sort(key=lambda one: (one.last_at, one.grader), reverse=True)
    waiting = [one for one in present if one.last_at is None]
    return begun + sorted(waiting, key=lambda one: (one.session, one.grader))


def blind_sessions_with(session: Session, candidate_id: int) -> list[str]:
    """Return the names of open blind sessions that a candidate stands in."""
    rows = session.execute(
        select(LabelSession.name, LabelSession.options)
        .join(SessionItem, SessionItem.session_id == LabelSession.id)
        .where(SessionItem.candidate_id == candidate_id, LabelSession.status == "open")
        .order_by(LabelSession.name)
    )
    return [name for name, options in rows if options.get("blind")]


def sees_blind(session: Session, grader_id: int | None, *, organizes: bool) -> bool:
    """Return whether a reader sees what is known of candidates that are graded blind.

    Organizers do, and who works alone.
    """
    return works_alone(session) if grader_id is None else organizes


def blind_candidates(session: Session, candidate_ids: Collection[int]) -> set[int]:
    """Return which of some candidates stand in an open blind session."""
    rows = session.execute(
        select(LabelSession.id, LabelSession.options).where(LabelSession.status == "open")
    )
    blind = [key for key, options in rows if options.get("blind")]
    if not blind:
        return set()
    items = select(SessionItem.candidate_id).where(
        SessionItem.session_id.in_(blind), SessionItem.candidate_id.in_(candidate_ids)
    )
    return set(session.scalars(items))
