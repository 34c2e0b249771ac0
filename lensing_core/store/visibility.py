"""Visibility of candidates' arcs by graders, in sessions of that scheme."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from lensing_core.consensus.schemes import SCHEMES, VISIBILITY
from lensing_core.store.batches import in_batches
from lensing_core.store.tables import LabelEvent

_CLASSES = [grade.key for grade in SCHEMES[VISIBILITY].grades]


def visibility_of(session: Session, candidate_ids: Iterable[int]) -> dict[int, str]:
    """Return the class that most graders gave, by candidate; of a tie the less visible one.

    The newest grade of each grader counts, unless it was taken back; repeats do not.
    """
    given: dict[int, dict[int, str]] = defaultdict(dict)
    for part in in_batches(candidate_ids):
        statement = (
            _active()
            .where(LabelEvent.candidate_id.in_(part), LabelEvent.is_repeat.is_(False))
            .order_by(LabelEvent.id)
        )
        for candidate_id, grader_id, grade in session.execute(statement):
            given[candidate_id][grader_id] = str(grade)
    return {key: _most(grades.values()) for key, grades in given.items()}


def visibility_complete(session: Session, session_id: str, target: int) -> set[int]:
    """Return the candidates of a session that ``target`` graders have graded; 0: none ever is."""
    if not target:
        return set()
    graders = func.count(LabelEvent.grader_id.distinct())
    active = _active().where(LabelEvent.session_id == session_id)
    statement = (
        active.with_only_columns(LabelEvent.candidate_id)
        .group_by(LabelEvent.candidate_id)
        .having(graders >= target)
    )
    return set(session.scalars(statement))


def _active() -> Select[Any, Any, Any]:
    undo = aliased(LabelEvent)
    undone = select(undo.id).where(undo.undoes == LabelEvent.uuid, undo.kind == "undo").exists()
    return select(LabelEvent.candidate_id, LabelEvent.grader_id, LabelEvent.grade).where(
        LabelEvent.scheme == VISIBILITY, LabelEvent.kind == "grade", ~undone
    )


def _most(grades: Iterable[str]) -> str:
    counts = Counter(grades)
    return max(counts, key=lambda grade: (counts[grade], _CLASSES.index(grade)))
