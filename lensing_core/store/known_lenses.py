"""Labels of published lists, put onto candidates that are in the workspace already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.store.tables import Candidate, Observation

_AT_ONCE = 500


@dataclass(frozen=True)
class PlacedCandidate:
    """A candidate with a position, and the label that it has."""

    id: int
    object_id: str
    ra_deg: float
    dec_deg: float
    label: int | None


@dataclass(frozen=True)
class KnownLabel:
    """A label for a candidate, with where it comes from and what it may be used for."""

    candidate_id: int
    label: int
    source: str
    confidence: float
    policy: str
    properties: Mapping[str, Any]


def placed(session: Session, catalog_id: int) -> list[PlacedCandidate]:
    """Return the candidates of a catalog that have a position, in order of their cutouts."""
    rows = session.execute(
        select(
            Candidate.id,
            Candidate.object_id,
            Candidate.ra_deg,
            Candidate.dec_deg,
            Candidate.label,
        )
        .where(
            Candidate.catalog_id == catalog_id,
            Candidate.ra_deg.is_not(None),
            Candidate.dec_deg.is_not(None),
        )
        .order_by(Candidate.cutout_index)
    )
    return [
        PlacedCandidate(key, object_id, float(ra), float(dec), label)
        for key, object_id, ra, dec, label in rows
        if ra is not None and dec is not None
    ]


def attach_labels(session: Session, labels: Sequence[KnownLabel]) -> int:
    """Write labels to candidates that have none; returns how many were written."""
    written = 0
    for first in range(0, len(labels), _AT_ONCE):
        part = {one.candidate_id: one for one in labels[first : first + _AT_ONCE]}
        for candidate in session.scalars(
            select(Candidate).where(Candidate.id.in_(part), Candidate.label.is_(None))
        ):
            one = part[candidate.id]
            candidate.label, candidate.label_source = one.label, one.source
            candidate.label_confidence, candidate.label_policy = one.confidence, one.policy
            observation = session.get(Observation, candidate.id)
            if observation is None:
                observation = Observation(candidate_id=candidate.id, properties={})
                session.add(observation)
            observation.properties = {**(observation.properties or {}), **one.properties}
            written += 1
        session.flush()
    return written
