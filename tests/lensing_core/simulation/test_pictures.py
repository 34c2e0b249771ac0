"""Pictures of simulated objects, as public viewers hand them out."""

from __future__ import annotations

import numpy as np

from lensing_core.simulation.pictures import simulated_picture
from lensing_core.surveys import get_survey

SURVEY = get_survey("hsc")
BANDS = [SURVEY.band(name) for name in SURVEY.rgb_bands]


def picture(flux, seed=0):
    return simulated_picture(flux.astype(np.float32), BANDS, 0.168, np.random.default_rng(seed))


def test_levels_are_whole_numbers_of_eight_bits_and_rise_with_the_flux():
    flux = np.broadcast_to(np.linspace(0, 20, 64), (3, 8, 64))
    levels = picture(flux)
    assert (levels.shape, levels.dtype) == ((3, 8, 64), np.float32)
    assert np.array_equal(levels, np.round(levels))
    assert levels.min() >= 0
    assert levels.max() <= 255
    brightness = levels.sum(axis=0)[0]
    assert (np.diff(brightness) >= -3).all()  # rounding of three channels
    assert brightness[-1] > brightness[0]


def test_missing_pixels_are_black_and_every_object_draws_its_own_stretch():
    flux = np.random.default_rng(1).normal(1, 1, (3, 16, 16))
    flux[:, 3, 4] = np.nan
    assert (picture(flux)[:, 3, 4] == 0).all()
    assert np.array_equal(picture(flux), picture(flux))
    assert not np.array_equal(picture(flux), picture(flux, seed=2))
