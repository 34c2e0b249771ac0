"""From grades of people to labels: by consensus, weighed by how sure it is, with reasons."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select

from lensing_core.errors import BadInputError
from lensing_core.store import Session
from lensing_core.store.consensus_choice import ConsensusRule
from lensing_core.store.tables import Consensus, Vote
from training.jobs.retrain.label_table import (
    LENS,
    OTHER,
    REASONS,
    UNLABELED,
    CandidateLabels,
)
from training.settings import RetrainSettings

_LEAST_WEIGHT = 0.05


@dataclass(frozen=True)
class GradeRule:
    """How grades become labels.

    Attributes
    ----------
    rule : ConsensusRule
    lens_from, other_below : float
        Posteriors from which an object is a lens, and below which it is none.
    min_votes : int
        Objects with fewer votes stay unlabeled.
    imported : bool
        Whether imported labels count beside grades.
    """

    rule: ConsensusRule = field(default_factory=ConsensusRule)
    lens_from: float = 0.5
    other_below: float = 0.1
    min_votes: int = 1
    imported: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.other_below <= self.lens_from < 1:
            raise BadInputError(
                f"Grades: lenses from {self.lens_from}, others below {self.other_below}; give two "
                "numbers between 0 and 1, the second not the greater."
            )

    @classmethod
    def of(cls, settings: RetrainSettings) -> GradeRule | None:
        """As a run wants it; None where grades are not to count."""
        if settings.labels == "imported":
            return None
        return cls(
            ConsensusRule(settings.consensus),
            settings.lens_from,
            settings.other_below,
            settings.min_votes,
            imported=settings.labels == "both",
        )


def apply_grades(session: Session, labels: CandidateLabels, grades: GradeRule) -> None:
    """Put what graders say into the labels, in place."""
    if not grades.imported:
        dropped = int((labels.state != UNLABELED).sum())
        labels.state[:] = UNLABELED
        if dropped:
            labels.left_out["imported, and only grades were asked for"] = dropped
    rows = session.execute(
        select(
            Consensus.candidate_id, Consensus.posterior, Consensus.prior, Consensus.n_votes
        ).where(Consensus.method == grades.rule.method)
    )
    place = {key: k for k, key in enumerate(labels.candidate_id.tolist())}
    for candidate_id, posterior, prior, n_votes in rows:
        k = place.get(candidate_id)
        if k is None:
            continue
        state = _state_by_grades(posterior, prior, grades)
        if n_votes < grades.min_votes:
            labels.leave_out("too few votes")
        elif state == UNLABELED:
            labels.leave_out("graders undecided")
        else:
            labels.state[k] = state
            labels.weight[k] = max(_LEAST_WEIGHT, abs(2 * posterior - 1))
            labels.graded[k] = True
    _apply_reasons(session, labels, place)


def _state_by_grades(posterior: float, prior: float, grades: GradeRule) -> int:
    if posterior >= grades.lens_from:
        return LENS
    # A prior that no vote has lowered says nothing.
    return OTHER if posterior < min(grades.other_below, prior) else UNLABELED


def _apply_reasons(session: Session, labels: CandidateLabels, place: dict[int, int]) -> None:
    """The reason that most graders gave for a rejected object; of equals the first by name."""
    said: dict[int, dict[str, int]] = {}
    rows = session.execute(
        select(Vote.candidate_id, Vote.reject_reason).where(Vote.reject_reason.is_not(None))
    )
    for candidate_id, reason in rows:
        k = place.get(candidate_id)
        if k is not None and reason is not None and labels.state[k] == OTHER:
            counts = said.setdefault(k, {})
            counts[reason] = counts.get(reason, 0) + 1
    for k, counts in said.items():
        labels.reason[k] = REASONS.index(max(sorted(counts), key=lambda name: counts[name]))
