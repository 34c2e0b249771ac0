from __future__ import annotations

import numpy as np
import pytest
from astropy.wcs import WCS
from reproject import reproject_exact

from lensing_core.ingest.geometry import (
    area_weights,
    center_of_copy,
    crop_or_pad,
    regrid,
    regrid_psf,
)


def gaussian(n: int, sigma: float, center: tuple[float, float] | None = None) -> np.ndarray:
    y, x = np.mgrid[:n, :n]
    cy, cx = center or ((n - 1) / 2, (n - 1) / 2)
    return np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * sigma**2)).astype("f4")


def simple_wcs(n: int, scale_arcsec: float) -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crpix = [(n + 1) / 2, (n + 1) / 2]
    wcs.wcs.crval = [150.0, 2.0]
    wcs.wcs.cdelt = [-scale_arcsec / 3600, scale_arcsec / 3600]
    return wcs


@pytest.mark.parametrize("n", [5, 6, 9, 12, 13])
@pytest.mark.parametrize("size", [8, 9])
def test_crop_and_pad_keep_the_center(n, size):
    image = np.arange(n * n, dtype="f4").reshape(n, n)
    out = crop_or_pad(image, size)
    assert out.shape == (size, size)
    y, x = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    shift = center_of_copy(n, size) - (n - 1) / 2
    assert abs(center_of_copy(n, size) - (size - 1) / 2) <= 0.5
    from_y, from_x = (y - shift).astype(int), (x - shift).astype(int)
    inside = (from_y >= 0) & (from_y < n) & (from_x >= 0) & (from_x < n)
    assert np.isnan(out[~inside]).all()
    np.testing.assert_array_equal(out[inside], image[from_y[inside], from_x[inside]])
    assert inside.sum() == min(n, size) ** 2


def test_the_same_size_is_the_same_image():
    image = gaussian(8, 2)
    assert crop_or_pad(image, 8) is image


@pytest.mark.parametrize(("scale_in", "scale_out"), [(0.06, 0.03), (0.03, 0.06), (0.2, 0.168)])
@pytest.mark.parametrize("shift", [0.0, 0.37])
def test_flux_is_conserved(scale_in, scale_out, shift):
    n = 61
    middle = (n - 1) / 2
    image = gaussian(n, 3, (middle + shift, middle - shift))
    size = int(n * scale_in / scale_out) - 3
    out = regrid(image, scale_in, size, scale_out)
    assert np.nansum(out, dtype="f8") == pytest.approx(image.sum(dtype="f8"), rel=1e-6)
    # The centroid keeps its place on the sky.
    y = np.arange(size) - (size - 1) / 2
    centroid = np.nansum(out * y[:, None]) / np.nansum(out) * scale_out
    assert centroid == pytest.approx(shift * scale_in, abs=1e-3 * scale_in)


def test_a_column_of_weights_shares_out_the_whole_pixel():
    weights = area_weights(31, 15.0, 90, 44.3, 1.7)
    inside = weights.sum(axis=0)
    np.testing.assert_allclose(inside[3:-3], 1, rtol=1e-12)
    assert (weights >= 0).all()


@pytest.mark.parametrize(("scale_in", "scale_out"), [(0.06, 0.03), (0.03, 0.06), (0.1, 0.07)])
def test_agrees_with_reproject(scale_in, scale_out):
    """reproject averages surface brightness by exact overlap of pixels on the sphere."""
    n, size = 41, 36
    image = gaussian(n, 4, (21.0, 18.5))
    mean, _ = reproject_exact(
        (image, simple_wcs(n, scale_in)), simple_wcs(size, scale_out), shape_out=(size, size)
    )
    ours = regrid(image, scale_in, size, scale_out)
    flux = mean * (scale_out / scale_in) ** 2
    both = np.isfinite(ours)
    assert both.sum() > 200
    np.testing.assert_allclose(ours[both], flux[both], atol=2e-5 * flux[both].max())


def test_pixels_without_full_coverage_are_nan():
    image = np.ones((8, 8), "f4")
    image[3, 3] = np.nan
    out = regrid(image, 0.1, 10, 0.05)
    np.testing.assert_allclose(out[np.isfinite(out)], 0.25)
    assert np.isnan(out).sum() == 4  # the fine pixels of the one that has no data
    wide = regrid(np.ones((8, 8), "f4"), 0.1, 6, 0.2)
    assert np.isnan(wide).sum() == 36 - 16
    np.testing.assert_allclose(wide[1:5, 1:5], 4)


def test_variance_of_a_sum_of_pixels():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 2, (4000, 8, 8)).astype("f4")
    summed = np.array([regrid(image, 0.1, 4, 0.2) for image in noise])
    predicted = regrid(np.full((8, 8), 4, "f4"), 0.1, 4, 0.2, is_variance=True)
    np.testing.assert_allclose(predicted, 16)
    assert summed.var() == pytest.approx(16, rel=0.02)


def test_a_point_is_kept_where_centers_are_given():
    image = np.zeros((21, 21), "f4")
    image[7, 12] = 1
    out = regrid(image, 0.2, 40, 0.1, center_in=(7, 12), center_out=(19.5, 19.5))
    assert np.nansum(out) == pytest.approx(1)
    np.testing.assert_allclose(out[19:21, 19:21], 0.25)


@pytest.mark.parametrize(("n", "scale"), [(31, 0.03), (31, 0.06), (20, 0.06), (15, 0.1)])
def test_a_psf_has_unit_sum_and_stays_centered(n, scale):
    psf = regrid_psf(5 * gaussian(n, 2), scale, 41, 0.03)
    assert psf.shape == (41, 41)
    assert psf.sum(dtype="f8") == pytest.approx(1, abs=1e-6)
    y = np.arange(41) - 20
    width = np.sqrt((psf * y[:, None] ** 2).sum())
    if n % 2:
        assert (psf * y[:, None]).sum() == pytest.approx(0, abs=1e-5)
        sigma = 2 * scale / 0.03
        if n * scale / 0.03 <= 41 and scale < 0.1:  # else the cutout cuts the wings off
            assert width == pytest.approx(sigma, rel=0.02)


def test_a_psf_without_flux_is_nan():
    assert np.isnan(regrid_psf(np.zeros((9, 9), "f4"), 0.1, 9, 0.1)).all()
