"""Recording of Review, outside of any session: grades, notes, tags and moves of stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lensing_core.consensus import SCHEMES
from lensing_core.errors import BadInputError, LensTriageError
from lensing_core.labeling.recording import Outcome, sentence_of, uuid_of
from lensing_core.store import Session
from lensing_core.store.candidates import get_candidate
from lensing_core.store.ensembles import get_ensemble
from lensing_core.store.label_events import NewEvent, build_event
from lensing_core.store.labels import append_events, known_uuids
from lensing_core.store.remarks import SENT_KINDS, do_once
from lensing_core.store.votes import OwnGrade, count_grades_of_others, grade_of_event, own_grade

SCHEME = SCHEMES["abcx"]
_KINDS = ("grade", "undo", *SENT_KINDS)
_MAX_KEY = 2**31 - 1


def record_in_review(
    session: Session, grader_id: int, events: Sequence[Any], *, source: str = "browser"
) -> list[Outcome]:
    """Check events and write those that are right; acknowledge after the transaction has ended.

    Grades go to the log, the rest to the remarks. An event that is there already counts as
    written. One that is refused keeps none of the others out.

    Parameters
    ----------
    session : Session
    grader_id : int
        Who sent them.
    events : sequence
        As the page sent them, unchecked: objects with ``candidate`` (an id), ``ensemble_id``
        (whose score was shown; None: no score) and the fields of
        :func:`~lensing_core.store.label_events.build_event`. ``kind`` is ``grade`` or ``undo``;
        an undo without ``undoes`` takes back the grade that stands. Of the kinds ``note``, ``tag``,
        ``untag`` and ``stage`` they have the fields of :func:`~lensing_core.store.remarks.do_once`.
    source : str, optional
        Of :data:`~lensing_core.store.tables.label.GIVEN_HERE`: by a page, or by a program.

    Returns
    -------
    list of Outcome
        One for each event, in order.
    """
    uuids = [uuid_of(event, place) for place, event in enumerate(events, start=1)]
    known = known_uuids(session, grader_id, uuids)
    outcomes = []
    for uuid, event in zip(uuids, events, strict=True):
        if uuid in known:
            outcomes.append(Outcome(uuid))
            continue
        try:
            if isinstance(event, Mapping) and event.get("kind") in SENT_KINDS:
                do_once(session, _candidate(session, event.get("candidate")), grader_id, event)
                outcomes.append(Outcome(uuid))
                continue
            # One by one: an undo may take back the grade before it.
            (row,) = append_events(session, [_event(session, grader_id, event, source)])
        except LensTriageError as error:
            outcomes.append(Outcome(uuid, refused=sentence_of(error)))
            continue
        known.add(uuid)
        stranger = "" if row.grader_id == grader_id else "Its UUID is another grader's."
        outcomes.append(Outcome(uuid, refused=stranger))
    return outcomes


def _event(session: Session, grader_id: int, sent: Any, source: str) -> NewEvent:
    if not isinstance(sent, Mapping):
        raise BadInputError("An event is an object; this one is not.")
    kind = sent.get("kind")
    if kind not in _KINDS:
        raise BadInputError(f"Review takes events of kind {', '.join(_KINDS)} only.")
    candidate_id = _candidate(session, sent.get("candidate"))
    if kind == "grade":
        return build_event(
            sent,
            scheme=SCHEME,
            grader_id=grader_id,
            candidate_id=candidate_id,
            source=source,
            visible=_visible(session, grader_id, candidate_id, sent.get("ensemble_id"), source),
        )
    own = _to_take_back(session, grader_id, candidate_id, sent.get("undoes"))
    return build_event(
        {**sent, "undoes": own.uuid},
        scheme=replace(SCHEME, name=own.scheme),
        grader_id=grader_id,
        candidate_id=candidate_id,
        source=source,
    )


def _candidate(session: Session, key: Any) -> int:
    if isinstance(key, bool) or not isinstance(key, int) or not 0 < key <= _MAX_KEY:
        raise BadInputError("candidate: give its id, a whole number.")
    return get_candidate(session, key).id


def _to_take_back(session: Session, grader_id: int, candidate_id: int, undoes: Any) -> OwnGrade:
    """Return the grader's grade of Review that an undo names, or that stands."""
    if undoes is None:
        own = own_grade(session, candidate_id, grader_id)
        missing = "You have no grade of this candidate to undo."
    else:
        own = _own_event(session, grader_id, candidate_id, undoes)
        missing = "The grade to undo is not one of yours of this candidate."
    if own is None:
        raise BadInputError(missing)
    if own.session_id is not None:
        raise BadInputError("This grade was given in a labeling session; undo it there.")
    return own


def _own_event(session: Session, grader_id: int, candidate_id: int, uuid: Any) -> OwnGrade | None:
    """Return a grader's own grade of a candidate by the UUID of its event."""
    if not isinstance(uuid, str) or uuid not in known_uuids(session, grader_id, [uuid]):
        return None
    return grade_of_event(session, uuid, candidate_id)


def _visible(
    session: Session, grader_id: int, candidate_id: int, ensemble_id: Any, source: str
) -> dict[str, Any]:
    """Return what the grader could see: Review is never blind, nor is a program."""
    name = None
    if ensemble_id is not None:
        if isinstance(ensemble_id, bool) or not isinstance(ensemble_id, int):
            raise BadInputError("ensemble_id: give a whole number.")
        name = get_ensemble(session, min(ensemble_id, _MAX_KEY)).name
    others = count_grades_of_others(session, candidate_id, grader_id)
    page = "review" if source == "browser" else source
    return {"blind": False, "page": page, "ensemble": name, "votes_of_others": others}
