from __future__ import annotations

import math

import numpy as np
import pytest

from lensing_core.cutouts import cutout_sha256
from lensing_core.disk import reserve
from lensing_core.ingest.decoding import assemble, decode_rows
from lensing_core.ingest.images import BandImage, RowRequest
from lensing_core.ingest.pixel_buffers import Grid, PixelBuffer
from lensing_core.ingest.rejection import RowRejected

RNG = np.random.default_rng(8)


def image(data=None, *, scale=0.2, zero_point=27.0, **more) -> BandImage:
    data = RNG.normal(1, 1, (12, 12)) if data is None else data
    return BandImage(np.asarray(data, "f4"), scale, zero_point, "file.fits", **more)


def grid(**changes) -> Grid:
    return Grid(
        **{"size_px": 12, "pixel_scale_arcsec": 0.2, "zero_points_mag": (27.0,) * 2, **changes}
    )


def put(images, on=None):
    on = on or grid()
    pixels = PixelBuffer.of(on, len(images), 1).open()
    pixels.flux[:] = 1e9  # what an earlier chunk left
    return assemble(images, on, pixels, 0), pixels


def test_pixels_are_copied_where_nothing_differs():
    images = [image(), image()]
    facts, pixels = put(images)
    np.testing.assert_array_equal(pixels.flux[0], np.stack([i.data for i in images]))
    assert facts.band_flags == [1, 1]
    assert facts.nan_fraction == 0
    assert facts.scaled_zero_points_mag is None
    assert not facts.regridded
    assert facts.sha256 == cutout_sha256(pixels.flux[0])


def test_images_are_brought_to_the_catalogs_zero_point():
    """A star of 20 mag has the same flux whatever zero point its image has."""
    images = []
    for zero_point in (25.0, 30.5):
        data = np.zeros((12, 12))
        data[6, 6] = 10 ** (-0.4 * (20 - zero_point))
        variance = np.full((12, 12), data[6, 6] ** 2 / 100)
        images.append(image(data, zero_point=zero_point, variance=variance.astype("f4")))
    facts, pixels = put(images, grid(with_variance=True))
    wanted = 10 ** (-0.4 * (20 - 27.0))
    np.testing.assert_allclose(pixels.flux[0][:, 6, 6], wanted, rtol=1e-5)
    np.testing.assert_allclose(pixels.variance[0], wanted**2 / 100, rtol=1e-5)
    assert facts.scaled_zero_points_mag == {0: 25.0, 1: 30.5}
    assert facts.has_variance


def test_two_pixel_scales_flux_psf_and_variance():
    star = np.zeros((24, 24))
    star[10:14, 10:14] = 1 / 16
    coarse = np.zeros((12, 12))
    coarse[5:7, 5:7] = 1 / 4
    psf = np.ones((5, 5), "f4")
    images = [
        image(star, scale=0.1, psf=psf, variance=np.ones((24, 24), "f4")),
        image(coarse, scale=0.2, psf=psf, variance=np.ones((12, 12), "f4")),
    ]
    on = grid(size_px=24, pixel_scale_arcsec=0.1, with_variance=True, psf_size_px=11)
    facts, pixels = put(images, on)
    assert facts.regridded
    np.testing.assert_allclose(pixels.flux[0][1], pixels.flux[0][0], atol=1e-7)
    np.testing.assert_allclose(pixels.variance[0][1], 1 / 16)
    sums = pixels.psf[0].sum(axis=(1, 2))
    np.testing.assert_allclose(sums, 1, rtol=1e-5)
    # The second PSF was given in pixels twice as large.
    assert pixels.psf[0][0].max() == pytest.approx(1 / 25)
    assert pixels.psf[0][1].max() == pytest.approx(1 / 100)


def test_missing_bands_as_the_catalog_wants():
    missing = RowRejected("missing_file", "gone", "x.fits")
    facts, pixels = put([image(), missing])
    assert facts.band_flags == [1, 0]
    assert np.isnan(pixels.flux[0][1]).all()
    with pytest.raises(RowRejected, match="gone"):
        put([image(), missing], grid(missing_bands="quarantine"))
    with pytest.raises(RowRejected, match="gone"):
        put([missing, missing])


def test_no_data_is_nan():
    part = RNG.normal(size=(12, 12))
    part[:3] = np.nan
    part[3] = np.inf
    facts, pixels = put([image(part), image(np.zeros((12, 12)))])
    assert np.isnan(pixels.flux[0][0][:4]).all()
    assert np.isnan(pixels.flux[0][1]).all()  # all zeros: never observed
    assert facts.band_flags == [1, 0]
    assert facts.nan_fraction == pytest.approx(4 / 12)


