"""Events of a grader, as a page sends them, checked and written to the log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.errors import BadInputError, LensTriageError, PolicyError
from lensing_core.labeling.creation import get_session
from lensing_core.labeling.desk import Desk, Stamp
from lensing_core.store.labels import NewEvent, append_events
from lensing_core.store.tables import LabelEvent, LabelSession

_MAX_SHOWN_MS = 24 * 3600 * 1000
_MAX_VIEW = 1000
_CLOCKS_DIFFER = timedelta(days=1)


@dataclass(frozen=True)
class Outcome:
    """What became of one event: it is in the log, or ``refused`` says why it never will be."""

    uuid: str
    refused: str = ""
    stamp: Stamp | None = None
    graded: bool = False
    is_lens: int | None = None


def record(session: Session, desk: Desk, events: Sequence[Mapping[str, Any]]) -> list[Outcome]:
    """Check events and write those that are right; acknowledge after the transaction has ended.

    An event that is in the log already counts as written. One that is refused keeps none of the
    others out.

    Parameters
    ----------
    session : Session
    desk : Desk
        Of the grader who sent them.
    events : sequence of mapping
        ``uuid``, ``kind``, ``token`` of the stamp, ``given_at`` (ISO 8601 with offset), and as
        the kind wants ``grade``, ``reject_reason``, ``comment``, ``undoes``, ``shown_ms`` and
        ``view``.

    Returns
    -------
    list of Outcome
        One for each event, in order.
    """
    uuids = [str(event.get("uuid", "")) for event in events]
    known = set(
        session.scalars(
            select(LabelEvent.uuid).where(
                LabelEvent.uuid.in_(uuids), LabelEvent.grader_id == desk.grader_id
            )
        )
    )
    found = get_session(session, desk.session_id)
    outcomes: list[Outcome] = []
    new: list[NewEvent] = []
    coming = set(known)
    for uuid, event in zip(uuids, events, strict=True):
        if uuid in known:
            outcomes.append(Outcome(uuid, stamp=desk.by_token.get(str(event.get("token")))))
            continue
        try:
            stamp = desk.stamp(str(event.get("token", "")))
            made = _event(desk, found, stamp, event)
            made.check()
            if made.undoes is not None:
                _check_undo(session, desk, made, coming)
        except LensTriageError as error:
            outcomes.append(Outcome(uuid, refused=str(error)))
        else:
            new.append(made)
            coming.add(uuid)
            graded = made.grade is not None
            outcomes.append(Outcome(uuid, stamp=stamp, graded=graded, is_lens=made.is_lens))
    written = append_events(session, new) if new else []
    strangers = {row.uuid for row in written if row.grader_id != desk.grader_id}
    return [
        Outcome(o.uuid, refused="Its UUID is another grader's.") if o.uuid in strangers else o
        for o in outcomes
    ]


def _event(desk: Desk, found: LabelSession, stamp: Stamp, sent: Mapping[str, Any]) -> NewEvent:
    given_at = _moment(sent.get("given_at"))
    if found.closed_at is not None and given_at > found.closed_at:
        raise PolicyError(f"Session {found.name!r} is closed.")
    kind = str(sent.get("kind", ""))
    grade = desk.scheme.grade(str(sent["grade"])) if sent.get("grade") is not None else None
    reason = sent.get("reject_reason") or None
    if reason is not None and (grade is None or grade.is_lens == 1):
        raise BadInputError("A reject reason goes with a grade that says no lens.")
    return NewEvent(
        uuid=str(sent.get("uuid", "")),
        kind=kind,  # type: ignore[arg-type]  # checked by NewEvent.check
        grader_id=desk.grader_id,
        candidate_id=stamp.candidate_id,
        session_id=desk.session_id,
        scheme=desk.scheme.name,
        given_at=given_at,
        grade=grade.key if grade else None,
        is_lens=grade.is_lens if grade else None,
        p_lens=grade.p_lens if grade else None,
        reject_reason=None if reason is None else str(reason),
        comment=str(sent.get("comment") or "").strip(),
        undoes=None if sent.get("undoes") is None else str(sent["undoes"]),
        is_repeat=stamp.is_repeat,
        is_gold=stamp.answer is not None,
        shown_ms=_milliseconds(sent.get("shown_ms")),
        view=_view(sent.get("view")),
        visible={
            "blind": desk.options.blind,
            "feedback": desk.options.feedback,
            "ensemble_id": None if desk.options.blind else desk.ensemble_id,
        },
    )


def _check_undo(session: Session, desk: Desk, event: NewEvent, coming: set[str]) -> None:
    if event.undoes in coming:
        return
    target = session.scalar(select(LabelEvent).where(LabelEvent.uuid == event.undoes))
    mine = target is not None and (
        (target.grader_id, target.candidate_id, target.session_id)
        == (desk.grader_id, event.candidate_id, desk.session_id)
    )
    if not mine:
        raise BadInputError(f"Undo {event.uuid}: there is no such event of yours in this session.")


def _moment(text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadInputError(f"given_at {text!r}: give a date and time with its offset.")
    if moment > datetime.now(UTC) + _CLOCKS_DIFFER:
        raise BadInputError(f"given_at {text}: the clock of this computer is ahead by over a day.")
    return moment


def _milliseconds(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise BadInputError(f"shown_ms {value!r}: give a number of milliseconds.")
    return int(min(max(value, 0), _MAX_SHOWN_MS))


def _view(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict) or len(json.dumps(value)) > _MAX_VIEW:
        raise BadInputError(f"view: give an object of at most {_MAX_VIEW} letters.")
    return value
