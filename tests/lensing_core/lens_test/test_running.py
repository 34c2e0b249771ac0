"""The lens test on simulated cutouts with known answers."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError
from lensing_core.lens_test import (
    LensTestResult,
    LensTestSettings,
    pack_pictures,
    run_lens_test,
    unpack_pictures,
)
from lensing_core.simulation import Component, Deflector, Frame, Scene, render

THETA_E = 1.25
SIDE, SCALE, FWHM = 44, 0.18, 0.65
QUICK = LensTestSettings(starts=3, max_theta_e_arcsec=2.0)
GALAXY = Component(0.03, -0.04, 0.8, 0.4, 3.0, 0.8, np.array([19.6, 19.0]))
SOURCE = Component(0.25, 0.15, 0.8, 1.0, 1.0, 0.2, np.array([22.4, 22.6]), lensed=True)
MASS = Deflector(0.03, -0.04, 0.75, 0.4, THETA_E, 0.03, -0.02)
RING = Component(0, 0, 0.75, 0.4, 1.0, 1.2, np.array([20.8, 20.9]), profile="ring", ring_width=0.15)
SPIRAL = Component(
    0, 0, 0.6, 0.4, 1.0, 1.0, np.array([19.3, 19.0]),
    profile="spiral", arms=2, winding=3.0, arm_contrast=0.8,
)  # fmt: skip


def geometry(bands: int = 2, size_px: int = SIDE) -> CutoutGeometry:
    return CutoutGeometry(
        "test", ("g", "r")[:bands], size_px, SCALE, "flux", (27.0,) * bands, (FWHM,) * bands
    )


SCENES = {
    "lens": Scene("lens", (GALAXY, SOURCE), (MASS,)),
    "ring": Scene("ring", (GALAXY, RING)),
    "spiral": Scene("spiral", (SPIRAL, GALAXY)),
    "noise": Scene("noise", ()),
}


@cache
def cutout(name: str) -> NDArray[np.float32]:
    frame = Frame(SIDE, SCALE, (27.0, 27.0), (FWHM, FWHM))
    scene = SCENES[name]
    noise = np.random.default_rng(3).normal(0, 0.25, (2, SIDE, SIDE))
    return (render([scene], frame)[0] + noise).astype(np.float32)


@cache
def lens() -> LensTestResult:
    return run_lens_test(cutout("lens"), geometry(), QUICK)


def test_a_simulated_lens_is_supported_with_its_einstein_radius() -> None:
    found = lens()
    assert found.verdict == "supports"
    assert found.sentence.startswith("Supports a lens: ")
    error = found.theta_e_arcsec.error
    assert 0 < error < 0.1
    assert abs(found.theta_e_arcsec.value - THETA_E) < 3 * error
    assert abs(found.axis_ratio.value - 0.75) < 4 * found.axis_ratio.error
    assert math.hypot(found.lens_x_arcsec - 0.03, found.lens_y_arcsec + 0.04) < 0.1


def test_its_numbers_fit_together() -> None:
    found = lens()
    assert 0.7 < found.reduced_chi2 < 1.2 < found.reduced_chi2_no_lens
    assert found.evidence.delta_bic > 100
    assert len(found.images) == found.evidence.n_images >= 2
    told = found.to_json()
    assert told["title"] == "Supports a lens"
    assert told["indicative"].startswith("Indicative")
    assert told["version"] == 1
    assert told["settings"]["starts"] == 3


def test_its_pictures_add_up_to_the_cutout() -> None:
    found, data = lens(), cutout("lens")
    parts = found.pictures
    shown = slice(found.first_px, SIDE - found.first_px)
    data = data[:, shown, shown]
    counted = np.isfinite(parts.sigma)
    residual = (data - parts.galaxy - parts.arcs)[counted]  # less the sky, which is 0 here
    assert abs(float(np.median(residual))) < 0.1
    assert float(np.std(residual)) == pytest.approx(0.25, rel=0.25)
    assert parts.source.max() > 0


def test_pictures_are_kept_to_three_digits() -> None:
    pictures = lens().pictures
    kept = unpack_pictures(pack_pictures(pictures))
    np.testing.assert_allclose(kept.arcs, pictures.arcs, atol=1e-3 * pictures.arcs.max())
    assert np.array_equal(np.isfinite(kept.sigma), np.isfinite(pictures.sigma))
    assert kept.source_scale_arcsec == pictures.source_scale_arcsec


def test_one_band_and_clicked_positions_find_the_same() -> None:
    clicked = replace(QUICK, positions_arcsec=tuple((x, y) for x, y, _ in lens().images))
    data = cutout("lens")[:1]
    found = run_lens_test(data, geometry(1), clicked)
    assert found.theta_e_arcsec.value == pytest.approx(THETA_E, abs=0.1)
    assert found.settings["positions_arcsec"]


def test_pixels_without_data_do_not_count() -> None:
    data = cutout("lens").copy()
    data[:, :7] = np.nan
    data[1, 20:24, 30:40] = np.nan
    found = run_lens_test(data, geometry(), QUICK)
    assert found.theta_e_arcsec.value == pytest.approx(THETA_E, abs=0.1)
    assert np.isnan(found.pictures.sigma[:, : 7 - found.first_px]).all()
    assert found.n_pixels < lens().n_pixels


@pytest.mark.parametrize("name", ["ring", "spiral"])
def test_rings_and_spirals_support_no_lens(name: str) -> None:
    found = run_lens_test(cutout(name), geometry(), QUICK)
    assert found.verdict != "supports", found.sentence


def test_noise_alone_cannot_be_told() -> None:
    found = run_lens_test(cutout("noise"), geometry(), QUICK)
    assert found.verdict == "unclear"
    assert "too little light" in found.sentence


@pytest.mark.parametrize(
    ("shape", "kind", "fwhm", "sentence"),
    [
        ((1, 16, 16), "flux", 0.6, "a lens test needs at least 24"),
        ((1, 32, 32), "rendered", 0.6, "rendered pictures"),
        ((1, 32, 32), "flux", math.nan, "PSF width"),
    ],
)
def test_what_cannot_be_fitted_is_refused(
    shape: tuple[int, int, int], kind: str, fwhm: float, sentence: str
) -> None:
    made = CutoutGeometry("test", ("g",), shape[1], 0.2, kind, (27.0,), (fwhm,))
    with pytest.raises(BadInputError, match=sentence):
        run_lens_test(np.zeros(shape, dtype=np.float32), made)


def test_a_band_without_data_is_left_out() -> None:
    data = cutout("lens").copy()
    data[1] = np.nan
    found = run_lens_test(data, geometry(), QUICK)
    assert found.bands == ("g",)
    data[0] = np.nan
    with pytest.raises(BadInputError, match="No band"):
        run_lens_test(data, geometry(), QUICK)


def test_settings_out_of_bounds_are_refused() -> None:
    for wrong in (
        {"starts": 0}, {"max_theta_e_arcsec": 99.0}, {"positions_arcsec": ((0.0, math.nan),)}
    ):  # fmt: skip
        with pytest.raises(BadInputError):
            LensTestSettings(**wrong)
    assert LensTestSettings().key != QUICK.key
