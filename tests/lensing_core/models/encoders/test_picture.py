"""Pictures of any number of bands for encoders."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lensing_core.cutouts import CutoutGeometry
from lensing_core.models.encoders.picture import BRIGHT_LEVEL, PictureMapping, split_channels


def geometry(bands: int, kind: str = "flux") -> CutoutGeometry:
    names = tuple("ugrizyJHK"[:bands]) if kind == "flux" else ("R", "G", "B")
    zero = 25.0 if kind == "flux" else float("nan")
    return CutoutGeometry("hsc", names, 24, 0.2, kind, (zero,) * bands, (0.8,) * bands)


def galaxies(bands: int, n: int = 60, sky: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(bands)
    axis = np.arange(24) - 11.5
    blob = np.exp(-0.5 * (np.hypot(axis[:, None], axis) / 2.5) ** 2)
    flux = rng.normal(sky, 1, (n, bands, 24, 24)) + 80 * blob
    return flux.astype("f4")


@pytest.mark.parametrize(
    ("bands", "expected"),
    [
        (1, ((0,), (0,), (0,))),
        (2, ((1,), (0, 1), (0,))),
        (3, ((2,), (1,), (0,))),
        (5, ((4,), (2, 3), (0, 1))),
    ],
)
def test_bands_run_from_blue_to_red(bands, expected):
    assert split_channels(bands) == expected


@pytest.mark.parametrize("bands", [1, 2, 3, 5, 9])
def test_levels_lie_between_0_and_1_for_any_number_of_bands(bands):
    flux = galaxies(bands)
    levels = PictureMapping.measure(flux, geometry(bands))(torch.from_numpy(flux))
    assert levels.shape == (60, 3, 24, 24)
    assert levels.min() >= 0
    assert 0.6 < levels[:, :, 11:13, 11:13].mean() <= 1
    assert levels[:, :, :4].mean() < 0.1


def test_color_does_not_depend_on_brightness():
    flux = galaxies(3)
    mapping = PictureMapping.measure(flux, geometry(3))
    faint = torch.tensor([2.0, 4.0, 6.0])[None, :, None, None]
    one, ten = mapping(faint), mapping(10 * faint)
    torch.testing.assert_close(
        one / one.amax(1, keepdim=True), ten / ten.amax(1, keepdim=True), atol=0.12, rtol=0
    )  # the sky of the sample is not quite zero
    assert one[0, 0] > one[0, 1] > one[0, 2]  # the reddest band is red
    assert ten.max() > one.max()


def test_the_unit_of_flux_and_a_constant_sky_do_not_matter():
    flux = galaxies(3)
    plain = PictureMapping.measure(flux, geometry(3))(torch.from_numpy(flux))
    other = (7 * flux + 500).astype("f4")
    found = PictureMapping.measure(other, geometry(3))(torch.from_numpy(other))
    torch.testing.assert_close(found, plain, atol=2e-3, rtol=0)


def test_what_is_missing_is_gray_or_sky():
    flux = galaxies(3)
    mapping = PictureMapping.measure(flux, geometry(3))
    flux[0, 0, 12, 12] = np.nan
    flux[0, :, 0, 0] = np.nan
    levels = mapping(torch.from_numpy(flux))
    assert torch.isfinite(levels).all()
    assert levels[0, :, 0, 0].tolist() == [0, 0, 0]
    assert levels[0, :, 12, 12].min() > 0.3


def test_a_bright_pixel_is_drawn_at_the_stated_level():
    mapping = PictureMapping(((2,), (1,), (0,)), (1.0,) * 3, (0.0,) * 3, 90.0, False)
    level = mapping(torch.full((1, 3, 1, 1), 90.0)).flatten()
    torch.testing.assert_close(level, torch.full((3,), BRIGHT_LEVEL))


def test_a_picture_keeps_its_values():
    picture = np.random.default_rng(0).integers(0, 256, (4, 3, 24, 24)).astype("f4")
    mapping = PictureMapping.measure(picture, geometry(3, "rendered"))
    torch.testing.assert_close(mapping(torch.from_numpy(picture)), torch.from_numpy(picture / 255))
    assert PictureMapping.from_json(mapping.to_json()) == mapping
