"""Check the log of labels against its seal and its anchor; mend and accept what is honest."""

from __future__ import annotations

import getpass
import json
import logging
import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from lensing_core.errors import BadInputError, WorkspaceError
from lensing_core.store.anchor import LogAnchor, Seal
from lensing_core.store.chain import (
    GENESIS,
    ChainReport,
    all_events,
    event_hash,
    repairs,
    verify,
)
from lensing_core.store.database import Database
from lensing_core.store.hashed_forms import offset_of, other_forms
from lensing_core.store.sealing import (
    SESSIONS,
    anchor_of,
    digest_of,
    identities_of_candidates,
    identities_of_graders,
    identities_of_sessions,
    log_head,
    note,
    note_hash,
    seal_anew,
    stored_seal,
)
from lensing_core.store.tables import LabelEvent, LogNote, SealedIdentity
from lensing_core.store.turns import take_turn
from lensing_core.workspace import Workspace

_LAST = 100  # events at the end of the log that are looked at before a server begins
_log = logging.getLogger(__name__)
_HEAD = re.compile("[0-9a-f]{12,64}")
_TOLD = {"grader": 3, "candidate": 2}  # parts of an identity that people know
_UNREADABLE = (DatabaseError, ValueError, LookupError, TypeError)


@dataclass(frozen=True)
class RepairReport:
    """Events that a repair explained: their ids, and how many there are in all."""

    repaired: tuple[int, ...]
    n_events: int


def check(workspace: Workspace, database: Database) -> ChainReport:
    """Check pages, chain, votes, seal, identities and anchor, at one moment of the database.

    Raises
    ------
    WorkspaceError
        At the first thing that is wrong; one sentence that says what to do.
    """
    anchor = anchor_of(workspace)
    anchored = anchor.read()  # first: it may lag behind the database, but not the other way round
    try:
        with database.session() as session:
            _check_pages(session)
            _at_one_moment(session)
            report = verify(session)
            seal = _checked_seal(session, anchor, report, anchored)
            _check_identities(session, anchor, seal)
    except _UNREADABLE as error:
        raise _damaged(error) from error
    _check_anchor(anchor, anchored, seal)
    return report


def check_tail(workspace: Workspace, database: Database) -> None:
    """Check pages and the end of the log, in a moment: before a server begins.

    The last events must follow each other, and be those of the seal and of the anchor beside the
    database, so that a tail that was cut off is noticed. A log that is older than seals are is let
    through, with a warning.

    Raises
    ------
    WorkspaceError
        At the first thing that is wrong; one sentence that says what to do.
    """
    anchor = anchor_of(workspace)
    anchored = anchor.read()
    try:
        with database.session() as session:
            _check_pages(session, "quick_check")
            _at_one_moment(session)
            report = _check_last(session)
            if report.n_events and stored_seal(session) is None and anchored is None:
                _log.warning("The log of grades has no seal: lens-triage db seal makes one.")
                return
            seal = _checked_seal(session, anchor, report, anchored)
    except _UNREADABLE as error:
        raise _damaged(error) from error
    _check_anchor(anchor, anchored, seal)


def _check_last(session: Session) -> ChainReport:
    """Walk the last events of the log."""
    n_events, head = log_head(session)
    last = session.scalars(select(LabelEvent).order_by(LabelEvent.id.desc()).limit(_LAST)).all()
    known, previous = repairs(session), None
    for event in reversed(last):
        fits = event.hash == event_hash(event, known.get(event.id))
        if not fits or previous not in (None, event.previous_hash):
            raise _tampered(event)
        previous = event.hash
    return ChainReport(n_events, head)


def events_after(database: Database, head: str) -> int:
    """Return how many events follow the one whose hash was noted elsewhere, as a log grows.

    Parameters
    ----------
    head : str
        The hash, or 12 or more of its first digits.

    Raises
    ------
    BadInputError
        If it is no such hash.
    WorkspaceError
        If the log holds no event of it: events that were there have been removed or changed.
    """
    head = head.strip().lower()
    if not _HEAD.fullmatch(head):
        raise BadInputError(
            f"Hash {head[:20]!r}: give 12 to 64 digits of 0-9 and a-f, as db verify prints them."
        )
    with database.session() as session:
        noted = session.scalar(
            select(LabelEvent.id).where(LabelEvent.hash.startswith(head)).limit(1)
        )
        if noted is None:
            raise WorkspaceError(
                f"The log holds no event of hash {head[:12]}: it is of another workspace, or "
                "events were removed or changed since you noted it. Restore the latest backup."
            )
        counted = select(func.count()).select_from(LabelEvent).where(LabelEvent.id > noted)
        return session.scalar(counted) or 0


