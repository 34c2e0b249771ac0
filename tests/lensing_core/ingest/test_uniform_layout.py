"""Rows that are read together come out as if each had been read by itself."""

from __future__ import annotations

import re

import numpy as np
import pytest
from astropy.io import fits

from lensing_core.ingest import decoding
from lensing_core.ingest.band_calibration import BandCalibration
from lensing_core.ingest.companions import Companions
from lensing_core.ingest.decoding import decode_rows, uniform_reader
from lensing_core.ingest.fits_sources import FitsFiles, FitsHdus
from lensing_core.ingest.images import RowRequest
from lensing_core.ingest.locators import Locator
from lensing_core.ingest.pixel_buffers import Grid, PixelBuffer
from lensing_core.ingest.sky import orientation
from lensing_core.surveys import get_survey

BANDS = ("g", "r", "i")
N = 24


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def calibration() -> BandCalibration:
    none = (None,) * len(BANDS)
    return BandCalibration(get_survey("hsc"), BANDS, none, none)


def rows_of(n=N) -> list[RowRequest]:
    return [RowRequest(k, f"{k:03d}", 10.0 + k, 1.0) for k in range(n)]


def write(path, planes, names=BANDS, **cards):
    hdus = [fits.PrimaryHDU()]
    for name, plane in zip(names, planes, strict=True):
        hdu = fits.ImageHDU(plane, name=name)
        hdu.header.update({"PIXSCALE": 0.168, "MAGZERO": 27.0, "NOTE": "a", **cards})
        hdus.append(hdu)
    fits.HDUList(hdus).writeto(path, overwrite=True)


def planes(rng, shape=(3, 20, 24), kind="f4"):
    return rng.normal(100, 10, size=shape).astype(kind)


def decode(source, rows, *, together, **changes):
    grid = Grid(
        **{"size_px": 16, "pixel_scale_arcsec": 0.168, "zero_points_mag": (27.0,) * 3, **changes}
    )
    pixels = PixelBuffer.of(grid, 3, len(rows) + 2).open()
    pixels.flux[:] = 1e9  # what an earlier chunk left
    original = decoding.uniform_reader
    try:
        if not together:
            decoding.uniform_reader = lambda source, rows: None
        return decode_rows(source, grid, rows, pixels, 2), pixels
    finally:
        decoding.uniform_reader = original


def assert_same(source, rows, **changes):
    """Decode in both ways; return what came out."""
    together, pixels = decode(source, rows, together=True, **changes)
    singly, wanted = decode(source, rows, together=False, **changes)
    assert together.facts == singly.facts
    assert {k: (bad.reason, str(bad)) for k, bad in together.rejected.items()} == {
        k: (bad.reason, str(bad)) for k, bad in singly.rejected.items()
    }
    good = [k + 2 for k in singly.facts]
    np.testing.assert_array_equal(pixels.flux[good], wanted.flux[good])
    return singly


def test_files_of_one_layout_are_read_together(tmp_path, rng, monkeypatch):
    for row in rows_of():
        write(tmp_path / f"{row.object_id}.fits", planes(rng))
    source = FitsHdus(Locator(tmp_path, "{id}.fits"), calibration(), BANDS)
    assert_same(source, rows_of())

    def never(self, row):
        raise AssertionError("a file was read by itself")

    monkeypatch.setattr(FitsHdus, "load", never)
    decoded, _ = decode(source, rows_of(), together=True)
    assert len(decoded.facts) == N


def test_what_differs_is_noticed(tmp_path, rng):
    """Of each kind of difference one row, among rows that are alike."""
    rows = rows_of()
    for row in rows:
        write(tmp_path / f"{row.object_id}.fits", planes(rng))
    name = [tmp_path / f"{row.object_id}.fits" for row in rows]
    write(name[1], planes(rng), MAGZERO=25.5)
    write(name[2], planes(rng), PIXSCALE=0.3)
    write(name[3], planes(rng), names=("r", "g", "i"))
    write(name[4], planes(rng, (3, 24, 20)))  # as many bytes
    write(name[5], planes(rng, (3, 30, 30)))
    write(name[6], planes(rng, kind="f8"))
    write(name[7], planes(rng)[:2], names=("g", "r"))
    name[8].unlink()
    name[9].write_bytes(name[9].read_bytes()[:9000])  # truncated
    name[10].write_bytes(name[10].read_bytes() + b"\0" * 2880)
    name[11].write_bytes(b"no FITS file at all")
    holes = planes(rng)
    holes[:, 3, 4] = np.nan
    holes[1] = np.nan
    write(name[12], holes)
    write(name[13], np.full((3, 20, 24), np.nan, "f4"))
    write(name[14], planes(rng), NOTE="b", BSCALE=2.0, BZERO=1.0)
    write(name[15], np.zeros((3, 20, 24), "f4"))
    infinite = planes(rng)
    infinite[0, 10, 12] = np.inf
    write(name[16], infinite)
    name[17].write_bytes(b"")
    write(name[18], planes(rng), NOTE="b")
    source = FitsHdus(Locator(tmp_path, "{id}.fits"), calibration(), BANDS)
    singly = assert_same(source, rows)
    assert set(singly.rejected) == {8, 9, 11, 13, 15, 17}
    assert singly.facts[7].band_flags == [1, 1, 0]
    assert singly.facts[1].scaled_zero_points_mag == dict.fromkeys(range(3), 25.5)
    assert singly.facts[2].regridded


