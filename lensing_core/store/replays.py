"""View of a grader at the time of a label event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lensing_core.errors import NotFoundError
from lensing_core.store.tables import (
    Candidate,
    Catalog,
    Ensemble,
    Grader,
    LabelEvent,
    LabelSession,
    SessionItem,
)


@dataclass(frozen=True)
class SeenEvent:
    """An event with what the log and the session say of the picture.

    Attributes
    ----------
    nth, n_of_grader : int
        Which event of the grader in the same session (or in none) it is, by the order of the log,
        and how many there are now.
    queue_position, n_items : int or None
        Place in the queue of the session, from 1, and its length; None outside sessions.
    visible : dict
        What the grader could see beside the picture: blind or not, which ensemble's score.
    view : dict
        Stretch, bands and the like, as the browser said; empty for imported grades.
    undone : bool
        Whether the grade was taken back since.
    ensemble : str
        Name of the ensemble whose score was shown; '' for none.
    """

    id: int
    uuid: str
    kind: str
    grader_id: int
    grader: str
    candidate_id: int
    object_id: str
    catalog: str
    cutout_index: int
    cutout_sha256: str
    session: str
    scheme: str
    grade: str | None
    reject_reason: str | None
    given_at: datetime
    received_at: datetime
    shown_ms: int | None
    source: str
    is_repeat: bool
    is_gold: bool
    visible: dict[str, Any]
    view: dict[str, Any]
    hash: str
    nth: int
    n_of_grader: int
    queue_position: int | None
    n_items: int | None
    undone: bool
    ensemble: str


def seen_event(session: Session, uuid: str) -> SeenEvent:
    """The event of a UUID.

    Raises
    ------
    NotFoundError
        If the log has no such event.
    """
    row = session.execute(
        select(LabelEvent, Grader.name, Candidate, Catalog.name, LabelSession.name)
        .join(Grader, Grader.id == LabelEvent.grader_id)
        .join(Candidate, Candidate.id == LabelEvent.candidate_id)
        .join(Catalog, Catalog.id == Candidate.catalog_id)
        .outerjoin(LabelSession, LabelSession.id == LabelEvent.session_id)
        .where(LabelEvent.uuid == uuid)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"The log of grades has no event {uuid[:64]!r}.")
    event, grader, candidate, catalog, named = row
    of_grader = [
        LabelEvent.grader_id == event.grader_id,
        LabelEvent.session_id == event.session_id
        if event.session_id is not None
        else LabelEvent.session_id.is_(None),
    ]
    count = select(func.count()).select_from(LabelEvent).where(*of_grader)
    position, n_items = None, None
    if event.session_id is not None:
        of_session = SessionItem.session_id == event.session_id
        position = session.scalar(
            select(SessionItem.position).where(
                of_session, SessionItem.candidate_id == event.candidate_id
            )
        )
        n_items = session.scalar(select(func.count()).select_from(SessionItem).where(of_session))
    undone = session.scalar(select(LabelEvent.id).where(LabelEvent.undoes == uuid).limit(1))
    return SeenEvent(
        event.id,
        event.uuid,
        event.kind,
        event.grader_id,
        grader,
        candidate.id,
        candidate.object_id,
        catalog,
        candidate.cutout_index,
        candidate.cutout_sha256,
        named or "",
        event.scheme,
        event.grade,
        event.reject_reason,
        event.given_at,
        event.received_at,
        event.shown_ms,
        event.source,
        event.is_repeat,
        event.is_gold,
        event.visible,
        event.view,
        event.hash,
        session.scalar(count.where(LabelEvent.id <= event.id)) or 0,
        session.scalar(count) or 0,
        None if position is None else position + 1,
        n_items,
        undone is not None,
        _ensemble(session, event.visible),
    )


def _ensemble(session: Session, visible: dict[str, Any]) -> str:
    """Name of the ensemble whose score was in sight: sessions store its id, Review its name."""
    key = visible.get("ensemble_id")
    if isinstance(key, int):
        name = session.scalar(select(Ensemble.name).where(Ensemble.id == key))
        return name or f"number {key}, which is gone"
    return str(visible.get("ensemble") or "")
