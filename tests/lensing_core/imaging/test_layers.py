"""Residuals and S/N of cutouts whose galaxy, arcs and noise are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError
from lensing_core.imaging import (
    check_layer,
    fit_galaxy_light,
    layer_noise,
    light_residual,
    signal_to_noise,
    sky_noise,
)
from lensing_core.imaging.noise import SkyNoise

PSF_FWHM_PX = 4.2


def galaxy(
    side: int, *, peak: float, n: float, q: float = 0.7, shift: tuple[float, float] = (0.4, -0.7)
) -> np.ndarray:
    """A Sérsic galaxy behind a Gaussian PSF, off the middle by ``shift``; pixels integrated."""
    fine = 5
    axis = (np.arange(side * fine) + 0.5) / fine - side / 2
    x, y = axis[None, :] - shift[0], axis[:, None] - shift[1]
    u, v = np.cos(0.6) * x + np.sin(0.6) * y, np.cos(0.6) * y - np.sin(0.6) * x
    radius = np.sqrt(q * u**2 + v**2 / q)
    light = np.exp(-(2 * n - 1 / 3) * (radius / (0.08 * side)) ** (1 / n))
    light = gaussian_filter(light, PSF_FWHM_PX / 2.3548 * fine)
    light = light.reshape(side, fine, side, fine).mean(axis=(1, 3))
    return peak * light / light.max()


def polar(side: int, shift: tuple[float, float] = (0.4, -0.7)) -> tuple[np.ndarray, np.ndarray]:
    axis = np.arange(side) - (side - 1) / 2
    x, y = axis[None, :] - shift[0], axis[:, None] - shift[1]
    return np.hypot(x, y), np.arctan2(y, x)


@pytest.mark.parametrize(("side", "n", "q"), [(64, 1, 0.7), (64, 4, 0.85), (120, 4, 1.0)])
def test_a_smooth_galaxy_leaves_noise(side, n, q) -> None:
    rng = np.random.default_rng(1)
    light = galaxy(side, peak=500, n=n, q=q)
    image = np.stack([light, 0.4 * light]) + rng.normal(size=(2, side, side))
    found = fit_galaxy_light(image, PSF_FWHM_PX)
    middle = (side - 1) / 2
    assert found.center_px == pytest.approx((middle + 0.4, middle - 0.7), abs=0.05)
    residual = image - found.model
    assert residual.std() == pytest.approx(1, abs=0.05)
    # 2 % of the peak, noise included.
    assert np.abs(residual).max() < 10


@pytest.mark.parametrize("shape", ["arc", "ring"])
def test_what_is_lensed_stays_in_the_residual(shape) -> None:
    rng = np.random.default_rng(2)
    side = 100
    radius, azimuth = polar(side)
    turn = np.abs(np.angle(np.exp(1j * (azimuth - 1))))
    lensed = 15 * np.exp(-0.5 * ((radius - 20) / 2) ** 2)
    if shape == "arc":
        lensed = lensed * np.exp(-0.5 * (turn / 0.6) ** 2)
    image = galaxy(side, peak=500, n=2) + lensed + rng.normal(size=(side, side))
    residual = (image - fit_galaxy_light(image[None], PSF_FWHM_PX).model)[0]
    on = lensed > 3
    assert residual[on].sum() / lensed[on].sum() > (0.85 if shape == "arc" else 0.6)
    away = (lensed < 0.05) & (radius > 8)
    assert residual[away].std() == pytest.approx(1, abs=0.15)


def test_missing_pixels_and_bands_stay_missing() -> None:
    rng = np.random.default_rng(3)
    image = np.stack([galaxy(64, peak=200, n=1)] * 3) + rng.normal(size=(3, 64, 64))
    image[0, rng.random((64, 64)) < 0.3] = np.nan
    image[2] = np.nan
    geometry = CutoutGeometry("test", ("g", "r", "i"), 64, 0.2, "flux", (25.0,) * 3, (0.84,) * 3)
    flux = (5 + 0.1 * image).astype(np.float32)
    residual = light_residual(flux, geometry, SkyNoise(np.full(3, 5.0), np.full(3, 0.1)))
    np.testing.assert_array_equal(np.isnan(residual), np.isnan(flux))
    assert np.nanstd(residual[:2], axis=(1, 2)) == pytest.approx([0.1, 0.1], rel=0.08)
    assert abs(np.nanmedian(residual[:2])) < 0.01  # the sky of 5 is gone
    nothing = np.full((3, 64, 64), np.nan, dtype=np.float32)
    assert np.isnan(light_residual(nothing, geometry, sky_noise(flux))).all()


def test_an_empty_sky_is_left_as_it_is() -> None:
    image = np.random.default_rng(4).normal(size=(1, 64, 64))
    residual = image - fit_galaxy_light(image, np.nan).model
    assert residual.std() == pytest.approx(1, abs=0.05)


def test_signal_to_noise_takes_the_variance_map_where_there_is_one() -> None:
    flux = np.full((2, 8, 8), 6.0, dtype=np.float32)
    noise = SkyNoise(np.zeros(2), np.array([2.0, 3.0]))
    np.testing.assert_allclose(signal_to_noise(flux, noise, None)[:, 0, 0], [3, 2])
    variance = np.full((2, 8, 8), np.nan, dtype=np.float32)
    variance[0] = 9
    variance[0, 0, 0] = 0
    found = signal_to_noise(flux, noise, variance)
    assert np.isnan(found[0, 0, 0])
    np.testing.assert_allclose([found[0, 1, 1], found[1, 1, 1]], [2, 2])
    assert layer_noise("snr", noise).sigma.tolist() == [1, 1]
    assert layer_noise("residual", noise).sigma.tolist() == [2, 3]


def test_a_picture_has_no_residual() -> None:
    geometry = CutoutGeometry(
        "test", ("R", "G", "B"), 64, 0.2, "rendered", (np.nan,) * 3, (0.8,) * 3
    )
    check_layer("image", geometry)
    with pytest.raises(BadInputError, match="no flux"):
        check_layer("residual", geometry)
