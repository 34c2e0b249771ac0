"""Information that open blind sessions hide from graders, as conditions of queries.

Nobody's opinion sways who has yet to give one. While a session is open and blind, only organizers
see what others said of its candidates; everybody sees their own grades.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from lensing_core.store.tables import LabelSession, SessionItem, Vote


def graded_blind() -> Select[Any]:
    """Ids of the candidates of all open blind sessions."""
    return (
        select(SessionItem.candidate_id)
        .join(LabelSession, LabelSession.id == SessionItem.session_id)
        .where(LabelSession.status == "open", LabelSession.options["blind"].as_boolean())
    )


def open_blind_sessions(session: Session) -> tuple[str, ...]:
    """Ids of the open blind sessions."""
    rows = session.execute(
        select(LabelSession.id, LabelSession.options)
        .where(LabelSession.status == "open")
        .order_by(LabelSession.id)
    )
    return tuple(key for key, options in rows if options.get("blind"))


def blind_ids(session: Session) -> set[int]:
    """Ids of the candidates of all open blind sessions, read at once."""
    return set(session.scalars(graded_blind()))


def may_see_vote(grader_id: int | None, vote: Any = Vote) -> ColumnElement[bool]:
    """Condition on a vote: it is the reader's own, or of no candidate that is graded blind.

    Parameters
    ----------
    grader_id : int or None
        The reader; None: nobody is signed in.
    vote : optional
        An alias of :class:`Vote`.
    """
    may_see = vote.candidate_id.not_in(graded_blind())
    return may_see if grader_id is None else or_(vote.grader_id == grader_id, may_see)