@pytest.mark.parametrize("value", [np.nan, 0.0, np.inf])
def test_an_image_without_data_is_rejected(value):
    with pytest.raises(RowRejected, match="no pixel of the cutout has data") as bad:
        put([image(np.full((12, 12), value))] * 2)
    assert bad.value.reason == "all_nan"


def test_black_is_data_in_a_picture():
    on = grid(zero_points_mag=(math.nan,) * 3)
    facts, pixels = put([image(np.zeros((12, 12)), zero_point=math.nan)] * 3, on)
    assert facts.band_flags == [1, 1, 1]
    np.testing.assert_array_equal(pixels.flux[0], 0)


def test_a_picture_on_a_coarser_grid_keeps_its_colors():
    picture = RNG.integers(0, 256, (24, 24)).astype("f4")
    on = grid(zero_points_mag=(math.nan,) * 3)
    facts, pixels = put([image(picture, scale=0.1, zero_point=math.nan)] * 3, on)
    mean = picture.reshape(12, 2, 12, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(pixels.flux[0][1], mean, rtol=1e-5)
    assert facts.regridded
    assert facts.scaled_zero_points_mag is None


def test_shapes_that_do_not_fit():
    with pytest.raises(RowRejected, match="has 12 by 5 pixels; at least 8") as bad:
        put([image(np.ones((5, 12))), image()])
    assert bad.value.reason == "wrong_shape"
    with pytest.raises(RowRejected, match="its noise map"):
        put([image(variance=np.ones((4, 4), "f4")), image()], grid(with_variance=True))


@pytest.mark.parametrize("with_file", [False, True])
def test_a_room_has_slots_that_do_not_overlap(tmp_path, with_file):
    on = grid(with_variance=True, psf_size_px=5)
    path = tmp_path / "pixels" if with_file else None
    buffer = PixelBuffer.of(on, 2, 3, slots=2, path=path)
    if path is not None:
        reserve(path, buffer.slots * buffer.bytes_per_slot)
    one, two = buffer.open(0), buffer.open(1)
    for k, pixels in enumerate((one, two)):
        for array in (pixels.flux, pixels.variance, pixels.psf):
            array[:] = k + 1
    assert one.flux.shape == (3, 2, 12, 12)
    assert one.psf.shape == (3, 2, 5, 5)
    for k, pixels in enumerate((one, two)):
        for array in (pixels.flux, pixels.variance, pixels.psf):
            assert (array == k + 1).all()
    if with_file:
        assert (buffer.open(1).psf == 2).all()
        assert path.stat().st_size == 2 * 4 * 3 * 2 * (144 + 144 + 25)
    one.flux[:, 0, 0, 0] = [0, 1, 2]
    assert np.shares_memory(one.rows([0, 1]).flux, one.flux)
    np.testing.assert_array_equal(one.rows([0, 2]).flux[:, 0, 0, 0], [0, 2])


class Alternating:
    """Every second row cannot be read."""

    bands = ("g", "r")

    def load(self, row):
        if row.row_number % 2:
            raise RowRejected("unreadable_file", f"row {row.row_number}")
        return [image(np.full((12, 12), row.row_number + 1)), image()]


def test_rows_keep_their_places_when_some_are_rejected():
    pixels = PixelBuffer.of(grid(), 2, 10).open()
    rows = [RowRequest(k, str(k)) for k in range(6)]
    decoded = decode_rows(Alternating(), grid(), rows, pixels, first=3)
    assert sorted(decoded.facts) == [0, 2, 4]
    assert {k: str(problem) for k, problem in decoded.rejected.items()} == {
        k: f"row {k}" for k in (1, 3, 5)
    }
    assert [pixels.flux[3 + k, 0, 0, 0] for k in (0, 2, 4)] == [1, 3, 5]


def test_the_orientation_is_that_of_the_first_band_with_a_wcs():
    turned = ((0.1, -0.2), (0.2, 0.1))
    facts, _ = put([image(), image(matrix_arcsec=turned)])
    assert facts.frame.matrix_arcsec == turned
    assert put([image(), image()])[0].frame.matrix_arcsec is None


def test_the_place_of_the_object_is_told_where_it_is_not_the_middle():
    assert put([image(), image()])[0].frame.center_px is None
    cut = image(center=(5.75, 5.25))
    assert put([cut, cut])[0].frame.center_px == (5.25, 5.75)
