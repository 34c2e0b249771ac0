"""Probes: their ridge path, what they choose, and that they do not see held-out groups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from lensing_core.datasets.uses import LENS, OTHER, UNLABELED
from lensing_core.errors import BadInputError
from lensing_core.metrics import RankingCurve
from lensing_core.metrics.resampling import group_resamples
from lensing_core.pu.probes import (
    ColumnBlock,
    ProbeData,
    ProbeMethod,
    few_false_positives,
    probe_inputs,
)
from lensing_core.pu.ridge import kernel_ridge, ridge_path

BLOCKS = (
    ColumnBlock("noise", "embedding", 0, 40),
    ColumnBlock("encoder", "middle", 40, 50),
    ColumnBlock("encoder", "last", 50, 90),
)


def objects(n: int = 160, seed: int = 0, strength: float = 1.2) -> ProbeData:
    """A third are lenses; the middle layer of the encoder tells them, the rest is noise."""
    rng = np.random.default_rng(seed)
    state = np.where(rng.random(n) < 0.33, LENS, OTHER).astype(np.int8)
    x = rng.standard_normal((n, 90)).astype("f4")
    x[:, 40:44] += strength * (state == LENS)[:, None]
    return ProbeData(x, state, np.ones(n), np.arange(n) // 2)


@pytest.mark.parametrize("d", [10, 300])
def test_the_ridge_path_is_that_of_scikit_learn(d):
    rng = np.random.default_rng(1)
    a, y, w = rng.standard_normal((80, d)), rng.random(80), rng.uniform(0.5, 2, 80)
    path = ridge_path(a, y, w, (0.1, 5.0))
    for k, penalty in enumerate((0.1, 5.0)):
        model = Ridge(alpha=penalty, solver="cholesky").fit(a, y, sample_weight=w)
        np.testing.assert_allclose(path.coefficients[:, k], model.coef_, atol=1e-8)
        assert path.intercepts[k] == pytest.approx(model.intercept_)


def test_products_alone_give_the_same_predictions():
    rng = np.random.default_rng(2)
    a, y, w = rng.standard_normal((60, 9)), rng.random(60), rng.uniform(0.5, 2, 60)
    new = rng.standard_normal((7, 9))
    path = ridge_path(a, y, w, (0.1, 5.0))
    found = kernel_ridge(a @ a.T, new @ a.T, y, w, (0.1, 5.0))
    np.testing.assert_allclose(found, new @ path.coefficients + path.intercepts, atol=1e-9)


def test_inputs_are_sources_their_parts_and_all():
    names = [given.name for given in probe_inputs(BLOCKS)]
    assert names == ["noise", "encoder", "encoder, middle", "encoder, last", "all together"]
    assert len(probe_inputs(BLOCKS, graded=True)) == 10


def test_it_chooses_the_columns_that_tell_and_ranks_new_objects_by_them():
    data = objects()
    fitted = ProbeMethod(tuple(probe_inputs(BLOCKS))).fit(data)
    assert fitted.chosen.name == "encoder, middle"
    (chosen,) = (f for f in fitted.metrics if f.chosen)
    assert chosen.low_95 <= chosen.recall <= chosen.high_95
    assert (fitted.scorer.weights[0][:40] == 0).all()
    new = objects(seed=9)
    auroc = RankingCurve.of(fitted.scorer(new.x), (new.state == LENS).astype(int)).auroc()
    assert auroc > 0.9
    assert chosen.auroc == pytest.approx(auroc, abs=0.07)


def test_without_anything_to_learn_its_metrics_are_those_of_chance():
    """The choice among penalties and inputs is the only optimism that is left."""
    found = []
    for seed in range(3):
        fitted = ProbeMethod(tuple(probe_inputs(BLOCKS)), seed=seed).fit(
            objects(seed=seed, strength=0)
        )
        found += [f.auroc for f in fitted.metrics]
    assert np.mean(found) == pytest.approx(0.5, abs=0.08)


def test_log_odds_are_those_of_the_labeled_objects():
    data = objects(600, strength=0.6)
    fitted = ProbeMethod(tuple(probe_inputs(BLOCKS[1:2]))).fit(data)
    probability = 1 / (1 + np.exp(-fitted.scorer(data.x)))
    assert probability.mean() == pytest.approx((data.state == LENS).mean(), abs=0.04)


def test_grades_teach_more_than_their_halves():
    """Objects between lens and non-lens train the grade alone."""
    rng = np.random.default_rng(3)
    true = rng.random(240)
    x = rng.standard_normal((240, 30)).astype("f4")
    x[:, 0] += 3 * true
    state = np.where(true > 0.8, LENS, np.where(true < 0.2, OTHER, UNLABELED)).astype(np.int8)
    blocks = (ColumnBlock("encoder", "last", 0, 30),)
    data = ProbeData(x, state, np.ones(240), np.arange(240), true)
    fitted = ProbeMethod(tuple(probe_inputs(blocks, graded=True))).fit(data)
    assert {f.target for f in fitted.metrics} == {"lens", "grade"}
    assert data.targets("lens")[0].sum() < 240 == data.targets("grade")[0].sum()


def test_unlabeled_objects_are_others_and_thinned():
    data = objects(300)
    more = np.full(3000, UNLABELED, dtype=np.int8)
    x = np.random.default_rng(4).standard_normal((3000, 90)).astype("f4")
    whole = ProbeData(
        np.concatenate([data.x, x]),
        np.concatenate([data.state, more]),
        np.ones(3300),
        np.arange(3300),
    )
    thin = whole.thinned(0)
    assert (thin.state != UNLABELED).sum() == 300
    assert (thin.state == UNLABELED).sum() == 500
    assert ProbeMethod(tuple(probe_inputs(BLOCKS))).fit(whole).chosen.name == "encoder, middle"


def test_missing_values_are_taken():
    data = objects()
    data.x[::7, 41] = np.nan
    assert np.isfinite(ProbeMethod(tuple(probe_inputs(BLOCKS))).fit(data).scorer(data.x)).all()


def test_one_place_is_not_enough():
    data = objects()
    with pytest.raises(BadInputError, match="at least two places"):
        ProbeMethod(tuple(probe_inputs(BLOCKS))).fit(replace(data, group=np.zeros(160, int)))


@pytest.mark.parametrize(("others", "expected"), [(3, 1), (40, 4), (121, 9), (5000, 50)])
def test_a_low_rate_is_ten_or_one_percent(others, expected):
    assert few_false_positives(others) == expected


def test_groups_are_drawn_whole():
    group = np.repeat(np.arange(10), 3)
    lens = np.arange(30) < 15
    for rows in group_resamples(group, lens, 20, 0):
        counts = np.bincount(rows, minlength=30).reshape(10, 3)
        assert (counts == counts[:, :1]).all()
        assert len(rows) == 30
