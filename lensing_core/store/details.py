"""Details of single candidates: their observation, and the members' scores."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from lensing_core.store.tables import Candidate, EnsembleMember, MemberScore, Model


@dataclass(frozen=True)
class MemberOpinion:
    """Score of a candidate by one member of an ensemble."""

    model_id: str
    kind: str
    weight: float
    logit: float
    probability: float


@dataclass(frozen=True)
class CandidateDetails:
    """A candidate with its observation and the opinions of an ensemble's members, in order."""

    candidate: Candidate
    members: tuple[MemberOpinion, ...]


def candidate_details(
    session: Session, candidate_ids: Sequence[int], ensemble_id: int | None
) -> dict[int, CandidateDetails]:
    """Details by candidate id; ids that do not exist are left out."""
    candidates = session.scalars(
        select(Candidate)
        .where(Candidate.id.in_(candidate_ids))
        .options(joinedload(Candidate.observation))
    ).all()
    members: defaultdict[int, list[MemberOpinion]] = defaultdict(list)
    if ensemble_id is not None:
        rows = session.execute(
            select(
                MemberScore.candidate_id,
                EnsembleMember.model_id,
                Model.kind,
                EnsembleMember.weight,
                MemberScore.logit,
                MemberScore.probability,
            )
            .join(EnsembleMember, EnsembleMember.model_id == MemberScore.model_id)
            .join(Model, Model.id == EnsembleMember.model_id)
            .where(
                EnsembleMember.ensemble_id == ensemble_id,
                MemberScore.candidate_id.in_(candidate_ids),
            )
            .order_by(EnsembleMember.position)
        )
        for row in rows:
            members[row.candidate_id].append(
                MemberOpinion(row.model_id, row.kind, row.weight, row.logit, row.probability)
            )
    return {c.id: CandidateDetails(c, tuple(members[c.id])) for c in candidates}
