"""Summary of a session: counts, seconds per cutout, agreement on repeats, skill on gold.

Fractions carry exact binomial (Clopper-Pearson) 95 % intervals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from lensing_core.labeling.grader_view import SessionProgress, progress_of_events
from lensing_core.proportions import Proportion
from lensing_core.store import Session
from lensing_core.store.label_sessions import (
    SessionEvent,
    all_sessions,
    answers_of,
    count_items,
    get_session,
    graders_at_work,
    names_of_invited,
    session_events,
)
from lensing_core.store.tables import Grader, LabelSession

PAUSE_S = 120.0
"""Longer on one cutout is a pause, and counts for no pace."""


@dataclass(frozen=True)
class GraderMetrics:
    """One grader in one session.

    Attributes
    ----------
    n_done, n_skipped, n_flagged : int
        Cutouts graded (repeats and gold included), skipped and flagged.
    grades : dict
        Number of objects of the queue by grade, repeats and gold left out.
    seconds : float or None
        Median seconds on screen of a cutout that was graded, pauses left out.
    recent_seconds : float or None
        Of the last 50.
    repeats : Proportion
        Repeats that were given the grade of the first time.
    gold_lenses, gold_non_lenses : Proportion
        Lenses called lens, and others called no lens, of gold that was decided.
    gold_undecided : int
    last_at : datetime or None
        Of the last grade, by the server's clock.
    """

    grader_id: int
    name: str
    n_done: int
    n_skipped: int
    n_flagged: int
    grades: Mapping[str, int]
    seconds: float | None
    recent_seconds: float | None
    repeats: Proportion
    gold_lenses: Proportion
    gold_non_lenses: Proportion
    gold_undecided: int
    last_at: datetime | None


@dataclass(frozen=True)
class SessionSummary:
    """A session with what its graders have done.

    Attributes
    ----------
    session : LabelSession
    n_items : int
        Objects in its queue, gold included.
    guests : tuple of str
        Names of the invited graders; empty: everybody.
    graders : tuple of GraderMetrics
        Those who have done anything, by name.
    """

    session: LabelSession
    n_items: int
    guests: tuple[str, ...]
    graders: tuple[GraderMetrics, ...]

    def of(self, grader_id: int) -> GraderMetrics | None:
        """The metrics of one grader; None where nothing was done."""
        return next((g for g in self.graders if g.grader_id == grader_id), None)


def metrics_of(
    grader: Grader, progress: SessionProgress, answers: Mapping[int, int]
) -> GraderMetrics:
    """The metrics of a grader.

    Parameters
    ----------
    grader : Grader
    progress : SessionProgress
    answers : mapping of int to int
        Of the session's gold, by candidate.
    """
    graded = {
        key: response for key, response in progress.responses.items() if response.kind == "grade"
    }
    first = {key[0]: response for key, response in graded.items() if not key[1]}
    again = {key[0]: response for key, response in graded.items() if key[1] and key[0] in first}
    known = {k: response for k, response in first.items() if k in answers}
    decided = {k: response for k, response in known.items() if response.is_lens is not None}
    right = Counter(answers[k] for k, response in decided.items() if response.is_lens == answers[k])
    total = Counter(answers[k] for k in decided)
    in_order = sorted(graded.values(), key=lambda response: response.id)
    paces = [s.shown_ms / 1000 for s in in_order if s.shown_ms and s.shown_ms < PAUSE_S * 1000]
    return GraderMetrics(
        grader_id=grader.id,
        name=grader.name,
        n_done=len(graded),
        n_skipped=len(progress.responses) - len(graded),
        n_flagged=len(progress.flagged),
        grades=Counter(str(response.grade) for k, response in first.items() if k not in answers),
        seconds=float(np.median(paces)) if paces else None,
        recent_seconds=float(np.median(paces[-50:])) if paces else None,
        repeats=Proportion(
            sum(response.grade == first[k].grade for k, response in again.items()), len(again)
        ),
        gold_lenses=Proportion(right[1], total[1]),
        gold_non_lenses=Proportion(right[0], total[0]),
        gold_undecided=len(known) - len(decided),
        last_at=in_order[-1].received_at if in_order else None,
    )


def summarize(session: Session, session_id: str) -> SessionSummary:
    """Return the summary of a session."""
    return _summarize(session, get_session(session, session_id))


def list_sessions(session: Session, *, archived: bool = True) -> list[SessionSummary]:
    """All sessions, open ones first, then the newest; or all but archived ones."""
    return [_summarize(session, one) for one in all_sessions(session, archived=archived)]


def _summarize(session: Session, label_session: LabelSession) -> SessionSummary:
    graders = graders_at_work(session, label_session.id)
    answers = answers_of(session, label_session.id)
    by_grader: dict[int, list[SessionEvent]] = {key: [] for key in graders}
    for event in session_events(session, label_session.id):
        by_grader[event.grader_id].append(event)
    metrics = [
        metrics_of(graders[key], progress_of_events(events), answers)
        for key, events in by_grader.items()
    ]
    return SessionSummary(
        label_session,
        count_items(session, label_session.id),
        tuple(names_of_invited(session, label_session.id)),
        tuple(sorted(metrics, key=lambda f: f.name)),
    )
