"""Pictures to light and back."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.visualization import make_lupton_rgb
from hypothesis import given
from hypothesis import strategies as st

from lensing_core.errors import BadInputError
from lensing_core.imaging.unstretch import PictureStretch, estimate_stretch


@given(st.integers(0, 2**32 - 1), st.floats(0.02, 5))
def test_painting_nothing_gives_the_same_picture(seed, gain):
    picture = np.random.default_rng(seed).integers(0, 256, (3, 6, 6)).astype(np.float32)
    picture[:, 0, 0], picture[:, 0, 1], picture[0, 1] = 0, 255, 0
    stretch = PictureStretch(gain)
    np.testing.assert_array_equal(stretch.picture(stretch.light(picture)), picture)


def scene(rng, n=30, sigma=1.0):
    """Galaxies of several sizes on white noise: (n, 3, 48, 48)."""
    axis = np.arange(48) - 23.5
    r = np.hypot(axis[:, None], axis[None])[None, None]
    width = rng.uniform(4, 8, (n, 1, 1, 1))
    peak = 10 ** rng.uniform(1.5, 3.0, (n, 3, 1, 1))
    return peak * np.exp(-0.5 * (r / width) ** 2) + rng.normal(0, sigma, (n, 3, 48, 48))


@pytest.mark.parametrize("q", [3.0, 8.0, 20.0])
def test_light_is_that_of_astropys_pictures(q):
    axis = np.arange(48) - 23.5
    shape = np.exp(-(axis[:, None] ** 2 + axis[None] ** 2) / 200)
    light = np.array([1.0, 0.8, 0.6])[:, None, None] * (20 + 400 * shape)
    levels = make_lupton_rgb(*light, stretch=1000, Q=q, output_dtype=np.float64)
    picture = np.round(levels.transpose(2, 0, 1) * 255)
    found = PictureStretch.of_recipe("lupton", q).light(picture)
    bright = (picture.min(axis=0) > 10) & (picture.max(axis=0) < 250)
    assert bright.sum() > 20
    ratio = (found / light)[:, bright]
    np.testing.assert_allclose(ratio / np.median(ratio), 1, atol=0.06)


@pytest.mark.parametrize("gain", [0.1, 0.2236, 0.4])
def test_the_stretch_is_estimated_from_the_noise(gain):
    truth = PictureStretch(gain)
    softening = 12.0
    pictures = truth.picture((scene(np.random.default_rng(2)) + 4) / softening)
    assert estimate_stretch(pictures).gain == pytest.approx(gain, rel=0.5)


def test_recipes_and_refusals():
    assert PictureStretch.of_recipe("legacy", 20).gain == pytest.approx(20**-0.5)
    assert PictureStretch.of_recipe("humvi", 2).gain == 0.5
    with pytest.raises(BadInputError, match="choose one of humvi"):
        PictureStretch.of_recipe("photoshop", 2)
    with pytest.raises(BadInputError, match="above 0"):
        PictureStretch.of_recipe("humvi", 0)
    with pytest.raises(BadInputError, match="give its recipe"):
        estimate_stretch(np.zeros((2, 3, 16, 16), dtype=np.float32))
