"""Whole imports, from files on disk to a catalog in the workspace."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from collections import Counter

import h5py
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from PIL import Image
from sqlalchemy import select

from lens_triage.training import runner as jobs
from lens_triage.training.jobs.ingest import (
    preview,
    run,
)
from lens_triage.training.jobs.train.data import TrainingData
from lens_triage.training.runner.context import (
    Cancelled,
    JobContext,
)
from lens_triage.training.settings import IngestSettings
from lensing_core.cutouts import CutoutStore, writing
from lensing_core.errors import BadInputError, NotFoundError, PolicyError
from lensing_core.ingest import importing
from lensing_core.ingest.catalog_writer import CatalogWriter
from lensing_core.ingest.rejection import REASONS
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog, Quarantine, Run, RunLog

BANDS = ("g", "r", "i")
SIZE = 12


def header(**more) -> dict:
    wcs = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CD1_1": -0.168 / 3600}
    return {**wcs, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 0.168 / 3600, "MAGZERO": 27.0, **more}


def write_fits(path, planes, names=BANDS, **cards):
    hdus = [fits.PrimaryHDU()]
    for name, plane in zip(names, planes, strict=True):
        hdu = fits.ImageHDU(np.asarray(plane, "f4"), name=name)
        hdu.header.update(header(**cards))
        hdus.append(hdu)
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList(hdus).writeto(path)


@pytest.fixture
def survey(tmp_path):
    """Sixty FITS files of three bands, and their table."""
    folder = tmp_path / "survey"
    rng = np.random.default_rng(1)
    pixels = rng.normal(size=(60, 3, SIZE, SIZE)).astype("f4")
    for k, planes in enumerate(pixels):
        write_fits(folder / f"obj{k:03d}.fits", planes)
    table = Table(
        {
            "id": [f"obj{k:03d}" for k in range(60)],
            "ra": np.linspace(150, 151, 60),
            "dec": np.linspace(1, 2, 60),
            "mag_i": np.linspace(18, 22, 60),
            "field": ["W1", "W2"] * 30,
        }
    )
    table.write(folder / "objects.csv")
    return folder, pixels


def settings_of(folder, **changes) -> IngestSettings:
    values = {"catalog": "mine", "table": str(folder / "objects.csv"), "survey": "hsc", **changes}
    return IngestSettings(**values)


def context_for(workspace, settings, run_id="run-1") -> JobContext:
    with open_database(workspace).session() as session:
        if session.get(Run, run_id) is None:
            session.add(
                Run(id=run_id, kind="ingest", title=settings.title(), settings=settings.to_json())
            )
    return JobContext(workspace, run_id)


def ingest(workspace, settings) -> dict:
    return run(context_for(workspace, settings), settings)


def candidates(workspace, catalog="mine") -> list[Candidate]:
    with open_database(workspace).session() as session:
        rows = session.scalars(
            select(Candidate)
            .join(Catalog, Catalog.id == Candidate.catalog_id)
            .where(Catalog.name == catalog)
            .order_by(Candidate.cutout_index)
        ).all()
        for row in rows:
            assert row.observation is not None
        return list(rows)


def catalog_of(workspace, name="mine") -> Catalog:
    with open_database(workspace).session() as session:
        return session.scalars(select(Catalog).where(Catalog.name == name)).one()


def quarantine(workspace) -> list[Quarantine]:
    with open_database(workspace).session() as session:
        return list(session.scalars(select(Quarantine).order_by(Quarantine.row_number)))


def contents(workspace, name="mine"):
    """All that an import leaves: shards, rows and quarantine, without times."""
    folder = workspace.catalog_cutouts(name)
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    rows = [
        {k: str(v) for o in (c, c.observation) for k, v in vars(o).items() if k[0] != "_"}
        for c in candidates(workspace, name)
    ]
    for row in rows:
        del row["observation"]
    rejected = [
        (q.row_number, q.object_id, q.source, q.reason, q.message) for q in quarantine(workspace)
    ]
    catalog = catalog_of(workspace, name)
    counts = (catalog.n_candidates, catalog.n_quarantined, catalog.rows_read, catalog.complete)
    return files, rows, rejected, counts, catalog.notes


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


def test_a_second_run_adds_nothing(workspace, survey):
    folder, _ = survey
    ingest(workspace, settings_of(folder))
    before = contents(workspace)
    report = ingest(workspace, settings_of(folder))
    assert report["already_complete"]
    assert report["ingested"] == 60
    assert contents(workspace) == before


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


class Killed(BaseException):
    """As if the process had ended here."""


def small_shards(monkeypatch, rows=8):
    monkeypatch.setattr(writing, "SHARD_BYTES", rows * 4 * 3 * SIZE * SIZE)


def add_bad_rows(folder):
    """Duplicates within and across shards, an unreadable file, and odd cells."""
    table = Table.read(folder / "objects.csv", format="ascii.csv")
    table["label"] = ["1", "0", "x"] * 20
    for row, name in ((9, "obj008"), (20, "obj001"), (30, "absent")):
        table["id"][row] = name
    table.write(folder / "objects.csv", overwrite=True)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("where", ["before the shard", "before the rows", "after the rows"])
def test_a_killed_import_goes_on_to_the_same_catalog(
    workspace, tmp_path, survey, monkeypatch, where, workers
):
    folder, _ = survey
    add_bad_rows(folder)
    small_shards(monkeypatch)
    whole = type(workspace).create(tmp_path / "whole")
    open_database(whole)
    ingest(whole, settings_of(folder, workers=1))
    write = importing._write
    calls = 0

    def dying_write(*args):
        nonlocal calls
        calls += 1
        if calls == 3 and where == "before the shard":
            raise Killed
        if calls == 3 and where == "before the rows":
            monkeypatch.setattr(CatalogWriter, "_insert_rows", die)
        write(*args)
        if calls == 3:
            raise Killed

    def die(self, *args, **kwargs):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(importing, "_write", dying_write)
        with pytest.raises(Killed):
            ingest(workspace, settings_of(folder, workers=workers))
        patch.undo()
    monkeypatch.undo()
    small_shards(monkeypatch)
    left = CutoutStore(workspace.catalog_cutouts("mine"))
    assert len(left) == (15 if where == "before the shard" else 22)
    assert not catalog_of(workspace).complete
    report = ingest(workspace, settings_of(folder, workers=workers))
    assert not report["already_complete"]
    assert contents(workspace) == contents(whole)
    assert report["doubts"] == {"label": 20}
    assert not list(workspace.cache.glob("ingest-*"))


def test_a_cancelled_import_goes_on(workspace, survey, monkeypatch):
    folder, pixels = survey
    small_shards(monkeypatch)
    settings = settings_of(folder)
    context = context_for(workspace, settings)
    progress = context.progress

    def cancel_later(done, total=None, activity=None):
        progress(done, total, activity)
        if done >= 24:
            raise Cancelled

    monkeypatch.setattr(context, "progress", cancel_later)
    with pytest.raises(Cancelled):
        run(context, settings)
    done = catalog_of(workspace).rows_read
    assert 0 < done < 60
    report = ingest(workspace, settings)
    assert report["ingested"] == 60
    store = CutoutStore(workspace.catalog_cutouts("mine"))
    np.testing.assert_array_equal(store.read_many(range(60)), pixels)


def test_processes_change_nothing(workspace, tmp_path, survey, monkeypatch):
    folder, _ = survey
    add_bad_rows(folder)
    small_shards(monkeypatch, rows=17)
    other = type(workspace).create(tmp_path / "other")
    open_database(other)
    ingest(workspace, settings_of(folder, workers=1))
    ingest(other, settings_of(folder, workers=2))
    assert contents(workspace) == contents(other)


def test_memory_does_not_grow_with_the_catalog(workspace, tmp_path, monkeypatch):
    folder = tmp_path / "big"
    planes = np.random.default_rng(0).normal(size=(3, 80, 80))
    for k in range(8):
        write_fits(folder / f"{k}.fits", planes + k)
    monkeypatch.setattr(writing, "SHARD_BYTES", 10 * planes.size * 4)
    peaks = {}
    for name, n in (("warm-up", 10), ("few", 40), ("many", 100)):
        lines = [f"{name}{k},{k % 8}.fits" for k in range(n)]
        (folder / f"{name}.csv").write_text("id,file\n" + "\n".join(lines) + "\n")
        settings = settings_of(folder, catalog=name, table=str(folder / f"{name}.csv"), workers=1)
        if name != "warm-up":
            tracemalloc.start()
        assert ingest(workspace, settings)["ingested"] == n
        if name != "warm-up":
            peaks[name] = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    shard = 10 * planes.size * 4
    assert peaks["few"] > 2 * shard  # what is measured contains the pixels
    assert peaks["many"] - peaks["few"] < shard


def test_a_name_stands_for_one_import(workspace, survey):
    folder, _ = survey
    ingest(workspace, settings_of(folder))
    with pytest.raises(BadInputError, match="begun with another file-name pattern"):
        ingest(workspace, settings_of(folder, pattern="./{id}.fits"))
    with (folder / "objects.csv").open("a") as stream:
        stream.write("new,10,1,20,W1\n")
    with pytest.raises(BadInputError, match=r"another table \(or its file has changed\)"):
        ingest(workspace, settings_of(folder))


def test_a_name_of_a_catalog_that_was_not_imported(workspace, survey):
    folder, _ = survey
    ingest(workspace, settings_of(folder))
    with open_database(workspace).session() as session:
        session.scalars(select(Catalog)).one().notes = {}
    with pytest.raises(BadInputError, match="was not imported; choose another name"):
        ingest(workspace, settings_of(folder))


def test_sizes_are_cropped_and_padded_about_the_center(workspace, tmp_path):
    folder = tmp_path / "sizes"
    planes = np.random.default_rng(0).normal(size=(3, 24, 24)).astype("f4")
    write_fits(folder / "a.fits", planes)
    write_fits(folder / "b.fits", planes[:, 4:-4, 4:-4])
    (folder / "objects.csv").write_text("id\na\nb\n")
    ingest(workspace, settings_of(folder, size_px=20))
    a, b = CutoutStore(workspace.catalog_cutouts("mine")).read_many([0, 1])
    np.testing.assert_array_equal(a, planes[:, 2:-2, 2:-2])
    np.testing.assert_array_equal(b[:, 2:-2, 2:-2], planes[:, 4:-4, 4:-4])
    assert np.isnan(b).sum() == 3 * (400 - 256)
    assert candidates(workspace)[1].observation.properties["ingest"]["nan_fraction"] == 0.36


def test_an_image_of_another_pixel_scale_is_regridded_and_recorded(workspace, survey):
    folder, _ = survey
    planes = np.ones((3, 24, 24))
    cards = {"CD1_1": -0.084 / 3600, "CD2_2": 0.084 / 3600}
    write_fits(folder / "fine.fits", planes, **cards)
    (folder / "objects.csv").write_text("id\nobj000\nfine\n")
    ingest(workspace, settings_of(folder))
    fine = candidates(workspace)[1]
    assert fine.observation.source_pixel_scale_arcsec == pytest.approx(0.084)
    assert fine.observation.properties["ingest"]["regridded"] is True
    store = CutoutStore(workspace.catalog_cutouts("mine"))
    np.testing.assert_allclose(store.read(1), 4, rtol=1e-6)


def stack_file(folder, kind, pixels):
    if kind == "h5":
        with h5py.File(folder / "stack.h5", "w") as file:
            file["images"] = pixels
    elif kind == "npz":
        np.savez(folder / "stack.npz", images=pixels)
    else:
        np.save(folder / "stack.npy", np.moveaxis(pixels, 1, -1))
    return folder / f"stack.{kind}"


@pytest.mark.parametrize("kind", ["npy", "npz", "h5"])
def test_a_stack(workspace, survey, kind):
    folder, pixels = survey
    path = stack_file(folder, kind, pixels)
    settings = settings_of(folder, images=str(path), bands=["g", "r", "i"], zero_points={"g": "26"})
    report = ingest(workspace, settings)
    assert report["ingested"] == 60
    store = CutoutStore(workspace.catalog_cutouts("mine"))
    np.testing.assert_array_equal(store.read(11)[1:], pixels[11, 1:])
    np.testing.assert_allclose(store.read(11)[0], pixels[11, 0] * 10**0.4, rtol=1e-5)
    assert "Arrays have no zero point of r, i; that of hsc (27.00) was taken" in " ".join(
        report["warnings"]
    )


def test_a_mosaic(workspace, tmp_path):
    folder = tmp_path / "mosaic"
    folder.mkdir()
    rng = np.random.default_rng(2)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [150.0, 2.0]
    wcs.wcs.crpix, wcs.wcs.cdelt = [100.0, 100.0], [-0.168 / 3600, 0.168 / 3600]
    pixels = rng.normal(size=(3, 200, 200)).astype("f4")
    for band, plane in zip(BANDS, pixels, strict=True):
        hdu = fits.PrimaryHDU(plane, wcs.to_header())
        hdu.header["MAGZERO"] = 27.0
        hdu.writeto(folder / f"field_{band}.fits")
    x, y = rng.integers(20, 180, (2, 10))
    ra, dec = wcs.pixel_to_world_values(x, y)
    table = Table({"id": np.arange(12), "ra": [*ra, 151.0, 150.0], "dec": [*dec, 2.0, -88.0]})
    table.write(folder / "objects.csv")
    settings = settings_of(folder, pattern="field_{band}.fits", size_px=16)
    with pytest.raises(BadInputError, match="needs the size of the cutouts"):
        ingest(workspace, settings_of(folder, pattern="field_{band}.fits"))
    report = ingest(workspace, settings)
    assert report["reasons"] == {"outside_mosaic": 2}
    store = CutoutStore(workspace.catalog_cutouts("mine"))
    for k in range(10):
        wanted = pixels[:, y[k] - 8 : y[k] + 8, x[k] - 8 : x[k] + 8]
        np.testing.assert_array_equal(store.read(k), wanted)


def test_pictures(workspace, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(2)
    for k in range(3):
        Image.fromarray(rng.integers(0, 256, (34, 36, 3), dtype="u1")).save(folder / f"{k}.png")
    Image.fromarray(np.full((34, 36), 1000, "u2")).save(folder / "3.png")
    settings = IngestSettings(
        catalog="mine", images=str(folder), survey="cfhtls", frame_crop_px=2, pixel_scale_arcsec=0.2
    )
    with pytest.raises(BadInputError, match="does not say its pixel scale"):
        ingest(workspace, IngestSettings(catalog="no", images=str(folder), survey="cfhtls"))
    report = ingest(workspace, settings)
    assert report["reasons"] == {"unsupported_format": 1}
    store = CutoutStore(workspace.catalog_cutouts("mine"))
    assert store.geometry.pixel_kind == "rendered"
    assert store.geometry.bands == ("R", "G", "B")
    assert store.geometry.size_px == 30
    assert np.isnan(store.geometry.zero_points_mag).all()
    with Image.open(folder / "1.png") as picture:
        whole = np.asarray(picture)
    np.testing.assert_array_equal(store.read(1)[0], whole[2:32, 3:33, 0])


@pytest.mark.parametrize("axis", [1, -1])
def test_pictures_in_one_array(workspace, survey, tmp_path, axis):
    """A column of the table holds names of pictures: with an array they are ids, not files."""
    pictures = np.random.default_rng(3).integers(0, 256, (3, 20, 20, 3), dtype="u1")
    folder = tmp_path / "arrays"
    folder.mkdir()
    np.save(folder / "all.npy", np.moveaxis(pictures, -1, axis))
    Table({"name": ["a", "b", "c"], "cutout": ["a.png", "b.png", "c.png"]}).write(folder / "t.csv")
    settings = {"table": str(folder / "t.csv"), "survey": "cfhtls", "pixel_scale_arcsec": 0.2}
    for name, where in (("file", folder / "all.npy"), ("folder", folder)):
        report = ingest(
            workspace,
            IngestSettings(catalog=name, images=str(where), image_kind="stack", **settings),
        )
        assert (report["ingested"], report["quarantined"]) == (3, 0)
        assert report["warnings"][-1].startswith("Pictures hold no fluxes")
        store = CutoutStore(workspace.catalog_cutouts(name))
        assert (store.geometry.pixel_kind, store.geometry.bands) == ("rendered", ("R", "G", "B"))
        np.testing.assert_array_equal(store.read(2), np.moveaxis(pictures[2], -1, 0))
    np.save(folder / "more.npy", pictures)
    with pytest.raises(BadInputError, match=r"has all\.npy, more\.npy; name its file"):
        ingest(
            workspace,
            IngestSettings(catalog="x", images=str(folder), image_kind="stack", **settings),
        )


def test_a_folder_of_images_without_a_table(workspace, survey):
    folder, pixels = survey
    (folder / "objects.csv").unlink()
    for path in folder.glob("*.fits"):
        with fits.open(path, mode="update") as hdus:
            for hdu in hdus[1:]:
                hdu.header.update({"CRVAL1": 10.0, "CRVAL2": -5.0, "CRPIX1": 6.5, "CRPIX2": 6.5})
    ingest(workspace, IngestSettings(catalog="mine", images=str(folder), survey="hsc"))
    row = candidates(workspace)[3]
    assert row.object_id == "obj003"
    assert (row.ra_deg, row.dec_deg) == pytest.approx((10.0, -5.0))
    assert row.healpix is not None
    assert row.observation.properties["ingest"]["position_from"] == "WCS"
    store = CutoutStore(workspace.catalog_cutouts("mine"))
    np.testing.assert_array_equal(store.read_many(range(60)), pixels)


def test_noise_maps_and_psfs_are_stored(workspace, tmp_path):
    folder = tmp_path / "noise"
    rng = np.random.default_rng(2)
    flux, rms = rng.normal(size=(2, SIZE, SIZE)), rng.uniform(1, 2, (2, SIZE, SIZE))
    psf = np.outer(np.hanning(9), np.hanning(9))
    names = ("VIS_FLUX", "VIS_RMS", "VIS_PSF", "NIR_Y_FLUX", "NIR_Y_RMS", "NIR_Y_PSF")
    planes = (flux[0], rms[0], psf, flux[1], rms[1], psf[2:-2, 2:-2])
    cards = {"CD1_1": -0.1 / 3600, "CD2_2": 0.1 / 3600, "MAGZERO": 24.6}
    write_fits(folder / "a.fits", planes, names, **cards)
    write_fits(folder / "b.fits", planes[::3], names[::3], **cards)
    (folder / "objects.csv").write_text("id\na\nb\n")
    ingest(workspace, settings_of(folder, survey="euclid"))
    store = CutoutStore(workspace.catalog_cutouts("mine"))
    assert store.geometry.bands == ("VIS", "Y")
    factor = 10 ** (0.4 * (29.8 - 24.6))
    np.testing.assert_allclose(store.read(0)[1], flux[1] * factor, rtol=1e-5)
    np.testing.assert_allclose(store.read_variance(0)[0], rms[0] ** 2, rtol=1e-5)
    np.testing.assert_allclose(store.read_variance(0)[1], (rms[1] * factor) ** 2, rtol=1e-5)
    assert store.read_psf(0).shape == (2, 9, 9)
    np.testing.assert_allclose(store.read_psf(0).sum(axis=(1, 2)), 1, rtol=1e-5)
    assert np.isnan(store.read_variance(1)).all()
    assert [c.observation.variance_available for c in candidates(workspace)] == [True, False]


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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"catalog": "My catalog"}, "Catalog name 'My catalog'"),
        ({"table": "", "images": ""}, "Name a table, or a folder of images"),
        ({"table": "nowhere.csv"}, r"Table .*nowhere\.csv does not exist"),
        ({"images": "nowhere"}, r"Images .*nowhere does not exist"),
        (
            {"label_source": "pretrain:galaxiesml", "label_policy": "all"},
            "must be pretraining_only",
        ),
        ({"lens_from": 1, "nonlens_below": 2}, "must not exceed"),
        ({"size_px": -1}, "size_px"),
        ({"image_kind": "jpeg2000"}, "image_kind"),
    ],
)
def test_settings_that_cannot_be(survey, changes, message):
    folder, _ = survey
    with pytest.raises(BadInputError, match=message):
        settings_of(folder, **changes).check()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"survey": ""}, BadInputError, "do not say which survey"),
        ({"survey": "sloan"}, NotFoundError, "'sloan' is not defined; known: cfhtls"),
        ({"pattern": "{name}.fits"}, BadInputError, "there is no column 'name'"),
        ({"pattern": "x{id}.fits"}, BadInputError, "None of the first image files exists"),
        ({"bands": ["g", "Q"]}, NotFoundError, "has no band 'Q'"),
        ({"bands": ["z", "y"]}, BadInputError, "has the image HDUs 1: G, 2: R, 3: I; none is"),
        ({"columns": {"ra": "nope"}}, BadInputError, "no column 'nope'"),
        ({"zero_points": {"g": "high"}}, BadInputError, "'high' for band g is not a number"),
        ({"pixel_scales": {"y": "0.1"}}, BadInputError, "pixel_scales speaks of y"),
    ],
)
def test_what_must_be_mended_before_an_import(workspace, survey, changes, error, message):
    folder, _ = survey
    with pytest.raises(error, match=message):
        ingest(workspace, settings_of(folder, **changes))
    shown = preview(settings_of(folder, **changes), workspace)
    assert message.split("'")[0].split(";")[0] in shown.error
    assert shown.n_rows == 60
    assert len(shown.rows) == 5
    with open_database(workspace).session() as session:
        assert session.scalars(select(Catalog)).all() == []


def test_no_image_says_where_images_were_looked_for(workspace, tmp_path):
    (tmp_path / "objects.csv").write_text("id,ra,dec\nJ01,1,2\n")
    with pytest.raises(BadInputError, match=r"has none called J01\.fits or the like"):
        ingest(workspace, settings_of(tmp_path))


def test_the_survey_may_stand_in_the_header(workspace, survey):
    folder, _ = survey
    for path in folder.glob("*.fits"):
        with fits.open(path, mode="update") as hdus:
            hdus[0].header["TELESCOP"] = "Subaru"
    ingest(workspace, settings_of(folder, survey=""))
    assert catalog_of(workspace).survey.name == "hsc"


def test_preview_shows_what_will_happen_and_writes_nothing(workspace, survey):
    folder, pixels = survey
    shown = preview(settings_of(folder), workspace)
    assert shown.error == ""
    assert {c.name: c.role for c in shown.columns} == {
        "id": "id",
        "ra": "ra",
        "dec": "dec",
        "mag_i": "mag:i",
        "field": "",
    }
    assert shown.n_rows == 60
    assert shown.position_units == ("degrees", "degrees")
    assert (shown.survey, shown.image_kind) == ("hsc", "fits_hdus")
    assert [b.name for b in shown.bands] == list(BANDS)
    assert shown.bands[1].shape == (SIZE, SIZE)
    assert shown.bands[1].pixel_scale_arcsec == pytest.approx(0.168)
    assert (shown.bands[1].zero_point_mag, shown.bands[1].zero_point_from) == (27.0, "MAGZERO")
    assert shown.geometry["size_px"] == SIZE
    np.testing.assert_array_equal(shown.cutout, pixels[0])
    assert list(workspace.cutouts.iterdir()) == []


def test_preview_of_a_table_that_cannot_be_read(workspace, tmp_path):
    (tmp_path / "objects.csv").write_text("id,ra\n")
    shown = preview(settings_of(tmp_path), workspace)
    assert "has no rows" in shown.error
    assert (shown.n_rows, shown.columns, shown.cutout) == (0, [], None)


def test_conflicts_and_missing_bands_are_warned_of(workspace, survey):
    folder, _ = survey
    write_fits(folder / "odd.fits", np.ones((2, SIZE, SIZE)), ("G", "R"), PIXSCALE=0.3)
    (folder / "objects.csv").write_text("id\nodd\n")
    shown = preview(settings_of(folder, bands=["g", "r", "i"]), workspace)
    warnings = " ".join(shown.warnings)
    assert "PIXSCALE says 0.3000; the WCS was taken" in warnings
    assert "Band i is missing in the first image" in warnings
    assert shown.bands[2].problem


@pytest.mark.parametrize(
    ("cards", "how"),
    [
        ({"CD1_1": 0.0, "CD1_2": 4e-5, "CD2_1": 4e-5, "CD2_2": 0.0}, r"turned by (-)?90\.0 deg"),
        ({"CD1_1": 4e-5}, "mirrored"),
    ],
)
def test_bands_that_are_turned_against_each_other_are_refused(workspace, tmp_path, cards, how):
    for band, more in zip(BANDS, ({}, cards, {}), strict=True):
        hdu = fits.PrimaryHDU(np.ones((SIZE, SIZE), "f4"))
        hdu.header.update(header(**more))
        hdu.writeto(tmp_path / f"a_{band}.fits")
    (tmp_path / "objects.csv").write_text("id\na\n")
    with pytest.raises(BadInputError, match=rf"a_r.fits is {how} against .*a_g.fits"):
        ingest(workspace, settings_of(tmp_path, pattern="{id}_{band}.fits"))


@pytest.mark.parametrize(("ra", "doubt"), [(10.0, False), (10.01, True), (10 / 15, True)])
def test_an_image_of_another_place_is_doubted(workspace, tmp_path, ra, doubt):
    cards = {"CRVAL1": 10.0, "CRVAL2": 0.0, "CRPIX1": 6.5, "CRPIX2": 6.5}
    write_fits(tmp_path / "a.fits", np.ones((3, SIZE, SIZE)), **cards)
    (tmp_path / "objects.csv").write_text(f"id,ra,dec\na,{ra},0\n")
    warnings = " ".join(preview(settings_of(tmp_path), workspace).warnings)
    assert ("check the position columns and their unit" in warnings) is doubt


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
