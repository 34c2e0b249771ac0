"""Score context of a candidate: its place in the catalog, and its scores by all ensembles."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lensing_core.store.tables import Ensemble, Score


@dataclass(frozen=True)
class Percentile:
    """The share of ``n`` candidates with a smaller value than one of them."""

    percent: float
    n: int


def ood_percentile(session: Session, score: Score) -> Percentile | None:
    """Return how far out of distribution a candidate is among its catalog, by the same ensemble.

    Counted over an index. None where the ensemble gives no distance.
    """
    if score.ood_distance is None:
        return None
    among = select(func.count()).where(
        Score.ensemble_id == score.ensemble_id,
        Score.catalog_id == score.catalog_id,
        Score.ood_distance.is_not(None),
    )
    n = session.scalar(among) or 0
    below = session.scalar(among.where(Score.ood_distance < score.ood_distance)) or 0
    return Percentile(100 * below / n, n)


def find_score(session: Session, ensemble_id: int, candidate_id: int) -> Score | None:
    """Return what an ensemble says of a candidate; None where it has not scored it."""
    return session.get(Score, (ensemble_id, candidate_id))


def probabilities_of(
    session: Session, ensemble_id: int | None, candidate_ids: Collection[int]
) -> dict[int, float]:
    """An ensemble's probabilities of a few candidates; what it has not scored is left out."""
    rows = session.execute(
        select(Score.candidate_id, Score.probability).where(
            Score.ensemble_id == ensemble_id, Score.candidate_id.in_(candidate_ids)
        )
    )
    return {row.candidate_id: row.probability for row in rows}


@dataclass(frozen=True)
class EnsembleScore:
    """Score of a candidate by one ensemble, and when the ensemble was made."""

    ensemble_id: int
    name: str
    created_at: datetime
    promoted: bool
    logit: float
    probability: float


def scores_of_candidate(
    session: Session, candidate_id: int, most: int = 20
) -> list[tuple[Score, Ensemble]]:
    """Return the scores of a candidate with the ensembles that gave them, the newest first."""
    rows = session.execute(
        select(Score, Ensemble)
        .join(Ensemble, Ensemble.id == Score.ensemble_id)
        .where(Score.candidate_id == candidate_id)
        .order_by(Ensemble.created_at.desc(), Ensemble.id.desc())
        .limit(most)
    )
    return [(score, ensemble) for score, ensemble in rows]


def scores_by_ensemble(session: Session, candidate_id: int, most: int = 20) -> list[EnsembleScore]:
    """Return what ensembles say of a candidate, the newest ensemble first."""
    return [
        EnsembleScore(
            ensemble.id,
            ensemble.name,
            ensemble.created_at,
            ensemble.promoted_at is not None,
            score.logit,
            score.probability,
        )
        for score, ensemble in scores_of_candidate(session, candidate_id, most)
    ]
