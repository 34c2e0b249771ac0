"""Votes of the database, aggregated, and the ``consensus`` table kept up to date.

Confusion of graders is learned from all votes together, so that a new vote moves every posterior a
little; what is written are the rows that moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from lensing_core.arrays import Float64Array, IntArray
from lensing_core.consensus import (
    PRIOR,
    SCHEMES,
    STATES,
    ConsensusEstimate,
    ListMetrics,
    Scheme,
    Thresholds,
    Votes,
    VoteTable,
    dawid_skene,
    list_metrics,
    posterior_draws,
    scheme_from_json,
    swap,
    vote_table,
    votes_needed,
)
from lensing_core.consensus.votes import UNKNOWN
from lensing_core.store.batches import in_batches
from lensing_core.store.consensus_choice import ConsensusSettings, is_stale, keep_choice
from lensing_core.store.tables import (
    Consensus,
    LabelEvent,
    LabelSession,
    Score,
    SessionItem,
    Vote,
    utc_now,
)

MOST_VOTES_NEEDED = 999
_DRAWS = 200
_PRIOR_RANGE = (1e-6, 0.5)


@dataclass(frozen=True)
class AggregatedVotes:
    """All votes, aggregated by a rule.

    Attributes
    ----------
    table : VoteTable
        Gold standards among its items.
    gold : ndarray of shape (items,), int64
        1 lens, 0 no lens, -1 unknown.
    estimate : ConsensusEstimate
    low_95, high_95 : ndarray of shape (items,)
        Interval of the posterior, from the uncertainty of the graders' confusion.
    needed : ndarray of shape (items,)
        Expected further votes; 0 decided, inf where none would decide.
    metrics : ListMetrics
        Of the accepted list, gold standards left out.
    last_event_id : int
        The log was read up to here.
    binary : bool
        ``estimate`` has two grades, lens and no lens, and not those of the schemes.
    """

    table: VoteTable
    gold: IntArray
    estimate: ConsensusEstimate
    low_95: Float64Array
    high_95: Float64Array
    needed: Float64Array
    metrics: ListMetrics
    last_event_id: int
    binary: bool = False


def schemes_in_use(session: Session) -> dict[str, Scheme]:
    """The bundled grading schemes, and those that sessions brought along."""
    schemes = dict(SCHEMES)
    for stored in session.scalars(select(LabelSession.scheme).order_by(LabelSession.created_at)):
        name = stored.get("name")
        if name in SCHEMES:
            continue
        own = scheme_from_json(stored)
        if own.name in schemes:  # two of one name: votes of both must find their grades
            known = {grade.key for grade in schemes[own.name].grades}
            more = tuple(grade for grade in own.grades if grade.key not in known)
            own = replace(schemes[own.name], grades=schemes[own.name].grades + more)
        schemes[own.name] = own
    return schemes


def aggregate_votes(session: Session, rule: ConsensusSettings) -> AggregatedVotes:
    """Aggregate all votes; write nothing."""
    last = session.scalar(select(func.max(LabelEvent.id))) or 0
    rows = session.execute(
        select(Vote.candidate_id, Vote.grader_id, Vote.scheme, Vote.grade).order_by(
            Vote.candidate_id, Vote.grader_id
        )
    )
    given = (
        (candidate_id, grader_id, scheme, grade) for candidate_id, grader_id, scheme, grade in rows
    )
    table = vote_table(given, schemes_in_use(session))
    gold = _gold(session, table.items)
    prior = _prior(session, rule, table.items)
    votes = table.votes
    if rule.method == "swap":
        estimate = swap(votes, prior=PRIOR if prior is None else prior, gold=gold)
        votes = votes.binary()
    else:
        estimate = dawid_skene(votes, prior=prior, gold=gold)
    return _decided(table, votes, gold, estimate, rule.thresholds, last)


def update_consensus(
    session: Session, rule: ConsensusSettings, *, only_if_new: bool = False
) -> AggregatedVotes | None:
    """Aggregate all votes and write the rows of ``consensus`` that moved; drop those without votes.

    Gold standards get no row: their class is known.

    Returns
    -------
    AggregatedVotes, or None
        None if ``only_if_new`` and the log has no event newer than the table.
    """
    if only_if_new and not is_stale(session, rule.method):
        return None
    aggregated = aggregate_votes(session, rule)
    new = {row["candidate_id"]: row for row in _rows(aggregated, rule)}
    columns = (*_COMPARED, "last_event_id")
    stored = {
        row.candidate_id: row
        for row in session.execute(
            select(Consensus.candidate_id, *(getattr(Consensus, c) for c in columns)).where(
                Consensus.method == rule.method
            )
        )
    }
    moved = [k for k, row in new.items() if k not in stored or _differs(row, stored[k])]
    gone = [k for k in stored if k not in new]
    for part in in_batches([*moved, *gone]):
        session.execute(
            delete(Consensus).where(
                Consensus.method == rule.method, Consensus.candidate_id.in_(part)
            )
        )
    if moved:
        session.execute(insert(Consensus), [new[k] for k in moved])
    keep_choice(session, rule, aggregated.last_event_id)
    session.flush()
    return aggregated


def gold_answers(session: Session) -> dict[int, int]:
    """Candidates that some session has as gold, with their answer, 1 lens or 0 not."""
    rows = session.execute(
        select(SessionItem.candidate_id, SessionItem.answer).where(
            SessionItem.kind != "queue", SessionItem.answer.is_not(None)
        )
    )
    return {candidate_id: int(answer) for candidate_id, answer in rows if answer is not None}


def _gold(session: Session, items: IntArray) -> IntArray:
    answers = gold_answers(session)
    return np.array([answers.get(k, UNKNOWN) for k in items.tolist()], dtype=np.int64)


def _prior(session: Session, rule: ConsensusSettings, items: IntArray) -> Float64Array | None:
    if rule.ensemble_id is None:
        return None if rule.prior is None else np.full(len(items), rule.prior)
    p = np.full(len(items), PRIOR if rule.prior is None else rule.prior)
    place = {key: k for k, key in enumerate(items.tolist())}
    for part in in_batches(items):
        rows = session.execute(
            select(Score.candidate_id, Score.probability).where(
                Score.ensemble_id == rule.ensemble_id, Score.candidate_id.in_(part)
            )
        )
        for candidate_id, probability in rows:
            p[place[candidate_id]] = probability
    return np.clip(p, *_PRIOR_RANGE)


def _decided(
    table: VoteTable,
    votes: Votes,
    gold: IntArray,
    estimate: ConsensusEstimate,
    thresholds: Thresholds,
    last_event_id: int,
) -> AggregatedVotes:
    posterior = estimate.posterior[:, 0]
    draws = posterior_draws(votes, estimate, _DRAWS)
    low, high = np.percentile(draws, [2.5, 97.5], axis=0) if len(posterior) else (posterior,) * 2
    free = gold == UNKNOWN
    return AggregatedVotes(
        table,
        gold,
        estimate,
        np.minimum(low, posterior),
        np.maximum(high, posterior),
        votes_needed(posterior, thresholds, estimate.confusion),
        list_metrics(posterior[free], draws[:, free], thresholds),
        last_event_id,
        binary=votes is not table.votes,
    )


_COMPARED = ("posterior", "low_95", "high_95", "prior", "n_votes", "votes_needed", "state")


def _rows(aggregated: AggregatedVotes, rule: ConsensusSettings) -> Iterator[dict[str, Any]]:
    """Rows of the table, gold standards left out."""
    posterior, n_votes = aggregated.estimate.posterior[:, 0], aggregated.table.votes.per_item()
    states, now = rule.thresholds.states(posterior), utc_now()
    for k in np.flatnonzero(aggregated.gold == UNKNOWN).tolist():
        needed = float(aggregated.needed[k])
        yield {
            "candidate_id": int(aggregated.table.items[k]),
            "method": rule.method,
            "posterior": float(posterior[k]),
            "low_95": float(aggregated.low_95[k]),
            "high_95": float(aggregated.high_95[k]),
            "prior": float(aggregated.estimate.prior[k, 0]),
            "n_votes": int(n_votes[k]),
            "votes_needed": int(needed) if 0 < needed <= MOST_VOTES_NEEDED else None,
            "state": STATES[int(states[k])],
            "last_event_id": aggregated.last_event_id,
            "updated_at": now,
        }


def _differs(new: dict[str, Any], stored: Any) -> bool:
    for name in _COMPARED:
        a, b = new[name], getattr(stored, name)
        if isinstance(a, float) and isinstance(b, float):
            if abs(a - b) > 1e-6 * max(1e-3, abs(b)):
                return True
        elif a != b:
            return True
    return False
