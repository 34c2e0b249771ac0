"""The log of labels: append, take back, verify; and the votes that it comes to.

Every event carries the hash of the one before it. Writers take turns: on SQLite the first
statement of an append takes the write lock, on PostgreSQL an advisory lock does, so that the chain
never forks. An event whose UUID is in the log already is not written twice, so that a client may
send what it is not sure of again.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from lensing_core.errors import BadInputError, NotFoundError, WorkspaceError
from lensing_core.store.grader_names import clean_name, skeleton
from lensing_core.store.label_events import NewEvent
from lensing_core.store.tables import (
    Candidate,
    Grader,
    LabelEvent,
    Vote,
    utc_now,
)

GENESIS = "0" * 64
_ADVISORY_LOCK = 0x1E45  # any number that nothing else of the program uses
_AT_ONCE = 1000
_HASHED = (
    *("id", "uuid", "kind", "grader_id", "candidate_id", "session_id", "scheme", "grade"),
    *("is_lens", "p_lens", "reject_reason", "comment", "undoes", "is_repeat", "is_gold"),
    *("source", "given_at", "received_at", "shown_ms", "view", "visible"),
)


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
    _take_turn(session)
    _check_references(session, events)
    uuids = [event.uuid for event in events]
    known = {
        e.uuid: e for e in session.scalars(select(LabelEvent).where(LabelEvent.uuid.in_(uuids)))
    }
    head = session.scalars(select(LabelEvent).order_by(LabelEvent.id.desc()).limit(1)).first()
    last_id, last_hash = (head.id, head.hash) if head else (0, GENESIS)
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
    return result


def _canonical(event: NewEvent) -> NewEvent:
    try:
        return event.canonical()
    except BadInputError as error:
        raise BadInputError(f"Event {event.uuid!r}: {error}") from None


def event_hash(event: LabelEvent) -> str:
    """SHA-256 of the previous hash and of the event's content as canonical JSON."""
    content = {name: getattr(event, name) for name in _HASHED}
    for name in ("given_at", "received_at"):
        content[name] = content[name].isoformat(timespec="microseconds")
    content["is_repeat"], content["is_gold"] = bool(event.is_repeat), bool(event.is_gold)
    text_ = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{event.previous_hash}\n{text_}".encode()).hexdigest()


@dataclass(frozen=True)
class ChainReport:
    """What a walk along the log found: how many events, and the hash of the last."""

    n_events: int
    head: str


def verify(session: Session) -> ChainReport:
    """Walk the whole chain.

    Raises
    ------
    WorkspaceError
        At the first event that was changed, or that does not follow the one before it.
    """
    previous, expected = GENESIS, 1
    for event in _all_events(session):
        if event.id != expected:
            raise WorkspaceError(
                f"Label event {expected} is missing: event {event.id} follows {expected - 1}. "
                "Restore the database from a backup."
            )
        if event.previous_hash != previous or event.hash != event_hash(event):
            raise WorkspaceError(
                f"Label event {event.id} ({event.uuid}) was changed after it was written, or one "
                "before it was. Restore the database from a backup."
            )
        previous, expected = event.hash, event.id + 1
    return ChainReport(expected - 1, previous)


def rebuild_votes(session: Session) -> int:
    """Make the votes again from the log; returns how many there are."""
    _take_turn(session)
    session.execute(delete(Vote))
    current: dict[tuple[int, int], list[LabelEvent]] = {}
    for event in _all_events(session):
        _apply(current.setdefault((event.candidate_id, event.grader_id), []), event)
    votes = [_vote_of(grades[-1]) for grades in current.values() if grades]
    session.add_all(votes)
    session.flush()
    return len(votes)


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
    name = clean_name(name)
    alike = skeleton(name)
    for taken in session.scalars(select(Grader.name).where(Grader.skeleton == alike)):
        if not (imported and name.isascii() and taken.isascii()):
            raise BadInputError(
                f"The name {name!r} looks like {taken!r}, which is taken: use that one, or choose "
                "another."
            )
    made = Grader(name=name, role=role, preferences={}, skeleton=alike)
    session.add(made)
    session.flush()
    return made


def _take_turn(session: Session) -> None:
    """Hold the log to the end of this transaction, so that its head is read by one writer."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    else:
        # pysqlite begins a transaction at the first write: this one changes nothing and locks.
        session.execute(text("UPDATE label_event SET id = id WHERE 0"))


def _check_references(session: Session, events: Sequence[NewEvent]) -> None:
    for table, column in ((Grader, "grader_id"), (Candidate, "candidate_id")):
        wanted = sorted({getattr(event, column) for event in events})
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            there = set(session.scalars(select(table.id).where(table.id.in_(part))))
            if missing := [key for key in part if key not in there]:
                raise NotFoundError(f"{table.__name__} {missing[0]} does not exist.")


def _check_undo(session: Session, row: LabelEvent, known: dict[str, LabelEvent]) -> None:
    if row.undoes is None:
        return
    target = known.get(row.undoes) or session.scalar(
        select(LabelEvent).where(LabelEvent.uuid == row.undoes)
    )
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
    for start in range(0, len(candidates), _AT_ONCE):
        part = candidates[start : start + _AT_ONCE]
        grades: dict[tuple[int, int], list[LabelEvent]] = {}
        for event in session.scalars(
            select(LabelEvent)
            .where(LabelEvent.candidate_id.in_(part), LabelEvent.grader_id.in_(graders))
            .order_by(LabelEvent.id)
        ):
            _apply(grades.setdefault((event.candidate_id, event.grader_id), []), event)
        stored = {
            (vote.candidate_id, vote.grader_id): vote
            for vote in session.scalars(
                select(Vote).where(Vote.candidate_id.in_(part), Vote.grader_id.in_(graders))
            )
        }
        for key in touched & grades.keys():
            if grades[key]:
                session.merge(_vote_of(grades[key][-1]))
            elif key in stored:
                session.delete(stored[key])


def _apply(grades: list[LabelEvent], event: LabelEvent) -> None:
    """Add an event of one grader and candidate to the grades that stand."""
    if event.kind == "grade" and not event.is_repeat:
        grades.append(event)
    elif event.kind == "undo":
        grades[:] = [grade for grade in grades if grade.uuid != event.undoes]


def _vote_of(event: LabelEvent) -> Vote:
    return Vote(
        candidate_id=event.candidate_id,
        grader_id=event.grader_id,
        event_id=event.id,
        session_id=event.session_id,
        scheme=event.scheme,
        grade=event.grade,
        is_lens=event.is_lens,
        p_lens=event.p_lens,
        reject_reason=event.reject_reason,
        at=event.received_at,
    )


def _all_events(session: Session) -> Iterator[LabelEvent]:
    query = select(LabelEvent).order_by(LabelEvent.id).execution_options(yield_per=_AT_ONCE)
    yield from session.scalars(query)
