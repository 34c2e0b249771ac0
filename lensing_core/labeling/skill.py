"""Skill of each grader by the kind of known object: which contaminants pass for lenses.

The kind is the class that a simulation gave the object; of an observed one the reason for which
most graders rejected it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lensing_core.consensus import REJECT_REASONS
from lensing_core.labeling.grader_view import progress_of_events
from lensing_core.proportions import Proportion
from lensing_core.store import Session
from lensing_core.store.label_sessions import SessionEvent, answers_of_all, events_on_gold
from lensing_core.store.observations import truths_of
from lensing_core.store.votes import reject_reasons

UNKNOWN_LENS, UNKNOWN_OTHER = "lens", "other"
_CLASS_OF_REASON = {"tidal": "tidal_tail"}


@dataclass(frozen=True)
class KindSkill:
    """Grades of one grader on the known objects of a kind.

    Attributes
    ----------
    grader_id : int
    kind : str
        Class of the simulation, reject reason, or 'lens' or 'other' where neither is known.
    answer : int
        1 lens, 0 not.
    right : Proportion
        Of those that the grader decided.
    undecided : int
        Graded neither lens nor no lens.
    """

    grader_id: int
    kind: str
    answer: int
    right: Proportion
    undecided: int


def skill_by_kind(session: Session) -> list[KindSkill]:
    """All graders and kinds that have met, lenses first, then by number of grades.

    The first grade of an object in a session counts, as in the figures of the session.
    """
    answers = answers_of_all(session)
    of_object = {candidate_id: answer for (_, candidate_id), answer in answers.items()}
    kinds = _kinds(session, of_object)
    decided: Counter[tuple[int, str, int]] = Counter()
    right: Counter[tuple[int, str, int]] = Counter()
    undecided: Counter[tuple[int, str, int]] = Counter()
    for grade in grades_on_gold(session):
        key = (grade.grader_id, kinds[grade.candidate_id], grade.answer)
        if grade.is_lens is None:
            undecided[key] += 1
        else:
            decided[key] += 1
            right[key] += grade.is_lens == grade.answer
    met = {**dict.fromkeys(decided), **dict.fromkeys(undecided)}
    size: Counter[tuple[str, int]] = Counter()
    for grader_id, kind, answer in met:
        size[kind, answer] += decided[grader_id, kind, answer] + undecided[grader_id, kind, answer]
    order = sorted(met, key=lambda key: (-key[2], -size[key[1], key[2]], key[1], key[0]))
    return [KindSkill(*key, Proportion(right[key], decided[key]), undecided[key]) for key in order]


def all_graders(skills: Sequence[KindSkill]) -> list[KindSkill]:
    """The same of all graders together, as grader 0."""
    together: dict[tuple[str, int], KindSkill] = {}
    for one in skills:
        before = together.get((one.kind, one.answer))
        n_right, total, open_ = (
            (before.right.found, before.right.total, before.undecided) if before else (0, 0, 0)
        )
        together[one.kind, one.answer] = KindSkill(
            0,
            one.kind,
            one.answer,
            Proportion(n_right + one.right.found, total + one.right.total),
            open_ + one.undecided,
        )
    return list(together.values())


class GoldGrade(NamedTuple):
    """The first grade that a grader gave a known object in a session.

    ``is_lens`` is 1, 0, or None where the grade says neither; ``answer`` is what it is.
    """

    grader_id: int
    candidate_id: int
    is_lens: int | None
    answer: int


def grades_on_gold(session: Session) -> Iterator[GoldGrade]:
    """Yield the active grades of all graders on known objects, repeats left out."""
    answers = answers_of_all(session)
    for (grader_id, session_id), rows in _events(session).items():
        for (candidate_id, is_repeat), response in progress_of_events(rows).responses.items():
            if not is_repeat and response.kind == "grade":
                answer = answers[session_id, candidate_id]
                yield GoldGrade(grader_id, candidate_id, response.is_lens, answer)


def _events(session: Session) -> dict[tuple[int, str], list[SessionEvent]]:
    """Events on known objects by grader and session, in the order of the log."""
    events: defaultdict[tuple[int, str], list[SessionEvent]] = defaultdict(list)
    for event in events_on_gold(session):
        events[event.grader_id, event.session_id].append(event)
    return events


def _kinds(session: Session, answers: dict[int, int]) -> dict[int, str]:
    """The kind of each known object."""
    kinds = {key: UNKNOWN_LENS if answer else UNKNOWN_OTHER for key, answer in answers.items()}
    reasons: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for candidate_id, reason in reject_reasons(session, answers):
        if reason in REJECT_REASONS:
            reasons[candidate_id][reason] += 1
    for candidate_id, counts in reasons.items():
        if not answers[candidate_id]:
            reason = max(sorted(counts), key=lambda name: counts[name])
            kinds[candidate_id] = _CLASS_OF_REASON.get(reason, reason)
    for candidate_id, truth in truths_of(session, answers).items():
        if truth.get("class"):
            kinds[candidate_id] = str(truth["class"])
    return kinds
