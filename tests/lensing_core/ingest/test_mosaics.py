from __future__ import annotations

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import Cutout2D
from astropy.wcs import WCS

from lensing_core.ingest.band_calibration import BandCalibration
from lensing_core.ingest.decoding import assemble
from lensing_core.ingest.images import RowRequest
from lensing_core.ingest.locators import Locator
from lensing_core.ingest.mosaics import Mosaic
from lensing_core.ingest.pixel_buffers import Grid, PixelBuffer
from lensing_core.ingest.rejection import RowRejected
from lensing_core.surveys import get_survey

SIZE = 16


def wcs_of(n: int, scale_arcsec: float, angle_deg: float = 20.0) -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [150.0, 2.0]
    wcs.wcs.crpix = [(n + 1) / 2, (n + 1) / 2]
    c, s = np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))
    wcs.wcs.cd = np.array([[-c, s], [s, c]]) * scale_arcsec / 3600
    return wcs


def write(path, pixels, wcs, **cards):
    hdu = fits.PrimaryHDU(pixels, wcs.to_header())
    hdu.header.update(cards)
    hdu.writeto(path)


def source(folder, *, bands=("g", "r"), size=SIZE, scale=0.2, pattern="mosaic_{band}.fits"):
    survey = get_survey("hsc")
    none = (None,) * len(bands)
    calibration = BandCalibration(survey, bands, none, none)
    return Mosaic(Locator(folder, pattern), calibration, bands, size, scale)


def row_at(wcs, x, y, number=0):
    sky = wcs.pixel_to_world(x, y)
    return RowRequest(number, f"o{number}", float(sky.ra.deg), float(sky.dec.deg))


@pytest.fixture
def mosaics(tmp_path):
    rng = np.random.default_rng(5)
    pixels = rng.normal(size=(2, 120, 100)).astype("f4")
    wcs = wcs_of(100, 0.2)
    for band, plane in zip("gr", pixels, strict=True):
        write(tmp_path / f"mosaic_{band}.fits", plane, wcs)
    return tmp_path, pixels, wcs


@pytest.mark.parametrize("size", [15, 16])
@pytest.mark.parametrize(("x", "y"), [(50.2, 60.1), (30.4, 44.6), (2.2, 3.9), (98.7, 117.2)])
def test_agrees_with_cutout2d(mosaics, size, x, y):
    folder, pixels, wcs = mosaics
    row = row_at(wcs, x, y)
    images = source(folder, size=size).load(row)
    position = SkyCoord(row.ra_deg * u.deg, row.dec_deg * u.deg)
    for image, plane in zip(images, pixels, strict=True):
        theirs = Cutout2D(plane, position, size, wcs, mode="partial", fill_value=np.nan)
        np.testing.assert_array_equal(image.data, theirs.data)
        assert image.center == pytest.approx(theirs.input_position_cutout[::-1], abs=1e-6)


def test_outside_and_without_position(mosaics):
    folder, _, wcs = mosaics
    cut = source(folder)
    with pytest.raises(RowRejected, match="lies outside") as bad:
        cut.load(row_at(wcs, -20.0, 50.0))
    assert bad.value.reason == "outside_mosaic"
    with pytest.raises(RowRejected) as bad:
        cut.load(RowRequest(0, "antipode", 330.0, -2.0))
    assert bad.value.reason == "outside_mosaic"
    with pytest.raises(RowRejected) as bad:
        cut.load(RowRequest(0, "nowhere"))
    assert bad.value.reason == "bad_coordinates"


def test_a_mosaic_without_wcs(tmp_path):
    fits.PrimaryHDU(np.zeros((50, 50), "f4")).writeto(tmp_path / "mosaic_g.fits")
    with pytest.raises(RowRejected, match="no celestial WCS") as bad:
        source(tmp_path, bands=("g",)).load(RowRequest(0, "a", 150.0, 2.0))
    assert bad.value.reason == "unsupported_format"


def test_a_compressed_mosaic(mosaics, tmp_path):
    folder, pixels, wcs = mosaics
    hdu = fits.CompImageHDU(pixels[0], wcs.to_header(), compression_type="GZIP_2", quantize_level=0)
    hdu.writeto(tmp_path / "m_g.fits.fz")
    row = row_at(wcs, 40.3, 50.8)
    plain = source(folder).load(row)[0]
    packed = source(tmp_path, bands=("g",), pattern="m_{band}.fits.fz").load(row)[0]
    np.testing.assert_array_equal(packed.data, plain.data)


def test_bands_in_hdus_with_noise(mosaics, tmp_path):
    folder, pixels, wcs = mosaics
    header = wcs.to_header()
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.ImageHDU(pixels[0], header, name="G_SCI"),
            fits.ImageHDU(np.full_like(pixels[0], 3), header, name="G_RMS"),
            fits.ImageHDU(pixels[1], header, name="R_SCI"),
        ]
    ).writeto(tmp_path / "all.fits")
    calibration = source(folder).calibration
    cut = Mosaic(Locator(tmp_path, "all.fits"), calibration, ("g", "r"), SIZE, 0.2, True)
    g, r = cut.load(row_at(wcs, 50, 50))
    np.testing.assert_array_equal(g.variance, np.full((SIZE, SIZE), 9))
    assert r.variance is None
    np.testing.assert_array_equal(r.data, source(folder).load(row_at(wcs, 50, 50))[1].data)


