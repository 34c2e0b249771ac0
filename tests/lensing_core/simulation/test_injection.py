"""Painting arcs: only the light of the source is added."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lensing_core.errors import BadInputError
from lensing_core.simulation import Component, Scene, SurveySimulator, render
from lensing_core.simulation.injection import (
    Injector,
    check_can_be_painted,
    pixel_noise,
    shape_of_light,
)
from lensing_core.surveys import get_survey


@pytest.fixture(scope="module")
def simulator():
    survey = get_survey("hsc")
    return SurveySimulator(survey, tuple(survey.band(b) for b in "gri"), 64, 0.0, 3)


@pytest.fixture(scope="module")
def galaxy(simulator):
    return simulator.batch(0, 1).flux[0]


def test_the_galaxy_stays_and_arcs_come(simulator, galaxy):
    image = galaxy.copy()
    image[1, :, 10:14] = np.nan
    painted = Injector(simulator.frame, simulator.bands, 1).paint(0, image)
    assert painted is not None
    np.testing.assert_array_equal(np.isnan(painted.flux), np.isnan(image))
    added = np.nan_to_num(painted.flux - image)
    noise = pixel_noise(image)
    assert (np.sqrt((added**2).sum(axis=(1, 2))) / noise).max() > 20
    # Far from the arcs nothing changes by more than a fraction of the noise.
    axis = (np.arange(64) - 31.5) * simulator.frame.pixel_scale_arcsec
    far = np.hypot(axis[:, None], axis[None, :]) > 3 * painted.truth["theta_e_arcsec"] + 2
    assert np.abs(added[:, far]).max() < noise.max()
    assert painted.truth["class"] == "injected_lens"
    assert painted.truth["arc_snr"] >= 20


def test_the_same_number_paints_the_same_arcs(simulator, galaxy):
    injector = Injector(simulator.frame, simulator.bands, 1)
    first, again, other = (injector.paint(k, galaxy) for k in (4, 4, 5))
    np.testing.assert_array_equal(first.flux, again.flux)
    assert not np.array_equal(first.flux, other.flux)


def test_the_lens_stands_at_the_galaxys_redshift(simulator, galaxy):
    painted = Injector(simulator.frame, simulator.bands, 1).paint(0, galaxy, redshift=0.43)
    assert painted.truth["z_lens"] == 0.43
    assert painted.truth["z_source"] > 0.53


def test_a_psf_of_the_image_is_used(simulator, galaxy):
    """A one-pixel PSF makes arcs sharper than the survey's: more light in the brightest pixel."""
    sharp = np.zeros((3, 5, 5), dtype=np.float32)
    sharp[:, 2, 2] = 1
    injector = Injector(replace(simulator.frame, psf_fwhm_arcsec=(0.8,) * 3), simulator.bands, 1)
    attempts = [injector.paint(k, galaxy, psf=sharp) for k in range(3)]
    for painted in attempts:
        added = painted.flux - galaxy
        blurred = render([Scene("x", (_point(),))], injector.frame)[0]
        assert added.max() > 0
        assert blurred.max() < 1  # the survey's own PSF spreads a point of unit flux


def _point() -> Component:
    return Component(0, 0, 1, 0, 1, 0, np.array([27.0, 27.0, 27.0]), profile="point")


def test_an_image_without_data_is_left_out(simulator):
    empty = np.full((3, 64, 64), np.nan, dtype=np.float32)
    assert Injector(simulator.frame, simulator.bands, 1).paint(0, empty) is None


@pytest.mark.parametrize("angle", [0.0, 0.7, 1.5])
def test_the_shape_of_a_galaxy_is_found(simulator, angle):
    part = Component(0, 0, 0.6, angle, 2.0, 0.7, np.array([20.0]))
    frame = replace(simulator.frame, zero_points_mag=(27.0,), psf_fwhm_arcsec=(0.6,))
    axis_ratio, found = shape_of_light(render([Scene("x", (part,))], frame)[0, 0])
    turn = (found - angle + np.pi / 2) % np.pi - np.pi / 2
    assert turn == pytest.approx(0, abs=0.05)
    assert 0.5 < axis_ratio < 0.85


def test_colour_pictures_are_refused(simulator):
    with pytest.raises(BadInputError, match="no flux"):
        check_can_be_painted(simulator.bands, "rendered", "cfhtls")
