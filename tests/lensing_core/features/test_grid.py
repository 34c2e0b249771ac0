"""Grid features against numbers worked out by plain numpy, one cutout at a time."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import ContractError
from lensing_core.features import GridFeatures
from lensing_core.features.robust import median, scatter
from lensing_core.features.schema import FeatureSchema

GEOMETRY = CutoutGeometry("hsc", ("g", "r", "i"), 48, 0.168, "flux", (27.0,) * 3, (0.7,) * 3)


@pytest.fixture(scope="module")
def features() -> GridFeatures:
    return GridFeatures(GEOMETRY)


@pytest.fixture(scope="module")
def cutouts() -> np.ndarray:
    """Noise of 1, 2 and 3 by band, and a blob off the center."""
    rng = np.random.default_rng(0)
    flux = rng.standard_normal((6, 3, 48, 48)) * np.array([1, 2, 3])[:, None, None]
    y, x = np.mgrid[:48, :48]
    flux += 40 * np.exp(-((x - 32) ** 2 + (y - 24) ** 2) / 8)
    return flux.astype(np.float32)


def column(features: GridFeatures, table: np.ndarray, name: str) -> np.ndarray:
    return table[:, features.schema.names.index(name)]


def sigma(image: np.ndarray) -> float:
    """Robust noise of the outermost tenth."""
    outside = np.ones(image.shape, dtype=bool)
    outside[4:-4, 4:-4] = False
    pixels = image[outside]
    return 1.4826 * float(np.median(np.abs(pixels - np.median(pixels))))


def test_patches_are_means_and_scatters_in_units_of_noise(features, cutouts):
    table = features(cutouts)
    for k in (0, 3):
        image = cutouts[k, 1].astype(np.float64) / sigma(cutouts[k, 1])
        middle = image[16:32, 16:32]
        found = column(features, table, "patch11_mean_r")[k]
        assert found == pytest.approx(np.arcsinh(middle.mean()), rel=1e-4)
        found = column(features, table, "patch12_std_r")[k]
        assert found == pytest.approx(np.arcsinh(image[16:32, 32:].std()), rel=1e-3)


def test_rings_are_means_over_annuli(features, cutouts):
    table = features(cutouts)
    axis = (np.arange(48) - 23.5) * 0.168
    radius = np.hypot(axis[:, None], axis[None, :])
    ring = (radius >= 0.9) & (radius < 1.4)
    image = cutouts[2, 0] / sigma(cutouts[2, 0])
    expected = np.arcsinh(image[ring].mean())
    assert column(features, table, "ring2_mean_g")[2] == pytest.approx(expected, rel=1e-3)


def test_what_is_symmetric_about_the_center_leaves_no_odd_part(features):
    y, x = np.mgrid[:48, :48] - 23.5
    galaxy = np.broadcast_to(100 * np.exp(-np.hypot(x, y) / 4), (1, 3, 48, 48)).astype(np.float32)
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((1, 3, 48, 48)).astype(np.float32)
    arc = np.zeros_like(galaxy)
    arc[..., 24, 32:36] = 30
    plain, lensed = features(galaxy + noise), features(galaxy + noise + arc)
    peak = "ring3_odd_peak_r"
    assert column(features, plain, peak)[0] < np.arcsinh(8)
    assert column(features, lensed, peak)[0] > np.arcsinh(20)


def test_zero_points_and_units_do_not_matter(features, cutouts):
    scaled = GridFeatures(replace(GEOMETRY, zero_points_mag=(29.5,) * 3))
    factor = np.float32(10 ** (0.4 * 2.5))
    np.testing.assert_allclose(scaled(cutouts * factor), features(cutouts), rtol=2e-3, atol=2e-3)


def test_a_batch_is_its_cutouts(features, cutouts):
    whole = features(cutouts)
    for k in range(len(cutouts)):
        np.testing.assert_allclose(features(cutouts[k : k + 1])[0], whole[k], rtol=1e-4, atol=1e-5)
    order = np.array([3, 0, 5, 1, 2, 4])
    np.testing.assert_allclose(features(cutouts[order]), whole[order], rtol=1e-4, atol=1e-5)


def test_a_band_without_data_is_missing_and_the_others_are_not(features, cutouts):
    gap = cutouts.copy()
    gap[1, 2] = np.nan
    table = features(gap)
    names = np.array(features.schema.names)
    missing = set(names[np.isnan(table[1])])
    assert missing == {n for n in names if n.endswith(("_i", "r-i"))}
    assert not np.isnan(np.delete(table, 1, axis=0)).any()
    assert column(features, table, "valid_fraction")[1] == pytest.approx(2 / 3)


def test_a_quarter_turn_changes_no_annulus(features, cutouts):
    turned = features(np.rot90(cutouts, axes=(2, 3)))
    names = np.array(features.schema.names)
    same = np.array([not name.startswith("patch") for name in names])
    assert same.sum() == 154 - 72
    np.testing.assert_allclose(turned[:, same], features(cutouts)[:, same], rtol=1e-3, atol=1e-4)
    patch = {n: k for k, n in enumerate(names)}
    # Counter-clockwise: what stood in the middle of the right column stands in the top row.
    before = features(cutouts)[:, patch["patch12_mean_g"]]
    np.testing.assert_allclose(turned[:, patch["patch01_mean_g"]], before, rtol=1e-4)


def test_an_annulus_beyond_the_cutout_has_no_peak(cutouts):
    small = GridFeatures(replace(GEOMETRY, size_px=16))
    table = small(np.ascontiguousarray(cutouts[..., 16:32, 16:32]))
    assert (column(small, table, "ring5_odd_peak_g") == 0).all()
    assert (column(small, table, "ring1_odd_peak_g") > 0).all()


def test_a_schema_is_its_names():
    schema = FeatureSchema("grid-1", ("a", "b"), ("mag", ""))
    schema.check(schema.to_json())
    other = FeatureSchema("grid-1", ("a", "c"), ("mag", ""))
    assert other.sha256 != schema.sha256
    with pytest.raises(ContractError, match="Train it again"):
        other.check(schema.to_json())


def test_the_schema_fits_the_table(features, cutouts):
    assert features(cutouts).shape == (6, len(features.schema))
    assert len(set(features.schema.names)) == len(features.schema)
    assert len(features.schema.units) == len(features.schema)


@pytest.mark.parametrize("n", [1, 2, 7, 8])
def test_the_fast_median_is_the_median(n):
    rng = np.random.default_rng(n)
    values = rng.standard_normal((50, n)).astype(np.float32)
    np.testing.assert_array_equal(median(values), np.median(values, axis=-1))
    values[rng.random(values.shape) < 0.3] = np.nan
    values[0] = np.nan
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        np.testing.assert_array_equal(median(values), np.nanmedian(values, axis=-1))


@pytest.mark.parametrize("n", [1, 2, 7, 8, 101])
def test_the_fast_scatter_is_the_scatter(n):
    values = np.random.default_rng(n).standard_normal((50, n)).astype(np.float32)
    values[0] = 3.0
    values[1] = np.round(values[1])  # ties

    def plain(rows: np.ndarray) -> np.ndarray:
        deviation = np.abs(rows - np.nanmedian(rows, axis=-1)[:, None])
        return np.asarray(1.4826 * np.nanmedian(deviation, axis=-1), dtype=np.float32)

    np.testing.assert_array_equal(scatter(values), plain(values))
    if n > 2:
        values[2:, 0] = np.nan
        np.testing.assert_array_equal(scatter(values), plain(values))


def test_a_border_without_data_does_not_hide_the_galaxy(features, cutouts):
    for empty in (np.nan, 0.0):
        framed = cutouts.copy()
        framed[..., :5, :] = framed[..., -5:, :] = framed[..., :5] = framed[..., -5:] = empty
        table = features(framed)
        assert np.isfinite(table).all()
        assert np.abs(table).max() < 20
