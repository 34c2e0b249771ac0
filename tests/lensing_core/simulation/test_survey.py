from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from lensing_core.errors import BadInputError
from lensing_core.simulation import SurveySimulator, clusters, render
from lensing_core.simulation.contaminants import CONTAMINANTS
from lensing_core.simulation.noise import observed_noise, sky_sigma, variance
from lensing_core.simulation.rendering import moffat_psf
from lensing_core.surveys import get_survey


def simulator(survey="hsc", bands=("g", "r", "i"), fraction=0.5, seed=7, size_px=48):
    found = get_survey(survey)
    return SurveySimulator(found, tuple(found.band(b) for b in bands), size_px, fraction, seed)


@pytest.fixture(scope="module")
def batch():
    return simulator().batch(0, 40)


def test_an_object_is_its_number(batch):
    sim = simulator()
    part = sim.batch(13, 17)
    np.testing.assert_array_equal(part.flux, batch.flux[13:17])
    assert [s.truth for s in part.scenes] == [s.truth for s in batch.scenes[13:17]]
    digests = {hashlib.sha256(image.tobytes()).hexdigest() for image in batch.flux}
    assert len(digests) == 40
    other = simulator(seed=8).batch(0, 2)
    assert not np.array_equal(other.flux, batch.flux[:2])


def test_lenses_satisfy_what_they_were_selected_for(batch):
    lenses = [scene.truth for scene in batch.scenes if scene.is_lens]
    assert 8 <= len(lenses) <= 32
    for truth in lenses:
        assert truth["class"] == "lens"
        assert 0.5 <= truth["theta_e_arcsec"] <= 3.0
        assert truth["z_source"] > truth["z_lens"] + 0.1
        assert truth["arc_snr"] >= 20
        assert truth["magnification"] >= 3
    assert {s.truth["class"] for s in batch.scenes if not s.is_lens} <= set(CONTAMINANTS)


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_the_fraction_is_kept(fraction):
    scenes = simulator(fraction=fraction).batch(0, 6).scenes
    assert all(scene.is_lens == bool(fraction) for scene in scenes)


def test_every_contaminant_appears():
    sim = simulator(fraction=0.0)
    found = {sim.scene(index).object_class for index in range(200)}
    assert found == set(CONTAMINANTS)


def test_noise_has_the_stated_variance():
    survey = get_survey("hsc")
    bands = (survey.band("r"),)
    empty = np.zeros((1, 1, 4, 4), "f4")
    sigma = sky_sigma(bands[0], survey.pixel_scale_arcsec)
    np.testing.assert_allclose(variance(empty, bands, survey.pixel_scale_arcsec), sigma**2, 1e-5)
    sim = simulator(bands=("r",), fraction=0.5)
    drawn = sim.batch(0, 24)
    residual = (drawn.flux - render(list(drawn.scenes), sim.frame)) / np.sqrt(drawn.variance)
    residual = residual[[not scene.artifacts for scene in drawn.scenes]]
    assert residual.std() == pytest.approx(1, abs=0.01)
    assert residual.mean() == pytest.approx(0, abs=0.02)
    assert drawn.variance.min() >= 0.999 * sigma**2


@pytest.mark.parametrize("name", ["hsc", "sdss", "lsst", "ps1"])
def test_a_point_source_at_the_depth_has_a_signal_to_noise_of_five(name):
    survey = get_survey(name)
    band = survey.band("r")
    flux = 10 ** (-0.4 * (band.depth_mag - band.zero_point_mag))
    scale = survey.pixel_scale_arcsec
    # The depth is defined with a Gaussian PSF; the simulator's Moffat has wings and more pixels.
    psf = moffat_psf(torch.tensor([band.psf_fwhm_arcsec]), scale, 61, torch.tensor([40.0]))
    snr = flux * np.sqrt((psf.numpy() ** 2).sum()) / sky_sigma(band, scale)
    assert snr == pytest.approx(5, rel=0.08)


@pytest.mark.parametrize(("name", "diameter"), [("des", 1.95), ("kids", 2.0), ("cfhtls", 2.0)])
def test_where_the_depth_is_that_of_an_aperture_so_is_the_noise(name, diameter):
    survey = get_survey(name)
    band = survey.band("r")
    scale = survey.pixel_scale_arcsec
    axis = np.arange(-500, 501) * scale / 10
    inside = (np.hypot(axis[:, None], axis[None, :]) < diameter / 2).sum() / 100
    flux = 10 ** (-0.4 * (band.depth_mag - band.zero_point_mag))
    assert flux / (sky_sigma(band, scale) * np.sqrt(inside)) == pytest.approx(5, rel=0.01)


def test_early_types_are_red_and_sources_blue(batch):
    colors = {"lens": [], "source": []}
    for scene in batch.scenes:
        if scene.is_lens:
            lens, source = scene.components[0], scene.lensed[0]
            colors["lens"].append(lens.magnitudes[0] - lens.magnitudes[2])
            colors["source"].append(source.magnitudes[0] - source.magnitudes[2])
    assert np.median(colors["lens"]) > np.median(colors["source"]) + 0.5


