from __future__ import annotations

import gzip

import numpy as np
import pytest
from astropy.io import fits

from lensing_core.ingest import simple_fits
from lensing_core.ingest.fits_files import calibration, open_fits, sky
from lensing_core.ingest.rejection import RowRejected


@pytest.fixture(params=["small", "large"], autouse=True)
def _size(request, monkeypatch):
    """Every file is read as one that fits into memory, and as one that does not."""
    if request.param == "large":
        monkeypatch.setattr(simple_fits, "MAX_BYTES", 100)


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(2).normal(size=(3, 20, 24)).astype("f4")


def write(path, pixels, **cards):
    hdus = fits.HDUList([fits.PrimaryHDU()])
    for name, plane in zip("gri", pixels, strict=True):
        hdu = fits.ImageHDU(plane, name=name)
        hdu.header["MAGZERO"] = 27.0
        hdu.header.update(cards)
        hdus.append(hdu)
    hdus.writeto(path)
    return path


def read_all(path):
    with open_fits(path) as images:
        return np.stack([images.read(hdu.index) for hdu in images.hdus])


@pytest.mark.parametrize(
    "name",
    [
        "plain.fits",
        "DESJ0329–2820 é.fits",
        "J0959+0234+1.fits",
        "J0959+02.fits",
        "a[1].fits",
        "b(c.fits).fits",
    ],
)
def test_any_file_name(tmp_path, pixels, name):
    """Brackets and the like are CFITSIO's syntax, not here: nothing is written, nothing is cut."""
    path = write(tmp_path / name, pixels)
    np.testing.assert_array_equal(read_all(path), pixels)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_gzip(tmp_path, pixels):
    plain = write(tmp_path / "a.fits", pixels)
    path = tmp_path / "a.fits.gz"
    path.write_bytes(gzip.compress(plain.read_bytes()))
    np.testing.assert_array_equal(read_all(path), pixels)
    with open_fits(path) as images:
        assert [hdu.name.lower() for hdu in images.hdus] == ["g", "r", "i"]
        assert calibration(images, 2).zero_point_mag == 27.0


def test_tile_compression(tmp_path, pixels):
    path = tmp_path / "a.fits.fz"
    lossless = {"compression_type": "GZIP_2", "quantize_level": 0}
    hdus = [fits.CompImageHDU(pixels[k], name="gri"[k], **lossless) for k in range(3)]
    for hdu in hdus:
        hdu.header["MAGZERO"] = 27.0
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)
    np.testing.assert_array_equal(read_all(path), pixels)
    with open_fits(path) as images:
        assert images.hdus[0].shape == (20, 24)
        assert calibration(images, 3).zero_point_mag == 27.0
        np.testing.assert_array_equal(
            images.section(2, slice(3, 9), slice(5, 11)), pixels[1, 3:9, 5:11]
        )


@pytest.mark.parametrize("scaled", [False, True])
def test_blank_integers_are_nan(tmp_path, scaled):
    data = np.arange(100, dtype="i2").reshape(10, 10)
    hdu = fits.PrimaryHDU(data)
    hdu.header["BLANK"] = 55
    if scaled:
        hdu.header["BSCALE"], hdu.header["BZERO"] = 0.5, 10.0
    path = tmp_path / "blank.fits"
    hdu.writeto(path)
    with open_fits(path) as images:
        found, part = images.read(0), images.section(0, slice(5, 6), slice(0, 10))
    wanted = (data * 0.5 + 10 if scaled else data).astype("f4")
    wanted[5, 5] = np.nan
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(part, wanted[5:6])


@pytest.mark.parametrize("kind", ["f8", "i2", "u1", "i4", "u2"])
def test_any_number_type(tmp_path, kind):
    data = np.arange(100).reshape(10, 10).astype(kind)
    path = tmp_path / "a.fits"
    fits.PrimaryHDU(data).writeto(path)
    with open_fits(path) as images:
        assert images.read(0).dtype == np.float32
        np.testing.assert_array_equal(images.read(0), data.astype("f4"))


