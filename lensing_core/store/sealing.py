"""The seal of the log of labels, written in the transaction of each event.

A seal is an HMAC-SHA256, with a key derived from the workspace's secret, of how many events there
are, the hash of the last, who the graders and graded objects are, the labeling sessions with their
conditions and when they were closed, and the notes on repairs. Before
a new one is made, the present one is checked against the log, so that what was changed by other
hands is never sealed: the old seal stays, and ``lens-triage db verify`` finds the difference.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any, cast

from sqlalchemy import Table, event, insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import get_history

from lensing_core.errors import LensTriageError
from lensing_core.store.anchor import LogAnchor, Seal
from lensing_core.store.batches import in_batches
from lensing_core.store.chain import GENESIS
from lensing_core.store.secret import workspace_secret
from lensing_core.store.tables import (
    Candidate,
    Catalog,
    Grader,
    LabelEvent,
    LabelSession,
    LogNote,
    LogSeal,
    SealedIdentity,
)
from lensing_core.store.tables.label import STORED_ROLES
from lensing_core.store.turns import take_turn
from lensing_core.workspace import Workspace

_PURPOSE = b"lens-triage: seal of the log of labels, 1"
_PENDING = "committed seal to anchor"
_MODULUS = 2**256
_SEAL = cast(Table, LogSeal.__table__)
_IDENTITIES = cast(Table, SealedIdentity.__table__)
_log = logging.getLogger(__name__)
Identities = Mapping[tuple[str, int], str]
"""Identity of a grader or candidate, by kind and id; of all sessions, under :data:`SESSIONS`."""
SESSIONS = ("sessions", 0)
_OF_SESSION = (
    "name", "status", "scheme", "queue", "options", "created_by", "created_at", "closed_at",
)  # fmt: skip


def anchor_of(workspace: Workspace) -> LogAnchor:
    """Return the anchor of a workspace, with the key of its seals."""
    secret = workspace_secret(workspace).encode()
    return LogAnchor(workspace.root, hmac.new(secret, _PURPOSE, hashlib.sha256).digest())


def stored_seal(session: Session) -> Seal | None:
    """Return the seal in the database; None where there is none."""
    row = session.execute(select(_SEAL)).mappings().one_or_none()
    return None if row is None else Seal(**{k: v for k, v in row.items() if k != "id"})


def log_head(session: Session) -> tuple[int, str]:
    """Return the id and hash of the last event; 0 and zeros where there is none."""
    last = select(LabelEvent.id, LabelEvent.hash).order_by(LabelEvent.id.desc()).limit(1)
    row = session.execute(last).one_or_none()
    return (0, GENESIS) if row is None else (row.id, row.hash)


def follow_events(
    session: Session, before: tuple[int, str], after: tuple[int, str], candidates: Collection[int]
) -> None:
    """Seal the log after events were appended to it; the caller holds the log."""
    present = _present(session, before)
    if present is not None:
        anchor, seal = present
        new = _unsealed_candidates(session, candidates)
        if not _are_sessions_sealed(session):  # sealed by a version that left them out
            new = {**new, **identities_of_sessions(session)}
        digest = _add_identities(session, anchor, seal.identities, new)
        n_events, head = after
        _store(session, anchor, replace(seal, n_events=n_events, head=head, identities=digest))


def note(session: Session, made: LogNote) -> None:
    """Write a note into the log's book, and seal it; the caller holds the log."""
    present = _present(session, log_head(session))
    session.add(made)
    session.flush()
    if present is not None:
        anchor, seal = present
        _store(session, anchor, replace(seal, notes=note_hash(seal.notes, made)))


def note_hash(previous: str, made: LogNote) -> str:
    """Return the SHA-256 of the hash before and of a note."""
    content = [made.id, made.kind, made.event_id, made.details, made.made_by]
    text = json.dumps([*content, made.made_at.isoformat(timespec="microseconds")], sort_keys=True)
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


