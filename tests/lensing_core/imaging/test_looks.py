"""Looks of other viewers, by their published formulas."""

from __future__ import annotations

from math import asinh, exp, sqrt

import numpy as np
import pytest

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError
from lensing_core.imaging import LOOKS, SkyNoise, looks_of, render_rgb

NO_SKY = SkyNoise(np.zeros(3), np.ones(3))


def geometry(zero_point: float = 22.5, scale: float = 0.262, bands="grz") -> CutoutGeometry:
    return CutoutGeometry(
        "decals", tuple(bands), 8, scale, "flux", (zero_point,) * 3, (1.3, 1.2, 1.1)
    )


def pixel(look: str, flux: tuple[float, ...], known: CutoutGeometry) -> np.ndarray:
    image = np.ones((3, 8, 8), dtype="f4") * np.reshape(flux, (3, 1, 1))
    drawn = render_rgb(image.astype("f4"), known, NO_SKY, bands=known.bands[::-1], look=look)
    return drawn[0, 0]


def test_the_legacy_look_is_the_viewers() -> None:
    g, r, z = 0.05, 0.1, 0.2  # nanomaggies a pixel
    scaled = [z * 2.2 + 0.03, r * 3.4 + 0.03, g * 6.0 + 0.03]
    mean = sum(scaled) / 3
    factor = asinh(20 * mean) / sqrt(20) / mean
    wanted = [round(255 * min(1, value * factor)) for value in scaled]
    assert pixel("legacy", (g, r, z), geometry())[:3] == pytest.approx(wanted, abs=1)
    deeper = geometry(zero_point=25.0)  # the same light in other units
    assert pixel("legacy", (0.5, 1.0, 2.0), deeper)[:3] == pytest.approx(wanted, abs=1)


def test_the_legacy_look_is_dark_and_not_black_on_the_sky() -> None:
    assert pixel("legacy", (0, 0, 0), geometry())[:3].tolist() == [32, 32, 32]


def test_the_hsc_look_is_the_maps() -> None:
    flux = (0.2, 0.5, 1.0)  # at zero point 27: of AB 19 a pixel this is 10^-3.2 of each
    known = geometry(27.0, 0.168, "gri")
    scale = exp(10)
    wanted = [
        (asinh(scale * value * 10**-3.2) / asinh(scale) + 0.05) / (2 / 3 + 0.05)
        for value in reversed(flux)
    ]
    found = pixel("hsc", flux, known)
    assert found[:3] == pytest.approx([round(255 * min(1, w)) for w in wanted], abs=1)


def test_looks_by_flux_keep_surface_brightness() -> None:
    fine = geometry(27.0, 0.084, "gri")
    coarse = geometry(27.0, 0.168, "gri")
    same = pixel("hsc", (4.0, 8.0, 16.0), coarse)
    assert pixel("hsc", (1.0, 2.0, 4.0), fine) == pytest.approx(same, abs=1)


def test_without_zero_points_there_is_no_look_by_flux() -> None:
    blind = geometry(float("nan"))
    assert looks_of(blind) == ("detail", "lupton")
    assert looks_of(geometry()) == LOOKS
    with pytest.raises(BadInputError, match="without a zero point"):
        pixel("legacy", (1, 1, 1), blind)


def test_a_pixel_without_data_in_a_band_is_transparent_in_looks_by_flux() -> None:
    image = np.ones((3, 8, 8), dtype="f4")
    image[1, 2, 2] = np.nan
    for look in ("legacy", "hsc"):
        drawn = render_rgb(image, geometry(), NO_SKY, look=look)[::-1]
        assert drawn[2, 2, 3] == 0
        assert (drawn[..., 3] == 255).sum() == 63
