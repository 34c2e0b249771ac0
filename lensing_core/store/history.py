"""Everything that people did with a candidate, newest first: grades and remarks in one list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.store.tables import Grader, LabelEvent, LabelSession, Remark

PROGRAM = "lens-triage"


@dataclass(frozen=True)
class HistoryEntry:
    """One thing that somebody did.

    Attributes
    ----------
    at : datetime
        By the clock of the server.
    who : str
        Name of the grader, or :data:`PROGRAM`.
    kind : str
        Of a label event ('grade', 'undo', 'skip', 'flag', 'unflag') or a remark ('note', 'tag',
        'untag', 'stage').
    value : str
        The grade, the tag or the stage; of an undo what was taken back.
    before : str
        The stage moved from.
    text : str
        Comment or note.
    reason : str or None
        Key of the reject reason.
    scheme : str
        Of a grade.
    place : str
        Name of the labeling session; '' for Review, else what the grade was imported from.
    undone : bool
        Of a grade: somebody took it back.
    visible : dict
        What the grader could see.
    event : str
        UUID of a label event; '' for a remark.
    note, reply_to : int or None
        Of a note: its number, and that of the note which began its thread.
    """

    at: datetime
    who: str
    kind: str
    value: str = ""
    before: str = ""
    text: str = ""
    reason: str | None = None
    scheme: str = ""
    place: str = ""
    undone: bool = False
    visible: dict[str, Any] | None = None
    event: str = ""
    note: int | None = None
    reply_to: int | None = None


def history_of(session: Session, candidate_id: int, most: int = 200) -> list[HistoryEntry]:
    """The ``most`` newest entries, the newest first."""
    entries = _events(session, candidate_id, most) + _remarks(session, candidate_id, most)
    entries.sort(key=lambda pair: pair[0], reverse=True)
    return [entry for _, entry in entries[:most]]


_Keyed = list[tuple[tuple[datetime, int], HistoryEntry]]


def _events(session: Session, candidate_id: int, most: int) -> _Keyed:
    rows = session.execute(
        select(LabelEvent, Grader.name, LabelSession.name)
        .join(Grader, Grader.id == LabelEvent.grader_id)
        .outerjoin(LabelSession, LabelSession.id == LabelEvent.session_id)
        .where(LabelEvent.candidate_id == candidate_id)
        .order_by(LabelEvent.id.desc())
        .limit(most)
    ).all()
    undone = {event.undoes for event, _, _ in rows if event.undoes}
    grades = {event.uuid: event.grade or event.kind for event, _, _ in rows}
    entries = []
    for event, who, place in rows:
        value = grades.get(event.undoes, "") if event.undoes else event.grade or ""
        entry = HistoryEntry(
            at=event.received_at,
            who=who,
            kind=event.kind,
            value=value,
            text=event.comment,
            reason=event.reject_reason,
            scheme=event.scheme,
            place=place or ("" if event.source == "browser" else event.source),
            undone=event.uuid in undone,
            visible=event.visible,
            event=event.uuid,
        )
        entries.append(((event.received_at, event.id), entry))
    return entries


def _remarks(session: Session, candidate_id: int, most: int) -> _Keyed:
    rows = session.execute(
        select(Remark, Grader.name)
        .outerjoin(Grader, Grader.id == Remark.grader_id)
        .where(Remark.candidate_id == candidate_id)
        .order_by(Remark.id.desc())
        .limit(most)
    )
    return [
        (
            (remark.at, remark.id),
            HistoryEntry(
                at=remark.at,
                who=who or PROGRAM,
                kind=remark.kind,
                value=remark.value,
                before=remark.before,
                text="" if remark.kind == "stage" else remark.text,
                reason=remark.text or None if remark.kind == "stage" else None,
                note=remark.id if remark.kind == "note" else None,
                reply_to=remark.reply_to,
            ),
        )
        for remark, who in rows
    ]
