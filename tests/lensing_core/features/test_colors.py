"""Color consistency: closed forms, and painted segments of known colors."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2, kstest

from lensing_core.features import ColorFeatures
from lensing_core.features.colors import measure_families


def families(magnitude, sigma=0.1, usable=None):
    magnitude = np.asarray(magnitude, dtype=np.float64)
    usable = np.ones(magnitude.shape[:2], dtype=bool) if usable is None else usable
    return measure_families(magnitude, np.full(magnitude.shape, sigma**2), usable)


def test_one_source_passes_at_the_rate_that_chance_says():
    rng = np.random.default_rng(0)
    color = np.array([1.0, 0.4, 0.0])
    brightness = rng.normal(22, 1, (2000, 4, 1))
    found = families(color + brightness + rng.normal(0, 0.1, (2000, 4, 3)))
    # Six degrees of freedom; Huber's weights move the centroid a little.
    assert kstest(found.one_source, "uniform").statistic < 0.06
    np.testing.assert_allclose(found.color.mean(axis=0), [0.6, 0.4], atol=0.01)
    np.testing.assert_allclose(found.color.std(axis=0), 0.1 * np.sqrt(2 / 4), rtol=0.1)


def test_a_pair_follows_its_closed_form():
    found = families([[[22.0, 21.0], [23.0, 21.7]]])
    # Colors 1.0 and 1.3, each with a variance of 2 · 0.01.
    assert found.pair[0] == pytest.approx(chi2.sf(0.3**2 / 0.04, 1))
    assert found.one_source[0] == pytest.approx(chi2.sf(0.3**2 / 0.04, 1))
    assert found.color[0, 0] == pytest.approx(1.15)


def test_colors_that_differ_are_no_source_but_one_pair_of_them_may_be():
    same, other = [22.0, 21.0, 20.6], [22.0, 20.0, 18.9]
    mixed = families([[same, np.add(same, 1.3), other]], 0.05)
    alone = families([[same, np.add(same, 1.3), same]], 0.05)
    assert mixed.one_source[0] < 1e-6 < 0.99 < alone.one_source[0]
    assert mixed.pair[0] == pytest.approx(1)
    assert mixed.scatter[0] > 0.3 > 0.05 > alone.scatter[0]
    assert mixed.distance_max[0] > alone.distance_max[0]
    assert mixed.consistency[0] < alone.consistency[0]


def test_brightness_does_not_matter_and_order_does_not():
    rng = np.random.default_rng(1)
    magnitude = rng.normal(22, 0.3, (20, 5, 3))
    shifted = magnitude + rng.normal(0, 2, (20, 5, 1))
    plain = families(magnitude)
    for other in (families(shifted), families(magnitude[:, ::-1])):
        np.testing.assert_allclose(other.one_source, plain.one_source, rtol=1e-6)
        np.testing.assert_allclose(other.consistency, plain.consistency, rtol=1e-6)
        np.testing.assert_allclose(other.color, plain.color, rtol=1e-6)


def test_distances_never_exceed_what_their_scatter_allows():
    rng = np.random.default_rng(2)
    found = families(rng.normal(22, 5, (200, 6, 2)), 0.001)
    # Scatter alone would give (n − 1) / √n; the prior on it shrinks it to 6 / 9 of itself.
    assert found.distance_max.max() < 5 / np.sqrt(6) * np.sqrt(9 / 6) * np.sqrt(6 / 5)


def test_a_band_without_a_say_is_as_if_it_were_not_there():
    rng = np.random.default_rng(3)
    magnitude, variance = rng.normal(22, 0.2, (10, 4, 3)), np.full((10, 4, 3), 0.01)
    usable = np.ones((10, 4), dtype=bool)
    two = measure_families(magnitude[..., :2], variance[..., :2], usable)
    variance[..., 2] = 1e6
    three = measure_families(magnitude, variance, usable)
    np.testing.assert_allclose(three.one_source, two.one_source, rtol=1e-3)
    np.testing.assert_allclose(three.pair, two.pair, rtol=1e-3)
    np.testing.assert_allclose(three.color[:, 0], two.color[:, 0], rtol=1e-4)
    assert np.isnan(three.color[:, 1]).all()


def test_too_few_segments_are_unknown_not_consistent():
    usable = np.array([[True, False], [False, False]])
    found = families([[[22.0, 21.0]] * 2] * 2, usable=usable)
    assert np.isnan(found.one_source).all()
    assert found.color[0, 0] == pytest.approx(1.0)
    assert np.isnan(found.color[1, 0])


@pytest.fixture(scope="module")
def painted(arc, galaxy):
    """Two arcs: of one color (g − r = 0.3, r − i = 0.1), and of two."""

    def paint(first, second):
        rng = np.random.default_rng(4)
        light = [
            a * arc(2.2, 1.2, 0.2, 1) + b * arc(1.9, 1.2, 0.2 + np.pi, 1) + galaxy(c)
            for a, b, c in zip(first, second, (10, 30, 45), strict=True)
        ]
        noise = rng.standard_normal((8, 3, 60, 60))
        return (np.array(light) + noise).astype(np.float32)

    blue = 40 * 10 ** (0.4 * np.array([0, 0.3, 0.4]))
    red = 20 * 10 ** (0.4 * np.array([0, 1.2, 2.0]))
    return paint(blue, blue / 2), paint(blue, red)


def test_painted_colors_are_found(geometry, painted):
    features = ColorFeatures(geometry)
    same, mixed = (
        dict(zip(features.schema.names, features(flux).T, strict=True)) for flux in painted
    )
    # The model of the galaxy takes some light of arcs that cover a third of its ellipses.
    assert np.median(same["colour_g-r"]) == pytest.approx(0.3, abs=0.1)
    assert np.median(same["colour_r-i"]) == pytest.approx(0.1, abs=0.05)
    assert np.median(same["colour_one_source"]) > 0.1
    assert np.median(mixed["colour_one_source"]) < 1e-4
    assert np.median(same["colour_scatter"]) < 0.1 < np.median(mixed["colour_scatter"])
    # The galaxy's own color is g − r = 1.19.
    assert np.median(same["colour_against_galaxy_g-r"]) == pytest.approx(0.3 - 1.19, abs=0.1)


def test_points_are_gated_as_quasar_like(geometry, galaxy):
    axis = np.arange(60) - 29.5
    psf = 0.7 / 0.168 / 2.3548
    point = np.exp(-((axis[None, :] - 11) ** 2 + axis[:, None] ** 2) / (2 * psf**2))
    rng = np.random.default_rng(5)
    flux = galaxy(30) + 40 * (point + point[:, ::-1]) + rng.standard_normal((6, 3, 60, 60))
    features = ColorFeatures(geometry)
    found = dict(zip(features.schema.names, features(flux.astype("f4")).T, strict=True))
    assert np.median(found["colour_quasar_like"]) == 1
    assert np.median(found["colour_segments"]) == 0
    assert np.isnan(found["colour_one_source"][found["colour_segments"] == 0]).all()


def test_zero_points_shift_colors_and_one_band_may_miss(geometry, painted):
    flux = painted[0]
    features = ColorFeatures(geometry)
    names = features.schema.names
    plain = features(flux)
    shifted = ColorFeatures(replace(geometry, zero_points_mag=(27.5, 27.0, 27.0)))(flux)
    k = names.index("colour_g-r")
    np.testing.assert_allclose(shifted[:, k], plain[:, k] + 0.5, atol=1e-3)
    gap = flux.copy()
    gap[:, 2] = np.nan
    table = dict(zip(names, features(gap).T, strict=True))
    assert np.isnan(table["colour_r-i"]).all()
    assert np.median(table["colour_g-r"]) == pytest.approx(0.3, abs=0.1)
    assert np.isfinite(table["colour_one_source"]).any()
    assert np.isnan(features(np.full_like(flux, np.nan))).all()


def test_a_quarter_turn_changes_nothing(geometry, painted):
    features = ColorFeatures(geometry)
    turned = features(np.rot90(painted[0], axes=(2, 3)))
    np.testing.assert_allclose(turned, features(painted[0]), rtol=1e-2, atol=1e-2)


def test_bands_are_brought_to_one_psf(geometry, arc):
    """A sharper image of the same arc has the same color; unmatched it would be bluer."""
    from scipy.ndimage import gaussian_filter

    sharp = 60 * arc(2.2, 1.5, 0.2, 1)
    narrow, wide = 0.7, 1.3
    blur = np.sqrt(wide**2 - narrow**2) / 0.168 / 2.3548
    rng = np.random.default_rng(6)
    light = np.stack([sharp, gaussian_filter(sharp, blur)])
    flux = (light + 0.5 * rng.standard_normal((8, 2, 60, 60))).astype(np.float32)
    two = replace(
        geometry, bands=("g", "r"), zero_points_mag=(27.0,) * 2, psf_fwhm_arcsec=(narrow, wide)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = ColorFeatures(two)(flux)
    k = ColorFeatures(two).schema.names.index("colour_g-r")
    assert np.median(found[:, k]) == pytest.approx(0, abs=0.02)
    unmatched = ColorFeatures(replace(two, psf_fwhm_arcsec=(wide, wide)))(flux)
    assert np.median(unmatched[:, k]) < -0.03


def test_the_schema_fits_the_table(geometry, painted):
    features = ColorFeatures(geometry)
    assert features(painted[0]).shape == (8, len(features.schema))
    assert features(painted[0][:0]).shape == (0, len(features.schema))
    one = replace(geometry, bands=("r",), zero_points_mag=(27.0,), psf_fwhm_arcsec=(0.7,))
    assert ColorFeatures(one)(painted[0][:, :1]).shape == (8, len(ColorFeatures(one).schema))
    assert set(features.monotone) <= set(features.schema.names)