def repair(database: Database) -> RepairReport:
    """Note for each event whose hash does not fit in which other form its values were hashed.

    Older versions took the hash before values were in their stored form: a time with its offset,
    milliseconds as text. Such a hash is right for those values; a note in the log says so, and
    nothing else is changed.

    Raises
    ------
    WorkspaceError
        If a hash fits no such form: the event was changed after it was written.
    """
    done = []
    with database.session() as session:
        take_turn(session)
        known, previous, n_events = repairs(session), GENESIS, 0
        offsets: set[str] = set()
        repaired = []
        for event in all_events(session):
            n_events += 1
            if event.previous_hash != previous:
                raise _tampered(event)
            if event.hash != event_hash(event, known.get(event.id)):
                hashed_as = _explain(event, offsets)
                repaired.append((event.id, {"hash": event.hash, "hashed_as": hashed_as}))
            previous = event.hash
        for key, details in repaired:
            made = LogNote(kind="repair", event_id=key, details=details, made_by=_account())
            note(session, made)
            done.append(key)
    return RepairReport(tuple(done), n_events)


def accept_restore(workspace: Workspace, database: Database) -> ChainReport:
    """Take a database that was restored from a backup for the present one, with a note in the log.

    It must be in order but for its age: its seal is one that this workspace made.
    """
    anchor = anchor_of(workspace)
    anchored = anchor.read()
    with database.session() as session:
        take_turn(session)
        report = verify(session)
        seal = stored_seal(session)
        if seal is None or not seal.is_genuine(anchor.key):
            raise WorkspaceError(
                "The database was not sealed by this workspace, so it is not one of its backups. "
                "Restore another one."
            )
        _check_seal(session, seal, report)
        _check_identities(session, anchor, seal)
        lost = {"n_events": anchored.n_events, "head": anchored.head} if anchored else {}
        details = {"n_events": seal.n_events, "head": seal.head, "anchor": lost}
        session.add(LogNote(kind="restore", details=details, made_by=_account()))
        session.flush()
        serial = max(seal.serial, anchored.serial if anchored else 0)
        made = seal_anew(session, anchor, serial)
    anchor.replace(made)
    return report


def seal(workspace: Workspace, database: Database, *, anyway: bool = False) -> ChainReport:
    """Seal a log that has no valid seal, with a note in it that says what was wrong.

    Parameters
    ----------
    anyway : bool, optional
        Also where a seal is there and does not fit: names were changed by hand, or the secret of
        the workspace is another one.

    Raises
    ------
    WorkspaceError
        If the chain is broken or a vote does not follow from it: that is never sealed.
    """
    anchor = anchor_of(workspace)
    with database.session() as session:
        take_turn(session)
        report = verify(session)
        present = stored_seal(session)
        if present is not None and not anyway:
            raise WorkspaceError(
                "The log has a seal. If lens-triage db verify finds fault with it and you know "
                "why, seal it anew with: lens-triage db seal --anyway."
            )
        try:
            anchored = anchor.read()
        except WorkspaceError:
            anchored = None
        serials = [one.serial for one in (present, anchored) if one is not None]
        details = {"n_events": report.n_events, "head": report.head, "anyway": anyway}
        session.add(LogNote(kind="seal", details=details, made_by=_account()))
        session.flush()
        made = seal_anew(session, anchor, max(serials, default=0))
    anchor.replace(made)
    return report


# -- parts of the check ----------------------------------------------------------------------------


def _damaged(error: Exception) -> WorkspaceError:
    reason = str(getattr(error, "orig", None) or error).splitlines()[0]
    return WorkspaceError(f"The database is damaged: {reason}. Restore it from a backup.")


def _check_pages(session: Session, how: str = "integrity_check") -> None:
    """Raise WorkspaceError where pages of an SQLite file are damaged; PostgreSQL checks its own."""
    if session.get_bind().dialect.name == "sqlite":
        verdict = session.scalars(text(f"PRAGMA {how}(1)")).first()
        if verdict != "ok":
            raise WorkspaceError(
                f"The database is damaged: {str(verdict).splitlines()[0]}. Restore it from a "
                "backup."
            )


