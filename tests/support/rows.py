"""Rows of the database without pixels, for tests of queries."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from lensing_core.store import Session
from lensing_core.store.tables import Candidate, Catalog, SurveyRow


def add_catalog(session: Session, name: str, n: int, **columns: Any) -> list[int]:
    """Add a catalog with candidates ``o0``, ``o1`` …; returns the ids of the candidates.

    ``columns`` are those of the catalog that matter to the test.
    """
    survey = session.scalar(select(SurveyRow)) or SurveyRow(name="hsc", definition={})
    session.add(survey)
    session.flush()
    shape = {"bands": ["r"], "size_px": 32, "pixel_scale_arcsec": 0.2, "pixel_kind": "flux"}
    origin = {"scale": "galaxy", "origin": "observed", "survey_id": survey.id, "n_candidates": n}
    catalog = Catalog(name=name, **{**shape, **origin, **columns})
    session.add(catalog)
    session.flush()
    candidates = [
        Candidate(
            catalog_id=catalog.id, object_id=f"o{k}", cutout_index=k, cutout_sha256=f"{k:064x}"
        )
        for k in range(n)
    ]
    session.add_all(candidates)
    session.flush()
    return [candidate.id for candidate in candidates]
