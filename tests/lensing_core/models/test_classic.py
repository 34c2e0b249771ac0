"""The classic member: scores that follow from its trees, and trees that follow from its seed."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import ContractError
from lensing_core.features import ClassicFeatures, GridFeatures
from lensing_core.models.classic import VIRTUAL_MEMBERS, ClassicMember, train_trees
from lensing_core.models.contract import InputContract

GEOMETRY = CutoutGeometry("hsc", ("g", "r"), 32, 0.168, "flux", (27.0,) * 2, (0.7,) * 2)
COMPUTE = GridFeatures(GEOMETRY)


@pytest.fixture(scope="module")
def objects() -> tuple[np.ndarray, np.ndarray]:
    """Noise; every other cutout has an arc at the side."""
    rng = np.random.default_rng(0)
    flux = rng.standard_normal((160, 2, 32, 32)).astype(np.float32)
    flux[::2, :, 14:18, 24] += 8
    return flux, (np.arange(160) % 2 == 0).astype(np.int64)


def fit(objects, *, seed: int = 0, rounds: int = 24, patience: int = 24, on_round=None, held=None):
    flux, labels = objects
    table = COMPUTE(flux)
    return train_trees(
        (table[:120], labels[:120]), (table[120:], labels[120:] if held is None else held),
        names=COMPUTE.schema.names, learning_rate=0.2, leaves=4, rounds=rounds, patience=patience,
        seed=seed, threads=1, on_round=on_round,
    )  # fmt: skip


def test_doubted_labels_move_the_trees_less():
    """A third of the lenses are called non-lenses; at weight 0.05 the others are believed."""
    rng = np.random.default_rng(3)
    signal = rng.standard_normal((600, 2)).astype(np.float32)
    truth = (signal[:, 0] > 0).astype(np.int64)
    wrong = (truth == 1) & (rng.random(600) < 1 / 3)
    said = np.where(wrong, 0, truth)
    weight = np.where(wrong, 0.05, 1.0)

    def mean_logit(weights, *, balanced):
        found = train_trees(
            (signal, said), (signal[:200], truth[:200]), names=("a", "b"), learning_rate=0.1,
            leaves=4, rounds=60, patience=60, seed=1, threads=1, weight=weights, balanced=balanced,
        )  # fmt: skip
        return float(found.predict(signal[truth == 1], raw_score=True).mean())

    for balanced in (False, True):
        even = mean_logit(None, balanced=balanced)
        assert mean_logit(np.ones(600), balanced=balanced) == pytest.approx(even, abs=1e-6)
        assert mean_logit(weight, balanced=balanced) > even + 1


@pytest.fixture(scope="module")
def member(objects) -> ClassicMember:
    return ClassicMember(InputContract.of(GEOMETRY), fit(objects), COMPUTE.schema.to_json())


def test_it_finds_arcs_that_it_was_not_shown(member, objects):
    flux, labels = objects
    logit = member.predictor(GEOMETRY, "x")(flux[120:]).logit
    assert logit[labels[120:] == 1].min() > logit[labels[120:] == 0].max()


def test_the_score_is_the_log_odds_of_the_trees(member, objects):
    flux, _ = objects
    logit = member.predictor(GEOMETRY, "x")(flux).logit
    probability = member.booster.predict(COMPUTE(flux))
    np.testing.assert_allclose(logit, np.log(probability / (1 - probability)), rtol=1e-6)


def test_variance_is_over_the_second_half_of_the_trees(member, objects):
    flux = objects[0][:10]
    output = member.predictor(GEOMETRY, "x", with_variance=True)(flux)
    rounds = member.booster.num_trees()
    assert rounds > 2 * VIRTUAL_MEMBERS
    stops = [int(rounds / 2 + k * (rounds - rounds / 2) / 7) for k in range(8)]
    table = COMPUTE(flux)
    # Each tree alone, summed here.
    trees = np.array(
        [
            member.booster.predict(table, raw_score=True, start_iteration=k, num_iteration=1)
            for k in range(rounds)
        ]
    )
    sums = np.cumsum(trees, axis=0)
    np.testing.assert_allclose(output.logit, sums[-1], rtol=1e-6)
    expected = np.var([sums[stop - 1] for stop in stops], axis=0)
    np.testing.assert_allclose(output.variance, expected, rtol=1e-6)


def test_other_bands_and_larger_cutouts_give_the_same_score(member, objects):
    flux = objects[0][:8]
    larger = replace(
        GEOMETRY, bands=("r", "z", "g"), size_px=40, zero_points_mag=(27.0, np.nan, 27.0),
        psf_fwhm_arcsec=(0.7,) * 3,
    )  # fmt: skip
    rng = np.random.default_rng(5)
    wide = (100 * rng.standard_normal((8, 3, 40, 40))).astype(np.float32)
    wide[:, [2, 0], 4:36, 4:36] = flux
    np.testing.assert_array_equal(
        member.predictor(larger, "wide")(wide).logit, member.predictor(GEOMETRY, "x")(flux).logit
    )


def test_the_batch_does_not_change_a_score(member, objects):
    flux = objects[0][:12]
    predict = member.predictor(GEOMETRY, "x")
    whole = predict(flux).logit
    alone = np.concatenate([predict(flux[k : k + 1]).logit for k in range(12)])
    np.testing.assert_allclose(alone, whole, rtol=1e-6)
    assert np.ptp(whole) > 1


def test_a_band_without_data_still_gives_a_score(member, objects):
    gap = objects[0][:4].copy()
    gap[0, 1] = np.nan
    gap[1] = np.nan
    assert np.isfinite(member.predictor(GEOMETRY, "x")(gap).logit).all()


def test_a_catalog_that_does_not_fit_is_refused_by_name(member):
    with pytest.raises(ContractError, match="Catalog mine does not fit"):
        member.predictor(replace(GEOMETRY, size_px=24), "mine")


def test_the_seed_decides_the_trees(objects):
    first, second, other = (fit(objects, seed=s, rounds=6).model_to_string() for s in (1, 1, 2))
    assert first == second
    assert first.split("parameters:")[0] != other.split("parameters:")[0]


def test_training_stops_when_the_held_out_loss_no_longer_falls(objects):
    shuffled = 1 - objects[1][120:]  # every label wrong: each round makes it worse
    assert fit(objects, rounds=200, patience=3, held=shuffled).best_iteration == 1


def test_a_callback_sees_every_round_and_may_stop(objects):
    seen = []

    def stop_at_third(environment) -> None:
        seen.append(environment.iteration)
        if len(seen) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fit(objects, on_round=stop_at_third)
    assert seen == [0, 1, 2]


def test_a_monotone_feature_only_raises_the_score():
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, (2000, 2)).astype(np.float32)
    y = (np.sin(4 * x[:, 0]) + 0.3 * rng.standard_normal(2000) > 0).astype(np.int64)
    steps = np.linspace(-1, 1, 50)
    line = np.stack([steps, 0 * steps], axis=1).astype(np.float32)

    def scores(monotone):
        found = train_trees(
            (x[:1500], y[:1500]), (x[1500:], y[1500:]), names=("a", "b"), learning_rate=0.1,
            leaves=8, rounds=60, patience=60, seed=0, threads=1, monotone=monotone,
        )  # fmt: skip
        return found.predict(line, raw_score=True)

    assert (np.diff(scores((1, 0))) >= 0).all()
    assert (np.diff(scores((-1, 0))) <= 0).all()
    assert (np.diff(scores(None)) < 0).any()


def test_balanced_classes_shift_the_score_by_the_odds_and_keep_its_order():
    rng = np.random.default_rng(4)
    y = (rng.random(6000) < 0.05).astype(np.int64)
    x = (rng.standard_normal((6000, 1)) + 1.5 * y[:, None]).astype(np.float32)

    def scores(balanced):
        found = train_trees(
            (x[:4000], y[:4000]), (x[4000:], y[4000:]), names=("a",), learning_rate=0.1,
            leaves=4, rounds=80, patience=20, seed=0, threads=1, balanced=balanced,
        )  # fmt: skip
        return found.predict(np.linspace(0, 1.5, 10)[:, None], raw_score=True)

    shift = np.mean(scores(True) - scores(False))
    assert shift == pytest.approx(np.log(0.95 / 0.05), rel=0.2)


def test_a_member_of_several_blocks_comes_back_and_is_told_what_it_needs(objects, tmp_path):
    flux, labels = objects
    compute = ClassicFeatures(GEOMETRY, ("ridges", "catalog", "grid"))
    redshift = np.where(labels == 1, 0.3, 0.7)
    table = compute(flux, {"redshift": list(redshift)})
    booster = train_trees(
        (table[:120], labels[:120]), (table[120:], labels[120:]), names=compute.schema.names,
        learning_rate=0.2, leaves=4, rounds=24, patience=24, seed=0, threads=1,
        monotone=compute.monotone,
    )  # fmt: skip
    member = ClassicMember(InputContract.of(GEOMETRY), booster, compute.to_json())
    stored = json.loads(json.dumps(member.save(tmp_path)))
    again = ClassicMember.load(tmp_path, stored)
    assert {"redshift", "richness", "survey"} <= set(again.metadata_names)
    predict = again.predictor(GEOMETRY, "x")
    known = {"redshift": [*redshift[:40]]}
    output = predict(flux[:40], known)
    np.testing.assert_array_equal(
        output.logit, member.predictor(GEOMETRY, "x")(flux[:40], known).logit
    )
    np.testing.assert_allclose(output.features, table[:40], rtol=1e-5, atol=1e-5)
    assert np.isfinite(predict(flux[:40]).logit).all()  # nothing known
    assert np.isnan(
        predict(flux[:40]).features[:, list(compute.schema.names).index("redshift")]
    ).all()


def test_a_manifest_without_blocks_is_one_of_the_grid(member, objects, tmp_path):
    manifest = member.save(tmp_path)
    assert "blocks" not in manifest["features"]
    again = ClassicMember.load(tmp_path, manifest)
    assert again.metadata_names == ()
    flux = objects[0][:5]
    np.testing.assert_array_equal(
        again.predictor(GEOMETRY, "x")(flux).logit, member.predictor(GEOMETRY, "x")(flux).logit
    )
