"""The rule for a candidate's grades: from the consensus of graders to a label, its weight, reason.

Where grades came after the consensus was made, the share of votes for a lens stands for its
posterior until it is made again; retraining makes it again before it reads labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from lensing_core.datasets.table import REASONS, CandidateLabels
from lensing_core.datasets.uses import LENS, OTHER, UNLABELED, label_weight
from lensing_core.errors import BadInputError
from lensing_core.store import Session
from lensing_core.store.consensus import gold_answers
from lensing_core.store.consensus_choice import (
    ConsensusSettings,
    aggregated_up_to,
    current_consensus_settings,
)
from lensing_core.store.consensus_list import stored_consensus
from lensing_core.store.votes import reject_reasons, votes_after

_EVEN = 0.5


@dataclass(frozen=True)
class GradeRule:
    """Rule by which grades become labels.

    Attributes
    ----------
    rule : ConsensusSettings
    lens_from, non_lens_below : float
        Posteriors from which an object is a lens, and below which it is none.
    min_votes : int
        Objects with fewer votes stay unlabeled.
    imported : bool
        Whether imported labels count beside grades.
    """

    rule: ConsensusSettings = field(default_factory=ConsensusSettings)
    lens_from: float = 0.5
    non_lens_below: float = 0.1
    min_votes: int = 1
    imported: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.non_lens_below <= self.lens_from < 1:
            raise BadInputError(
                f"Grades: lenses from {self.lens_from}, non-lenses below {self.non_lens_below}; "
                "give two numbers between 0 and 1, the first at least as large as the second."
            )

    @classmethod
    def current(cls, session: Session) -> GradeRule:
        """The usual thresholds, with the consensus that was made last."""
        return cls(current_consensus_settings(session) or ConsensusSettings())

    def state(self, posterior: float, prior: float) -> int:
        """LENS, OTHER or UNLABELED at a posterior."""
        if posterior >= self.lens_from:
            return LENS
        # A prior that no vote has lowered says nothing.
        return OTHER if posterior < min(self.non_lens_below, prior) else UNLABELED


@dataclass(frozen=True)
class Opinion:
    """Consensus of the graders on a candidate.

    Attributes
    ----------
    candidate_id : int
    posterior, prior : float
        Of being a lens; the posterior is NaN where votes are even.
    n_votes : int
    """

    candidate_id: int
    posterior: float
    prior: float
    n_votes: int


def opinions(session: Session, rule: ConsensusSettings) -> Iterator[Opinion]:
    """The opinion on each graded candidate: its consensus, or votes that it has not seen yet.

    Gold standards have none: what they are is known.
    """
    new = _newer_votes(session, aggregated_up_to(session, rule.method))
    for row in stored_consensus(session, rule.method):
        if row.candidate_id not in new:
            yield Opinion(*row)
    yield from new.values()


def _newer_votes(session: Session, last_event_id: int) -> dict[int, Opinion]:
    """Votes on candidates with grades later than an event; those that are even decide nothing."""
    rows = votes_after(session, last_event_id)
    gold = gold_answers(session) if rows else {}
    return {
        candidate_id: Opinion(candidate_id, np.nan if share == _EVEN else share, 1.0, n)
        for candidate_id, share, n in rows
        if candidate_id not in gold
    }


def apply_grades(session: Session, labels: CandidateLabels, grades: GradeRule) -> None:
    """Put what graders say into the labels, in place."""
    if not grades.imported:
        dropped = int((labels.state != UNLABELED).sum())
        labels.state[:] = UNLABELED
        if dropped:
            labels.leave_out("imported, and only grades were asked for", dropped)
    place = {key: k for k, key in enumerate(labels.candidate_id.tolist())}
    for opinion in opinions(session, grades.rule):
        k = place.get(opinion.candidate_id)
        if k is None:
            continue
        state = grades.state(opinion.posterior, opinion.prior)
        if opinion.n_votes < grades.min_votes:
            labels.leave_out("too few votes")
        elif state == UNLABELED:
            labels.leave_out("graders undecided")
        else:
            labels.state[k] = state
            labels.weight[k] = label_weight(max(opinion.posterior, 1 - opinion.posterior))
            labels.graded[k] = True
    _apply_reasons(session, labels, place)


def _apply_reasons(session: Session, labels: CandidateLabels, place: dict[int, int]) -> None:
    """The reason that most graders gave for a rejected object; of equals the first by name."""
    counted: dict[int, dict[str, int]] = {}
    for candidate_id, reason in reject_reasons(session):
        k = place.get(candidate_id)
        if k is not None and labels.state[k] == OTHER:
            counts = counted.setdefault(k, {})
            counts[reason] = counts.get(reason, 0) + 1
    for k, counts in counted.items():
        labels.reason[k] = REASONS.index(max(sorted(counts), key=lambda name: counts[name]))
