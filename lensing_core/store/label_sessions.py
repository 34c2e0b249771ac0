"""Labeling sessions as rows: their queues, their graders, and the events given in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, delete, func, insert, select
from sqlalchemy.orm import Session

from lensing_core.errors import NotFoundError
from lensing_core.store.batches import in_batches
from lensing_core.store.consensus_choice import current_consensus_method
from lensing_core.store.tables import (
    Candidate,
    Consensus,
    Grader,
    LabelEvent,
    LabelSession,
    SessionGrader,
    SessionItem,
    Vote,
)

# -- sessions ------------------------------------------------------------------------------------


def get_session(session: Session, session_id: str) -> LabelSession:
    """Return the labeling session of an id; raises NotFoundError."""
    label_session = session.get(LabelSession, session_id)
    if label_session is None:
        raise NotFoundError(f"There is no labeling session {session_id!r}.")
    return label_session


def find_session(session: Session, name: str) -> LabelSession | None:
    """Return the labeling session of a name; None where there is none."""
    return session.scalar(select(LabelSession).where(LabelSession.name == name))


def session_named(session: Session, name: str) -> LabelSession:
    """Return the labeling session of a name; raises NotFoundError."""
    label_session = find_session(session, name)
    if label_session is None:
        raise NotFoundError(f"There is no labeling session {name!r}.")
    return label_session


def session_names(session: Session) -> list[str]:
    """Names that are taken."""
    return list(session.scalars(select(LabelSession.name)))


def all_sessions(session: Session, *, archived: bool = True) -> list[LabelSession]:
    """Return all labeling sessions, open ones first, then the newest; or all but archived ones."""
    asked = select(LabelSession).order_by(
        LabelSession.status.desc(), LabelSession.created_at.desc(), LabelSession.id
    )
    if not archived:
        asked = asked.where(LabelSession.archived_at.is_(None))
    return list(session.scalars(asked))


def open_sessions(session: Session) -> list[LabelSession]:
    """Return the labeling sessions that take grades."""
    return list(session.scalars(select(LabelSession).where(LabelSession.status == "open")))


def add_session(
    session: Session,
    made: LabelSession,
    items: Sequence[SessionItem],
    grader_ids: Iterable[int],
) -> LabelSession:
    """Add a labeling session with its queue and the graders that are invited (none: everybody)."""
    session.add(made)
    session.flush()
    for item in items:
        item.session_id = made.id
    session.add_all(items)
    session.add_all(SessionGrader(session_id=made.id, grader_id=key) for key in grader_ids)
    session.flush()
    return made


def event_fingerprint(session: Session) -> tuple[Any, ...]:
    """Changes whenever something is graded, or a session is made, closed, renamed or archived."""
    last = session.scalar(select(func.max(LabelEvent.id)))
    named = select(
        LabelSession.id, LabelSession.name, LabelSession.status, LabelSession.archived_at
    )
    return (last, *map(tuple, session.execute(named.order_by(LabelSession.id))))


# -- graders -------------------------------------------------------------------------------------


def invited(session: Session, session_id: str) -> set[int]:
    """Ids of the graders of a session; empty: everybody."""
    return set(
        session.scalars(
            select(SessionGrader.grader_id).where(SessionGrader.session_id == session_id)
        )
    )


def add_guest(session: Session, session_id: str, grader_id: int) -> None:
    """Let a grader into a session that is for some alone; everybody is in one that is for all."""
    guests = invited(session, session_id)
    if guests and grader_id not in guests:
        session.add(SessionGrader(session_id=session_id, grader_id=grader_id))


def names_of_invited(session: Session, session_id: str) -> Sequence[str]:
    """Names of the graders of a session, sorted; empty: everybody."""
    guests = select(SessionGrader.grader_id).where(SessionGrader.session_id == session_id)
    return session.scalars(
        select(Grader.name).where(Grader.id.in_(guests)).order_by(Grader.name)
    ).all()


def graders_at_work(session: Session, session_id: str) -> dict[int, Grader]:
    """Return the graders who have given an event in a session, by id."""
    active = select(LabelEvent.grader_id).where(LabelEvent.session_id == session_id)
    return {g.id: g for g in session.scalars(select(Grader).where(Grader.id.in_(active)))}


# -- queues --------------------------------------------------------------------------------------


class StoredCutout(NamedTuple):
    """Place of a candidate's cutout, and the digest of its pixels."""

    id: int
    catalog_id: int
    cutout_index: int
    cutout_sha256: str


def items_of(session: Session, session_id: str) -> list[SessionItem]:
    """Return the queue of a session, gold and tutorial objects included."""
    return list(session.scalars(select(SessionItem).where(SessionItem.session_id == session_id)))


def count_items(session: Session, session_id: str) -> int:
    """Number of objects in the queue of a session, gold included."""
    items = select(func.count()).select_from(SessionItem)
    return session.scalar(items.where(SessionItem.session_id == session_id)) or 0


def cutouts_of_session(session: Session, session_id: str) -> dict[int, StoredCutout]:
    """Cutouts of the objects of a session, by candidate."""
    rows = session.execute(
        select(Candidate.id, Candidate.catalog_id, Candidate.cutout_index, Candidate.cutout_sha256)
        .join(SessionItem, SessionItem.candidate_id == Candidate.id)
        .where(SessionItem.session_id == session_id)
    )
    return {row[0]: StoredCutout._make(row) for row in rows}