@pytest.mark.parametrize("share", [0.1, 0.45, 0.62, 0.95])
def test_a_truncated_file_is_rejected(tmp_path, pixels, share):
    whole = write(tmp_path / "whole.fits", pixels).read_bytes()
    path = tmp_path / "cut.fits"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(RowRejected, match=r"cut\.fits cannot be read") as bad:
        read_all(path)
    assert bad.value.reason == "unreadable_file"


def test_a_truncated_gzip_is_rejected(tmp_path, pixels):
    plain = write(tmp_path / "a.fits", pixels)
    path = tmp_path / "a.fits.gz"
    path.write_bytes(gzip.compress(plain.read_bytes())[:5000])
    with pytest.raises(RowRejected) as bad:
        read_all(path)
    assert bad.value.reason == "unreadable_file"


def test_missing_padding_is_no_truncation(tmp_path, pixels):
    path = write(tmp_path / "a.fits", pixels)
    used = pixels[0].nbytes % 2880
    path.write_bytes(path.read_bytes()[: used - 2880])
    np.testing.assert_array_equal(read_all(path), pixels)


@pytest.mark.parametrize("content", [b"", b"hello" * 1000, b"SIMPLE  =                    T"])
def test_junk_is_rejected(tmp_path, content):
    path = tmp_path / "junk.fits"
    path.write_bytes(content)
    with pytest.raises(RowRejected) as bad:
        read_all(path)
    assert bad.value.reason == "unreadable_file"
    assert "\n" not in str(bad.value)


def test_corrupt_compressed_pixels_are_rejected(tmp_path, pixels):
    path = tmp_path / "a.fits.fz"
    fits.CompImageHDU(pixels[0], compression_type="GZIP_1").writeto(path)
    data = bytearray(path.read_bytes())
    with fits.open(path, disable_image_compression=True) as hdus:
        start = (
            hdus[1].fileinfo()["datLoc"] + hdus[1].header["THEAP"]
            if "THEAP" in hdus[1].header
            else hdus[1].fileinfo()["datLoc"] + hdus[1].header["NAXIS1"] * 20
        )
    data[start : start + 600] = bytes(600)
    path.write_bytes(data)
    with pytest.raises(RowRejected) as bad:
        read_all(path)
    assert bad.value.reason == "unreadable_file"


def test_no_file_no_image(tmp_path):
    with pytest.raises(RowRejected, match="does not exist") as bad:
        read_all(tmp_path / "none.fits")
    assert bad.value.reason == "missing_file"
    path = tmp_path / "table.fits"
    column = fits.Column("a", "E", array=np.zeros(3))
    fits.BinTableHDU.from_columns([column]).writeto(path)
    with pytest.raises(RowRejected, match="no image in any HDU") as bad:
        read_all(path)
    assert bad.value.reason == "wrong_shape"


def test_position_of_the_middle(tmp_path):
    hdu = fits.PrimaryHDU(np.zeros((21, 41), "f4"))
    hdu.header.update(
        {
            "CTYPE1": "RA---TAN",
            "CTYPE2": "DEC--TAN",
            "CRVAL1": 10.0,
            "CRVAL2": -5.0,
            "CRPIX1": 21.0,
            "CRPIX2": 11.0,
            "CDELT1": -1e-4,
            "CDELT2": 1e-4,
        }
    )
    path = tmp_path / "a.fits"
    hdu.writeto(path)
    with open_fits(path) as images:
        found = sky(images, 0).shown(None, (21, 41))
        assert found.sky_deg == pytest.approx((10.0, -5.0), abs=1e-9)
        assert found.center == (10.0, 20.0)
    fits.PrimaryHDU(np.zeros((9, 9), "f4")).writeto(tmp_path / "b.fits")
    with open_fits(tmp_path / "b.fits") as images:
        assert sky(images, 0) is None
