"""Exports with pixels: what is in the archives, and that the numbers are those of the shards."""

from __future__ import annotations

import csv
import io
import zipfile

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from PIL import Image

from lensing_core.cutouts import CutoutGeometry, CutoutStore
from lensing_core.export import ExportRow, export_to
from lensing_core.export.columns import PixelFrame
from lensing_core.export.pictures import CutoutSource
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate

N = 60
FRAMES = {
    0: PixelFrame(north_deg=0.0),
    1: PixelFrame(14.0, 16.5, 30.0),
    2: PixelFrame(None, None, 30.0, is_mirrored=True),
}
NOTES = ["Candidates of lens-triage."]


@pytest.fixture
def source(workspace) -> CutoutSource:
    rng = np.random.default_rng(2)
    flux = rng.normal(size=(N, 3, 32, 32)).astype("f4")
    flux[:, :, 10, 20] += 200
    flux[3, 1] = np.nan
    geometry = CutoutGeometry("hsc", ("g", "r", "i"), 32, 0.2, "flux", (27.0,) * 3, (0.7,) * 3)
    writer = CatalogWriter(workspace, CatalogSpec("mine", geometry, {}, origin="observed"))
    writer.append(flux, [NewCandidate(f"o{k}", 10.0, 20.0) for k in range(N)], rows_read=N)
    writer.finish()
    return CutoutSource(workspace, {"mine": ("i", "r", "g")})


def rows(n: int = N):
    for k in range(n):
        yield ExportRow(
            {
                "rank": k + 1,
                "candidate": k + 1,
                "catalog": "mine",
                "object_id": "=evil/../x" if k == 1 else f"o{k}" + "-long" * 20 * (k == 2),
                "ra": None if k == 4 else 10.0,
                "dec": None if k == 4 else 20.0,
                "probability": 0.5,
                "label": "",
            },
            "mine",
            k,
            FRAMES.get(k, PixelFrame()),
        )


def test_fits_cutouts_carry_bands_and_wcs(source, workspace, tmp_path):
    path = tmp_path / "out.zip"
    assert export_to(path, "cutouts", lambda: rows(5), NOTES, source) == 5
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert names[1] == "000002-_evil_.._x.fits"
        files = [fits.open(io.BytesIO(archive.read(name))) for name in names]
    stored = CutoutStore(workspace.catalog_cutouts("mine"))
    for k, hdus in enumerate(files):
        assert [hdu.name for hdu in hdus[1:]] == ["G", "R", "I"]
        for band in range(3):
            np.testing.assert_array_equal(hdus[band + 1].data, stored.read(k)[band])
    hdus = files[0]
    hdus.verify("exception")
    assert hdus[0].header["LENSPROB"] == 0.5
    assert hdus["R"].header["MAGZERO"] == 27.0
    assert hdus["R"].header["ORIENT"] == "known"
    wcs = WCS(hdus["R"].header)
    np.testing.assert_allclose(wcs.pixel_to_world_values(15.5, 15.5), (10, 20), atol=1e-9)
    ra, dec = wcs.pixel_to_world_values(15.5 + 5, 15.5 + 5)  # east is left, north is up
    assert ((ra - 10) * np.cos(np.radians(20)), dec - 20) == pytest.approx(
        (-1 / 3600, 1 / 3600), rel=1e-4
    )
    # turned: north lies 30° from y towards x; mirrored: so does east on the other side
    for k, (x0, y0), side in ((1, (14.0, 16.5), -1), (2, (15.5, 15.5), 1)):
        wcs = WCS(files[k]["R"].header)
        np.testing.assert_allclose(wcs.pixel_to_world_values(x0, y0), (10, 20), atol=1e-9)
        to_north = wcs.pixel_to_world_values(
            x0 + 10 * np.sin(np.radians(30)), y0 + 10 * np.cos(np.radians(30))
        )
        np.testing.assert_allclose(to_north, (10, 20 + 2 / 3600), atol=1e-9)
        ra, dec = wcs.pixel_to_world_values(
            x0 + side * 10 * np.cos(np.radians(30)), y0 - side * 10 * np.sin(np.radians(30))
        )
        assert ((ra - 10) * np.cos(np.radians(20)), dec - 20) == pytest.approx(
            (2 / 3600, 0), abs=1e-8
        )
    assert files[3]["R"].header["ORIENT"] == "assumed"
    assert "CTYPE1" not in files[4]["R"].header  # no position


def test_contact_sheets(source, tmp_path):
    pdf, png = tmp_path / "out.pdf", tmp_path / "out.zip"
    assert export_to(pdf, "pdf", rows, NOTES, source) == N
    data = pdf.read_bytes()
    assert data.startswith(b"%PDF")
    assert data.count(b"/Type /Page\n") + data.count(b"/Type /Page ") >= 2
    assert export_to(png, "png", rows, NOTES, source) == N
    with zipfile.ZipFile(png) as archive:
        assert archive.namelist() == ["candidates-001.png", "candidates-002.png"]
        first, second = (
            np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in archive.namelist()
        )
    assert first.shape == second.shape == (1754, 1240, 3)
    # 48 pictures on the first page, 12 on the second; the spot of each is bright on dark
    for page, n in ((first, 48), (second, 12)):
        tiles = [page[56 + (k // 6) * 210 :, 40 + (k % 6) * 195 :][:186, :186] for k in range(48)]
        assert [tile[5, 5].max() < 250 for tile in tiles].count(True) == n
        for tile in tiles[:n]:
            assert tile[120:136, 115:125].max() > 200


def test_zooniverse_subjects(source, tmp_path):
    path = tmp_path / "out.zip"
    assert export_to(path, "zooniverse", lambda: rows(3), NOTES, source) == 3
    with zipfile.ZipFile(path) as archive:
        manifest = list(csv.DictReader(io.StringIO(archive.read("manifest.csv").decode())))
        sizes = {Image.open(io.BytesIO(archive.read(line["image"]))).size for line in manifest}
    assert sizes == {(400, 400)}
    assert manifest[1]["#object_id"] == "'=evil/../x"
    assert all(name == "image" or name.startswith("#") for name in manifest[0])