def test_bands_of_two_pixel_scales_stay_aligned(tmp_path):
    """A star at a position between pixels has one centroid and its flux in both bands."""
    rng = np.random.default_rng(9)
    for trial in range(4):
        fine, coarse = wcs_of(240, 0.1, 30), wcs_of(120, 0.2, 30)
        sky = fine.pixel_to_world(*rng.uniform(100, 140, 2))
        folder = tmp_path / str(trial)
        folder.mkdir()
        for band, wcs, n, sigma in (("g", fine, 240, 4.0), ("r", coarse, 120, 2.0)):
            x0, y0 = wcs.world_to_pixel(sky)
            y, x = np.mgrid[:n, :n]
            star = np.exp(-((x - x0) ** 2 + (y - y0) ** 2) / (2 * sigma**2))
            write(folder / f"mosaic_{band}.fits", (star / star.sum()).astype("f4"), wcs)
        cut = source(folder, size=61, scale=0.1)
        row = RowRequest(0, "star", float(sky.ra.deg), float(sky.dec.deg))
        grid = Grid(61, 0.1, (27.0, 27.0))
        pixels = PixelBuffer.of(grid, 2, 1).open()
        facts = assemble(cut.load(row), grid, pixels, 0)
        assert facts.regridded
        y, x = np.mgrid[:61, :61]
        g, r = pixels.flux[0].astype("f8")
        assert g.sum() == pytest.approx(1, rel=1e-3)
        assert r.sum() == pytest.approx(1, rel=1e-3)
        assert (g * x).sum() / g.sum() == pytest.approx((r * x).sum() / r.sum(), abs=0.01)
        assert (g * y).sum() / g.sum() == pytest.approx((r * y).sum() / r.sum(), abs=0.01)


FRAMES = {
    "icrs": (("RA---{}", "DEC--{}"), {}),
    "fk5": (("RA---{}", "DEC--{}"), {"RADESYS": "FK5", "EQUINOX": 1975.0}),
    "fk4": (("RA---{}", "DEC--{}"), {"RADESYS": "FK4", "EQUINOX": 1950.0}),
    "galactic": (("GLON-{}", "GLAT-{}"), {}),
}


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize(
    ("projection", "axes"), [("TAN", (120, 100)), ("CAR", (1, 1, 120, 100)), ("ZEA", (120, 100, 1))]
)
def test_mosaics_of_any_frame_are_cut_where_cutout2d_cuts(tmp_path, frame, projection, axes):
    """Positions are ICRS; the mosaic's frame, projection and degenerate axes are its own."""
    names, cards = FRAMES[frame]
    header = fits.Header(cards)
    reference = (150.0, 0.0) if projection == "CAR" else (150.0, 40.0)
    first = 2 if axes[-1] == 1 else 1  # the axis of length one comes before those of the sky
    for axis, name, value, pixel, step in zip(
        (first, first + 1), names, reference, (50.5, 60.5), (-0.2, 0.2), strict=True
    ):
        header[f"CTYPE{axis}"], header[f"CRVAL{axis}"] = name.format(projection), value
        header[f"CRPIX{axis}"], header[f"CDELT{axis}"] = pixel, step / 3600
    pixels = np.random.default_rng(6).normal(size=(120, 100)).astype("f4")
    fits.PrimaryHDU(pixels.reshape(axes), header).writeto(tmp_path / "mosaic_g.fits")
    wcs = WCS(header).celestial
    row = row_at_icrs(wcs, 33.3, 71.6)
    (image,) = source(tmp_path, bands=("g",)).load(row)
    position = SkyCoord(row.ra_deg * u.deg, row.dec_deg * u.deg)
    theirs = Cutout2D(pixels, position, SIZE, wcs, mode="partial", fill_value=np.nan)
    np.testing.assert_array_equal(image.data, theirs.data)
    assert image.center == pytest.approx(theirs.input_position_cutout[::-1], abs=1e-5)
    # North by the stored matrix is where astropy has it.
    north = position.directional_offset_by(0 * u.deg, 1 * u.arcsec)
    dx, dy = np.subtract(wcs.world_to_pixel(north), wcs.world_to_pixel(position))
    assert np.array(image.matrix_arcsec) @ [dx, dy] == pytest.approx([0, 1], abs=1e-4)


def row_at_icrs(wcs, x, y):
    sky = wcs.pixel_to_world(x, y).icrs
    return RowRequest(0, "o", float(sky.ra.deg), float(sky.dec.deg))


@pytest.mark.parametrize("pattern", ["", "mosaic_{band}.fits"])
def test_a_mosaic_with_its_noise_in_the_same_file(mosaics, tmp_path, pattern):
    _, pixels, wcs = mosaics
    header = wcs.to_header()
    image = fits.ImageHDU(pixels[0], header, name="IMAGE")
    noise = fits.ImageHDU(np.full_like(pixels[0], 5), header, name="VARIANCE")
    fits.HDUList([fits.PrimaryHDU(), image, noise]).writeto(
        tmp_path / "mosaic_r.fits", overwrite=True
    )
    cut = source(tmp_path, bands=("r",))
    if pattern:
        cut = replace(cut, variance=Locator(tmp_path, pattern))
    (found,) = cut.load(row_at(wcs, 50, 50))
    np.testing.assert_array_equal(found.variance, np.full((SIZE, SIZE), 5))
    if pattern:
        fits.PrimaryHDU(pixels[0], header).writeto(tmp_path / "mosaic_r.fits", overwrite=True)
        with pytest.raises(RowRejected, match="named for the noise map too"):
            cut.load(row_at(wcs, 50, 50))
