"""Skill of each grader by the kind of known object: which contaminants pass for lenses.

The kind is the class that a simulation gave the object; of an observed one the reason for which
most graders rejected it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.consensus import REJECT_REASONS, Share
from lensing_core.labeling.desk import standing_of
from lensing_core.store.tables import LabelEvent, Observation, SessionItem, Vote

UNKNOWN_LENS, UNKNOWN_OTHER = "lens", "other"
_CLASS_OF_REASON = {"tidal": "tidal_tail"}
_AT_ONCE = 500
_COLUMNS = (
    *("grader_id", "session_id", "id", "uuid", "kind", "candidate_id", "is_repeat", "undoes"),
    *("grade", "is_lens", "reject_reason", "comment", "shown_ms", "received_at"),
)


@dataclass(frozen=True)
class KindSkill:
    """What one grader made of the known objects of a kind.

    Attributes
    ----------
    grader_id : int
    kind : str
        Class of the simulation, reject reason, or 'lens' or 'other' where neither is known.
    answer : int
        1 lens, 0 not.
    right : Share
        Of those that the grader decided.
    undecided : int
        Graded neither lens nor no lens.
    """

    grader_id: int
    kind: str
    answer: int
    right: Share
    undecided: int


def skill_by_kind(session: Session) -> list[KindSkill]:
    """All graders and kinds that have met, lenses first, then by number of grades.

    The first grade of an object in a session counts, as in the figures of the session.
    """
    answers: dict[tuple[str, int], int] = {
        (row.session_id, row.candidate_id): int(row.answer)
        for row in session.execute(
            select(SessionItem.session_id, SessionItem.candidate_id, SessionItem.answer).where(
                SessionItem.answer.is_not(None)
            )
        )
    }
    of_object = {candidate_id: answer for (_, candidate_id), answer in answers.items()}
    kinds = _kinds(session, of_object)
    decided: Counter[tuple[int, str, int]] = Counter()
    right: Counter[tuple[int, str, int]] = Counter()
    undecided: Counter[tuple[int, str, int]] = Counter()
    for (grader_id, session_id), rows in _events(session).items():
        for (candidate_id, is_repeat), said in standing_of(rows).said.items():
            if is_repeat or said.kind != "grade":
                continue
            answer = answers[session_id, candidate_id]
            key = (grader_id, kinds[candidate_id], answer)
            if said.is_lens is None:
                undecided[key] += 1
            else:
                decided[key] += 1
                right[key] += said.is_lens == answer
    met = {**dict.fromkeys(decided), **dict.fromkeys(undecided)}
    size: Counter[tuple[str, int]] = Counter()
    for grader_id, kind, answer in met:
        size[kind, answer] += decided[grader_id, kind, answer] + undecided[grader_id, kind, answer]
    order = sorted(met, key=lambda key: (-key[2], -size[key[1], key[2]], key[1], key[0]))
    return [KindSkill(*key, Share(right[key], decided[key]), undecided[key]) for key in order]


def all_graders(skills: Sequence[KindSkill]) -> list[KindSkill]:
    """The same of all graders together, as grader 0."""
    together: dict[tuple[str, int], KindSkill] = {}
    for one in skills:
        before = together.get((one.kind, one.answer))
        found, of, open_ = (
            (before.right.found, before.right.of, before.undecided) if before else (0, 0, 0)
        )
        together[one.kind, one.answer] = KindSkill(
            0,
            one.kind,
            one.answer,
            Share(found + one.right.found, of + one.right.of),
            open_ + one.undecided,
        )
    return list(together.values())


def _events(session: Session) -> dict[tuple[int, str], list[Any]]:
    """Events on known objects by grader and session, in the order of the log."""
    known = (
        (SessionItem.session_id == LabelEvent.session_id)
        & (SessionItem.candidate_id == LabelEvent.candidate_id)
        & SessionItem.answer.is_not(None)
    )
    found: defaultdict[tuple[int, str], list[Any]] = defaultdict(list)
    for row in session.execute(
        select(*(getattr(LabelEvent, name) for name in _COLUMNS))
        .join(SessionItem, known)
        .order_by(LabelEvent.id)
    ):
        found[row.grader_id, row.session_id].append(row)
    return found


def _kinds(session: Session, answers: dict[int, int]) -> dict[int, str]:
    """The kind of each known object."""
    kinds = {key: UNKNOWN_LENS if answer else UNKNOWN_OTHER for key, answer in answers.items()}
    ids = list(answers)
    for first in range(0, len(ids), _AT_ONCE):
        part = ids[first : first + _AT_ONCE]
        reasons: defaultdict[int, Counter[str]] = defaultdict(Counter)
        for candidate_id, reason in session.execute(
            select(Vote.candidate_id, Vote.reject_reason).where(
                Vote.candidate_id.in_(part), Vote.reject_reason.in_(tuple(REJECT_REASONS))
            )
        ):
            reasons[candidate_id][str(reason)] += 1
        for candidate_id, said in reasons.items():
            if not answers[candidate_id]:
                reason = max(sorted(said), key=lambda name: said[name])
                kinds[candidate_id] = _CLASS_OF_REASON.get(reason, reason)
        for candidate_id, truth in session.execute(
            select(Observation.candidate_id, Observation.truth).where(
                Observation.candidate_id.in_(part)
            )
        ):
            if (truth or {}).get("class"):
                kinds[candidate_id] = str(truth["class"])
    return kinds