def queue_fingerprint(session: Session, session_id: str) -> tuple[Any, ...]:
    """Changes where the queue of a session does, at the cost of one pass over an index."""
    return tuple(
        session.execute(
            select(
                func.count(),
                func.sum(SessionItem.candidate_id * (SessionItem.position % 9973 + 1)),
            ).where(SessionItem.session_id == session_id)
        ).one()
    )


def ungraded_items(session: Session, session_id: str) -> list[SessionItem]:
    """Return the objects of a queue without an event in the session, in order; gold left out."""
    touched = select(LabelEvent.candidate_id).where(LabelEvent.session_id == session_id)
    return list(
        session.scalars(
            select(SessionItem)
            .where(
                SessionItem.session_id == session_id,
                SessionItem.kind == "queue",
                SessionItem.candidate_id.not_in(touched),
            )
            .order_by(SessionItem.position)
        )
    )


def replace_items(session: Session, session_id: str, items: Sequence[dict[str, Any]]) -> None:
    """Put rows (columns of ``session_item``) into the places of a queue that they name."""
    for part in in_batches(item["position"] for item in items):
        session.execute(
            delete(SessionItem).where(
                SessionItem.session_id == session_id, SessionItem.position.in_(part)
            )
        )
    session.execute(insert(SessionItem), list(items))


def queues_of_strategy(session: Session, strategy: str) -> list[int]:
    """Candidates in the queues of the sessions that one strategy chose; gold left out."""
    chosen = [
        one.id
        for one in session.scalars(select(LabelSession))
        if one.queue.get("strategy") == strategy
    ]
    return list(
        session.scalars(
            select(SessionItem.candidate_id)
            .where(SessionItem.session_id.in_(chosen), SessionItem.kind == "queue")
            .distinct()
        )
    )


def retired_candidates(
    session: Session, session_id: str, candidate_ids: Iterable[int], target_votes: int
) -> set[int]:
    """Those candidates of a session that need no further vote.

    They are decided by consensus, or have got ``target_votes`` votes in the session (0: any number
    is welcome).
    """
    retired: set[int] = set()
    for part in in_batches(candidate_ids):
        retired.update(
            session.scalars(
                select(Consensus.candidate_id).where(
                    Consensus.candidate_id.in_(part),
                    Consensus.method == current_consensus_method(),
                    Consensus.state != "open",
                )
            )
        )
        if target_votes:
            retired.update(
                session.scalars(
                    select(Vote.candidate_id)
                    .where(Vote.candidate_id.in_(part), Vote.session_id == session_id)
                    .group_by(Vote.candidate_id)
                    .having(func.count() >= target_votes)
                )
            )
    return retired


# -- gold ----------------------------------------------------------------------------------------


def answers_of(session: Session, session_id: str) -> dict[int, int]:
    """The answers of a session's gold, 1 lens or 0 not, by candidate."""
    rows = session.execute(
        select(SessionItem.candidate_id, SessionItem.answer).where(
            SessionItem.session_id == session_id, SessionItem.answer.is_not(None)
        )
    )
    return {candidate_id: int(answer or 0) for candidate_id, answer in rows}


def answers_of_all(session: Session) -> dict[tuple[str, int], int]:
    """The answers of the gold of all sessions, by session and candidate."""
    rows = session.execute(
        select(SessionItem.session_id, SessionItem.candidate_id, SessionItem.answer).where(
            SessionItem.answer.is_not(None)
        )
    )
    return {(session_id, key): int(answer or 0) for session_id, key, answer in rows}


# -- events --------------------------------------------------------------------------------------


class SessionEvent(NamedTuple):
    """Columns of an event of the log that was given in a session."""

    grader_id: int
    session_id: str
    id: int
    uuid: str
    kind: str
    candidate_id: int
    is_repeat: bool
    undoes: str | None
    grade: str | None
    is_lens: int | None
    reject_reason: str | None
    comment: str
    shown_ms: int | None
    received_at: datetime


def session_events(
    session: Session, session_id: str, grader_id: int | None = None
) -> Iterator[SessionEvent]:
    """Yield the events of a session, of all graders or of one, in the order of the log."""
    statement = _events().where(LabelEvent.session_id == session_id)
    if grader_id is not None:
        statement = statement.where(LabelEvent.grader_id == grader_id)
    return map(SessionEvent._make, session.execute(statement))


def events_on_gold(session: Session) -> Iterator[SessionEvent]:
    """Yield the events on the gold of their own session, in the order of the log."""
    gold = (
        (SessionItem.session_id == LabelEvent.session_id)
        & (SessionItem.candidate_id == LabelEvent.candidate_id)
        & SessionItem.answer.is_not(None)
    )
    return map(SessionEvent._make, session.execute(_events().join(SessionItem, gold)))


def _events() -> Select[Any]:
    columns = (getattr(LabelEvent, name) for name in SessionEvent._fields)
    return select(*columns).order_by(LabelEvent.id)
