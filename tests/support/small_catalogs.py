"""Catalogs of a few tiny objects, for tests that need names and positions but no pictures."""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa

from lensing_core.cutouts import CutoutGeometry
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Grader, Vote

GEOMETRY = CutoutGeometry(
    survey="hsc",
    bands=("g",),
    size_px=8,
    pixel_scale_arcsec=0.2,
    pixel_kind="flux",
    zero_points_mag=(27.0,),
    psf_fwhm_arcsec=(0.7,),
)


def add_objects(workspace, catalog: str, objects: dict, **spec) -> None:
    """Make a catalog of objects by name, each with None or a position in degrees."""
    writer = CatalogWriter(workspace, CatalogSpec(catalog, GEOMETRY, {}, **spec))
    rows = [
        NewCandidate(name, ra_deg=at[0], dec_deg=at[1]) if at else NewCandidate(name)
        for name, at in objects.items()
    ]
    pixels = np.random.default_rng(1).normal(size=(len(rows), 1, 8, 8)).astype("f4")
    writer.append(pixels, rows, rows_read=len(rows))
    writer.finish()


def votes(workspace) -> dict[tuple[str, str], str]:
    """Grades in force by object and grader."""
    with open_database(workspace).session() as session:
        rows = session.execute(
            sa.select(Candidate.object_id, Grader.name, Vote.grade)
            .join(Candidate, Candidate.id == Vote.candidate_id)
            .join(Grader, Grader.id == Vote.grader_id)
        )
        return {(name, grader): grade for name, grader, grade in rows}
