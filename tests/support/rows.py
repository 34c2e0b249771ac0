"""Rows of the database without pixels, for tests of queries."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from lensing_core.store import Session
from lensing_core.store.tables import Candidate, Catalog, Score, SurveyRow


def add_catalog_row(session: Session, name: str, **columns: Any) -> int:
    """Add a catalog of one survey, with those columns that matter to the test; returns its id."""
    survey = session.scalar(select(SurveyRow)) or SurveyRow(name="hsc", definition={})
    session.add(survey)
    session.flush()
    shape = {"bands": ["r"], "size_px": 32, "pixel_scale_arcsec": 0.2, "pixel_kind": "flux"}
    origin = {"scale": "galaxy", "origin": "observed", "survey_id": survey.id}
    catalog = Catalog(name=name, **{**shape, **origin, **columns})
    session.add(catalog)
    session.flush()
    return catalog.id


def add_catalog(session: Session, name: str, n: int, **columns: Any) -> list[int]:
    """Add a catalog with candidates ``o0``, ``o1`` …; returns the ids of the candidates."""
    catalog_id = add_catalog_row(session, name, n_candidates=n, **columns)
    candidates = [
        Candidate(
            catalog_id=catalog_id, object_id=f"o{k}", cutout_index=k, cutout_sha256=f"{k:064x}"
        )
        for k in range(n)
    ]
    session.add_all(candidates)
    session.flush()
    return [candidate.id for candidate in candidates]


def score_row(ensemble_id: int, catalog_id: int, candidate_id: int, **columns: float) -> Score:
    """A score; what the test does not give is 0, and there is no distance."""
    numbers = ("logit", "probability", "epistemic", "aleatoric", "disagreement")
    return Score(
        ensemble_id=ensemble_id,
        catalog_id=catalog_id,
        candidate_id=candidate_id,
        **{**dict.fromkeys(numbers, 0.0), **columns},
    )
