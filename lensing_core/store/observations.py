"""Measurements and simulated truth of candidates, read by id as arrays."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.arrays import Float32Array, Float64Array, IntArray
from lensing_core.store.batches import in_batches
from lensing_core.store.tables import Candidate, Catalog, Observation, SurveyRow

COVARIATES = {
    "magnitude": Candidate.magnitude,
    "signal to noise": Observation.snr,
    "half-light radius": Observation.half_light_radius_arcsec,
    "redshift": Observation.z_phot,
}
"""Properties that may tell labeled lenses from others, by name."""


def truths_of(session: Session, candidate_ids: Iterable[int]) -> dict[int, Mapping[str, Any]]:
    """Return what simulations know of candidates, by id; observed ones are left out."""
    truths: dict[int, Mapping[str, Any]] = {}
    for part in in_batches(candidate_ids):
        rows = session.execute(
            select(Observation.candidate_id, Observation.truth).where(
                Observation.candidate_id.in_(part), Observation.truth.is_not(None)
            )
        )
        truths.update({row[0]: row[1] for row in rows if row[1] is not None})
    return truths


def fetch_truth(session: Session, candidate_ids: IntArray, names: Sequence[str]) -> Float32Array:
    """Values (n, len(names)) of a simulation's truth; NaN for what is observed or not known."""
    out = np.full((len(candidate_ids), len(names)), np.nan, dtype=np.float32)
    row = {candidate_id: k for k, candidate_id in enumerate(candidate_ids.tolist())}
    for candidate_id, truth in truths_of(session, candidate_ids).items():
        values = (truth.get(name) for name in names)
        out[row[candidate_id]] = [math.nan if v is None else float(v) for v in values]
    return out


def fetch_covariates(session: Session, candidate_ids: IntArray) -> dict[str, Float64Array]:
    """Columns of :data:`COVARIATES` by name, shape (n,), in the order of the ids; NaN: unknown."""
    out = np.full((len(candidate_ids), len(COVARIATES)), np.nan)
    row = {candidate_id: k for k, candidate_id in enumerate(candidate_ids.tolist())}
    for part in in_batches(candidate_ids):
        rows = session.execute(
            select(Candidate.id, *COVARIATES.values())
            .outerjoin(Observation, Observation.candidate_id == Candidate.id)
            .where(Candidate.id.in_(part))
        )
        for candidate_id, *values in rows:
            out[row[candidate_id]] = [np.nan if v is None else v for v in values]
    return dict(zip(COVARIATES, out.T, strict=True))


def magnitudes_and_surveys(
    session: Session, candidate_ids: Iterable[int]
) -> dict[int, tuple[float | None, str]]:
    """Magnitude (AB; None: unknown) and name of the survey of candidates, by id."""
    values: dict[int, tuple[float | None, str]] = {}
    for part in in_batches(candidate_ids):
        rows = session.execute(
            select(Candidate.id, Candidate.magnitude, SurveyRow.name)
            .join(Catalog, Catalog.id == Candidate.catalog_id)
            .join(SurveyRow, SurveyRow.id == Catalog.survey_id)
            .where(Candidate.id.in_(part))
        )
        values.update({row[0]: (row[1], row[2]) for row in rows})
    return values


def observed_for_proxies(session: Session, candidate_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Columns that θ_E proxies follow from, in the order of the ids; empty where none is known.

    :func:`lensing_core.ingest.proxies.theta_e_proxies` takes them.
    """
    columns = (Observation.richness, Observation.z_spec, Observation.z_phot, Observation.properties)
    known: dict[int, dict[str, Any]] = {}
    for part in in_batches(candidate_ids):
        rows = session.execute(
            select(Observation.candidate_id, *columns).where(Observation.candidate_id.in_(part))
        )
        known.update({row.candidate_id: row._asdict() for row in rows})
    return [known.get(key, {}) for key in candidate_ids]


def table_column(session: Session, candidate_ids: IntArray, column: str) -> list[Any]:
    """Return what the imported table says of candidates in one column, in order of the ids; else
    None.
    """
    values: dict[int, Any] = {}
    for part in in_batches(candidate_ids):
        rows = session.execute(
            select(Observation.candidate_id, Observation.properties).where(
                Observation.candidate_id.in_(part)
            )
        )
        values.update((row[0], (row[1] or {}).get(column)) for row in rows)
    return [values.get(k) for k in candidate_ids.tolist()]
