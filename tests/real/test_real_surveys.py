"""Real images of five instruments, from their files to a scored candidate in Review.

For each, an ensemble is trained on a few drawn objects of the same bands and pixels (for one survey
on simulated ones; enough for the path, not for a figure), the real objects are imported and scored,
and the page's own service is asked for the ranking and a tile.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from drawn_catalogs import draw_catalog
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from lens_triage.app.review.service import ReviewService
from lens_triage.training.jobs import (
    ingest as ingesting,
)
from lens_triage.training.jobs import (
    score as scoring,
)
from lens_triage.training.jobs import (
    simulate as simulating,
)
from lens_triage.training.jobs import (
    train as fit,
)
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import (
    IngestSettings,
    RunSettings,
    ScoreSettings,
    SimulateSettings,
    TrainSettings,
)
from lensing_core.cutouts import CutoutStore
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog, Run, Score
from lensing_core.workspace import Workspace

pytestmark = [pytest.mark.real, pytest.mark.slow]
ALL_BLOCKS = ("grid", "segments", "colours", "ridges")
JOBS: dict[str, Callable[..., dict[str, Any]]] = {
    "ingest": ingesting.run,
    "simulate": simulating.run,
    "train": fit.run,
    "score": scoring.run,
}


def do(workspace: Workspace, settings: RunSettings) -> dict[str, Any]:
    """Run a job in this process."""
    with open_database(workspace).session() as session:
        number = session.scalar(select(func.count()).select_from(Run))
        session.add(Run(id=f"run-{number}", kind=settings.kind, title="", settings={}))
    return JOBS[settings.kind](JobContext(workspace, f"run-{number}"), settings)


def to_review(
    workspace: Workspace,
    settings: IngestSettings,
    *,
    blocks: Sequence[str] = ("grid",),
    simulate: bool = False,
) -> Catalog:
    """Import, train on a few objects alike, score; return the catalog."""
    report = do(workspace, settings)
    assert report["quarantined"] == 0, report
    if simulate:
        alike = SimulateSettings(
            catalog="sim", n_objects=192, survey=settings.survey, size_arcsec=8.0
        )
        do(workspace, alike)
    else:
        geometry = CutoutStore(workspace.catalog_cutouts(settings.catalog)).geometry
        draw_catalog(
            workspace,
            "sim",
            192,
            seed=1,
            geometry=replace(geometry, size_px=min(geometry.size_px, 200)),
            label_source="sim:sim",
        )
    training = TrainSettings(
        ensemble="e", catalogs=["sim"], members=["trees"], rounds=60, feature_blocks=list(blocks)
    )
    do(workspace, training)
    result = do(workspace, ScoreSettings(ensemble="e", catalog=settings.catalog, device="cpu"))
    database = open_database(workspace)
    with database.session() as session:
        catalog = session.scalars(select(Catalog).where(Catalog.name == settings.catalog)).one()
        logits = session.scalars(select(Score.logit)).all()
    assert result["scored"] == catalog.n_candidates == report["rows"]
    assert np.isfinite(logits).all()

    with database.session() as session:
        start = ReviewService().start(session, {})
    assert len(start["page"]["rows"]) == min(100, catalog.n_candidates)
    ids = [row["id"] for row in start["page"]["rows"]]
    ensemble = start["query"]["ensemble_id"]
    asked = {"type": "details", "ids": ids[:50], "ensemble_id": ensemble}
    with database.session() as session:
        details = ReviewService().answer(session, asked)["details"]
    assert all(one["members"] for one in details)
    json.dumps(start, allow_nan=False)  # what goes to the browser must be JSON
    json.dumps(details, allow_nan=False)
    return catalog


def cutouts(workspace: Workspace, catalog: Catalog) -> np.ndarray:
    store = CutoutStore(workspace.catalog_cutouts(catalog.name))
    return store.read_many(range(len(store)))


def candidates(workspace: Workspace) -> dict[str, Candidate]:
    with open_database(workspace).session() as session:
        return {
            c.object_id: c
            for c in session.scalars(
                select(Candidate)
                .options(joinedload(Candidate.observation))
                .join(Catalog, Catalog.id == Candidate.catalog_id)
                .where(Catalog.origin == "observed")
                .order_by(Candidate.cutout_index)
            )
        }


@pytest.mark.parametrize(("kind", "n"), [("galaxies", 35), ("quasars", 20)])
def test_pan_starrs_cutouts_of_confirmed_lenses(workspace, real_data, kind, n):
    folder = real_data / "sled_ps1"
    catalog = to_review(
        workspace,
        IngestSettings(
            catalog="ps1",
            survey="ps1",
            table=str(folder / f"lensed_{kind}.csv"),
            images=str(folder / f"lensed_{kind}"),
            pattern="{folder}/{folder}_{band}.fits",
            columns={"id": "name"},
            label_source="obs:sled",
            label_policy="positives_only",
            all_are="lens",
        ),
        blocks=ALL_BLOCKS if kind == "quasars" else ("grid",),
        simulate=kind == "galaxies",
    )
    assert (catalog.n_candidates, catalog.bands) == (n, ["g", "r", "i", "z", "y"])
    assert catalog.pixel_scale_arcsec == pytest.approx(0.25, rel=1e-3)  # CDELT and PC, no CD
    pixels = cutouts(workspace, catalog)
    found = candidates(workspace)
    assert all(c.label == 1 for c in found.values())
    flags = np.array([c.observation.band_flags for c in found.values()])
    missing = np.isnan(pixels).all(axis=(2, 3))
    np.testing.assert_array_equal(flags == 0, missing)
    if kind == "galaxies":
        # Two files, and the pixels of one of them are all NaN.
        assert found["HAHJ1328-3132"].observation.band_flags == [0, 1, 0, 0, 0]


def test_space_warps_pictures_of_cfhtls(workspace, real_data):
    folder = real_data / "spacewarps_cfhtls"
    catalog = to_review(
        workspace,
        IngestSettings(
            catalog="cfhtls",
            survey="cfhtls",
            table=str(folder / "candidates.txt"),
            images=str(folder / "candidates"),
            frame_crop_px=10,
            pixel_scale_arcsec=30 / 464,
            grid_scale_arcsec=0.187,
            columns={"id": "Name", "file": "Name", "ra": "Ra(deg)", "dec": "Dec(deg)"},
        ),
    )
    assert (catalog.n_candidates, catalog.pixel_kind) == (210, "rendered")
    pixels = cutouts(workspace, catalog)
    assert pixels.min() >= 0
    assert pixels.max() <= 255.01
    grades = [
        float(c.observation.properties["Expert_Grade"]) for c in candidates(workspace).values()
    ]
    assert sum(g >= 2 for g in grades) == 48
    assert sum(g < 1 for g in grades) == 121


def test_euclid_multi_extension_files(workspace, real_data, tmp_path):
    table = tmp_path / "euclid.csv"
    with table.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "ra", "dec", "file"])
        for info in sorted((real_data / "euclid_q1_galaxy").rglob("info.json")):
            facts = json.loads(info.read_text())
            (image,) = [p for p in info.parent.glob("*.fits") if "mask" not in p.name]
            writer.writerow(
                [
                    facts.get("id_str", image.stem),
                    facts.get("target_ra", ""),
                    facts.get("target_dec", ""),
                    image,
                ]
            )
    catalog = to_review(
        workspace,
        IngestSettings(
            catalog="euclid",
            survey="euclid",
            table=str(table),
            images=str(real_data / "euclid_q1_galaxy"),
            size_px=100,
            bands=["VIS", "Y", "J", "H"],
        ),
    )
    assert catalog.pixel_scale_arcsec == pytest.approx(0.1, rel=1e-2)
    pixels = cutouts(workspace, catalog)
    assert pixels.shape == (4, 4, 100, 100)
    vis = pixels[:, 0]
    noise = 1.4826 * np.nanmedian(np.abs(vis - np.nanmedian(vis)), axis=(1, 2))
    center = vis[:, 45:55, 45:55].mean(axis=(1, 2))
    assert (center > 3 * noise).all()  # a galaxy is in the middle


def test_jwst_bands_of_two_pixel_scales(workspace, real_data):
    bands = ["F115W", "F150W", "F277W", "F444W"]
    images = real_data / "hst_jwst_pyautolens" / "dataset" / "imaging"
    catalog = to_review(
        workspace,
        IngestSettings(
            catalog="jwst",
            survey="jwst_nircam",
            images=str(images),
            image_kind="fits_per_band",
            pattern="{id}/wavebands/{band}/data.fits",
            bands=bands,
            size_px=400,
            pixel_scales=dict(zip(bands, ("0.03", "0.03", "0.06", "0.06"), strict=True)),
            zero_points=dict.fromkeys(bands, "28"),
        ),
    )
    assert catalog.pixel_scale_arcsec == pytest.approx(0.03)
    notes = catalog.notes["import"]["bands_of_first_image"]
    assert [notes[band]["regridded"] for band in bands] == [False, False, True, True]


def test_hst_single_band(workspace, real_data):
    images = real_data / "hst_jwst_pyautolens" / "dataset" / "imaging"
    catalog = to_review(
        workspace,
        IngestSettings(
            catalog="hst",
            survey="hst_acs",
            images=str(images),
            image_kind="fits_per_band",
            pattern="{id}/data.fits",
            bands=["F814W"],
            pixel_scale_arcsec=0.05,
            zero_points={"F814W": "25.95"},
        ),
    )
    assert catalog.bands == ["F814W"]
    assert catalog.n_candidates == 1


def test_a_third_of_nan_is_kept_as_nan(workspace, real_data):
    """Some real cutouts have no data over a third of their pixels; none is made up."""
    folder = real_data / "sled_ps1"
    do(
        workspace,
        IngestSettings(
            catalog="ps1",
            survey="ps1",
            table=str(folder / "lensed_galaxies.csv"),
            images=str(folder / "lensed_galaxies"),
            pattern="{folder}/{folder}_{band}.fits",
            columns={"id": "name"},
        ),
    )
    store = CutoutStore(workspace.catalog_cutouts("ps1"))
    pixels = store.read_many(range(len(store)))
    present = ~np.isnan(pixels).all(axis=(2, 3), keepdims=True)
    holes = (np.isnan(pixels) & present).mean(axis=(2, 3))
    assert holes.max() > 0.25