def seal_anew(session: Session, anchor: LogAnchor, serial: int) -> Seal:
    """Seal the log as it is, with all identities; ``serial`` is that of the seal before."""
    session.execute(_IDENTITIES.delete())
    session.execute(_SEAL.delete())
    n_events, head = log_head(session)
    notes = GENESIS
    for made in session.scalars(select(LogNote).order_by(LogNote.id)):
        notes = note_hash(notes, made)
    seal = Seal(serial, n_events, head, f"{0:064x}", notes)
    graded = set(session.scalars(select(LabelEvent.candidate_id).distinct()))
    known = {
        **identities_of_graders(session),
        **identities_of_candidates(session, graded),
        **identities_of_sessions(session),
    }
    digest = _add_identities(session, anchor, seal.identities, known)
    return _store(session, anchor, replace(seal, identities=digest))


def digest_of(key: bytes, identities: Identities) -> str:
    """Return the keyed digest of a set of identities, in any order: a sum of HMACs."""
    return f"{sum(_mac_of(key, *one) for one in identities.items()) % _MODULUS:064x}"


def identities_of_graders(session: Session, keys: Collection[int] | None = None) -> Identities:
    """Return who graders are: name, role as stored, and whether the name is deactivated."""
    statement = select(Grader.id, Grader.name, Grader.role, Grader.deactivated_at)
    if keys is not None:
        statement = statement.where(Grader.id.in_(keys))
    return {
        ("grader", key): json.dumps(
            [name, STORED_ROLES.get(role, role), *(("deactivated",) if deactivated_at else ())],
            ensure_ascii=False,
        )
        for key, name, role, deactivated_at in session.execute(statement)
    }


def identities_of_candidates(session: Session, keys: Iterable[int]) -> Identities:
    """Return which objects candidates are: catalog, name, index and digest of the cutout."""
    identities = {}
    for part in in_batches(sorted(keys)):
        rows = session.execute(
            select(
                Candidate.id,
                Catalog.name,
                Candidate.object_id,
                Candidate.cutout_index,
                Candidate.cutout_sha256,
            )
            .join(Catalog, Catalog.id == Candidate.catalog_id)
            .where(Candidate.id.in_(part))
        )
        for key, *identity in rows:
            identities["candidate", key] = json.dumps(identity, ensure_ascii=False)
    return identities


def identities_of_sessions(session: Session) -> Identities:
    """Return what the labeling sessions are: by id name, status, and a digest of the whole row."""
    columns = [getattr(LabelSession, name) for name in _OF_SESSION]
    rows = session.execute(select(LabelSession.id, *columns).order_by(LabelSession.id))
    identities = {}
    for key, *values in rows:
        text = json.dumps(values, sort_keys=True, default=_moment)
        identities[key] = [*values[:2], hashlib.sha256(text.encode()).hexdigest()]
    return {SESSIONS: json.dumps(identities, ensure_ascii=False)}


def _moment(value: Any) -> str:
    return str(value.isoformat(timespec="microseconds"))


def _are_sessions_sealed(session: Session) -> bool:
    row = select(SealedIdentity.key).where(SealedIdentity.kind == SESSIONS[0])
    return session.scalar(row) is not None


def _mac_of(key: bytes, one: tuple[str, int], identity: str) -> int:
    text = json.dumps([*one, identity]).encode()
    return int.from_bytes(hmac.new(key, text, hashlib.sha256).digest())


def _present(session: Session, before: tuple[int, str]) -> tuple[LogAnchor, Seal] | None:
    """The seal to go on from, begun where the log is new.

    None where it does not fit the log, and for a database that belongs to no workspace.
    """
    workspace = session.info.get("workspace")
    if workspace is None:
        return None
    anchor = anchor_of(workspace)
    try:
        anchored = anchor.read()
    except LensTriageError as error:
        _log.warning("The log of labels is not sealed: %s", error)
        return None
    seal = stored_seal(session)
    if seal is None:
        return _begin(session, anchor, anchored, before)
    if not seal.is_genuine(anchor.key) or (seal.n_events, seal.head) != before:
        _log.warning("The log of labels does not fit its seal; run: lens-triage db verify")
        return None
    if anchored is not None and anchored.serial > seal.serial:
        anchor.mark_diverged()
    return anchor, seal


