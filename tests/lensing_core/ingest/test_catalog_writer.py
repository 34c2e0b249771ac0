from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from lensing_core.cutouts import CutoutGeometry, CutoutStore, cutout_sha256
from lensing_core.errors import BadInputError
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate, Rejected
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog, Quarantine


def writer_of(workspace, **changes) -> CatalogWriter:
    values = {"size_px": 8, "bands": ("g",), "zero_points_mag": (27.0,), "psf_fwhm_arcsec": (0.7,)}
    geometry = CutoutGeometry(
        survey="hsc", pixel_scale_arcsec=0.2, pixel_kind="flux", **{**values, **changes}
    )
    return CatalogWriter(workspace, CatalogSpec("cat", geometry, {}, notes={"why": "test"}))


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(3).normal(size=(5, 1, 8, 8)).astype("f4")


def test_rows_and_pixels_go_together(workspace, pixels):
    writer = writer_of(workspace)
    first = [NewCandidate(f"a{k}", ra_deg=10.0 + k, dec_deg=1.0) for k in range(3)]
    writer.append(pixels[:3], first, rows_read=4, rejected=[Rejected(1, "all_nan", "Empty.")])
    writer.append(pixels[3:], [NewCandidate("b0"), NewCandidate("b1")], rows_read=6)
    writer.finish(done="yes")
    with open_database(workspace).session() as session:
        rows = session.scalars(select(Candidate).order_by(Candidate.cutout_index)).all()
        assert [row.object_id for row in rows] == ["a0", "a1", "a2", "b0", "b1"]
        assert [row.cutout_index for row in rows] == list(range(5))
        assert [row.cutout_sha256 for row in rows] == [cutout_sha256(p) for p in pixels]
        assert [row.observation.candidate_id for row in rows] == [row.id for row in rows]
        assert rows[0].healpix is not None
        assert rows[3].healpix is None
        catalog = session.scalars(select(Catalog)).one()
        assert (catalog.n_candidates, catalog.n_quarantined, catalog.rows_read) == (5, 1, 6)
        assert catalog.notes == {"why": "test", "done": "yes", "shards": 2}
    store = CutoutStore(workspace.catalog_cutouts("cat"))
    np.testing.assert_array_equal(store.read_many(range(5)), pixels)


def test_what_is_unknown_is_null(workspace, pixels):
    """Also in JSON columns, where a plain None would be stored as the text "null"."""
    rows = [
        NewCandidate("a", observation={"magnitudes": None, "truth": None, "properties": {}}),
        NewCandidate("b", observation={"magnitudes": {"g": 1.0}, "z_phot": 0.5}),
    ]
    writer_of(workspace).append(pixels[:2], rows, rows_read=2)
    with open_database(workspace).session() as session:
        found = session.execute(
            text("SELECT magnitudes, truth, z_phot, properties FROM observation ORDER BY 1")
        ).all()
    assert [tuple(row) for row in found] == [
        (None, None, None, "{}"),
        ('{"g": 1.0}', None, 0.5, "{}"),
    ]


def test_a_failed_insert_leaves_nothing_behind(workspace, pixels):
    writer = writer_of(workspace)
    writer.append(pixels[:1], [NewCandidate("a")], rows_read=1)
    twice = [NewCandidate("b"), NewCandidate("a")]
    bad = [Rejected(5, "all_nan", "Empty.")]
    with pytest.raises(IntegrityError, match="UNIQUE"):
        writer.append(pixels[1:3], twice, rows_read=3, rejected=bad)
    with open_database(workspace).session() as session:
        assert session.scalar(select(func.count()).select_from(Candidate)) == 1
        assert session.scalar(select(func.count()).select_from(Quarantine)) == 0
    again = writer_of(workspace)
    assert again.rows_read == 1
    assert len(CutoutStore(workspace.catalog_cutouts("cat"))) == 1
    again.append(pixels[1:2], [NewCandidate("b")], rows_read=2)
    assert again.known_object_ids(["a", "b", "c"]) == {"a", "b"}


def test_arguments_that_do_not_fit(workspace, pixels):
    with pytest.raises(BadInputError, match="5 cutouts for 1 rows"):
        writer_of(workspace).append(pixels, [NewCandidate("a")], rows_read=1)
    with pytest.raises(BadInputError, match="another geometry"):
        writer_of(workspace, size_px=9)
