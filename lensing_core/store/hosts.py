"""Candidates around which arcs are painted: what is asked of them, and their whole rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from lensing_core.arrays import IntArray
from lensing_core.datasets.groups import host_name
from lensing_core.store.batches import in_batches
from lensing_core.store.candidates import ids_of_objects
from lensing_core.store.tables import Candidate, Observation

_STREAMED = 5000


@dataclass(frozen=True)
class PossibleHost:
    """A candidate without a lens label.

    Attributes
    ----------
    redshift : float or None
        Spectroscopic where there is one.
    properties : mapping
        Further columns of the imported table.
    """

    id: int
    row: int
    redshift: float | None
    properties: Mapping[str, Any]


def possible_hosts(
    session: Session,
    catalog_id: int,
    *,
    min_magnitude: float | None = None,
    max_magnitude: float | None = None,
) -> Iterator[PossibleHost]:
    """Candidates of a catalog that are no labeled lenses, within magnitudes, by cutout."""
    query = (
        select(
            Candidate.id,
            Candidate.cutout_index,
            Observation.z_spec,
            Observation.z_phot,
            Observation.properties,
        )
        .outerjoin(Observation, Observation.candidate_id == Candidate.id)
        .where(Candidate.catalog_id == catalog_id)
        .where(Candidate.label.is_(None) | (Candidate.label == 0))
        .order_by(Candidate.cutout_index)
    )
    if min_magnitude is not None:
        query = query.where(Candidate.magnitude >= min_magnitude)
    if max_magnitude is not None:
        query = query.where(Candidate.magnitude <= max_magnitude)
    for key, row, z_spec, z_phot, properties in session.execute(
        query.execution_options(yield_per=_STREAMED)
    ):
        yield PossibleHost(key, row, z_phot if z_spec is None else z_spec, properties or {})


def candidates_by_id(session: Session, ids: Sequence[int]) -> list[Candidate]:
    """Candidates with their observations, in the order of ``ids``, apart from the session."""
    by_id: dict[int, Candidate] = {}
    for part in in_batches(ids):
        query = (
            select(Candidate)
            .where(Candidate.id.in_(part))
            .options(selectinload(Candidate.observation))
        )
        by_id.update({candidate.id: candidate for candidate in session.scalars(query)})
    session.expunge_all()
    return [by_id[k] for k in ids]


def painted_hosts(
    session: Session, catalog_id: int, painted_catalog_ids: Sequence[int]
) -> IntArray:
    """Ids of the candidates of a catalog around which other catalogs have painted arcs."""
    names = session.scalars(
        select(Candidate.object_id)
        .where(Candidate.catalog_id.in_(painted_catalog_ids))
        .execution_options(yield_per=_STREAMED)
    )
    hosts = {host_name(name) for name in names}
    found = ids_of_objects(session, sorted(hosts), [catalog_id])
    return np.array(sorted(key for ids in found.values() for key in ids), dtype=np.int64)
