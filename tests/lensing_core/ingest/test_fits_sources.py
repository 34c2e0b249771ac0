from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from lensing_core.ingest.band_calibration import BandCalibration, to_variance
from lensing_core.ingest.companions import Companions
from lensing_core.ingest.fits_sources import FitsCube, FitsFiles, FitsHdus
from lensing_core.ingest.images import BandImage, RowRequest
from lensing_core.ingest.locators import Locator
from lensing_core.ingest.rejection import RowRejected
from lensing_core.surveys import get_survey

BANDS = ("g", "r", "i")
ROW = RowRequest(0, "a", 10.0, 1.0)


def calibration(survey="hsc", bands=BANDS, scales=None, zero_points=None) -> BandCalibration:
    none = (None,) * len(bands)
    return BandCalibration(get_survey(survey), bands, scales or none, zero_points or none)


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(2).normal(size=(3, 20, 24)).astype("f4")


def write_hdus(path, planes, names, **cards):
    hdus = [fits.PrimaryHDU()]
    for name, plane in zip(names, planes, strict=True):
        hdu = fits.ImageHDU(plane, name=name)
        hdu.header.update(cards)
        hdus.append(hdu)
    fits.HDUList(hdus).writeto(path)


def data(images) -> np.ndarray:
    assert all(isinstance(image, BandImage) for image in images)
    return np.stack([image.data for image in images])


def test_hdus_by_name_number_and_order(tmp_path, pixels):
    write_hdus(tmp_path / "a.fits", pixels, ("I", "G", "R"))
    locator = Locator(tmp_path, "{id}.fits")
    by_name = FitsHdus(locator, calibration(), BANDS)
    np.testing.assert_array_equal(data(by_name.load(ROW)), pixels[[1, 2, 0]])
    by_number = FitsHdus(locator, calibration(), ("1", "2", "3"))
    np.testing.assert_array_equal(data(by_number.load(ROW)), pixels)
    by_order = FitsHdus(locator, calibration(), (), by_order=True)
    np.testing.assert_array_equal(data(by_order.load(ROW)), pixels)


def test_noise_and_psf_beside_the_fluxes(tmp_path, pixels):
    psf = np.full((5, 5), 0.04, "f4")
    rms = np.abs(pixels[0])
    write_hdus(tmp_path / "a.fits", (pixels[0], rms, psf), ("G_FLUX", "G_RMS", "G_PSF"))
    (image,) = FitsHdus(Locator(tmp_path, "{id}.fits"), calibration(bands=("g",)), ("g",)).load(ROW)
    np.testing.assert_allclose(image.variance, rms**2)
    np.testing.assert_array_equal(image.psf, psf)


def test_a_missing_band_is_told_apart(tmp_path, pixels):
    write_hdus(tmp_path / "a.fits", pixels[:2], ("G", "R"))
    g, r, i = FitsHdus(Locator(tmp_path, "{id}.fits"), calibration(), BANDS).load(ROW)
    assert isinstance(g, BandImage)
    assert isinstance(r, BandImage)
    assert isinstance(i, RowRejected)
    assert (i.reason, i.source) == ("missing_band", str(tmp_path / "a.fits"))
    with pytest.raises(RowRejected, match=r"a\.fits: 2 image HDUs were found for 3") as bad:
        FitsHdus(Locator(tmp_path, "{id}.fits"), calibration(), (), by_order=True).load(ROW)
    assert bad.value.reason == "wrong_band_count"


def test_a_file_a_band_in_folders(tmp_path, pixels):
    for name, plane in zip(("blue", "r"), pixels, strict=False):
        folder = tmp_path / name
        folder.mkdir()
        fits.PrimaryHDU(plane).writeto(folder / "a.fits")
    source = FitsFiles(Locator(tmp_path, "{band}/{id}.fits"), calibration(), ("blue", "r", "i"))
    g, r, i = source.load(ROW)
    np.testing.assert_array_equal(np.stack([g.data, r.data]), pixels[:2])
    assert i.reason == "missing_file"


def test_files_named_by_columns(tmp_path, pixels):
    fits.PrimaryHDU(pixels[0]).writeto(tmp_path / "one.fits")
    row = RowRequest(0, "a", 1.0, 1.0, band_files={"g": "one.fits"})
    g, r, _ = FitsFiles(Locator(tmp_path), calibration(), BANDS).load(row)
    np.testing.assert_array_equal(g.data, pixels[0])
    assert r.reason == "missing_file"
    assert "names no image file in band r" in str(r)


def test_noise_and_psf_in_files_of_their_own(tmp_path, pixels):
    fits.PrimaryHDU(pixels[0]).writeto(tmp_path / "a_g.fits")
    fits.PrimaryHDU(np.full((20, 24), 4, "f4")).writeto(tmp_path / "a_g_wht.fits")
    psf = fits.PrimaryHDU(np.full((3, 3), 1, "f4"))
    psf.header["PIXSCALE"] = 0.05
    psf.writeto(tmp_path / "a_g_psf.fits")
    companions = Companions(
        Locator(tmp_path, "{id}_{band}_wht.fits"),
        "inverse_variance",
        Locator(tmp_path, "{id}_{band}_psf.fits"),
    )
    locator = Locator(tmp_path, "{id}_{band}.fits")
    (image,) = FitsFiles(locator, calibration(bands=("g",)), ("g",), companions).load(ROW)
    np.testing.assert_array_equal(image.variance, np.full((20, 24), 0.25))
    assert image.psf_scale_arcsec == 0.05