def _begin(
    session: Session, anchor: LogAnchor, anchored: Seal | None, before: tuple[int, str]
) -> tuple[LogAnchor, Seal] | None:
    """The first seal, of a log that has no event and whose anchor, if any, knows of none."""
    if before != (0, GENESIS) or (anchored is not None and anchored.serial):
        return None
    seal = Seal(0, 0, GENESIS, f"{0:064x}", GENESIS)
    if anchored is None:
        anchor.replace(seal.signed(anchor.key))
    known = {**identities_of_graders(session), **identities_of_sessions(session)}
    digest = _add_identities(session, anchor, seal.identities, known)
    return anchor, replace(seal, identities=digest)


def _unsealed_candidates(session: Session, candidates: Collection[int]) -> Identities:
    new = set(candidates)
    for part in in_batches(sorted(candidates)):
        known = select(SealedIdentity.key).where(
            SealedIdentity.kind == "candidate", SealedIdentity.key.in_(part)
        )
        new.difference_update(session.scalars(known))
    return identities_of_candidates(session, new)


def _add_identities(session: Session, anchor: LogAnchor, digest: str, new: Identities) -> str:
    if not new:
        return digest
    session.execute(
        insert(_IDENTITIES),
        [{"kind": kind, "key": key, "identity": text} for (kind, key), text in new.items()],
    )
    return f"{(int(digest, 16) + int(digest_of(anchor.key, new), 16)) % _MODULUS:064x}"


def _store(session: Session, anchor: LogAnchor, seal: Seal) -> Seal:
    """Write the seal after ``seal``; the anchor follows when the transaction is committed."""
    made = replace(seal, serial=seal.serial + 1).signed(anchor.key)
    values: dict[str, Any] = {k: v for k, v in asdict(made).items() if k != "diverged"}
    if seal.mac:  # it came from the database
        session.execute(update(_SEAL), values)
    else:
        session.execute(insert(_SEAL), {"id": 1, **values})
    session.info[_PENDING] = (anchor, made)
    return made


# -- the anchor follows commits; identities follow graders -----------------------------------------


@event.listens_for(Session, "after_commit")
def _anchor_committed(session: Session) -> None:
    anchor, seal = session.info.pop(_PENDING, (None, None))
    if anchor is None:
        return
    try:
        anchor.advance(seal)
    except (LensTriageError, OSError):  # the events are written: verify tells of the anchor
        _log.exception("The anchor of the log of labels could not be written")


@event.listens_for(Session, "after_rollback")
def _forget_pending(session: Session) -> None:
    session.info.pop(_PENDING, None)


@event.listens_for(Session, "after_flush")
def _follow_changes(session: Session, _context: Any) -> None:
    """Seal what graders and sessions are when the program makes, changes or removes one."""
    if "workspace" not in session.info:
        return
    touched = [
        one
        for one in (*session.new, *session.dirty, *session.deleted)
        if isinstance(one, Grader | LabelSession)
        and (one in session.new or one in session.deleted or _is_another(one))
    ]
    graders = {one.id for one in touched if isinstance(one, Grader)}
    if touched:
        _reseal(session, graders, sessions=len(touched) > len(graders))


def _is_another(one: Grader | LabelSession) -> bool:
    sealed = ("name", "role", "deactivated_at") if isinstance(one, Grader) else _OF_SESSION
    return any(get_history(one, name).has_changes() for name in sealed)


def _reseal(session: Session, graders: set[int], *, sessions: bool) -> None:
    """Seal some graders, and all sessions, as they are now."""
    take_turn(session)
    present = _present(session, log_head(session))
    if present is None:
        return
    anchor, seal = present
    table = _IDENTITIES
    mine = (table.c.kind == "grader") & table.c.key.in_(graders)
    if sessions:
        mine |= table.c.kind == SESSIONS[0]
    rows = session.execute(select(table.c.kind, table.c.key, table.c.identity).where(mine)).all()
    old = {(kind, key): text for kind, key, text in rows}
    session.execute(table.delete().where(mine))
    left = (int(seal.identities, 16) - int(digest_of(anchor.key, old), 16)) % _MODULUS
    new = dict(identities_of_graders(session, graders))
    if sessions:
        new |= identities_of_sessions(session)
    digest = _add_identities(session, anchor, f"{left:064x}", new)
    _store(session, anchor, replace(seal, identities=digest))
