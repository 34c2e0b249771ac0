"""Probes for shortcuts: what they change, and which rankings they find out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn_catalogs import TWO_BANDS, blobs_and_rings

from lensing_core.evaluation import probe_results
from lensing_core.evaluation.appearance import measure_appearance
from lensing_core.evaluation.pixel_probes import core_radius_arcsec, pixel_probes
from lensing_core.evaluation.probe_results import judge_probes

N = 150


def _probes(geometry=TWO_BANDS):
    return {probe.name: probe for probe in pixel_probes(geometry)[0]}


def test_probes_change_what_they_say_and_no_more():
    flux, _ = blobs_and_rings(30, 0)
    flux[0, 0, 3, 4] = np.nan
    before, probes = flux.copy(), _probes()
    assert list(probes) == [
        *("center_only", "outside_only", "without_g", "without_i", "gray", "blurred"),
        *("turned_90", "turned_180", "mirrored"),
    ]
    axis = (np.arange(32) - 15.5) * TWO_BANDS.pixel_scale_arcsec
    core = np.hypot(axis[:, None], axis[None, :]) <= core_radius_arcsec(TWO_BANDS)
    center, outside = probes["center_only"](flux), probes["outside_only"](flux)
    np.testing.assert_array_equal(center[..., core], flux[..., core])
    np.testing.assert_array_equal(outside[..., ~core], flux[..., ~core])
    assert np.nanstd(center[..., ~core]) == pytest.approx(1.0, abs=0.2)  # the noise of the sky
    assert np.isnan(center[0, 0, 3, 4])
    assert np.isnan(probes["without_g"](flux)[:, 0]).all()
    gray = probes["gray"](flux)[1:]
    ratio = gray[:, 0] / gray[:, 1]
    assert np.ptp(ratio) < 1e-3  # one color for all, that of the catalog
    assert ratio.mean() == pytest.approx(
        flux[:, 0, 12:20, 12:20].mean() / flux[:, 1, 12:20, 12:20].mean(), rel=0.15
    )
    blurred = probes["blurred"](flux)
    np.testing.assert_array_equal(blurred[:, 0], flux[:, 0])  # the widest PSF already
    assert blurred[1:, 1].sum() == pytest.approx(flux[1:, 1].sum(), rel=0.02)
    assert blurred[1:, 1, :4].std() < 0.5 * flux[1:, 1, :4].std()
    np.testing.assert_array_equal(probes["turned_180"](flux)[1, 0, 0], flux[1, 0, -1, ::-1])
    np.testing.assert_array_equal(flux, before)


def test_probes_that_make_no_sense_are_left_out_with_a_sentence():
    one = replace(TWO_BANDS, bands=("i",), zero_points_mag=(27.0,), psf_fwhm_arcsec=(np.nan,))
    probes, notes = pixel_probes(one)
    assert not {"gray", "blurred"} & {probe.name for probe in probes}
    assert "One band" in notes[0]
    assert "PSF of a band is unknown" in notes[1]
    assert core_radius_arcsec(one) == 0.75


def _ring_score(flux: np.ndarray) -> np.ndarray:
    """Blue light at the radius of the rings, in units of its noise."""
    axis = np.arange(32) - 15.5
    r = np.hypot(axis[:, None], axis[None, :])
    return np.nan_to_num(flux[:, 0]).clip(-5, 5)[:, (r > 6) & (r < 10)].mean(axis=1)


def _center_score(flux: np.ndarray) -> np.ndarray:
    return np.nan_to_num(flux)[:, :, 14:18, 14:18].mean(axis=(1, 2, 3))


@pytest.fixture(scope="module")
def objects():
    """Rings, and lenses that are brighter in their middle: a shortcut that can be taken."""
    flux, labels = blobs_and_rings(N, 1)
    flux[labels == 1, :, 13:19, 13:19] *= 1.6
    return flux, labels, measure_appearance(flux, TWO_BANDS)


def _judged(score, objects, probes):
    flux, labels, look = objects
    changed = {probe: score(probe(flux)) for probe in probes.values()}
    results = judge_probes(score(flux), changed, look, labels, np.arange(N))
    return {result.name: result for result in results}


def test_a_ranking_by_the_center_is_found_out_and_one_by_rings_is_not(objects):
    probes = {k: v for k, v in _probes().items() if k in ("center_only", "outside_only")}
    shortcut = _judged(_center_score, objects, probes)
    assert "nearly that of the ensemble" in shortcut["center_only"].sentence
    assert "nearly that of the ensemble" in shortcut["center alone"].sentence
    honest = _judged(_ring_score, objects, probes)
    assert honest["ensemble"].auroc[0] > 0.95
    assert honest["center_only"].drop[1] > 0.1
    assert honest["outside_only"].drop[2] < 0.05  # arcs are there: no warning
    assert not [name for name in probes if honest[name].sentence]
    assert (honest["shuffled"].sentence, honest["shuffled"].drop) == ("", None)
    assert honest["shuffled"].auroc[1] < 0.5


@pytest.fixture
def cheap_models(monkeypatch):
    """Models of brightness, color and center that know nothing: tests of pixels need none."""

    def scores(appearance, labels, groups, *, seed):
        return {"brightness": np.random.default_rng(seed).normal(size=len(labels))}

    monkeypatch.setattr(probe_results, "baseline_scores", scores)


def test_rankings_that_hang_on_a_color_or_a_direction_are_found_out(objects, cheap_models):
    flux, labels, look = objects
    probes = {k: v for k, v in _probes().items() if k in ("gray", "turned_180", "without_i")}
    rng = np.random.default_rng(0)
    changed = {probe: rng.normal(size=N) for probe in probes.values()}
    judged = judge_probes(_ring_score(flux), changed, look, labels, np.arange(N))
    found = {result.name: result.sentence for result in judged}
    assert "Without colors the ranking falls to chance" in found["gray"]
    assert "Without band i the ranking falls to chance" in found["without_i"]
    assert "Turned by 180°, objects are ranked otherwise" in found["turned_180"]
    assert not found["brightness alone"]
    steady = _judged(_ring_score, objects, probes)
    assert steady["turned_180"].correlation == pytest.approx(1)
    assert not [result.sentence for result in steady.values() if result.sentence]


def test_labels_that_shuffling_does_not_hide_are_a_leak(objects, cheap_models, monkeypatch):
    flux, labels, look = objects
    # In place of cross-fitted scores those of a model that has seen the labels.
    seen = lambda columns, truth, groups, *, seed: truth + 0.0  # noqa: E731
    monkeypatch.setattr(probe_results, "scores_by", seen)
    judged = judge_probes(_ring_score(flux), {}, look, labels, np.arange(N))
    assert "With shuffled labels a model still ranks them (AUROC 1.000" in judged[-1].sentence