@pytest.mark.parametrize("axis", ["first", "last"])
def test_cubes(tmp_path, pixels, axis):
    cube = pixels if axis == "first" else np.moveaxis(pixels, 0, -1)
    fits.PrimaryHDU(np.ascontiguousarray(cube)).writeto(tmp_path / "a.fits")
    locator = Locator(tmp_path, "{id}.fits")
    whole = FitsCube(locator, calibration(), (0, 1, 2), axis, 3)
    np.testing.assert_array_equal(data(whole.load(ROW)), pixels)
    some = FitsCube(locator, calibration(bands=("i", "g")), (2, 0), axis)
    np.testing.assert_array_equal(data(some.load(ROW)), pixels[[2, 0]])
    with pytest.raises(RowRejected, match="has 3 planes; 5 were expected") as bad:
        FitsCube(locator, calibration(), (0, 1, 2), axis, 5).load(ROW)
    assert bad.value.reason == "wrong_band_count"


def test_degenerate_axes_are_dropped_and_others_refused(tmp_path, pixels):
    fits.PrimaryHDU(pixels[None, :1]).writeto(tmp_path / "a.fits")
    source = FitsHdus(Locator(tmp_path, "{id}.fits"), calibration(bands=("g",)), (), by_order=True)
    np.testing.assert_array_equal(data(source.load(ROW)), pixels[:1])
    fits.PrimaryHDU(pixels).writeto(tmp_path / "b.fits")
    with pytest.raises(RowRejected, match="not two-dimensional") as bad:
        source.load(RowRequest(1, "b", 1.0, 1.0))
    assert bad.value.reason == "wrong_shape"
    fits.PrimaryHDU(pixels[0, 0]).writeto(tmp_path / "c.fits")
    with pytest.raises(RowRejected) as bad:
        source.load(RowRequest(1, "c", 1.0, 1.0))
    assert bad.value.reason == "wrong_shape"


def test_calibration_settings_then_header_then_survey(tmp_path, pixels):
    locator = Locator(tmp_path, "{id}.fits")
    write_hdus(tmp_path / "a.fits", pixels, BANDS, MAGZERO=25.0, PIXSCALE=0.3)
    stated = FitsHdus(
        locator, calibration(scales=(0.1, None, None), zero_points=(None, 26.0, None)), BANDS
    )
    g, r, _ = stated.load(ROW)
    assert (g.pixel_scale_arcsec, g.pixel_scale_from) == (0.1, "settings")
    assert (g.zero_point_mag, g.zero_point_from) == (25.0, "MAGZERO")
    assert (r.pixel_scale_arcsec, r.pixel_scale_from) == (0.3, "PIXSCALE")
    assert (r.zero_point_mag, r.zero_point_from) == (26.0, "settings")
    write_hdus(tmp_path / "b.fits", pixels, BANDS)
    silent = FitsHdus(locator, calibration(), BANDS).load(RowRequest(1, "b", 1.0, 1.0))[0]
    assert (silent.pixel_scale_arcsec, silent.zero_point_mag) == (0.168, 27.0)
    assert (silent.pixel_scale_from, silent.zero_point_from) == ("survey", "survey")


def test_exposure_time_sets_the_zero_point_of_a_stack(tmp_path, pixels):
    write_hdus(tmp_path / "a.fits", pixels, BANDS, EXPTIME=1632.0)
    images = FitsHdus(Locator(tmp_path, "{id}.fits"), calibration("ps1"), BANDS).load(ROW)
    assert images[0].zero_point_mag == pytest.approx(25 + 2.5 * np.log10(1632))
    assert images[0].zero_point_from == "EXPTIME"
    hsc = FitsHdus(Locator(tmp_path, "{id}.fits"), calibration(), BANDS).load(ROW)
    assert hsc[0].zero_point_mag == 27.0


def test_a_name_in_the_other_unicode_form_is_found(tmp_path, pixels):
    fits.PrimaryHDU(pixels[0]).writeto(tmp_path / "e\u0301.fits")  # decomposed
    row = RowRequest(0, "\u00e9", 1.0, 1.0)  # composed
    source = FitsHdus(Locator(tmp_path, "{id}.fits"), calibration(bands=("g",)), (), by_order=True)
    np.testing.assert_array_equal(data(source.load(row)), pixels[:1])


def test_noise_maps_say_where_there_is_no_data():
    noise = np.array([[2.0, 0.0, -1.0, np.nan]], "f4")
    np.testing.assert_array_equal(to_variance(noise, "rms"), [[4, 0, np.nan, np.nan]])
    np.testing.assert_array_equal(to_variance(noise, "variance"), [[2, 0, np.nan, np.nan]])
    np.testing.assert_array_equal(
        to_variance(noise, "inverse_variance"), [[0.5, np.nan, np.nan, np.nan]]
    )
