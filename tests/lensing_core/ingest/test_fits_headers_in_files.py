"""Headers of whole files: compressed under any name, inherited, chosen by the role of an HDU."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile

import numpy as np
import pytest
from astropy.io import fits

from lensing_core.ingest import fits_files
from lensing_core.ingest.band_calibration import BandCalibration
from lensing_core.ingest.companions import Companions
from lensing_core.ingest.contents import kind_of_file
from lensing_core.ingest.fits_files import calibration, open_fits, sky
from lensing_core.ingest.fits_sources import FitsCube, FitsFiles, FitsHdus
from lensing_core.ingest.images import RowRequest
from lensing_core.ingest.locators import Locator
from lensing_core.ingest.rejection import RowRejected
from lensing_core.surveys import get_survey

PIXELS = np.random.default_rng(4).normal(10, 1, (24, 20)).astype("f4")
WCS_CARDS = {
    "CTYPE1": "RA---TAN",
    "CTYPE2": "DEC--TAN",
    "CRVAL1": 150.0,
    "CRVAL2": 2.0,
    "CRPIX1": 10.5,
    "CRPIX2": 12.5,
    "CDELT1": -0.3 / 3600,
    "CDELT2": 0.3 / 3600,
}


def zipped(content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.fits", content)
    return stream.getvalue()


PACKERS = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zip": zipped,
}


def content_of(*hdus) -> bytes:
    stream = io.BytesIO()
    fits.HDUList(list(hdus)).writeto(stream)
    return stream.getvalue()


def image_with(pixels=PIXELS, kind=fits.PrimaryHDU, name=None, **cards):
    hdu = kind(pixels) if name is None else kind(pixels, name=name)
    hdu.header.update(cards)
    return hdu


def calibration_of(*bands) -> BandCalibration:
    none = (None,) * len(bands)
    return BandCalibration(get_survey("hsc"), bands, none, none)


@pytest.fixture(params=["small", "large"])
def size(request, monkeypatch):
    """Every file is read as one that fits into memory, and as one that does not."""
    if request.param == "large":
        monkeypatch.setattr("lensing_core.ingest.simple_fits.MAX_BYTES", 100)
        monkeypatch.setattr(fits_files, "MAX_BYTES", 100)


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("name", ["a.fits", "a.fits.gz", "a.dat", "a.png", "a.npy"])
def test_content_decides_not_the_name(tmp_path, packer, name):
    path = tmp_path / name
    cards = {**WCS_CARDS, "MAGZERO": 25.5, "EXPTIME": 90.0}
    path.write_bytes(PACKERS[packer](content_of(image_with(**cards))))
    assert kind_of_file(path) == "fits"
    with open_fits(path) as images:
        np.testing.assert_array_equal(images.read(0), PIXELS)
        np.testing.assert_array_equal(images.section(0, slice(2, 5), slice(1, 9)), PIXELS[2:5, 1:9])
        header = calibration(images, 0)
        shown = sky(images, 0).shown(None, PIXELS.shape)
    assert header.pixel_scale_arcsec == pytest.approx(0.3)
    assert (header.zero_point_mag, header.exposure_s) == (25.5, 90.0)
    assert shown.sky_deg == pytest.approx((150.0, 2.0), abs=1e-9)


@pytest.mark.parametrize("packer", PACKERS)
def test_tile_compression_under_any_name(tmp_path, packer):
    hdu = image_with(kind=fits.CompImageHDU, **WCS_CARDS, MAGZERO=25.5)
    path = tmp_path / "a.fits"
    path.write_bytes(PACKERS[packer](content_of(fits.PrimaryHDU(), hdu)))
    with open_fits(path) as images:
        assert calibration(images, 1).zero_point_mag == 25.5
        assert sky(images, 1).shown(None, PIXELS.shape).sky_deg == pytest.approx((150, 2))
        assert np.abs(images.read(1) - PIXELS).max() < 0.3  # quantized


@pytest.mark.parametrize("place", ["primary", "extension"])
def test_asinh_packed_pixels_are_no_flux(tmp_path, place):
    packed = {"BOFFSET": 12.0, "BSOFTEN": 400.0}
    own = packed if place == "extension" else {}
    hdu = image_with(kind=fits.ImageHDU, **WCS_CARDS, **own)
    primary = fits.PrimaryHDU()
    if place == "primary":
        primary.header.update(packed)
    path = tmp_path / "a.fits"
    path.write_bytes(content_of(primary, hdu))
    with open_fits(path) as images:
        assert "unpack them first: BOFFSET + 2 BSOFTEN" in calibration(images, 1).not_flux


def test_an_archive_of_several_files_is_refused(tmp_path):
    path = tmp_path / "a.fits"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "x")
        archive.writestr("b", "y")
    with pytest.raises(RowRejected, match="archive of 2 files; unpack it"), open_fits(path):
        pass


def test_files_of_the_old_compress_are_refused(tmp_path):
    path = tmp_path / "a.fits"
    path.write_bytes(b"\x1f\x9d\x90" + bytes(4000))
    with pytest.raises(RowRejected, match="unpack it with gunzip") as bad, open_fits(path):
        pass
    assert bad.value.reason == "unsupported_format"


@pytest.mark.parametrize("codec", ["RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1"])
@pytest.mark.parametrize("kind", ["i2", "i4", "u2"])
def test_compressed_integers_and_their_blank(tmp_path, codec, kind):
    data = np.arange(32 * 32).reshape(32, 32).astype(kind)
    hdu = fits.CompImageHDU(data, compression_type=codec)
    path = tmp_path / "a.fits.fz"
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)
    with fits.open(path, mode="update", disable_image_compression=True) as hdus:
        hdus[1].header["ZBLANK"] = 40 - (32768 if kind == "u2" else 0)
    with fits.open(path, uint=False) as hdus:
        wanted = np.asarray(hdus[1].data, dtype="f4")
    with open_fits(path) as images:
        found = images.read(1)
        part = images.section(1, slice(1, 2), slice(0, 32))
    assert np.isnan(found[1, 8])
    assert np.isfinite(found).sum() == data.size - 1
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(part, wanted[1:2])


PRIMARY = {"EXPTIME": 2028.0, "FILTER1": "CLEAR1L", "FILTER2": "F814W", "PIXSCALE": 0.05}
SENSITIVITY = {"BUNIT": "ELECTRONS", "PHOTFLAM": 7.07236e-20, "PHOTPLAM": 8059.904}


def headers_of(tmp_path, primary, extension, *, empty=True):
    first = image_with(None if empty else PIXELS, **primary)
    path = tmp_path / "a.fits"
    path.write_bytes(content_of(first, image_with(kind=fits.ImageHDU, name="SCI", **extension)))
    with open_fits(path) as images:
        return calibration(images, 1), sky(images, 1)


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("stated", [{}, {"INHERIT": True}])
def test_an_extension_inherits_the_primary_header(tmp_path, stated):
    header, _ = headers_of(tmp_path, PRIMARY, SENSITIVITY | stated)
    rate = -2.5 * np.log10(7.07236e-20) - 5 * np.log10(8059.904) - 2.408
    assert header.zero_point_mag == pytest.approx(rate + 2.5 * np.log10(2028))
    assert header.filters == ("CLEAR1L", "F814W")
    assert header.pixel_scale_arcsec == 0.05


@pytest.mark.usefixtures("size")
def test_its_own_keywords_win(tmp_path):
    header, _ = headers_of(tmp_path, PRIMARY | {"MAGZERO": 30.0}, {"EXPTIME": 5.0, "MAGZERO": 21.0})
    assert (header.exposure_s, header.zero_point_mag) == (5.0, 21.0)


@pytest.mark.usefixtures("size")
def test_nothing_is_inherited_where_the_header_forbids_it(tmp_path):
    header, _ = headers_of(tmp_path, PRIMARY, {"INHERIT": False})
    assert (header.exposure_s, header.filters) == (None, ())
    header, _ = headers_of(tmp_path, PRIMARY, {}, empty=False)  # an image's own header
    assert header.exposure_s is None
    header, _ = headers_of(tmp_path, PRIMARY, {"INHERIT": True}, empty=False)
    assert header.exposure_s == 2028.0


@pytest.mark.usefixtures("size")
def test_a_wcs_is_inherited_whole_or_not_at_all(tmp_path):
    header, inherited = headers_of(tmp_path, WCS_CARDS, {})
    assert header.pixel_scale_arcsec == pytest.approx(0.3)
    assert inherited.shown(None, PIXELS.shape).sky_deg == pytest.approx((150.0, 2.0))
    other = WCS_CARDS | {"CRVAL1": 10.0, "CDELT1": -0.1 / 3600, "CDELT2": 0.1 / 3600}
    header, own = headers_of(tmp_path, WCS_CARDS, other)
    assert header.pixel_scale_arcsec == pytest.approx(0.1)
    assert own.shown(None, PIXELS.shape).sky_deg == pytest.approx((10.0, 2.0))


def exposure(tmp_path, names=("IMAGE", "MASK", "VARIANCE"), primary=None, classes=None):
    """A file as the HSC service and the pipelines of LSST write it; the noise is 4 everywhere."""
    hdus = [image_with(None, **(primary or {}))]
    for k, name in enumerate(names):
        plane = PIXELS if k == 0 else np.full_like(PIXELS, k + 2)
        cards = (
            {} if classes is None else dict(zip(("HDUCLAS2", "HDUCLAS3"), classes[k], strict=True))
        )
        hdus.append(image_with(plane, fits.ImageHDU, name, **cards))
    (tmp_path / "1-r.fits").write_bytes(content_of(*hdus))
    return RowRequest(0, "1", 150.0, 2.0)


def files(tmp_path, pattern="", kind="variance") -> FitsFiles:
    noise = Companions(Locator(tmp_path, pattern), kind) if pattern else Companions()
    return FitsFiles(Locator(tmp_path, "{id}-{band}.fits"), calibration_of("r"), ("r",), noise)


@pytest.mark.parametrize("pattern", ["", "{id}-{band}.fits"])
def test_the_image_and_its_noise_are_told_apart_in_one_file(tmp_path, pattern):
    row = exposure(tmp_path, primary={"FLUXMAG0": 10 ** (0.4 * 24.5)})
    (image,) = files(tmp_path, pattern, "rms").load(row)
    np.testing.assert_array_equal(image.data, PIXELS)
    np.testing.assert_array_equal(image.variance, np.full_like(PIXELS, 4))
    assert image.zero_point_mag == pytest.approx(24.5)
    assert image.zero_point_from == "FLUXMAG0"


@pytest.mark.parametrize(
    ("name", "variance"), [("RMS", 9), ("ERR", 9), ("WHT", 1 / 3), ("IVAR", 1 / 3), ("VAR", 3)]
)
def test_a_noise_map_by_any_name(tmp_path, name, variance):
    row = exposure(tmp_path, ("SCI", name))
    (image,) = files(tmp_path).load(row)
    assert image.variance == pytest.approx(np.full_like(PIXELS, variance))


def test_hducls_keywords_tell_roles_where_names_do_not(tmp_path):
    classes = [("DATA", ""), ("QUALITY", ""), ("ERROR", "MSE")]
    row = exposure(tmp_path, ("A1", "A2", "A3"), classes=classes)
    (image,) = files(tmp_path).load(row)
    np.testing.assert_array_equal(image.data, PIXELS)
    np.testing.assert_array_equal(image.variance, np.full_like(PIXELS, 4))


def test_an_image_is_never_its_own_noise_map(tmp_path):
    row = exposure(tmp_path, ("IMAGE", "MASK"))
    with pytest.raises(RowRejected, match="was named for the noise map too, and none"):
        files(tmp_path, "{id}-{band}.fits").load(row)
    (tmp_path / "hdus.fits").write_bytes((tmp_path / "1-r.fits").read_bytes())
    noise = Companions(Locator(tmp_path, "hdus.fits"))
    source = FitsHdus(Locator(tmp_path, "hdus.fits"), calibration_of("r"), ("r",), True, noise)
    with pytest.raises(RowRejected, match="named for the noise map too"):
        source.load(row)


def test_a_noise_file_of_several_images_must_name_its_noise(tmp_path):
    row = exposure(tmp_path, ("IMAGE",))
    one, two = (image_with(PIXELS, fits.ImageHDU, name) for name in ("A", "B"))
    (tmp_path / "1-r-noise.fits").write_bytes(content_of(fits.PrimaryHDU(), one, two))
    with pytest.raises(RowRejected, match=r"none is called a noise map \(1: A, 2: B\)"):
        files(tmp_path, "{id}-{band}-noise.fits").load(row)


@pytest.mark.parametrize(
    "shape", [(1, 1, 24, 20), (24, 20, 1, 1), (1, 24, 20), (24, 1, 20), (1, 24, 20, 1)]
)
@pytest.mark.usefixtures("size")
def test_axes_of_length_one_are_dropped_on_any_side(tmp_path, shape):
    path = tmp_path / "1-r.fits"
    path.write_bytes(content_of(image_with(PIXELS.reshape(shape))))
    (image,) = files(tmp_path).load(RowRequest(0, "1", 150.0, 2.0))
    np.testing.assert_array_equal(image.data, PIXELS)
    with open_fits(path) as images:
        np.testing.assert_array_equal(images.section(0, slice(3, 7), slice(2, 6)), PIXELS[3:7, 2:6])


@pytest.mark.parametrize("shape", [(4, 6, 20), (2, 2, 6, 20)])
def test_more_than_two_long_axes_are_refused(tmp_path, shape):
    (tmp_path / "1-r.fits").write_bytes(content_of(image_with(PIXELS.reshape(shape))))
    with pytest.raises(RowRejected, match="not two-dimensional") as bad:
        files(tmp_path).load(RowRequest(0, "1", 150.0, 2.0))
    assert bad.value.reason == "wrong_shape"


@pytest.mark.parametrize("stated", [None, 25.0])
def test_magnitudes_are_refused(tmp_path, stated):
    (tmp_path / "1-r.fits").write_bytes(content_of(image_with(BUNIT="mag/arcsec2")))
    source = FitsFiles(
        Locator(tmp_path, "{id}-{band}.fits"),
        BandCalibration(get_survey("hsc"), ("r",), (None,), (stated,)),
        ("r",),
    )
    with pytest.raises(
        RowRejected, match=r"magnitudes \(BUNIT mag/arcsec2\), which are not fluxes"
    ):
        source.load(RowRequest(0, "1", 150.0, 2.0))


@pytest.mark.parametrize("axis", ["first", "last"])
@pytest.mark.parametrize("extra", [False, True])
def test_a_cube_with_its_noise_in_the_same_file(tmp_path, axis, extra):
    """The order of HDUs is that of nobody; the WCS holds for the axes of the sky."""
    cube = np.stack([PIXELS, PIXELS + 1])
    noise = np.full_like(cube, 3)
    names = ("1", "2") if axis == "first" else ("2", "3")
    shift = {key: key[:-1] + names[int(key[-1]) - 1] for key in WCS_CARDS}
    cards = {shift[key]: value for key, value in WCS_CARDS.items()}
    if axis == "last":
        cube, noise = np.moveaxis(cube, 0, -1), np.moveaxis(noise, 0, -1)
    if extra:
        cube, noise = cube[None], noise[None]
    hdus = [
        fits.PrimaryHDU(),
        image_with(noise, fits.ImageHDU, "RMS", **cards),
        image_with(cube, fits.ImageHDU, "SCI", **cards),
    ]
    (tmp_path / "a.fits").write_bytes(content_of(*hdus))
    source = FitsCube(Locator(tmp_path, "{id}.fits"), calibration_of("g", "r"), (0, 1), axis, 2)
    g, r = source.load(RowRequest(0, "a"))
    np.testing.assert_array_equal(g.data, PIXELS)
    np.testing.assert_array_equal(r.data, PIXELS + 1)
    np.testing.assert_array_equal(r.variance, np.full_like(PIXELS, 9))
    assert r.sky_deg == pytest.approx((150.0, 2.0), abs=1e-9)
