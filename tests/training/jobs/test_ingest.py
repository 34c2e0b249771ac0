"""Whole imports, from files on disk to a catalog in the workspace: rows, quarantine, labels."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from astropy.io import fits
from imports_of_files import (
    BANDS,
    SIZE,
    add_bad_rows,
    candidates,
    catalog_of,
    ingest,
    quarantine,
    settings_of,
    write_fits,
)
from sqlalchemy import select

from lens_triage.training import runner as jobs
from lens_triage.training.jobs.train.data import TrainingData
from lensing_core.cutouts import CutoutStore
from lensing_core.errors import PolicyError
from lensing_core.ingest.rejection import REASONS
from lensing_core.store import open_database
from lensing_core.store.tables import RunLog


def test_a_catalog_with_everything_of_its_rows(workspace, survey):
    folder, pixels = survey
    report = ingest(workspace, settings_of(folder))
    assert report["ingested"] == report["rows"] == 60
    assert report["quarantined"] == 0
    store = CutoutStore(workspace.catalog_cutouts("mine"))
    np.testing.assert_array_equal(store.read_many(range(60)), pixels)
    assert store.geometry.bands == BANDS
    assert store.geometry.zero_points_mag == (27.0, 27.0, 27.0)
    assert store.geometry.pixel_scale_arcsec == pytest.approx(0.168)
    row = candidates(workspace)[7]
    assert row.object_id == "obj007"
    assert row.ra_deg == pytest.approx(150 + 7 / 59)
    assert row.magnitude == pytest.approx(18 + 4 * 7 / 59)
    assert row.observation.magnitudes == {"i": row.magnitude}
    assert row.observation.band_flags == [1, 1, 1]
    assert row.observation.properties["field"] == "W2"
    assert row.observation.properties["ingest"]["source"].endswith("obj007.fits[1]")
    catalog = catalog_of(workspace)
    assert catalog.complete
    assert catalog.notes["import"]["image_kind"] == "fits_hdus"
    assert catalog.notes["import"]["pattern"] == "{id}.fits"
    assert catalog.notes["import"]["bands_of_first_image"]["g"]["zero_point_from"] == "MAGZERO"


def spoil(folder):
    """One bad row for each reason that an object of its own file can have."""
    good = np.random.default_rng(3).normal(size=(3, SIZE, SIZE))
    write_fits(folder / "bands.fits", good[:2], ("G", "R"))
    write_fits(folder / "void.fits", np.full((3, SIZE, SIZE), np.nan))
    write_fits(folder / "small.fits", good[:, :4, :4])
    write_fits(folder / "cut.fits", good)
    whole = (folder / "cut.fits").read_bytes()
    (folder / "cut.fits").write_bytes(whole[: len(whole) // 2])
    (folder / "text.fits").write_text("not a FITS file")
    (folder / "cube.fits").unlink(missing_ok=True)
    hdus = [fits.PrimaryHDU(), *(fits.ImageHDU(np.ones((2, SIZE, SIZE)), name=b) for b in BANDS)]
    fits.HDUList(hdus).writeto(folder / "cube.fits")
    rows = [
        ("gone", 10, 1, "missing_file"),
        ("bands", 10, 1, "missing_band"),
        ("void", 10, 1, "all_nan"),
        ("small", 10, 1, "wrong_shape"),
        ("cube", 10, 1, "wrong_shape"),
        ("cut", 10, 1, "unreadable_file"),
        ("text", 10, 1, "unreadable_file"),
        ("obj001", 10, 1, "duplicate_id"),
        ("", 10, 1, "missing_id"),
        ("obj002", 400, 1, "bad_coordinates"),
        ("obj003", "ten", 1, "bad_coordinates"),
        ("obj004", "", 1, "bad_coordinates"),
    ]
    return rows


def test_bad_rows_go_to_quarantine_and_the_rest_goes_on(workspace, survey):
    folder, pixels = survey
    bad = spoil(folder)
    lines = [f"obj{k:03d},{150 + k},1" for k in range(60) if k not in (2, 3, 4)]
    for place, (name, ra, dec, _) in enumerate(bad):
        lines.insert(5 * place + 4, f"{name},{ra},{dec}")
    (folder / "objects.csv").write_text("id,ra,dec\n" + "\n".join(lines) + "\n")
    report = ingest(workspace, settings_of(folder, missing_bands="quarantine"))
    assert report["ingested"] == 57
    wanted = Counter(reason for *_, reason in bad)
    assert report["reasons"] == wanted
    assert report["quarantined"] == len(bad) == catalog_of(workspace).n_quarantined
    rejected = quarantine(workspace)
    assert [(q.object_id or "", q.reason) for q in rejected] == [(r[0], r[3]) for r in bad]
    assert [q.row_number for q in rejected] == [5 * k + 4 for k in range(len(bad))]
    for row in rejected:
        assert row.message.endswith(".")
        assert "\n" not in row.message
    by_id = {q.object_id: q for q in rejected}
    assert by_id["gone"].source == str(folder / "gone.fits")
    assert "gone.fits does not exist" in by_id["gone"].message
    assert "No HDU holds band 'i'; the file has 1: G, 2: R" in by_id["bands"].message
    kept = [int(c.object_id[3:]) for c in candidates(workspace)]
    assert kept == [k for k in range(60) if k not in (2, 3, 4)]
    store = CutoutStore(workspace.catalog_cutouts("mine"))
    np.testing.assert_array_equal(store.read_many(range(57)), pixels[kept])


def test_reasons_of_other_kinds_of_files(workspace, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    np.save(folder / "good.npy", np.ones((3, 9, 9), "f4"))
    np.save(folder / "two.npy", np.ones((2, 9, 9), "f4"))
    np.save(folder / "text.npy", np.array([["a"]]))
    (folder / "objects.csv").write_text("id,file\na,good.npy\nb,two.npy\nc,text.npy\nd,\n")
    report = ingest(workspace, settings_of(folder, bands=["g", "r", "i"]))
    assert report["reasons"] == {
        "wrong_band_count": 1,
        "unsupported_format": 1,
        "missing_file": 1,
    }
    assert set(report["reasons"]) <= set(REASONS)


def test_the_first_good_row_of_an_id_is_kept(workspace, survey):
    folder, pixels = survey
    (folder / "bad.fits").write_text("junk")
    (folder / "objects.csv").write_text(
        "id,file\na,bad.fits\na,obj005.fits\na,obj006.fits\nb,obj007.fits\n"
    )
    report = ingest(workspace, settings_of(folder))
    assert report["reasons"] == {"duplicate_id": 1, "unreadable_file": 1}
    store = CutoutStore(workspace.catalog_cutouts("mine"))
    np.testing.assert_array_equal(store.read_many([0, 1]), pixels[[5, 7]])


def test_labels_keep_their_provenance(workspace, survey):
    folder, _ = survey
    settings = settings_of(
        folder, label_source="obs:sled", label_policy="positives_only", all_are="lens"
    )
    ingest(workspace, settings)
    catalog = catalog_of(workspace)
    assert (catalog.label_source, catalog.label_policy) == ("obs:sled", "positives_only")
    assert catalog.label_confidence == 1.0
    assert {c.label for c in candidates(workspace)} == {1}
    with pytest.raises(PolicyError, match="known lenses only"):
        TrainingData.open(workspace, ["mine"])


def test_weak_labels_are_for_pretraining_unless_said_otherwise(workspace, survey):
    folder, _ = survey
    add_bad_rows(folder)
    ingest(workspace, settings_of(folder, label_source="weak:zoo"))
    catalog = catalog_of(workspace)
    assert catalog.label_policy == "pretraining_only"
    assert catalog.label_confidence < 0.5


def test_the_log_tells_what_was_left_out(workspace, survey):
    folder, _ = survey
    add_bad_rows(folder)
    ingest(workspace, settings_of(folder))
    with open_database(workspace).session() as session:
        lines = [log.message for log in session.scalars(select(RunLog).order_by(RunLog.id))]
    text = "\n".join(lines)
    assert "60 rows; bands g, r, i; 12 px of 0.168 arcsec" in text
    assert "2 rows went to quarantine: duplicate_id." in text
    assert "20 cells of label could not be understood" in text


def test_nothing_is_written_outside_the_workspace(workspace, survey):
    folder, _ = survey
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    (folder / "objects.csv").write_text("id,file\na,../survey/obj000.fits\nb,obj001.fits\n")
    before[folder / "objects.csv"] = (folder / "objects.csv").stat().st_mtime_ns
    assert ingest(workspace, settings_of(folder))["ingested"] == 2
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


@pytest.mark.slow
def test_an_import_as_a_job_of_its_own(workspace, survey):
    folder, pixels = survey
    run_id = jobs.submit(workspace, settings_of(folder, workers=2))
    finished = jobs.wait(workspace, run_id)
    assert finished.status == "succeeded", finished.error
    assert finished.result["ingested"] == 60
    assert (finished.done, finished.total) == (60, 60)
    store = CutoutStore(workspace.catalog_cutouts("mine"))
    np.testing.assert_array_equal(store.read_many(range(60)), pixels)


@pytest.mark.slow
def test_the_command_line(tmp_path, survey):
    folder, _ = survey
    command = [sys.executable, "-m", "lens_triage.app.cli"]
    code = "from lens_triage.app.cli import main; main()"
    command = [sys.executable, "-c", code, "ingest", str(tmp_path / "w")]
    done = subprocess.run(
        [*command, "--catalog", "mine", "--table", "objects.csv", "--survey", "hsc"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"ingested": 60' in done.stdout