@pytest.mark.parametrize(
    ("turned", "how"),
    [
        ({"CD1_1": 0.0, "CD1_2": 4e-5, "CD2_1": 4e-5, "CD2_2": 0.0}, r"turned by -?90\.0 deg"),
        ({"CD1_1": 4.6e-5}, "mirrored"),
    ],
)
def test_bands_turned_against_each_other_are_found_in_every_row(tmp_path, rng, turned, how):
    rows = rows_of(8)
    wcs = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN"}
    wcs |= {"CD1_1": -4.6e-5, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 4.6e-5}
    for row in rows:
        write(tmp_path / f"{row.object_id}.fits", planes(rng), **wcs)
    with fits.open(tmp_path / "005.fits", mode="update") as hdus:
        hdus[2].header.update(turned)
    source = FitsHdus(Locator(tmp_path, "{id}.fits"), calibration(), BANDS)
    (bad,) = assert_same(source, rows).rejected.items()
    assert (bad[0], bad[1].reason) == (5, "turned_bands")
    assert re.search(rf"005\.fits\[2\] is {how} against .*005\.fits\[1\]; bring", str(bad[1]))


@pytest.mark.parametrize("first_rows", ["good", "bad"])
def test_whichever_file_comes_first(tmp_path, rng, first_rows):
    rows = rows_of(8)
    for row in rows:
        write(tmp_path / f"{row.object_id}.fits", planes(rng))
    if first_rows == "bad":
        (tmp_path / "000.fits").write_bytes(b"no FITS")
        write(tmp_path / "001.fits", planes(rng, (3, 30, 30)))
    source = FitsHdus(Locator(tmp_path, "{id}.fits"), calibration(), BANDS)
    assert uniform_reader(source, rows) is not None
    assert_same(source, rows)
    assert_same(source, rows, size_px=30)  # padded
    assert_same(source, rows, pixel_scale_arcsec=0.2)  # regridded
    assert_same(source, rows, zero_points_mag=(25.0, 27.0, 30.0))


def test_a_file_a_band(tmp_path, rng):
    rows = rows_of()
    for row in rows:
        for band, plane in zip(BANDS, planes(rng), strict=True):
            hdu = fits.PrimaryHDU(plane)
            hdu.header["MAGZERO"] = 27.0
            hdu.writeto(tmp_path / f"{row.object_id}_{band}.fits")
    (tmp_path / "005_r.fits").unlink()
    source = FitsFiles(Locator(tmp_path, "{id}_{band}.fits"), calibration(), BANDS)
    assert uniform_reader(source, rows) is not None
    singly = assert_same(source, rows)
    assert singly.facts[5].band_flags == [1, 0, 1]


def test_what_has_noise_maps_is_read_by_itself(tmp_path, rng):
    rows = rows_of(3)
    for row in rows:
        write(tmp_path / f"{row.object_id}.fits", planes(rng))
    locator = Locator(tmp_path, "{id}.fits")
    assert uniform_reader(FitsHdus(locator, calibration(), BANDS), rows) is not None
    own = Companions(variance=locator)
    assert uniform_reader(FitsHdus(locator, calibration(), BANDS, companions=own), rows) is None
    kind_only = Companions(variance_kind="rms")
    with_kind = FitsHdus(locator, calibration(), BANDS, companions=kind_only)
    assert uniform_reader(with_kind, rows) is not None


def test_positions_that_only_the_image_knows_are_found_file_by_file(tmp_path, rng):
    rows = [RowRequest(k, f"{k:03d}", None, None) for k in range(4)]
    wcs = {
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CRPIX1": 12.5,
        "CRPIX2": 10.5,
        "CD1_1": -0.168 / 3600,
        "CD2_2": 0.168 / 3600,
        "CRVAL2": 1.0,
    }
    for k, row in enumerate(rows):
        write(tmp_path / f"{row.object_id}.fits", planes(rng), CRVAL1=10.0 + k, **wcs)
    source = FitsHdus(Locator(tmp_path, "{id}.fits"), calibration(), BANDS)
    singly = assert_same(source, rows)
    assert [round(singly.facts[k].sky_deg[0], 2) for k in range(4)] == [10, 11, 12, 13]


def test_orientations_are_those_of_each_file(tmp_path, rng):
    rows = rows_of(4)
    for k, row in enumerate(rows):
        turn = np.deg2rad(10.0 * k)
        step = 0.168 / 3600
        wcs = {
            "CTYPE1": "RA---TAN",
            "CTYPE2": "DEC--TAN",
            "CD1_1": -step * np.cos(turn),
            "CD1_2": step * np.sin(turn),
            "CD2_1": step * np.sin(turn),
            "CD2_2": step * np.cos(turn),
        }
        write(tmp_path / f"{row.object_id}.fits", planes(rng, (3, 15, 20)), **wcs)
    source = FitsHdus(Locator(tmp_path, "{id}.fits"), calibration(), BANDS)
    facts = assert_same(source, rows).facts
    turned = [orientation(facts[k].frame.matrix_arcsec) for k in range(4)]
    assert [north for north, _ in turned] == pytest.approx([0, 10, 20, 30], abs=1e-6)
    assert not any(is_mirrored for _, is_mirrored in turned)
    assert facts[0].frame.center_px == (
        7.5,
        8.0,
    )  # 15 rows padded to 16: half a pixel above the middle
