"""Counts of a search for its report: grades, consensus, labeled scores; open blind sessions aside.

What was graded in a session that is open and blind sways nobody: reports leave it out until the
session is closed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lensing_core.arrays import Float64Array, IntArray
from lensing_core.consensus import STATES
from lensing_core.store.consensus_choice import Method
from lensing_core.store.tables import (
    Candidate,
    Confirmation,
    Consensus,
    Grader,
    LabelSession,
    Score,
    SessionItem,
    Vote,
)

_AT_ONCE = 10_000


class CountedVote(NamedTuple):
    """An active grade of a candidate."""

    candidate_id: int
    grader_id: int
    grader: str
    scheme: str
    grade: str
    is_lens: int | None


@dataclass(frozen=True)
class LabeledScores:
    """Logits of the labeled candidates of a catalog, shape (n,) each."""

    candidate_id: IntArray
    label: IntArray
    logit: Float64Array


def open_blind_sessions(session: Session) -> list[str]:
    """Ids of the sessions that are open and blind."""
    rows = session.execute(
        select(LabelSession.id, LabelSession.options).where(LabelSession.status == "open")
    )
    return [key for key, options in rows if options.get("blind")]


def candidates_of_sessions(session: Session, session_ids: Collection[str]) -> set[int]:
    """Ids of the candidates in some sessions."""
    statement = select(SessionItem.candidate_id).where(SessionItem.session_id.in_(session_ids))
    return set(session.scalars(statement))


def votes_of_catalog(
    session: Session, catalog_id: int, without: Collection[str] = ()
) -> list[CountedVote]:
    """Active grades of a catalog's candidates but those of some sessions, by candidate."""
    statement = (
        select(
            Vote.candidate_id, Vote.grader_id, Grader.name, Vote.scheme, Vote.grade, Vote.is_lens
        )
        .join(Candidate, Candidate.id == Vote.candidate_id)
        .join(Grader, Grader.id == Vote.grader_id)
        .where(Candidate.catalog_id == catalog_id)
        .order_by(Vote.candidate_id, Vote.grader_id)
        .execution_options(yield_per=_AT_ONCE)
    )
    if without:
        statement = statement.where(
            Vote.session_id.is_(None) | Vote.session_id.not_in(list(without))
        )
    return [CountedVote(*row) for row in session.execute(statement)]


def count_votes_in(session: Session, catalog_id: int, session_ids: Collection[str]) -> int:
    """Number of active grades of a catalog's candidates that were given in some sessions."""
    statement = (
        select(func.count())
        .select_from(Vote)
        .join(Candidate, Candidate.id == Vote.candidate_id)
        .where(Candidate.catalog_id == catalog_id, Vote.session_id.in_(session_ids))
    )
    return session.scalar(statement) or 0


def consensus_states(
    session: Session, catalog_id: int, method: Method, without: Collection[int] = ()
) -> dict[str, int]:
    """Number of a catalog's candidates in each state, some candidates left out."""
    rows = session.execute(
        select(Consensus.candidate_id, Consensus.state)
        .join(Candidate, Candidate.id == Consensus.candidate_id)
        .where(Candidate.catalog_id == catalog_id, Consensus.method == method)
    )
    counts = dict.fromkeys(STATES, 0)
    for candidate_id, state in rows:
        if candidate_id not in without:
            counts[state] += 1
    return counts


def count_outcomes(session: Session, catalog_id: int) -> dict[str, int]:
    """Number of a catalog's candidates whose latest confirmation record says lens, or not lens."""
    latest = select(func.max(Confirmation.id)).group_by(Confirmation.candidate_id)
    rows = session.execute(
        select(Confirmation.outcome, func.count())
        .join(Candidate, Candidate.id == Confirmation.candidate_id)
        .where(Candidate.catalog_id == catalog_id, Confirmation.id.in_(latest))
        .group_by(Confirmation.outcome)
    )
    counts: dict[str, int] = {row[0]: row[1] for row in rows}
    return {outcome: counts.get(outcome, 0) for outcome in ("lens", "not_lens")}


def known_lenses_of(session: Session, catalog_id: int, *, limit: int) -> tuple[list[int], int]:
    """Ids of a catalog's lenses, and how many there are.

    Candidates that a confirmation record in force calls a lens come first, then those with a label
    that says lens and no record that says otherwise.
    """
    latest = select(func.max(Confirmation.id)).group_by(Confirmation.candidate_id)
    rows = session.execute(
        select(Confirmation.candidate_id, Confirmation.outcome)
        .join(Candidate, Candidate.id == Confirmation.candidate_id)
        .where(Candidate.catalog_id == catalog_id, Confirmation.id.in_(latest))
        .order_by(Confirmation.candidate_id)
    )
    outcome: dict[int, str] = {row[0]: row[1] for row in rows}
    labeled = session.scalars(
        select(Candidate.id)
        .where(Candidate.catalog_id == catalog_id, Candidate.label == 1)
        .order_by(Candidate.id)
    )
    confirmed = [key for key, said in outcome.items() if said == "lens"]
    lenses = confirmed + [key for key in labeled if outcome.get(key) not in ("lens", "not_lens")]
    return lenses[:limit], len(lenses)


def labeled_scores(session: Session, ensemble_id: int, catalog_id: int) -> LabeledScores:
    """Scores of the candidates that were imported with a label."""
    rows = session.execute(
        select(Candidate.id, Candidate.label, Score.logit)
        .join(Score, Score.candidate_id == Candidate.id)
        .where(
            Score.ensemble_id == ensemble_id,
            Score.catalog_id == catalog_id,
            Candidate.catalog_id == catalog_id,
            Candidate.label.is_not(None),
        )
        .order_by(Candidate.id)
        .execution_options(yield_per=_AT_ONCE)
    )
    scores = [tuple(row) for row in rows]
    if not scores:
        none = np.empty(0, dtype=np.int64)
        return LabeledScores(none, none, np.empty(0))
    ids, labels, logits = zip(*scores, strict=True)
    return LabeledScores(
        np.array(ids, dtype=np.int64), np.array(labels, dtype=np.int64), np.array(logits)
    )
