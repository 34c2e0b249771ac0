"""Imports by preset, and labels attached to a catalog: the set's policy holds wherever it goes."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import sqlalchemy as sa
from astropy.io import fits
from small_catalogs import add_objects

from lens_triage.training.jobs import attach, ingest
from lens_triage.training.jobs.preset import with_preset
from lens_triage.training.settings import AttachSettings, IngestSettings
from lensing_core.errors import BadInputError
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog
from lensing_core.workspace import Workspace


def stored(workspace, name):
    with open_database(workspace).session() as session:
        catalog = session.scalars(sa.select(Catalog).where(Catalog.name == name)).one()
        rows = session.execute(
            sa.select(Candidate.object_id, Candidate.label, Candidate.label_policy,
                      Candidate.label_source)
            .where(Candidate.catalog_id == catalog.id).order_by(Candidate.cutout_index)
        )  # fmt: skip
        return catalog, [tuple(row) for row in rows]


def test_galaxies_ml_is_for_pretraining_only(make_context, tmp_path):
    path = tmp_path / "galaxies.hdf5"
    with h5py.File(path, "w") as file:
        file["image"] = np.random.default_rng(1).normal(size=(3, 5, 32, 32)).astype("f4")
        file["object_id"] = np.array([36411452835238206, -2, 3])
        file["ra"], file["dec"] = [1.0, 2, 3], [4.0, 5, 6]
    settings = IngestSettings(catalog="ml", preset="galaxiesml", images=str(path), workers=1)
    context = make_context(settings)
    report = ingest.run(context, settings)
    assert report["ingested"] == 3
    catalog, rows = stored(context.workspace, "ml")
    assert (catalog.label_policy, catalog.label_source) == (
        "pretraining_only",
        "pretrain:galaxiesml",
    )
    assert [row[0] for row in rows] == ["36411452835238206", "-2", "3"]
    assert {row[1] for row in rows} == {None}


@pytest.fixture
def bologna(tmp_path):
    """The table and the images of two objects of the first challenge, on the ground."""
    table = tmp_path / "classifications.csv"
    table.write_text("ID,is_lens,Einstein_area\n100002,1,3.5\n100003,0,0\n")
    rng = np.random.default_rng(1)
    for band, key in {1: "R", 2: "I", 3: "G", 4: "U"}.items():
        folder = tmp_path / "Public" / f"Band{band}"
        folder.mkdir(parents=True)
        for name in (100002, 100003):
            image = rng.normal(size=(33, 33)).astype("f4")
            fits.PrimaryHDU(image).writeto(folder / f"imageSDSS_{key}-{name}.fits")
    return table


def test_bologna_has_labels_for_all_uses(make_context, bologna):
    settings = IngestSettings(catalog="blf", preset="bologna1", table=str(bologna), workers=1)
    context = make_context(settings)
    assert ingest.run(context, settings)["ingested"] == 2
    catalog, rows = stored(context.workspace, "blf")
    assert (catalog.origin, catalog.label_policy, catalog.survey.name) == (
        "simulated",
        "all",
        "kids",
    )
    assert rows == [("100002", 1, "all", "sim:bologna1"), ("100003", 0, "all", "sim:bologna1")]
    again = ingest.run(context, settings)
    assert again["already_complete"]


def test_what_the_user_sets_goes_before_the_preset(bologna, tmp_path):
    workspace = Workspace.create(tmp_path / "ws")
    own = IngestSettings(catalog="blf", preset="bologna1", table=str(bologna), survey="des")
    found = with_preset(own, workspace)
    assert (found.survey, found.preset, found.bands) == ("des", "", ["u", "g", "r", "i"])
    assert with_preset(found, workspace) is found
    with pytest.raises(BadInputError, match="name the table"):
        with_preset(IngestSettings(catalog="x", preset="castles", images=str(tmp_path)), workspace)


def test_known_lenses_are_attached_to_a_catalog(make_context, tmp_path):
    table = tmp_path / "slacs.csv"
    table.write_text("Name,RA,DEC,grade\nJ1,10,20,A\nJ2,200,1,A\nJ3,30,1,X\n")
    settings = AttachSettings(catalog="deep", known="slacs", table=str(table))
    context = make_context(settings)
    add_objects(context.workspace, "deep", {"a": (10.0, 20.0001), "b": (30.0, 1.0)})
    report = attach.run(context, settings)
    assert (report["attached"], report["out_of_reach"], report["unlabeled"]) == (1, 1, 1)
    assert stored(context.workspace, "deep")[1] == [
        ("a", 1, "positives_only", "obs:slacs"),
        ("b", None, None, None),
    ]
    assert attach.run(context, settings)["known"] == 1
    with pytest.raises(BadInputError, match="Name the table of castles"):
        AttachSettings(catalog="deep", known="castles").check()