def _at_one_moment(session: Session) -> None:
    """See in all statements that follow the database as it is now, while others go on writing."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    else:
        session.execute(text("BEGIN"))


def _checked_seal(
    session: Session, anchor: LogAnchor, report: ChainReport, anchored: Seal | None
) -> Seal | None:
    seal = stored_seal(session)
    if seal is None:
        if report.n_events or (anchored is not None and anchored.serial):
            raise WorkspaceError(
                f"The log of {report.n_events:,} events has no seal: it is older than seals are, "
                "or the seal was removed"
                + (f" (the anchor knows of {anchored.n_events:,} events)" if anchored else "")
                + ". When you have checked it, seal it: lens-triage db seal."
            )
        return None
    if not seal.is_genuine(anchor.key):
        raise WorkspaceError(
            "The seal of the log was changed, or made with another secret than the workspace's. "
            "Restore the database from a backup."
        )
    _check_seal(session, seal, report)
    return seal


def _check_seal(session: Session, seal: Seal, report: ChainReport) -> None:
    """Raise WorkspaceError where the log is not the one that was sealed."""
    if report.n_events != seal.n_events:
        what = "fewer" if report.n_events < seal.n_events else "more"
        raise WorkspaceError(
            f"The log has {report.n_events:,} events, {what} than the {seal.n_events:,} that were "
            "sealed: some were removed or added by another program. Restore the database from a "
            "backup."
        )
    if report.head != seal.head:
        raise WorkspaceError(
            f"The {seal.n_events:,} events of the log are not those that were sealed: one was "
            "changed, and the hashes made anew. Restore the database from a backup."
        )
    notes = GENESIS
    for made in session.scalars(select(LogNote).order_by(LogNote.id)):
        notes = note_hash(notes, made)
    if notes != seal.notes:
        raise WorkspaceError(
            "The notes on the log are not those that were sealed. Restore the database from a "
            "backup."
        )


def _check_identities(session: Session, anchor: LogAnchor, seal: Seal | None) -> None:
    """Raise WorkspaceError where a grader, a graded object or a session is not what it was."""
    if seal is None:
        return
    sealed = {
        (kind, key): identity
        for kind, key, identity in session.execute(
            select(SealedIdentity.kind, SealedIdentity.key, SealedIdentity.identity)
        )
    }
    if digest_of(anchor.key, sealed) != seal.identities:
        raise WorkspaceError(
            "The list of graders, objects and sessions of the log is not the one that was sealed. "
            "Restore the database from a backup."
        )
    graded = set(session.scalars(select(LabelEvent.candidate_id).distinct()))
    present = {**identities_of_graders(session), **identities_of_candidates(session, graded)}
    if SESSIONS in sealed:  # else the seal is of a version that left them out
        _check_sessions(json.loads(sealed.pop(SESSIONS)), session)
    for one in sorted(sealed.keys() | present.keys()):
        was, now = sealed.get(one), present.get(one)
        if was != now:
            before, after = _words(one[0], was), _words(one[0], now)
            raise WorkspaceError(
                f"{one[0].capitalize()} {one[1]} was changed by another program: "
                f"{before} when the log was sealed, {after} now. Change it back or "
                "restore the database from a backup."
            )


def _check_sessions(sealed: dict[str, list[str]], session: Session) -> None:
    """Raise WorkspaceError where a labeling session is not what it was."""
    present = json.loads(identities_of_sessions(session)[SESSIONS])
    for key in sorted(sealed.keys() | present.keys()):
        was, now = sealed.get(key), present.get(key)
        if was == now:
            continue
        before, after = (_words_on_session(one) for one in (was, now))
        changes = f"{before} when the log was sealed, {after} now"
        if before == after:
            changes = f"{after} has other conditions or times than when the log was sealed"
        raise WorkspaceError(
            f"Labeling session {key} was changed by another program: {changes}. Change it back or "
            "restore the database from a backup."
        )


def _words_on_session(one: list[str] | None) -> str:
    return " / ".join(repr(part)[:60] for part in one[:2]) if one else "not there"


def _words(kind: str, identity: str | None) -> str:
    parts = [] if identity is None else json.loads(identity)
    return " / ".join(repr(part)[:60] for part in parts[: _TOLD[kind]]) if parts else "not there"


def _check_anchor(anchor: LogAnchor, anchored: Seal | None, seal: Seal | None) -> None:
    """Raise WorkspaceError where the database is not the latest one."""
    if seal is None:
        return
    if anchored is None:
        raise WorkspaceError(
            f"{anchor.path} is missing, so nobody can say whether the database is the latest one. "
            "If it is, write it again: lens-triage db accept-restore."
        )
    if anchored.diverged or anchored.serial > seal.serial:
        raise WorkspaceError(
            f"The database is older than its anchor: that knows of {anchored.n_events:,} events "
            f"(the last is {anchored.head[:12]}), the database of {seal.n_events:,}. If it was "
            "restored from a backup, say so: lens-triage db accept-restore; else restore the "
            "latest one."
        )
    if anchored.serial == seal.serial and anchored.mac != seal.mac:
        raise WorkspaceError(
            f"{anchor.path} is of another database with the same secret. Restore the right one, or "
            "say that this is it: lens-triage db accept-restore."
        )


# -- parts of the repair ---------------------------------------------------------------------------


def _explain(event: LabelEvent, offsets: set[str]) -> dict[str, Any]:
    """The values as they were hashed; ``offsets`` are those of the events before, tried first."""
    forms = sorted(other_forms(event), key=lambda form: offset_of(form) not in offsets)
    for hashed_as in forms:
        if event.hash == event_hash(event, hashed_as):
            offsets.add(offset_of(hashed_as))
            return hashed_as
    raise _tampered(event)


def _tampered(event: LabelEvent) -> WorkspaceError:
    return WorkspaceError(
        f"Label event {event.id} ({event.uuid}) was changed after it was written, or one before it "
        "was: no form of its values that an older version hashed explains its hash. Nothing was "
        "repaired; restore the database from a backup."
    )


def _account() -> str:
    try:
        return getpass.getuser()[:120]
    except (KeyError, OSError, ImportError):
        return "unknown"