def test_quasars_are_points_with_two_or_four_images():
    sim = replace(simulator(fraction=1.0), quasar_fraction=1.0)
    for scene in sim.batch(0, 4).scenes:
        assert scene.truth["class"] == "quasar_lens"
        assert scene.truth["n_images"] in (2, 3, 4)
        assert not scene.lensed


def test_groups_part_images_wider_than_galaxies():
    sim = replace(simulator(fraction=1.0, size_px=72), group_fraction=1.0, min_arc_snr=8.0)
    scenes = sim.batch(0, 6).scenes
    radii = [scene.truth["theta_e_arcsec"] for scene in scenes]
    assert {scene.truth["class"] for scene in scenes} == {"group_lens"}
    assert min(radii) >= 1.5
    assert max(radii) <= 0.35 * 72 * 0.168
    assert all(scene.truth["arc_snr"] >= 8 for scene in scenes)
    assert all(len(scene.deflectors) > 1 and scene.lensed for scene in scenes)


def test_power_laws_have_slopes_of_galaxies_and_sie_none():
    sim = simulator(fraction=1.0)
    slopes = [sim.scene(index).truth["mass_slope"] for index in range(80)]
    assert np.mean(slopes) == pytest.approx(2.08, abs=0.06)
    assert np.std(slopes) == pytest.approx(0.16, abs=0.05)
    assert replace(sim, mass="sie").scene(0).truth["mass_slope"] == 2.0


def test_correlated_noise_keeps_the_depth_and_loses_pixel_noise():
    variance = np.full((1, 256, 256), 4.0, dtype=np.float32)
    noise, factor = observed_noise(np.random.default_rng(0), variance, 0.6)
    assert noise.var() == pytest.approx(4 * factor, rel=0.03)
    assert 0.15 < factor < 0.5
    wide = noise[0].reshape(16, 16, 16, 16).sum(axis=(1, 3))
    assert wide.std() == pytest.approx(2 * 16, rel=0.1)
    neighbors = np.corrcoef(noise[0, :, :-1].ravel(), noise[0, :, 1:].ravel())[0, 1]
    assert neighbors > 0.3


def test_artifacts_fall_on_lenses_and_others_alike():
    sim = replace(simulator(), artifact_fraction=1.0)
    batch = sim.batch(0, 24)
    assert all(scene.artifacts for scene in batch.scenes)
    assert any(scene.is_lens for scene in batch.scenes)
    assert np.isnan(batch.flux).any()
    clean = simulator(fraction=0.0)
    faulty = replace(clean, artifact_fraction=1.0)
    healthy, ill = clean.batch(0, 8), faulty.batch(0, 8)
    changed = [
        not np.array_equal(a, b)
        for a, b, scene in zip(healthy.flux, ill.flux, healthy.scenes, strict=True)
        if not scene.artifacts
    ]
    assert all(changed)


def test_seeing_varies_and_is_the_images_own():
    scenes = simulator(fraction=0.0).batch(0, 60).scenes
    widths = np.array([scene.seeing.width for scene in scenes])
    assert widths.std() == pytest.approx(0.08, rel=0.25)
    assert np.median(widths) == pytest.approx(1, abs=0.03)


def cluster_simulator(fraction: float) -> SurveySimulator:
    survey = get_survey("ps1")
    bands = tuple(survey.band(b) for b in "gri")
    return SurveySimulator(survey, bands, 260, fraction, 3, scale="cluster")


def test_clusters_lens_within_their_cutout():
    scenes = cluster_simulator(1.0).batch(0, 2).scenes
    for scene in scenes:
        assert scene.truth["class"] == "cluster_lens"
        assert 10 <= scene.truth["theta_e_arcsec"] <= 260 * 0.25 / 4
        assert scene.truth["magnification"] >= 3
        assert scene.lensed


def test_every_kind_of_cluster_without_arcs_appears():
    sim = cluster_simulator(0.0)
    drawn = [sim.scene(index) for index in range(60)]
    assert {scene.object_class for scene in drawn} == set(clusters.CONTAMINANTS)
    assert not any(scene.lensed for scene in drawn)


def test_small_cutouts_of_clusters_are_refused():
    survey = get_survey("ps1")
    with pytest.raises(BadInputError, match="at least 64"):
        SurveySimulator(survey, survey.bands, 100, 0.5, 1, scale="cluster")


def test_a_survey_without_noise_metrics_is_refused():
    survey = get_survey("jwst_nircam")
    bands = survey.bands[:1]
    known = all(np.isfinite([b.depth_mag, b.gain_e_per_unit]).all() for b in bands)
    if known:
        assert SurveySimulator(survey, bands, 48, 0.0, 1).batch(0, 1).flux.shape == (1, 1, 48, 48)
    else:
        with pytest.raises(BadInputError, match=r"depth|noise"):
            SurveySimulator(survey, bands, 48, 0.0, 1)
