"""The input contract: where its limits lie, and what it says beyond them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import ContractError
from lensing_core.models.contract import InputContract, flux_scale

GEOMETRY = CutoutGeometry(
    "hsc", ("g", "r", "i"), 32, 0.168, "flux", (25.0, 27.5, 22.5), (0.9, 0.8, 0.7)
)
CONTRACT = InputContract.of(GEOMETRY)


def test_all_that_does_not_fit_stands_in_one_message():
    wrong = CutoutGeometry("jpg", ("R", "G"), 20, 0.3, "rendered", (np.nan,) * 2, (1.0,) * 2)
    with pytest.raises(ContractError) as refused:
        CONTRACT.fit(wrong, "pictures")
    assert str(refused.value) == (
        "Catalog pictures does not fit the model: pixels are rendered, not flux; bands g, r, i are "
        "missing; pixels are 0.3″, not 0.168″; cutouts have 20 px, fewer than 32. Train on such "
        "cutouts, or choose another ensemble."
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bands": ("g", "r", "I")}, "bands i are missing"),
        ({"size_px": 31}, "31 px, fewer than 32"),
        ({"pixel_kind": "rendered"}, "rendered, not flux"),
        ({"pixel_scale_arcsec": 0.168 * 1.051}, "0.176568″, not 0.168″"),
        ({"pixel_scale_arcsec": 0.168 * 0.949}, "0.159432″, not 0.168″"),
    ],
)
def test_each_misfit_is_named_alone(change, message):
    with pytest.raises(ContractError, match=message) as refused:
        CONTRACT.fit(replace(GEOMETRY, **change), "mine")
    assert ";" not in str(refused.value)


@pytest.mark.parametrize("ratio", [0.951, 1.0, 1.049])
def test_pixels_within_five_percent_are_taken_and_keep_their_scale(ratio):
    near = replace(GEOMETRY, pixel_scale_arcsec=0.168 * ratio)
    assert CONTRACT.fit(near, "mine").geometry == near


def test_own_cutouts_pass_unchanged():
    flux = np.random.default_rng(0).standard_normal((2, 3, 32, 32)).astype(np.float32)
    selection = CONTRACT.fit(GEOMETRY, "mine")
    np.testing.assert_array_equal(selection(flux), flux)
    assert selection.geometry == GEOMETRY


@pytest.mark.parametrize("size", [33, 34, 47])
def test_the_crop_holds_the_center(size):
    """The middle pixel of an odd side, or a middle pixel of an even one, stays in the middle."""
    flux = np.zeros((1, 3, size, size), dtype=np.float32)
    flux[..., size // 2, size // 2] = 1
    cropped = CONTRACT.fit(replace(GEOMETRY, size_px=size), "mine")(flux)
    assert cropped.shape == (1, 3, 32, 32)
    assert [tuple(p) for p in np.argwhere(cropped[0, 0])] == [(16, 16)]


def test_calibration_goes_with_its_band():
    turned = replace(
        GEOMETRY, bands=("z", "i", "g", "r"), zero_points_mag=(np.nan, 22.5, 25.0, 27.5),
        psf_fwhm_arcsec=(9.0, 0.7, 0.9, 0.8),
    )  # fmt: skip
    selection = CONTRACT.fit(turned, "mine")
    assert selection.bands == (2, 3, 1)
    assert selection.geometry == GEOMETRY
    # 2.5 mag are a factor of 10; the band without a zero point is not used.
    np.testing.assert_allclose(flux_scale(selection.geometry), [1, 0.1, 10], rtol=1e-6)


def test_unknown_zero_points_are_asked_for_of_flux_alone():
    unknown = replace(GEOMETRY, zero_points_mag=(np.nan, 27.0, np.nan))
    with pytest.raises(ContractError, match="Bands g, i have no zero point"):
        flux_scale(unknown)
    picture = flux_scale(replace(unknown, pixel_kind="rendered"))
    np.testing.assert_array_equal(picture, np.ones(3, dtype=np.float32))


def test_json_round_trip():
    stored = json.loads(json.dumps(CONTRACT.to_json()))
    assert InputContract.from_json(stored) == CONTRACT
