"""The log of labels: append, undo, verify; and the votes derived from it.

Every event carries the hash of the one before it. Writers take turns: on SQLite the first
statement of an append takes the write lock, on PostgreSQL an advisory lock does, so that the chain
never forks. An event whose UUID is in the log already is not written twice, so that a client may
send what it is not sure of again.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.store.batches import in_batches
from lensing_core.store.chain import GENESIS as GENESIS
from lensing_core.store.chain import Grades, all_events, follow, vote_of, votes_of
from lensing_core.store.chain import event_hash as event_hash
from lensing_core.store.chain import verify as verify
from lensing_core.store.grader_names import clean_name, skeleton
from lensing_core.store.label_events import NewEvent
from lensing_core.store.sealing import follow_events, log_head
from lensing_core.store.tables import (
    Candidate,
    Catalog,
    Grader,
    LabelEvent,
    LabelSession,
    Vote,
    utc_now,
)
from lensing_core.store.turns import take_turn

_EVENTS_AT_ONCE = 1000
_UUID_LETTERS = 36


def append_events(session: Session, events: Sequence[NewEvent]) -> list[LabelEvent]:
    """Write events to the log, in order, and bring the votes up to date.

    Nothing is written unless all can be. The caller's transaction commits them: acknowledge only
    after it has.

    Returns
    -------
    list of LabelEvent
        One for each of ``events``; the stored one where the UUID was in the log already.

    Raises
    ------
    BadInputError
        If a field makes no sense, or an undo names what is not the grader's own event.
    NotFoundError
        If a grader or candidate does not exist.
    """
    events = [_canonical(event) for event in events]
    take_turn(session)
    _check_references(session, events)
    uuids = [event.uuid for event in events]
    known = {
        e.uuid: e for e in session.scalars(select(LabelEvent).where(LabelEvent.uuid.in_(uuids)))
    }
    before = last_id, last_hash = log_head(session)
    now = utc_now()
    result: list[LabelEvent] = []
    touched: set[tuple[int, int]] = set()
    for event in events:
        if event.uuid in known:
            result.append(known[event.uuid])
            continue
        row = LabelEvent(
            **asdict(event), id=last_id + 1, received_at=now, previous_hash=last_hash, hash=""
        )
        _check_undo(session, row, known)
        row.hash = event_hash(row)
        session.add(row)
        last_id, last_hash = row.id, row.hash
        known[row.uuid] = row
        touched.add((row.candidate_id, row.grader_id))
        result.append(row)
    session.flush()
    _refresh_votes(session, touched)
    session.flush()
    if touched:
        graded = {candidate_id for candidate_id, _ in touched}
        follow_events(session, before, (last_id, last_hash), graded)
    return result


def _canonical(event: NewEvent) -> NewEvent:
    try:
        return event.canonical()
    except BadInputError as error:
        raise BadInputError(f"Event {event.uuid!r}: {error}") from None


def rebuild_votes(session: Session) -> int:
    """Make the votes again from the log; returns how many there are."""
    take_turn(session)
    session.execute(delete(Vote))
    grades: Grades = {}
    for event in all_events(session):
        follow(grades, event)
    votes = votes_of(grades)
    session.add_all(votes)
    session.flush()
    return len(votes)


def known_uuids(session: Session, grader_id: int, uuids: Sequence[str]) -> set[str]:
    """UUIDs of a grader's events that are in the log already."""
    sound = [uuid for uuid in uuids if uuid.isascii() and len(uuid) == _UUID_LETTERS]
    return set(
        session.scalars(
            select(LabelEvent.uuid).where(
                LabelEvent.uuid.in_(sound), LabelEvent.grader_id == grader_id
            )
        )
    )


def find_event(session: Session, uuid: str | None) -> LabelEvent | None:
    """Return the event of a UUID; None where the log has none."""
    return session.scalar(select(LabelEvent).where(LabelEvent.uuid == uuid))


def count_events(session: Session) -> int:
    """Number of events in the log."""
    return session.scalar(select(func.count()).select_from(LabelEvent)) or 0


