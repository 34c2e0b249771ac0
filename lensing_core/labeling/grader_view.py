"""A grader's view of a session: which cutouts, under which names, and what of them is done.

A cutout has a name that says nothing of its object, and another for each grader and each repeat:
the beginning of a keyed hash (HMAC-SHA256) of all that decides it. Names stay the same over
restarts, and change with the pixels.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from lensing_core.consensus import Scheme, scheme_from_json
from lensing_core.errors import NotFoundError, PolicyError
from lensing_core.labeling.options import SessionOptions
from lensing_core.labeling.order import Slot, grader_order
from lensing_core.store import Session
from lensing_core.store.label_sessions import (
    SessionEvent,
    cutouts_of_session,
    get_session,
    invited,
    items_of,
    retired_candidates,
    session_events,
)
from lensing_core.store.tables import LabelSession, SessionItem
from lensing_core.store.visibility import visibility_complete

_TOKEN_LETTERS = 24
Key = tuple[int, bool]
"""Candidate, and whether it is the repeat: at most one event of a kind is active for each."""


@dataclass(frozen=True)
class SessionCutout:
    """One cutout to grade; ``token`` is the name that its page knows."""

    number: int
    token: str
    candidate_id: int
    catalog_id: int
    cutout_index: int
    is_repeat: bool
    kind: str
    why: str
    answer: int | None
    explanation: str

    @property
    def key(self) -> Key:
        """Return what events are told apart by."""
        return self.candidate_id, self.is_repeat


@dataclass(frozen=True)
class Response:
    """An active event of a grader: a grade, or a skip."""

    id: int
    uuid: str
    kind: str
    grade: str | None
    is_lens: int | None
    reject_reason: str | None
    comment: str
    shown_ms: int | None
    received_at: datetime


@dataclass(frozen=True)
class SessionProgress:
    """Active events of a grader in a session, flagged objects, and objects ever skipped."""

    responses: Mapping[Key, Response]
    flagged: frozenset[int]
    put_off: frozenset[int] = frozenset()


@dataclass(frozen=True)
class GraderView:
    """A session as one grader sees it; ``cutouts`` in order."""

    session_id: str
    grader_id: int
    scheme: Scheme
    options: SessionOptions
    ensemble_id: int | None
    cutouts: tuple[SessionCutout, ...]

    @cached_property
    def by_token(self) -> dict[str, SessionCutout]:
        """Cutouts by the name that the page knows."""
        return {cutout.token: cutout for cutout in self.cutouts}

    def cutout(self, token: str) -> SessionCutout:
        """The cutout of a name; raises NotFoundError."""
        try:
            return self.by_token[token]
        except KeyError:
            raise NotFoundError(
                "This session has no such cutout for you; reload the page."
            ) from None


def open_grader_view(session: Session, secret: str, session_id: str, grader_id: int) -> GraderView:
    """A grader's view of a session, open or closed.

    Parameters
    ----------
    session : Session
    secret : str
        Of the workspace; names of cutouts are made with it.
    session_id : str
    grader_id : int

    Raises
    ------
    NotFoundError
        If there is no such session.
    PolicyError
        If the grader is not invited.
    """
    label_session = get_session(session, session_id)
    guests = invited(session, session_id)
    if guests and grader_id not in guests:
        raise PolicyError(f"You are not among the graders of session {label_session.name!r}.")
    items = {item.position: item for item in items_of(session, session_id)}
    options = SessionOptions.from_json(label_session.options)
    slots = grader_order(
        sorted(k for k, item in items.items() if item.kind != "gold"),
        sorted(k for k, item in items.items() if item.kind == "gold"),
        grader_id=grader_id,
        seed=options.seed,
        shuffled=options.shuffled,
        repeat_fraction=options.repeat_fraction,
    )
    cutouts = _cutouts(session, secret, label_session, grader_id, items, slots)
    scheme = scheme_from_json(label_session.scheme)
    return GraderView(session_id, grader_id, scheme, options, label_session.ensemble_id, cutouts)


def progress_of(session: Session, view: GraderView) -> SessionProgress:
    """Active events of the grader in the session of a view."""
    return progress_of_events(session_events(session, view.session_id, view.grader_id))


def progress_of_events(rows: Iterable[SessionEvent]) -> SessionProgress:
    """Active events among those of one grader and session, in the order of the log."""
    stacks: defaultdict[Key, list[Response]] = defaultdict(list)
    flags: defaultdict[int, list[tuple[str, bool]]] = defaultdict(list)
    put_off: dict[str, int] = {}
    for row in rows:
        stack = stacks[row.candidate_id, bool(row.is_repeat)]
        if row.kind in ("grade", "skip"):
            if row.kind == "skip":
                put_off[row.uuid] = row.candidate_id
            stack.append(
                Response(
                    row.id,
                    row.uuid,
                    row.kind,
                    row.grade,
                    row.is_lens,
                    row.reject_reason,
                    row.comment,
                    row.shown_ms,
                    row.received_at,
                )
            )
        elif row.kind == "undo":
            stack[:] = [response for response in stack if response.uuid != row.undoes]
            kept = flags[row.candidate_id]
            kept[:] = [flag for flag in kept if flag[0] != row.undoes]
            put_off.pop(row.undoes or "", None)
        else:
            flags[row.candidate_id].append((row.uuid, row.kind == "flag"))
    return SessionProgress(
        {key: stack[-1] for key, stack in stacks.items() if stack},
        frozenset(k for k, states in flags.items() if states and states[-1][1]),
        frozenset(put_off.values()),
    )


def retired(session: Session, view: GraderView) -> set[int]:
    """Candidates of the queue that need no further vote, by consensus or by number of votes.

    Where visibility is graded: by the number of graders who did so in the session.
    """
    queue = [s.candidate_id for s in view.cutouts if s.kind == "queue" and not s.is_repeat]
    if not view.scheme.gives_votes:
        return visibility_complete(session, view.session_id, view.options.target_votes)
    return retired_candidates(session, view.session_id, queue, view.options.target_votes)


def remaining(view: GraderView, progress: SessionProgress, gone: set[int]) -> list[SessionCutout]:
    """The cutouts without a response, in order.

    A repeat is left out where its object was ever skipped, so that it is not shown right after
    a grade that arrived late, or is gone ungraded.
    """
    left = []
    for cutout in view.cutouts:
        first = progress.responses.get((cutout.candidate_id, False))
        if cutout.key in progress.responses:
            continue
        if first is None and cutout.candidate_id in gone:
            continue
        if cutout.is_repeat and cutout.candidate_id in progress.put_off:
            continue
        left.append(cutout)
    return left


def skipped(view: GraderView, progress: SessionProgress, gone: set[int]) -> list[SessionCutout]:
    """The cutouts that were skipped and still need a grade, in order."""
    return [
        cutout
        for cutout in view.cutouts
        if cutout.key in progress.responses
        and progress.responses[cutout.key].kind == "skip"
        and cutout.candidate_id not in gone
    ]


def _cutouts(
    session: Session,
    secret: str,
    label_session: LabelSession,
    grader_id: int,
    items: Mapping[int, SessionItem],
    slots: Sequence[Slot],
) -> tuple[SessionCutout, ...]:
    pictures = cutouts_of_session(session, label_session.id)
    cutouts = []
    for number, slot in enumerate(slots):
        item = items[slot.position]
        picture = pictures[item.candidate_id]
        identity = (
            f"{label_session.id}:{grader_id}:{picture.id}:{slot.is_repeat}:{picture.cutout_sha256}"
        )
        token = hmac.new(secret.encode(), identity.encode(), hashlib.sha256).hexdigest()
        cutouts.append(
            SessionCutout(
                number,
                token[:_TOKEN_LETTERS],
                picture.id,
                picture.catalog_id,
                picture.cutout_index,
                slot.is_repeat,
                item.kind,
                item.why,
                item.answer,
                item.explanation,
            )
        )
    return tuple(cutouts)
