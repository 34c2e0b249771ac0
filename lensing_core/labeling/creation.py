"""Sessions are made, looked up and closed here."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lensing_core.acquisition import QueueEntry
from lensing_core.consensus import SCHEMES, Scheme
from lensing_core.errors import BadInputError
from lensing_core.labeling.gold import choose_gold, choose_tutorial
from lensing_core.labeling.options import SessionOptions
from lensing_core.store import Session
from lensing_core.store.candidates import require_candidates
from lensing_core.store.label_sessions import add_session, find_session, get_session
from lensing_core.store.labels import grader_named
from lensing_core.store.tables import LabelSession, SessionItem, utc_now

MOST_ITEMS = 100_000
TUTORIAL = "Tutorial"
TUTORIAL_ITEMS = 20
_MAX_WHY = 255


@dataclass(frozen=True)
class NewSession:
    """A session to be made.

    Attributes
    ----------
    name : str
        1 to 120 letters, not given before.
    entries : sequence of QueueEntry
        The queue, in order.
    queue : dict
        How it was chosen, as plain JSON.
    scheme : Scheme
    options : SessionOptions
    ensemble_id : int or None
        Whose scores made the queue.
    graders : sequence of str
        Names of those invited; empty: everybody.
    """

    name: str
    entries: Sequence[QueueEntry]
    queue: dict[str, Any]
    scheme: Scheme = SCHEMES["abcx"]
    options: SessionOptions = field(default_factory=SessionOptions)
    ensemble_id: int | None = None
    graders: Sequence[str] = ()


def create_session(session: Session, new: NewSession, created_by: int | None) -> LabelSession:
    """Make a session with its queue, its gold and its invitations.

    Raises
    ------
    BadInputError
        If the name is taken or the queue is empty, too long, or names an object twice.
    NotFoundError
        If an object does not exist, or there is not enough gold.
    """
    ids = [entry.candidate_id for entry in new.entries]
    _check_queue(session, ids)
    share = new.options.gold_fraction
    n_gold = round(len(ids) * share / (1 - share))
    options = new.options
    gold = choose_gold(session, ids, n_gold, seed=options.seed, lenses_of=options.gold_catalog)
    items = [
        SessionItem(position=k, candidate_id=entry.candidate_id, why=entry.why[:_MAX_WHY])
        for k, entry in enumerate(new.entries)
    ]
    items += [
        SessionItem(
            position=len(ids) + k,
            candidate_id=known.candidate_id,
            kind="gold",
            answer=known.answer,
            explanation=known.explanation,
        )
        for k, known in enumerate(gold)
    ]
    return _store(session, new, items, created_by)


def create_tutorial(session: Session) -> LabelSession:
    """The tutorial, made where there is none: known objects, each explained after its grade."""
    tutorial = find_session(session, TUTORIAL)
    if tutorial is not None:
        return tutorial
    known = choose_tutorial(session, TUTORIAL_ITEMS, seed=1)
    new = NewSession(
        TUTORIAL,
        (),
        {"strategy": "tutorial"},
        SCHEMES["binary"],
        SessionOptions(shuffled=False, feedback=True),
    )
    items = [
        SessionItem(
            position=k,
            candidate_id=one.candidate_id,
            kind="tutorial",
            answer=one.answer,
            explanation=one.explanation,
        )
        for k, one in enumerate(known)
    ]
    return _store(session, new, items, None)


def close_session(session: Session, session_id: str, *, reopen: bool = False) -> LabelSession:
    """Take no further grades; those given before and still on their way are taken for an hour.

    :data:`lensing_core.labeling.recording.LATE_GRACE` is that hour.
    """
    label_session = get_session(session, session_id)
    label_session.status = "open" if reopen else "closed"
    label_session.closed_at = None if reopen else utc_now()
    return label_session


def _check_queue(session: Session, ids: Sequence[int]) -> None:
    if not 0 < len(ids) <= MOST_ITEMS:
        raise BadInputError(f"The queue holds {len(ids):,} candidates: choose 1 to {MOST_ITEMS:,}.")
    if len(set(ids)) < len(ids):
        raise BadInputError("The queue holds a candidate twice.")
    require_candidates(session, ids)


def _store(
    session: Session, new: NewSession, items: list[SessionItem], created_by: int | None
) -> LabelSession:
    name = " ".join(new.name.split())
    if not 0 < len(name) <= LabelSession.name.type.length:
        raise BadInputError(f"Session name {name[:20]!r}: give 1 to 120 letters.")
    if find_session(session, name) is not None:
        raise BadInputError(f"There is a session {name!r} already; choose another name.")
    made = LabelSession(
        id=secrets.token_hex(8),
        name=name,
        scheme=new.scheme.to_json(),
        queue=new.queue,
        options=new.options.to_json(),
        ensemble_id=new.ensemble_id,
        created_by=created_by,
    )
    names = dict.fromkeys(" ".join(name.split()) for name in new.graders)
    guests = [grader_named(session, name).id for name in names]
    return add_session(session, made, items, guests)