def named_events(
    session: Session, *, after: int = 0, limit: int | None = None, grader_id: int | None = None
) -> Iterator[tuple[LabelEvent, str, str, str, str | None]]:
    """Yield events in the order of the log, with the names that their keys stand for.

    Those of the grader, the catalog, the object and the labeling session (None: without one).

    Parameters
    ----------
    after : int, optional
        Id of the event before the first.
    limit : int or None
        The most events.
    grader_id : int or None
        Of one grader alone.
    """
    statement = (
        select(LabelEvent, Grader.name, Catalog.name, Candidate.object_id, LabelSession.name)
        .join(Grader, Grader.id == LabelEvent.grader_id)
        .join(Candidate, Candidate.id == LabelEvent.candidate_id)
        .join(Catalog, Catalog.id == Candidate.catalog_id)
        .outerjoin(LabelSession, LabelSession.id == LabelEvent.session_id)
        .where(LabelEvent.id > after)
        .order_by(LabelEvent.id)
        .limit(limit)
        .execution_options(yield_per=_EVENTS_AT_ONCE)
    )
    if grader_id is not None:
        statement = statement.where(LabelEvent.grader_id == grader_id)
    rows = session.execute(statement)
    return (
        (event, grader, catalog, object_id, named)
        for event, grader, catalog, object_id, named in rows
    )


def find_named(session: Session, name: str) -> Grader | None:
    """The grader of a name, or None."""
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    if any("\ud800" <= letter <= "\udfff" for letter in name):  # no database stores these
        return None
    return session.scalar(select(Grader).where(Grader.name == name))


def grader_named(
    session: Session, name: str, *, role: str = "grader", imported: bool = False
) -> Grader:
    """Return the grader of a name, made where there is none.

    Parameters
    ----------
    imported : bool, optional
        Names of other tools may be told apart by case or digits, as long as both are ASCII.

    Raises
    ------
    BadInputError
        If the name breaks a rule of :mod:`lensing_core.store.grader_names`, or looks like one that
        is taken.
    """
    known = find_named(session, name)
    if known is not None:
        return known
    name = check_grader_name(session, name, imported=imported)
    made = Grader(name=name, role=role, preferences={}, skeleton=skeleton(name))
    session.add(made)
    session.flush()
    return made


def check_grader_name(
    session: Session, name: str, *, imported: bool = False, beside: Collection[str] = ()
) -> str:
    """Return a name as it is kept, if a grader has it or may have it; nothing is made.

    Parameters
    ----------
    imported : bool, optional
        As :func:`grader_named`.
    beside : collection of str, optional
        Names, as they are kept, that will be taken, too.

    Raises
    ------
    BadInputError
        As :func:`grader_named`.
    """
    known = find_named(session, name)
    if known is not None:
        return known.name
    name = clean_name(name)
    own_skeleton = skeleton(name)
    stored = session.scalars(select(Grader.name).where(Grader.skeleton == own_skeleton))
    others = [other for other in beside if other != name and skeleton(other) == own_skeleton]
    for taken in [*stored, *others]:
        if not (imported and name.isascii() and taken.isascii()):
            raise BadInputError(
                f"The name {name!r} looks like {taken!r}, which is taken: use that one, or choose "
                "another."
            )
    return name


def _check_references(session: Session, events: Sequence[NewEvent]) -> None:
    for table, column in ((Grader, "grader_id"), (Candidate, "candidate_id")):
        wanted = sorted({getattr(event, column) for event in events})
        for part in in_batches(wanted):
            there = set(session.scalars(select(table.id).where(table.id.in_(part))))
            if missing := [key for key in part if key not in there]:
                raise NotFoundError(f"{table.__name__} {missing[0]} does not exist.")


def _check_undo(session: Session, row: LabelEvent, known: dict[str, LabelEvent]) -> None:
    if row.undoes is None:
        return
    target = known.get(row.undoes) or find_event(session, row.undoes)
    if target is None:
        raise BadInputError(f"Undo {row.uuid}: there is no event {row.undoes} in the log.")
    if (target.grader_id, target.candidate_id) != (row.grader_id, row.candidate_id):
        raise BadInputError(
            f"Undo {row.uuid}: event {row.undoes} is not of this grader and object."
        )


def _refresh_votes(session: Session, touched: set[tuple[int, int]]) -> None:
    """Bring the votes of pairs of candidate and grader up to date, with few statements."""
    graders = {grader_id for _, grader_id in touched}
    candidates = sorted({candidate_id for candidate_id, _ in touched})
    for part in in_batches(candidates):
        grades: Grades = {}
        for event in session.scalars(
            select(LabelEvent)
            .where(LabelEvent.candidate_id.in_(part), LabelEvent.grader_id.in_(graders))
            .order_by(LabelEvent.id)
        ):
            follow(grades, event)
        stored = {
            (vote.candidate_id, vote.grader_id): vote
            for vote in session.scalars(
                select(Vote).where(Vote.candidate_id.in_(part), Vote.grader_id.in_(graders))
            )
        }
        for key in touched & grades.keys():
            if grades[key]:
                session.merge(vote_of(grades[key][-1]))
            elif key in stored:
                session.delete(stored[key])
