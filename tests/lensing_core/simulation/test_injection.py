"""Painting arcs: only the light of the source is added."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lensing_core.errors import BadInputError
from lensing_core.imaging.unstretch import PictureStretch
from lensing_core.simulation import Component, Scene, SurveySimulator, galaxies, render
from lensing_core.simulation.hosts import measure_objects, red_and_extended
from lensing_core.simulation.injection import (
    Injector,
    LensLaw,
    check_can_be_painted,
    shape_of_light,
)
from lensing_core.simulation.picture_injection import PicturePainter
from lensing_core.simulation.rendering import Frame
from lensing_core.simulation.source_images import bundled_sources
from lensing_core.simulation.visibility import ArcLimits, Visibility, pixel_noise, second_image_snr
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


def test_bands_without_a_wavelength_are_refused(simulator):
    unknown = replace(simulator.bands[0], wavelength_nm=float("nan"))
    with pytest.raises(BadInputError, match="no wavelength"):
        check_can_be_painted((unknown,), "mine")


@pytest.fixture(scope="module")
def cutouts(simulator):
    return simulator.batch(1, 9).flux


def test_neighbors_in_a_batch_change_nothing(simulator, cutouts):
    injector = Injector(simulator.frame, simulator.bands, 1)
    together = injector.paint_many([7, 3, 5], cutouts[:3])
    alone = injector.paint(3, cutouts[1])
    np.testing.assert_allclose(together[1].flux, alone.flux, atol=1e-4)
    assert together[1].truth["theta_e_arcsec"] == alone.truth["theta_e_arcsec"]


def test_limits_hold_and_laws_differ(simulator, cutouts):
    limits = ArcLimits(30, 4, 8)
    radii = {}
    for law in ("natural", "flat"):
        injector = Injector(
            simulator.frame,
            simulator.bands,
            2,
            LensLaw(law, (0.6, 2.5), (bundled_sources("cosmos_f814w"), None), limits),
        )
        truths = [one.truth for one in injector.paint_many(range(8), cutouts) if one]
        assert len(truths) > 4
        assert all(0.6 <= t["theta_e_arcsec"] <= 2.5 for t in truths)
        names = ("arc_snr", "second_snr", "magnification")
        assert all(limits.met_by(Visibility(*(t[name] for name in names))) for t in truths)
        drawn = [injector._pair(galaxies.generator(5, k), None) for k in range(300)]
        radii[law] = np.median([pair[3] for pair in drawn if pair is not None])
    assert {t["source"] for t in truths} <= {"real", "simulated"}
    # Cross sections favor small radii: the median of the natural law lies far below the middle.
    assert radii["natural"] < 1.2 < 1.4 < radii["flat"] < 1.7


def test_the_second_image_is_the_second(simulator):
    arcs = np.zeros((40, 40))
    arcs[10, 10], arcs[30, 28] = 60, 25
    noise = np.ones((40, 40))
    assert second_image_snr(arcs, noise, 2.0) == pytest.approx(25 / np.sqrt(5))
    arcs[30, 28] = 0
    assert second_image_snr(arcs, noise, 2.0) == 0


def test_pictures_get_arcs_and_keep_the_rest(simulator, cutouts):
    survey = get_survey("cfhtls")
    bands = tuple(survey.band(name) for name in survey.rgb_bands)
    frame = Frame(
        64, survey.pixel_scale_arcsec, tuple(b.zero_point_mag for b in bands),
        tuple(b.psf_fwhm_arcsec for b in bands),
    )  # fmt: skip
    stretch = PictureStretch(0.3)
    light = (cutouts / pixel_noise(cutouts[0])[:, None, None] + 3) / 20
    pictures = stretch.picture(light[:4])
    painter = PicturePainter(Injector(frame, bands, 1), stretch)
    painted = [one.flux for one in painter.paint_many(range(4), pictures) if one]
    assert len(painted) >= 2
    for before, after in zip(pictures, painted, strict=False):
        assert np.array_equal(after, np.round(after))
        assert 0 <= after.min() <= after.max() <= 255
        assert (after != before).any()
    nothing = Injector(frame, bands, 1, LensLaw(limits=ArcLimits(1e9)))
    assert PicturePainter(nothing, stretch).paint_many([0], pictures[:1]) == [None]


def test_hosts_are_red_and_extended(simulator):
    axis = np.arange(48) - 23.5
    r = np.hypot(axis[:, None], axis[None])
    rng = np.random.default_rng(1)

    def image(width, colors):
        shape = np.exp(-0.5 * (r / width) ** 2)
        return np.stack([c * shape for c in colors]) + rng.normal(0, 1, (3, 48, 48))

    red, blue, star = (5, (20, 60, 90)), (5, (90, 60, 20)), (1.4, (40, 120, 180))
    kinds = (red, blue, star, (5, (0, 0.1, 0.2)), red)
    images = np.stack([image(*kind) for kind in kinds]).astype(np.float32)
    measures = measure_objects(images, 0.25)
    chosen = red_and_extended(measures, 0.8)
    assert chosen.tolist() == [True, False, False, False, True]
    pictures = measure_objects(images[:, ::-1], 0.25, blue_first=False)
    np.testing.assert_allclose(pictures.color, measures.color)
