from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy_healpix import HEALPix
from sklearn.decomposition import PCA

from lensing_core.charts import bin_points, fit_plane, inside_polygon, nearest, sky_projection
from lensing_core.charts.sky import SkyProjection
from lensing_core.errors import BadInputError


def test_counts_are_those_of_numpy():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 5000))
    x[::50] = np.nan
    x[1], y[1] = 2.0, 1.0  # on the far corner
    found = bin_points(x, y, (-2, 2, -1, 1), (30, 40))
    known = np.isfinite(x)
    expected, _, _ = np.histogram2d(y[known], x[known], (30, 40), ((-1, 1), (-2, 2)))
    np.testing.assert_array_equal(found, expected)


def test_a_polygon_with_a_bay():
    corners = np.array([[0, 0], [4, 0], [4, 4], [2, 1], [0, 4]], dtype=float)
    x = np.array([2, 2, 1, 3.9, 5, np.nan, -1])
    y = np.array([0.5, 3, 1, 3.5, 1, 1, 1])
    assert inside_polygon(x, y, corners).tolist() == [True, False, True, True, False, False, False]
    rng = np.random.default_rng(2)
    x, y = rng.uniform(-2, 2, (2, 20_000))
    turn = np.linspace(0, 2 * np.pi, 400)
    circle = np.column_stack([np.cos(turn), np.sin(turn)])
    wrong = inside_polygon(x, y, circle) != (np.hypot(x, y) < 1)
    assert wrong.mean() < 1e-3


def test_the_nearest_within_reach():
    x, y = np.array([0.0, 1.0, np.nan]), np.array([0.0, 0.0, 0.0])
    assert nearest(x, y, (0.9, 0.05), (0.2, 0.1)) == 1
    assert nearest(x, y, (0.5, 0.0), (0.2, 0.1)) is None
    assert nearest(x[:0], y[:0], (0, 0), (1, 1)) is None


def test_the_plane_is_that_of_sklearn():
    rng = np.random.default_rng(3)
    tables = [
        (rng.normal(size=(n, 20)) * np.linspace(5, 0.5, 20) + 300).astype("f4") for n in (3000, 500)
    ]
    tables[1][7] = np.nan
    plane = fit_plane(tables)
    whole = np.concatenate(tables)
    whole = whole[np.isfinite(whole).all(axis=1)]
    judge = PCA(2, svd_solver="full").fit(whole)
    assert plane.explained == pytest.approx(judge.explained_variance_ratio_.sum(), rel=1e-6)
    assert np.abs(np.sum(judge.components_ * plane.axes.T, axis=1)) == pytest.approx(1, abs=1e-6)
    places = plane.project(tables[1])
    assert np.isnan(places[7]).all()
    np.testing.assert_allclose(
        np.abs(np.delete(places, 7, axis=0)),
        np.abs(judge.transform(np.delete(tables[1], 7, axis=0))),
        atol=1e-3,
    )


def test_a_map_of_nothing_is_refused():
    with pytest.raises(BadInputError, match="Too few"):
        fit_plane([np.full((5, 3), np.nan, dtype="f4")])
    with pytest.raises(BadInputError, match="embeddings are equal"):
        fit_plane([np.ones((5, 3), dtype="f4")])


def test_maps_keep_areas():
    """Cells of equal area on the sky cover equal areas of the map."""
    grid = HEALPix(nside=64, order="nested")
    ra, dec = (a.to_value(u.deg) for a in grid.healpix_to_lonlat(np.arange(grid.npix)))
    x, y = SkyProjection(180, 0, whole=True)(ra, dec)
    assert np.abs(x).max() <= 180
    assert np.abs(y).max() <= 90
    inside = (x / 180) ** 2 + (y / 90) ** 2
    assert inside.max() <= 1 + 1e-9
    counts = bin_points(x, y, (-90, 90, -45, 45), (6, 6))
    assert counts.std() / counts.mean() < 0.05
    # closed form of Mollweide: sin δ at θ = 45° is (π / 2 + 1) / π
    dec_45 = np.degrees(np.arcsin((np.pi / 2 + 1) / np.pi))
    x, y = SkyProjection(180, 0, whole=True)(np.array([90.0]), np.array([dec_45]))
    assert (x[0], y[0]) == pytest.approx((90 * np.cos(np.pi / 4), 90 * np.sin(np.pi / 4)))


def test_a_small_field_across_the_end_of_right_ascension():
    ra, dec = np.array([359.0, 1.0, 0.0]), np.array([59.0, 60.0, 61.0])
    sky = sky_projection(ra, dec)
    assert not sky.whole
    assert sky.ra_0_deg % 360 == pytest.approx(0, abs=0.1) or sky.ra_0_deg > 359.9
    x, y = sky(ra, dec)
    assert x[0] > x[2] > x[1]  # east to the left
    assert y.tolist() == [-1, 0, 1]
    assert x[0] - x[1] == pytest.approx(np.cos(np.radians(59)) + np.cos(np.radians(60)), rel=1e-3)
    lines = {text: line for _, text, line in sky.graticule((-2, 2, -2, 2))}
    assert "+60°" in lines
    assert "0°" in lines
    assert np.ptp(lines["+60°"][:, 1]) == 0
    cells = sky.cells(HEALPix(64, "nested").lonlat_to_healpix(ra * u.deg, dec * u.deg))
    assert cells.shape == (3, 4, 2)
    assert np.abs(cells.mean(axis=1) - np.column_stack([x, y])).max() < 1.5


def test_a_wide_field_takes_the_whole_sky():
    assert sky_projection(np.array([10.0, 200.0]), np.array([0.0, 10.0])).whole
    assert sky_projection(np.array([10.0, 200.0]), np.array([88.0, 89.0])).whole
    assert len(SkyProjection(180, 0, whole=True).graticule((-190, 190, -95, 95))) == 14
