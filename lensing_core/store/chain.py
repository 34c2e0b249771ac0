"""The log of label events as a chain of hashes, and the votes that follow from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.consensus.schemes import VISIBILITY
from lensing_core.errors import WorkspaceError
from lensing_core.store.tables import LabelEvent, LogNote, Vote

GENESIS = "0" * 64
_AT_ONCE = 1000
_HASHED = (
    *("id", "uuid", "kind", "grader_id", "candidate_id", "session_id", "scheme", "grade"),
    *("is_lens", "p_lens", "reject_reason", "comment", "undoes", "is_repeat", "is_gold"),
    *("source", "given_at", "received_at", "shown_ms", "view", "visible"),
)
_VOTE = (
    *("event_id", "session_id", "scheme", "grade", "is_lens", "p_lens", "reject_reason", "at"),
)
Grades = dict[tuple[int, int], list[LabelEvent]]
"""Active grades, the last one last, by candidate and grader."""


@dataclass(frozen=True)
class ChainReport:
    """Result of a walk along the log.

    Attributes
    ----------
    n_events : int
    head : str
        Hash of the last event.
    n_repaired : int
        Events whose hash was taken of values in another form, as notes in the log say.
    n_votes : int
    """

    n_events: int
    head: str
    n_repaired: int = 0
    n_votes: int = 0


def event_hash(event: LabelEvent, hashed_as: Mapping[str, Any] | None = None) -> str:
    """Return the SHA-256 of the previous hash and of the event's content as canonical JSON.

    Parameters
    ----------
    event : LabelEvent
    hashed_as : mapping, optional
        Values in the form in which they were hashed, where that is not the stored one.
    """
    content = {name: getattr(event, name) for name in _HASHED}
    for name in ("given_at", "received_at"):
        content[name] = content[name].isoformat(timespec="microseconds")
    content["is_repeat"], content["is_gold"] = bool(event.is_repeat), bool(event.is_gold)
    content |= hashed_as or {}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{event.previous_hash}\n{text}".encode()).hexdigest()


def means_the_same(event: LabelEvent, hashed_as: Mapping[str, Any]) -> bool:
    """Return whether values in another form are those that are stored."""
    for name, value in hashed_as.items():
        stored = getattr(event, name)
        try:
            if name == "given_at":
                same = datetime.fromisoformat(value) == stored
            else:
                same = name in ("shown_ms", "is_lens") and float(value) == float(stored)
        except (TypeError, ValueError):
            same = False
        if not same:
            return False
    return True


def repairs(session: Session) -> dict[int, dict[str, Any]]:
    """Return, by id of event, the values as they were when it was hashed."""
    notes = select(LogNote.event_id, LogNote.details).where(LogNote.kind == "repair")
    return {key: details.get("hashed_as", {}) for key, details in session.execute(notes)}


def verify(session: Session) -> ChainReport:
    """Walk the whole chain, and compare the votes with what follows from it.

    Raises
    ------
    WorkspaceError
        At the first event that was changed, or that does not follow the one before it, or at a
        vote that does not follow from the log.
    """
    previous, expected = GENESIS, 1
    repaired, grades = repairs(session), Grades()
    for event in all_events(session):
        if event.id != expected:
            raise WorkspaceError(
                f"Label event {expected} is missing: event {event.id} follows {expected - 1}. "
                "Restore the database from a backup."
            )
        hashed_as = repaired.get(event.id, {})
        if event.previous_hash != previous or event.hash != event_hash(event, hashed_as):
            raise WorkspaceError(
                f"Label event {event.id} ({event.uuid}) was changed after it was written, or one "
                "before it was. Where an older version of the program hashed a time with its "
                "offset, lens-triage db repair says so; else restore the database from a backup."
            )
        if not means_the_same(event, hashed_as):
            raise WorkspaceError(
                f"The note on the repair of label event {event.id} does not fit it: one of the two "
                "was changed. Restore the database from a backup."
            )
        follow(grades, event)
        previous, expected = event.hash, event.id + 1
    n_votes = _compare_votes(session, grades)
    return ChainReport(expected - 1, previous, len(repaired), n_votes)


def all_events(session: Session) -> Iterator[LabelEvent]:
    """Iterate over the log, in order."""
    query = select(LabelEvent).order_by(LabelEvent.id).execution_options(yield_per=_AT_ONCE)
    yield from session.scalars(query)


def follow(grades: Grades, event: LabelEvent) -> None:
    """Add an event to the grades that are active.

    A grade stands behind those before it in the log. One that was imported with its time
    (``view["order"] == "clock"``) stands where the clock has it: an older file that is imported
    later replaces no newer grade. Grades of visibility are no votes.
    """
    if event.scheme == VISIBILITY:
        return
    mine = grades.setdefault((event.candidate_id, event.grader_id), [])
    if event.kind == "grade" and not event.is_repeat:
        place = len(mine)
        if event.view.get("order") == "clock":
            while place and mine[place - 1].given_at > event.given_at:
                place -= 1
        mine.insert(place, event)
    elif event.kind == "undo":
        mine[:] = [grade for grade in mine if grade.uuid != event.undoes]


def votes_of(grades: Grades) -> list[Vote]:
    """Return the votes that follow from active grades."""
    return [vote_of(mine[-1]) for mine in grades.values() if mine]


def vote_of(event: LabelEvent) -> Vote:
    """Return the vote that a grade makes."""
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


def _compare_votes(session: Session, grades: Grades) -> int:
    expected = {(vote.candidate_id, vote.grader_id): vote for vote in votes_of(grades)}
    n_votes = len(expected)
    stored = select(Vote).execution_options(yield_per=_AT_ONCE, populate_existing=True)
    for vote in session.scalars(stored):
        wanted = expected.pop((vote.candidate_id, vote.grader_id), None)
        if wanted is None or any(getattr(vote, n) != getattr(wanted, n) for n in _VOTE):
            raise _wrong_vote(vote.candidate_id, vote.grader_id, "does not follow from")
    for candidate_id, grader_id in expected:
        raise _wrong_vote(candidate_id, grader_id, "is missing, though it follows from")
    return n_votes


def _wrong_vote(candidate_id: int, grader_id: int, what: str) -> WorkspaceError:
    return WorkspaceError(
        f"The vote of grader {grader_id} on candidate {candidate_id} {what} the log of labels. "
        "Make the votes again: lens-triage db rebuild-votes."
    )
