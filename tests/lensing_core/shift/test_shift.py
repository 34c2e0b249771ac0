"""Alarms of shift: each must ring on one made-up catalog and stay silent on another."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BrokenModelError, CollapseError, NotFoundError
from lensing_core.models.contract import InputContract
from lensing_core.models.ood import OODDistance
from lensing_core.shift.collapse import LogitWatch, check_ranking
from lensing_core.shift.columns import measure_columns
from lensing_core.shift.distances import column_distance, mean_discrepancy
from lensing_core.shift.report import measure_kept_shift, measure_shift
from lensing_core.shift.sample import Block, ObjectSample, noise_in_manifests
from lensing_core.shift.scale import check_noise, check_scale

GEOMETRY = CutoutGeometry("hsc", ("g", "i"), 24, 0.168, "flux", (27.0, 27.0), (0.8, 0.6))
N = 120


def _cutouts(seed: int, n: int = N, noise: float = 1.0, flux: float = 40.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:24, :24] - 11.5
    galaxy = np.exp(-(x**2 + y**2) / 18)
    bright = flux * rng.lognormal(0, 0.4, (n, 2, 1, 1))
    return (bright * galaxy + rng.normal(0, noise, (n, 2, 24, 24))).astype("f4")


def _sample(flux: np.ndarray, geometry: CutoutGeometry = GEOMETRY, **rest) -> ObjectSample:
    columns = measure_columns(flux, geometry) | {"psf_fwhm_arcsec": np.full(len(flux), 0.7)}
    columns |= rest.pop("columns", {})
    values = np.stack(list(columns.values()), axis=1).astype("f4")
    block = Block(values, np.full(len(flux), -1), tuple(columns))
    blocks = {"measured": block, **rest.pop("blocks", {})}
    return ObjectSample(InputContract.of(geometry), blocks, np.array(rest.pop("radii", [])), **rest)


@pytest.fixture(scope="module")
def training() -> ObjectSample:
    return _sample(_cutouts(0), radii=[0.8, 1.0, 1.5])


def test_columns_are_magnitudes_of_noise_and_light():
    columns = measure_columns(_cutouts(1, noise=2.0), GEOMETRY)
    assert np.median(columns["noise g"]) == pytest.approx(27 - 2.5 * np.log10(2.0), abs=0.03)
    assert np.abs(np.median(columns["sky i"])) < 0.1
    total = 40 * 18 * np.pi * 2  # of a Gaussian of σ² = 9 px, both bands
    assert np.median(columns["brightness"]) == pytest.approx(27 - 2.5 * np.log10(total), abs=0.1)
    assert np.median(columns["color g-i"]) == pytest.approx(0, abs=0.15)
    assert set(columns["missing g"]) == {0}


def test_flux_500_times_smaller_is_refused_and_the_same_sky_is_not(training):
    far = check_scale(training, _sample(_cutouts(2) / 500))
    assert far.refusal.startswith("In all bands noise and brightness are 6.7 mag fainter")
    assert "factor of 5" in far.refusal
    near = check_scale(training, _sample(_cutouts(2)))
    assert (near.refusal, near.hint, near.sentences) == ("", "", [])
    stated = replace(GEOMETRY, zero_points_mag=(27 - 2.5 * np.log10(500),) * 2)
    same = check_scale(training, _sample(_cutouts(2) / 500, stated))
    assert same.sentences == []  # another unit with its zero point is the same sky


def test_a_smaller_step_of_the_zero_point_is_warned_of(training):
    found = check_scale(training, _sample(_cutouts(3) * 8))
    assert not found.refusal
    assert "brighter than in training by about the same, 2.2 mag: check the zero points" in (
        found.hint
    )
    assert {c.name for c in found.checks if c.level == "warning"} >= {"noise g", "noise i"}


def test_a_deeper_survey_is_no_zero_point(training):
    deeper = check_scale(training, _sample(_cutouts(4, noise=0.005)))
    assert not deeper.refusal  # noise 5.7 mag fainter, objects as bright as ever
    assert any(s.startswith("Noise of a pixel, g") for s in deeper.sentences)


@pytest.mark.parametrize(
    ("columns", "title"),
    [
        ({"psf_fwhm_arcsec": np.full(N, 1.6)}, "PSF FWHM: 1.6″"),
        ({"missing g": np.full(N, 0.5)}, "Pixels without data, g: 0.5"),
        ({"sky i": np.full(N, 4.0)}, "Sky level, i: 4 σ"),
    ],
)
def test_scales_out_of_range_are_named(training, columns, title):
    (sentence,) = check_scale(training, _sample(_cutouts(5), columns=columns)).sentences
    assert sentence.startswith(title)
    assert "outside of" in sentence


def test_einstein_radii_beyond_training_are_named(training):
    assert check_scale(training, _sample(_cutouts(5), radii=[1.2])).sentences == []
    (sentence,) = check_scale(training, _sample(_cutouts(5), radii=[20.0])).sentences
    assert sentence.startswith("Einstein radius: 20″")


def test_noise_levels_of_models_serve_where_no_sample_is_kept():
    manifest = {"contract": InputContract.of(GEOMETRY).to_json(), "sigma": [0.158, 0.158]}
    levels = noise_in_manifests([{"kind": "pu_head"}, manifest])
    assert levels == pytest.approx({"g": 27.0, "i": 27.0}, abs=0.01)
    assert check_noise(levels, _sample(_cutouts(6))).sentences == []
    assert "only a wrong zero point" in check_noise(levels, _sample(_cutouts(6) / 500)).refusal
    silent = measure_kept_shift({}, {}, _sample(_cutouts(6)), "old").to_json()
    assert (silent["level"], silent["alarms"]) == ("unknown", [])
    assert "keeps no statistics" in silent["notes"][0]
    pictures = {**manifest, "contract": {**manifest["contract"], "pixel_kind": "rendered"}}
    assert noise_in_manifests([pictures]) == {}


def _with_embedding(seed: int, shift: float = 0.0) -> ObjectSample:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, 8)).astype("f4")
    x[:, 2] += shift
    ids = 1000 * seed + np.arange(N)
    return _sample(_cutouts(seed), blocks={"embedding of net": Block(x, ids)})


def test_domains_are_told_apart_only_where_they_differ():
    training = _with_embedding(7)
    alike = measure_shift(training, _with_embedding(8)).to_json()
    assert (alike["level"], alike["alarms"]) == ("ok", [])
    assert all(d["low_95"] < 0.55 for d in alike["domains"])
    moved = measure_shift(training, _with_embedding(9, shift=3.0))
    found = moved.to_json()
    embedding = next(d for d in found["domains"] if d["columns"] == "embedding of net")
    assert embedding["alarming"]
    assert embedding["p_value"] < 0.01
    assert found["level"] == "warning"
    assert "By embedding of net the catalog is told from training" in found["alarms"][0]
    assert set(moved.giveaways) <= set((9000 + np.arange(N)).tolist())
    json.dumps(found, allow_nan=False)
    # The training objects themselves: each is one group, and on one side of a fold.
    assert not measure_shift(training, training).alarms


def test_mean_and_covariance_of_embeddings_serve_where_no_sample_is_kept():
    rng = np.random.default_rng(0)
    kept = OODDistance.measure(rng.normal(2, 3, (2000, 8)).astype("f4"))
    z = rng.normal(2, 3, (N, 8)).astype("f4")
    np.testing.assert_allclose((kept.whitened(z) ** 2).sum(axis=1), kept(z) ** 2, rtol=1e-4)

    def found(values):
        sample = _sample(_cutouts(6), blocks={"embedding of net": Block(values, np.arange(N))})
        return measure_kept_shift({}, {"embedding of net": kept}, sample, "old").to_json()

    alike = found(z)
    assert (alike["level"], alike["alarms"]) == ("ok", [])
    assert "only what its models keep is compared, mean and covariance" in alike["notes"][0]
    moved = z.copy()
    moved[:, 0] += 6  # two standard deviations: an AUROC of Φ(√2)
    told = found(moved)
    assert told["domains"][0]["auroc"] == pytest.approx(0.921, abs=0.03)
    assert "with a domain AUROC of 0.9" in told["alarms"][0]
    json.dumps(told, allow_nan=False)


def test_what_moved_is_named_first():
    training = _sample(_cutouts(10))
    redder = _cutouts(11) * np.array([0.4, 1.0], "f4")[:, None, None]
    found = measure_shift(training, _sample(redder)).to_json()
    assert {found["columns"][0]["name"], found["columns"][1]["name"]} == {"color g-i", "noise g"}
    few = measure_shift(training, _sample(_cutouts(11, n=12)))
    assert not few.domains
    assert "12 of the catalog, 20 of each are needed" in few.notes[0]


def test_distances_have_closed_forms():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=4000), rng.normal(1.0, size=4000)
    found = column_distance("x", a, b)
    assert found.wasserstein == pytest.approx(1.0, abs=0.06)  # of two normals: their means'
    assert found.kolmogorov_smirnov == pytest.approx(0.383, abs=0.03)  # 2 Φ(1/2) − 1
    assert column_distance("x", np.ones(50), np.ones(50)) is None
    assert column_distance("x", a, np.full(50, np.nan)) is None
    x = rng.normal(size=(150, 3))
    value, p = mean_discrepancy(x[:75], x[75:], n_permutations=200)
    assert abs(value) < 0.02
    assert p > 0.05
    assert mean_discrepancy(x[:75], x[75:] + 1, n_permutations=200)[1] < 0.01


def test_samples_come_back_as_they_were(tmp_path):
    sample = replace(_with_embedding(12), logits=(-4.0, 3.0), zero_points_mag={"a": [27.0, None]})
    path = tmp_path / "kept" / "sample.npz"
    sample.write(path)
    again = ObjectSample.read(path)
    assert again.contract == sample.contract
    assert (again.logits, again.zero_points_mag) == (sample.logits, sample.zero_points_mag)
    for key, block in sample.blocks.items():
        np.testing.assert_array_equal(again.blocks[key].values, block.values)
        assert again.blocks[key].names == block.names
    assert set(again.elsewhere().blocks["embedding of net"].candidate_id) == {-1}
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(BrokenModelError, match="cannot be read"):
        ObjectSample.read(path)
    with pytest.raises(NotFoundError):
        ObjectSample.read(tmp_path / "none.npz")


@pytest.mark.parametrize(
    ("logit", "match"),
    [
        (np.full(100, -3.0), "all of the first 100 objects the same score"),
        (np.r_[np.linspace(-1, 1, 99), np.nan], "no numbers for 1 of 100 objects, .*cutout 599"),
        (np.linspace(-30, -20, 300), "lie below those that ensemble e gave"),
        (np.linspace(20, 30, 300), "lie above those that ensemble e gave"),
    ],
)
def test_scores_that_say_nothing_end_a_scoring(logit, match):
    with pytest.raises(CollapseError, match=match):
        LogitWatch("e", (-8.0, 4.0)).look(logit, logit[:, None], ["net"], 500)


def test_scores_of_a_survey_do_not(recwarn):
    rng = np.random.default_rng(0)
    watch = LogitWatch("e", (-8.0, 4.0))
    for start in range(0, 500, 100):  # all negative: lenses are rare
        logit = rng.normal(-7, 1, 100)
        watch.look(logit, logit[:, None], ["net"], start)
    few = np.full(20, -3.0)
    LogitWatch("e").look(few, few[:, None], ["net"], 0)


def test_trainings_that_collapse_are_told_from_those_that_do_not():
    rng = np.random.default_rng(0)
    labels = (np.arange(200) % 2).astype(int)
    good = labels + rng.normal(size=200)
    check_ranking("net", good, labels)
    check_ranking("net", good - 10, labels)  # one side, but it ranks: calibration mends that
    check_ranking("net", rng.normal(size=200), labels)  # useless, but measured and shown
    for bad, match in (
        (np.where(labels == 1, np.nan, good), "100 of 200 scores"),
        (np.zeros(200), "the same score"),
        (-10 - 0.2 * good, "takes all of 200 objects that it has not seen for non-lenses"),
    ):
        with pytest.raises(CollapseError, match=match):
            check_ranking("net", bad, labels)
