"""The default look: brightness of the sharp bands, color where there is light enough to tell it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from lensing_core.cutouts import CutoutGeometry
from lensing_core.imaging import AsinhStretch, SkyNoise, color_gains, render_rgb, suited_stretch
from lensing_core.imaging.detail import DetailPlanes, detail_planes, detail_rgb
from lensing_core.imaging.smoothing import smooth
from lensing_core.surveys import get_survey

SIZE = 64
ALL = (True, True, True)
SAME = (3.0, 3.0, 3.0)


def sky(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(3, SIZE, SIZE))


def blob(x: float, y: float, width: float = 3.0) -> np.ndarray:
    axis = np.arange(SIZE)
    return np.exp(-0.5 * ((axis - x) ** 2 + (axis[:, None] - y) ** 2) / width**2)


def planes(channels: np.ndarray, widths=SAME, is_band=ALL, limits=None) -> DetailPlanes:
    return detail_planes(channels, channels, widths, is_band, limits)


def test_smoothing_is_a_gaussian_mean_of_what_is_known() -> None:
    image = sky()
    one, two = smooth(image, (2.0, 1.5, 0.0), (3.0, 3.0, 3.0))
    inner = slice(12, -12)
    for found, sigma in ((one[0], 2.0), (one[1], 1.5), (two[0], 3.0)):
        plane = image[1] if sigma == 1.5 else image[0]
        theirs = gaussian_filter(plane, sigma, truncate=5.0)
        assert found[inner, inner] == pytest.approx(theirs[inner, inner], abs=1e-3)
    assert one[2] == pytest.approx(image[2])
    level = np.full((1, SIZE, SIZE), 7.0)
    assert smooth(level, (2.0,))[0] == pytest.approx(level, rel=1e-3)
    level[0, 20:24, 20:24] = level[0, -1] = np.nan
    assert smooth(level, (1.5,))[0] == pytest.approx(np.full((1, SIZE, SIZE), 7.0), rel=2e-3)
    hole = np.full((1, SIZE, SIZE), np.nan)
    hole[0, :10] = 1
    assert np.isnan(smooth(hole, (1.0,))[0][0, 20:]).all()


@pytest.mark.parametrize("width", [1.5, 3.0, 4.5, 7.0])
def test_noise_is_gray(width: float) -> None:
    color = planes(sky(), (width,) * 3).color
    assert np.quantile(np.abs(color - 1), 0.995) < 0.05


@pytest.mark.parametrize("width", [3.0, 4.5])
def test_a_faint_arc_keeps_its_color_beside_a_galaxy_of_another(width: float) -> None:
    galaxy, arc = blob(32, 32, 4.0), blob(48, 32, 2.0)
    channels = sky() + np.stack(
        [60 * galaxy + 2 * arc, 40 * galaxy + 4 * arc, 20 * galaxy + 9 * arc]
    )
    color = planes(channels, (width,) * 3).color
    red, _, blue = color[:, 32, 32]
    assert red > 1.2 > 1 > blue
    red, _, blue = color[:, 31:34, 47:50].mean(axis=(1, 2))
    assert blue > 1.2 > 1 > red


def test_brightness_is_that_of_the_sharp_band_with_the_noise_of_all() -> None:
    channels = sky()
    wide = planes(channels, widths=(5.0, 5.0, 1.6))
    assert wide.intensity == pytest.approx(channels[2] / np.sqrt(3))
    alike = planes(channels, widths=(1.6, 2.0, 1.6))
    assert alike.intensity == pytest.approx(channels.mean(axis=0))
    unknown = planes(channels, widths=(np.nan,) * 3)
    assert unknown.intensity == pytest.approx(channels.mean(axis=0))


def test_a_band_that_is_little_wider_and_far_deeper_gives_brightness_too() -> None:
    channels = sky()
    found = planes(channels, widths=(4.0, 2.5, 1.0), limits=(0.1, 0.1, 1.0)).intensity
    assert found == pytest.approx((channels[1] + channels[2]) / np.sqrt(6))
    shallow = planes(channels, widths=(4.0, 2.5, 1.0), limits=(0.1, 0.5, 1.0)).intensity
    assert shallow == pytest.approx(channels[2] / np.sqrt(3))


def test_where_the_sharp_band_has_no_data_the_others_stand_in_without_color() -> None:
    channels = sky() + 50 * blob(32, 32) * np.array([3, 2, 1])[:, None, None]
    channels[2, 30:34, 30:34] = np.nan
    channels[:, 0, 0] = np.nan
    found = planes(channels, widths=(5.0, 5.0, 1.6))
    assert found.intensity[31, 31] == pytest.approx(channels[:2, 31, 31].sum() / np.sqrt(6))
    assert (found.color[:, 31, 31] == 1).all()
    levels, known = detail_rgb(found, AsinhStretch())
    assert not known[0, 0]
    assert (levels[0, 0] == 0).all()
    assert known.sum() == SIZE**2 - 1


def test_images_of_odd_sides_with_gaps_keep_their_shape() -> None:
    channels = sky()[:, :63, :63] + 50 * blob(32, 32)[:63, :63]
    channels[:, :5] = np.nan
    found = planes(channels, (4.5,) * 3)
    assert found.color.shape == (3, 63, 63)
    assert np.isfinite(found.color).all()
    assert (found.color[:, :5] == 1).all()


def test_one_band_alone_is_gray() -> None:
    gray = np.repeat(sky()[:1], 3, axis=0) + 40 * blob(32, 32)
    found = planes(gray, is_band=(True, False, False))
    assert (found.color == 1).all()
    assert found.intensity == pytest.approx(gray[0])


def test_the_unit_of_color_does_not_matter() -> None:
    channels = sky() + 30 * blob(32, 32) * np.array([3, 2, 1])[:, None, None]
    one = detail_planes(channels, channels, SAME, ALL)
    two = detail_planes(channels, channels * 1e-7, SAME, ALL)
    assert two.color == pytest.approx(one.color, rel=1e-5)


def test_a_spectrum_of_the_neutral_slope_is_gray_in_every_survey() -> None:
    for name in ("hsc", "euclid", "des"):
        survey = get_survey(name)
        bands = survey.band_names
        zero_points = tuple(band.zero_point_mag for band in survey.bands)
        unknown = (np.nan,) * len(bands)
        geometry = CutoutGeometry(name, bands, 32, 0.2, "flux", zero_points, unknown)
        gains = color_gains(geometry, survey)
        assert gains is not None
        flux = [10 ** (0.4 * b.zero_point_mag) * b.wavelength_nm**1.5 for b in survey.bands]
        drawn = np.array(flux) * gains
        assert drawn == pytest.approx(np.full(len(bands), drawn[0]))
    blind = CutoutGeometry(name, bands, 32, 0.2, "flux", unknown, unknown)
    assert color_gains(blind, survey) is None
    assert color_gains(geometry, None) is None


def test_the_euclid_default_shows_an_arc_that_only_vis_resolves() -> None:
    """An arc about a galaxy: in VIS narrow, in the wide bands of NISP smeared into the galaxy."""
    y, x = np.mgrid[:SIZE, :SIZE] - 31.5
    radius = np.hypot(x, y)
    ring = np.exp(-0.5 * ((radius - 12) / 1.2) ** 2) * (x > 0)
    galaxy = np.exp(-radius / 6)
    image = np.stack(
        [4 * ring + 10 * galaxy, 90 * gaussian_filter(galaxy, 3), 100 * gaussian_filter(galaxy, 3)]
    ) + sky(4)
    geometry = CutoutGeometry(
        "euclid", ("VIS", "J", "H"), SIZE, 0.1, "flux", (24.6, 30.0, 29.9), (0.16, 0.49, 0.5)
    )
    noise = SkyNoise(np.zeros(3), np.ones(3))

    def contrast(look: str) -> float:
        drawn = render_rgb(image.astype("f4"), geometry, noise, bands=("H", "J", "VIS"), look=look)
        gray = drawn[::-1, :, :3].astype(float).mean(axis=2)
        on = gray[(np.abs(radius - 12) < 1) & (x > 4)].mean()
        off = gray[(np.abs(radius - 12) < 1) & (x < -4)].mean()
        return on / off

    assert contrast("detail") > 1.4 > 1.2 > contrast("lupton")


def test_the_stretch_suits_the_brightness_that_is_drawn() -> None:
    image = (sky() + 200 * blob(32, 32)).astype("f4")
    geometry = CutoutGeometry(
        "hsc", ("g", "r", "i"), SIZE, 0.168, "flux", (27.0,) * 3, (0.8, 0.7, 0.6)
    )
    noise = SkyNoise(np.zeros(3), np.ones(3))
    suited = suited_stretch(image, geometry, noise)
    assert (
        render_rgb(image, geometry, noise) == render_rgb(image, geometry, noise, parameters=suited)
    ).all()
    assert suited.black > suited_stretch(image, geometry, noise, look="lupton").black
