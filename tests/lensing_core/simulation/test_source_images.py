"""Images of real galaxies as sources: reading, cutting free, colors, lensed light."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from lensing_core.errors import BadInputError
from lensing_core.simulation import Component, Deflector, Frame, Scene, render
from lensing_core.simulation.galaxies import generator
from lensing_core.simulation.real_sources import channel_weights, real_source
from lensing_core.simulation.source_images import (
    BUNDLED,
    BUNDLED_FOLDER,
    SourceSet,
    bundled_sources,
    isolate,
    read_sources,
)

FRAME = Frame(80, 0.1, (25.0,), (0.3,))


def gaussian(size, sigma, *, x=0.0, y=0.0):
    axis = np.arange(size) - (size - 1) / 2
    return np.exp(-0.5 * ((axis[None] - x) ** 2 + (axis[:, None] - y) ** 2) / sigma**2)


def noisy(image, rng, sigma=0.01):
    return (image + rng.normal(0, sigma, image.shape)).astype(np.float32)


def test_the_bundled_sets_are_whole_and_small():
    assert sum((BUNDLED_FOLDER / f"{name}.npz").stat().st_size for name in BUNDLED) < 5e6
    assert (BUNDLED_FOLDER / "LICENSE.hst").is_file()
    for name in BUNDLED:
        sources = bundled_sources(name)
        assert len(sources) > 100
        assert np.isfinite(sources.images).all()
        assert (sources.images >= 0).all()
        # Nothing at the edge that would be lensed into a straight line.
        edge = np.concatenate([sources.images[..., 0, :], sources.images[..., -1, :]], axis=-1)
        assert np.percentile(edge.max(axis=(1, 2)), 95) < 0.05
        assert 0.1 < np.median(sources.half_light_radius_arcsec) < 0.4
    with pytest.raises(BadInputError, match="bundled are"):
        bundled_sources("virgo")


def test_a_set_is_written_and_read(tmp_path):
    images = np.stack([[gaussian(16, s)] for s in (1.0, 2.0)]).astype(np.float32)
    SourceSet(images, 0.05, (814.0,)).write(tmp_path / "mine.npz")
    again = read_sources(tmp_path / "mine.npz")
    brightest = images.max(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(again.images, images / brightest, atol=1e-3)
    assert again.wavelengths_nm == (814.0,)
    # A Gaussian's half-light radius is 1.177 sigma.
    np.testing.assert_allclose(
        again.half_light_radius_arcsec, np.array([1.177, 2.355]) * 0.05, rtol=0.25
    )
    np.savez(tmp_path / "other.npz", pictures=images)
    with pytest.raises(BadInputError, match="has no array images"):
        read_sources(tmp_path / "other.npz")


def test_a_folder_of_fits_images_is_read(tmp_path):
    rng = np.random.default_rng(1)
    header = fits.Header({"CDELT1": -0.04 / 3600, "CDELT2": 0.04 / 3600, "CTYPE1": "RA---TAN",
                          "CTYPE2": "DEC--TAN"})  # fmt: skip
    for k in range(2):
        fits.writeto(tmp_path / f"{k}.fits", noisy(gaussian(48, 3.0), rng), header)
    sources = read_sources(tmp_path)
    assert len(sources) == 2
    assert sources.pixel_scale_arcsec == pytest.approx(0.04)
    fits.writeto(tmp_path / "bad.fits", noisy(gaussian(40, 3.0), rng), header)
    with pytest.raises(BadInputError, match=r"bad\.fits.*one grid"):
        read_sources(tmp_path)
    with pytest.raises(BadInputError, match="no such file or folder"):
        read_sources(tmp_path / "nowhere")


def test_sky_neighbors_and_noise_are_cut_off():
    rng = np.random.default_rng(2)
    cutout = noisy(gaussian(64, 3.0) + gaussian(64, 2.0, x=20, y=20) + 0.3, rng)[None]
    image = isolate(cutout, least_snr=10.0, side_px=64)
    assert image is not None
    assert image[0, 45:, 45:].max() == 0
    assert image[0, :8].max() == 0
    assert image.sum() == pytest.approx(2 * np.pi * 9, rel=0.05)


@pytest.mark.parametrize(
    "cutout",
    [
        gaussian(64, 3.0, x=20),  # off the center
        0.03 * gaussian(64, 3.0),  # faint
        gaussian(64, 30.0),  # cut by the edge
        np.full((64, 64), np.nan),
    ],
)
def test_what_is_not_fit_to_be_lensed_is_left_out(cutout):
    cutout = noisy(cutout, np.random.default_rng(3))[None]
    assert isolate(cutout, least_snr=10.0, side_px=64) is None


def test_light_between_channels_is_shared_by_wavelength():
    weights = channel_weights(
        np.array([400.0, 520.0, 645.0, 800.0, 2000.0]), (1250.0, 800.0, 520.0)
    )
    np.testing.assert_allclose(weights.sum(axis=0), 1)
    np.testing.assert_allclose(weights[2, :2], 1)
    np.testing.assert_allclose(weights[1:, 2], 0.5, atol=0.01)
    np.testing.assert_allclose(weights[0, 4], 1)


@pytest.mark.parametrize("name", BUNDLED)
def test_a_real_source_has_the_magnitude_asked_for(name):
    bands = np.array([617.0])
    parts = real_source(generator(1, 2), bundled_sources(name), bands, 1.5, 21.0, 0.4, -0.3)
    flux = render([Scene("x", parts)], FRAME)[0, 0]
    assert flux.sum() == pytest.approx(10 ** (-0.4 * (21.0 - 25.0)), rel=0.02)
    axis = (np.arange(80) - 39.5) * 0.1
    assert (flux * axis[None]).sum() / flux.sum() == pytest.approx(0.4, abs=0.15)
    assert (flux * axis[:, None]).sum() / flux.sum() == pytest.approx(-0.3, abs=0.15)


def test_pixels_are_lensed_as_a_profile_is():
    """A Gaussian of pixels and the same as a Sérsic profile (n = 0.5) make the same arcs."""
    scale, sigma = 0.02, 8.0
    image = gaussian(96, sigma).astype(np.float32)
    magnitudes = np.array([21.0])
    radius = 1.1774 * sigma * scale
    profile = Component(0.3, 0.1, 1, 0, 0.5, radius, magnitudes, lensed=True)
    pixels = Component(
        0.3, 0.1, 1, 0.4, 1, radius, magnitudes, lensed=True, profile="image",
        image=image / image.sum(), image_scale_arcsec=scale,
    )  # fmt: skip
    lens = (Deflector(0, 0, 0.8, 0.5, 1.2),)
    first, second = (render([Scene("x", (part,), lens)], FRAME)[0, 0] for part in (profile, pixels))
    assert first.sum() > 3 * 10 ** (-0.4 * (21.0 - 25.0))
    np.testing.assert_allclose(second, first, atol=0.015 * first.max())
