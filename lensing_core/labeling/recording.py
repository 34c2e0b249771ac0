"""Events of a grader, as a page sends them, checked and written to the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lensing_core.errors import BadInputError, LensTriageError, PolicyError
from lensing_core.labeling.grader_view import GraderView, SessionCutout
from lensing_core.store import Session
from lensing_core.store.label_events import CLOCKS_DIFFER, NewEvent, build_event
from lensing_core.store.label_sessions import get_session
from lensing_core.store.labels import append_events, find_event, known_uuids
from lensing_core.store.tables import LabelSession, utc_now

LATE_GRACE = timedelta(hours=1)


@dataclass(frozen=True)
class Outcome:
    """Outcome of one event: it is in the log, or ``refused`` says why it never will be."""

    uuid: str
    refused: str = ""
    cutout: SessionCutout | None = None
    graded: bool = False
    is_lens: int | None = None


def record(session: Session, view: GraderView, events: Sequence[Any]) -> list[Outcome]:
    """Check events and write those that are right; acknowledge after the transaction has ended.

    An event that is in the log already counts as written. One that is refused keeps none of the
    others out.

    Parameters
    ----------
    session : Session
    view : GraderView
        Of the grader who sent them.
    events : sequence
        As the page sent them, unchecked: objects with ``token`` of the cutout and the fields of
        :func:`~lensing_core.store.label_events.build_event`.

    Returns
    -------
    list of Outcome
        One for each event, in order.
    """
    uuids = [uuid_of(event, place) for place, event in enumerate(events, start=1)]
    known = known_uuids(session, view.grader_id, uuids)
    label_session = get_session(session, view.session_id)
    outcomes: list[Outcome] = []
    new: list[NewEvent] = []
    coming: dict[str, int] = {}
    for uuid, event in zip(uuids, events, strict=True):
        if uuid in known:
            outcomes.append(Outcome(uuid, cutout=view.by_token.get(str(event.get("token")))))
            continue
        try:
            if not isinstance(event, Mapping):
                raise BadInputError("An event is an object; this one is not.")
            cutout = view.cutout(str(event.get("token", "")))
            made = _event(view, label_session, cutout, event)
            if made.undoes is not None:
                _check_undo(session, view, made, coming)
        except LensTriageError as error:
            outcomes.append(Outcome(uuid, refused=sentence_of(error)))
        else:
            new.append(made)
            coming[uuid] = made.candidate_id
            graded = made.grade is not None
            outcomes.append(Outcome(uuid, cutout=cutout, graded=graded, is_lens=made.is_lens))
    written = append_events(session, new) if new else []
    strangers = {row.uuid for row in written if row.grader_id != view.grader_id}
    return [
        Outcome(o.uuid, refused="Its UUID is another grader's.") if o.uuid in strangers else o
        for o in outcomes
    ]


def uuid_of(event: Any, place: int) -> str:
    """The UUID of an event as it was sent; ``#3`` for the third where it has none."""
    uuid = event.get("uuid") if isinstance(event, Mapping) else None
    return uuid if isinstance(uuid, str) and uuid else f"#{place}"


def sentence_of(error: LensTriageError) -> str:
    """Return what an error says, with a capital letter."""
    text = str(error)
    return text[:1].upper() + text[1:]


def _event(
    view: GraderView, label_session: LabelSession, cutout: SessionCutout, sent: Mapping[str, Any]
) -> NewEvent:
    event = build_event(
        sent,
        scheme=view.scheme,
        grader_id=view.grader_id,
        candidate_id=cutout.candidate_id,
        session_id=view.session_id,
        is_repeat=cutout.is_repeat,
        is_gold=cutout.answer is not None,
        visible={
            "blind": view.options.blind,
            "feedback": view.options.feedback,
            "lens_test": view.options.lens_test,
            "ensemble_id": None if view.options.blind else view.ensemble_id,
        },
    )
    _check_open(label_session, event)
    return event


def _check_open(label_session: LabelSession, event: NewEvent) -> None:
    """Raise PolicyError where a closed session takes an event no more.

    A grade that was given while the session was open may arrive late, from a browser that had no
    connection: by the server's clock until :data:`LATE_GRACE` after the closing. Its own clock
    must put it between the opening (less what clocks may differ by) and the closing.
    """
    if label_session.closed_at is None:
        return
    if event.given_at > label_session.closed_at:
        raise PolicyError(f"Session {label_session.name!r} is closed.")
    if utc_now() > label_session.closed_at + LATE_GRACE:
        raise PolicyError(
            f"Session {label_session.name!r} is closed, and grades given before arrive more than "
            f"{LATE_GRACE / timedelta(hours=1):g} h late: ask an organizer to open it again."
        )
    if event.given_at < label_session.created_at - CLOCKS_DIFFER:
        raise PolicyError(
            f"Session {label_session.name!r} is closed, and the grade is dated before it was made."
        )


def _check_undo(
    session: Session, view: GraderView, event: NewEvent, coming: Mapping[str, int]
) -> None:
    """Raise BadInputError unless an undo names an event of its grader, session and object."""
    if event.undoes is not None and event.undoes in coming:
        mine = coming[event.undoes] == event.candidate_id
    else:
        target = find_event(session, event.undoes)
        mine = target is not None and (
            (target.grader_id, target.candidate_id, target.session_id)
            == (view.grader_id, event.candidate_id, view.session_id)
        )
    if not mine:
        raise BadInputError(f"Undo {event.uuid}: there is no such event of yours in this session.")
