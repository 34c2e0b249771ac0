"""Brightness of painted arcs whose flux is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lensing_core.cutouts import CutoutGeometry
from lensing_core.followup.photometry import POGSON, measure_arc

SIDE, SCALE, ZERO = 64, 0.2, 27.0
GEOMETRY = CutoutGeometry(
    "test", ("g", "r", "i"), SIDE, SCALE, "flux", (ZERO,) * 3, (0.7, 0.7, 0.7)
)


def arc_pixels(angle_from=-0.7, angle_to=0.7):
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    return (np.abs(radius - 16) < 2) & (angle > angle_from) & (angle < angle_to)


def cutout(levels, *, seed=1, second=None):
    """A round galaxy and an arc of constant brightness, noise of 1."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    flux = rng.normal(0, 1, (3, SIDE, SIDE)) + 60 * np.exp(-np.hypot(x, y) / 3)
    flux += np.asarray(levels)[:, None, None] * arc_pixels()
    if second is not None:
        flux += np.asarray(second)[:, None, None] * arc_pixels(2.4, 3.2)
    return flux.astype(np.float32)


def test_magnitude_and_surface_brightness_of_a_known_arc():
    n, levels = arc_pixels().sum(), (20.0, 30.0, 40.0)
    arc = measure_arc(cutout(levels), GEOMETRY, np.full((3, SIDE, SIDE), 1.0, np.float32))
    assert arc.from_variance
    for band, level in zip(arc.bands, levels, strict=True):
        assert band.magnitude == pytest.approx(ZERO - 2.5 * np.log10(level * n), abs=0.05)
        assert band.surface_brightness == pytest.approx(
            band.magnitude + 2.5 * np.log10(arc.area_arcsec2), abs=1e-9
        )
        pixels = arc.area_arcsec2 / SCALE**2
        assert band.error == pytest.approx(POGSON / band.snr)
        assert band.snr == pytest.approx(level * n / np.sqrt(pixels), rel=0.05)
    assert n * SCALE**2 <= arc.area_arcsec2 < 2.5 * n * SCALE**2
    assert arc.radius_arcsec == pytest.approx(16 * SCALE, rel=0.1)
    assert arc.brightest.band == "i"


def test_errors_follow_the_variance_and_the_scatter_without_one():
    flux = cutout((20.0, 30.0, 40.0))
    plain = measure_arc(flux, GEOMETRY)
    assert not plain.from_variance
    noisy = measure_arc(flux, GEOMETRY, np.full((3, SIDE, SIDE), 4.0, np.float32))
    for a, b in zip(plain.bands, noisy.bands, strict=True):
        assert b.magnitude == a.magnitude
        assert b.error == pytest.approx(2 * a.error, rel=0.1)
    holes = np.full((3, SIDE, SIDE), 4.0, np.float32)
    holes[:, ::2] = np.nan
    patchy = measure_arc(flux, GEOMETRY, holes)
    assert patchy.bands[0].error == pytest.approx(noisy.bands[0].error)


def test_a_turned_cutout_has_the_same_brightness():
    flux = cutout((20.0, 30.0, 40.0))
    turned = np.ascontiguousarray(np.rot90(flux, axes=(1, 2)))
    a, b = measure_arc(flux, GEOMETRY), measure_arc(turned, GEOMETRY)
    for one, other in zip(a.bands, b.bands, strict=True):
        assert other.magnitude == pytest.approx(one.magnitude, abs=0.02)


def test_a_band_without_light_gives_a_limit_and_one_without_zero_point_nothing():
    geometry = dataclasses.replace(GEOMETRY, zero_points_mag=(ZERO, ZERO, float("nan")))
    arc = measure_arc(cutout((0.0, 30.0, 40.0)), geometry, np.ones((3, SIDE, SIDE), np.float32))
    dark, lit, uncalibrated = arc.bands
    assert dark.is_limit
    assert dark.surface_brightness is None
    assert dark.magnitude > lit.magnitude + 2
    assert (uncalibrated.magnitude, uncalibrated.error) == (None, None)
    assert arc.brightest is lit


def test_colors_agree_or_differ_by_measurement():
    same = measure_arc(cutout((20.0, 30.0, 40.0), second=(20.0, 30.0, 40.0)), GEOMETRY)
    other = measure_arc(cutout((20.0, 30.0, 40.0), second=(40.0, 30.0, 6.0)), GEOMETRY)
    assert same.n_colors == 2
    assert same.one_color > 0.05
    assert "agree within" in same.color_text()
    assert other.one_color < 0.01
    assert "differ by more" in other.color_text()
    alone = measure_arc(cutout((20.0, 30.0, 40.0)), GEOMETRY)
    assert alone.one_color is None
    assert "1 segment with a color" in alone.color_text()


def test_what_cannot_be_measured_is_none():
    empty = np.random.default_rng(2).normal(0, 1, (3, SIDE, SIDE)).astype(np.float32)
    assert measure_arc(empty, GEOMETRY) is None
    picture = dataclasses.replace(GEOMETRY, pixel_kind="rendered")
    assert measure_arc(cutout((20.0, 30.0, 40.0)), picture) is None
