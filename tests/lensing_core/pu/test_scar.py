from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, spearmanr

from lensing_core.errors import BadInputError
from lensing_core.metrics import ranking_metrics
from lensing_core.pu import LogisticLearner, blind_to, out_of_fold, pu_method, scar_check
from lensing_core.pu.scar import _auroc, _median


def survey(n=8000, *, biased, seed=0, prior=0.1):
    """Features without brightness; a magnitude by which positives are labeled, or not."""
    rng = np.random.default_rng(seed)
    y = rng.random(n) < prior
    x = rng.normal(size=(n, 4)).astype(np.float32)
    x[:, 0] += 5 * y
    magnitude = rng.normal(20.0, 1.0, n) + 0.5 * ~y
    chance = np.clip(np.exp(-(magnitude - 19.5)), 0, 0.8) if biased else 0.4
    return x, (y & (rng.random(n) < chance)).astype(int), magnitude


def scores(x, s):
    method = pu_method("elkan_noto", prior=0.5, learner=LogisticLearner(inverse_penalty=1.0))
    return out_of_fold(method, x, s)


def test_bright_labels_are_seen_and_said():
    x, s, magnitude = survey(biased=True)
    noise = np.random.default_rng(9).normal(size=len(s))
    found = scar_check(scores(x, s), s, {"magnitude": magnitude, "azimuth": noise})
    assert found.verdict == "differs"
    bright, other = found.covariates
    assert bright.differs
    assert not other.differs
    assert bright.high < 0.4
    assert bright.labeled_median < bright.unlabeled_median - 0.5
    assert "magnitude is lower (median 19" in found.sentence
    assert "azimuth" not in found.sentence
    assert "cannot see" in found.limits
    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["verdict"] == "differs"


def test_random_labels_pass_at_the_stated_rate():
    """5 % of checks of two covariates may cry wolf: in 60, at most 8 (chance of more: 1 %)."""
    alarms = 0
    for seed in range(60):
        x, s, magnitude = survey(4000, biased=False, seed=seed)
        z = 5 * x[:, 0] - 12.5 + np.log(0.06 / 0.94)  # log-odds of an unlabeled object
        other = np.random.default_rng(seed).normal(size=len(s))
        found = scar_check(z, s, {"magnitude": magnitude, "other": other}, n_bootstrap=300)
        alarms += found.verdict == "differs"
    assert alarms <= 8


def test_a_model_that_reads_the_covariate_can_hide_the_bias():
    """The limit that is stated: told the brightness, the model ranks only bright ones high."""
    x, s, magnitude = survey(biased=True, n=16_000)
    seen = np.column_stack([x, 6 * (magnitude - 20)]).astype(np.float32)
    blind, told = (scar_check(scores(f, s), s, {"m": magnitude}) for f in (x, seen))
    assert abs(told.covariates[0].auroc - 0.5) < abs(blind.covariates[0].auroc - 0.5)


def test_blind_features_do_not_tell_the_covariate_and_uncover_the_bias():
    x, s, magnitude = survey(biased=True, n=16_000)
    seen = np.column_stack([x, 6 * (magnitude - 20)]).astype(np.float32)
    blind = blind_to(seen, magnitude, s)
    assert abs(spearmanr(seen[:, 4], magnitude).statistic) > 0.99
    assert abs(spearmanr(blind[:, 4], magnitude).statistic) < 0.1
    assert ranking_metrics(blind[:, 0], s)["auroc"] > 0.95
    found = scar_check(scores(blind, s), s, {"m": magnitude})
    assert found.verdict == "differs"
    assert found.covariates[0].auroc < 0.4


def test_blind_features_keep_gaps():
    x = np.arange(40.0).reshape(20, 2)
    x[3, 1] = np.nan
    covariate = np.arange(20.0)
    covariate[5] = np.nan
    out = blind_to(x, covariate, np.zeros(20), n_bins=1)
    assert np.isnan(out[5]).all()
    assert np.isnan(out[3, 1])
    assert np.isfinite(out).sum() == 37
    np.testing.assert_allclose(out[[0, 19], 0], [0.5 / 19, 18.5 / 19])
    with pytest.raises(BadInputError, match="give one for each object"):
        blind_to(x, covariate, np.ones(20))


def test_too_few_probable_lenses_is_said():
    s = np.repeat([1, 0], [30, 1000])
    z = np.where(s == 1, 3.0, -3.0)
    found = scar_check(z, s, {"magnitude": z})
    assert found.verdict == "too few"
    assert "cannot be checked: 30 labeled and about 0 unlabeled" in found.sentence


def test_unknown_values_are_counted_and_constant_ones_tie():
    rng = np.random.default_rng(0)
    s = np.repeat([1, 0], [50, 200])
    magnitude = rng.normal(size=250)
    magnitude[:20] = np.nan
    found = scar_check(
        np.full(250, 2.0), s, {"m": magnitude, "same": np.ones(250), "none": np.full(250, np.nan)}
    )
    assert [c.unknown for c in found.covariates] == [20, 0, 250]
    assert found.covariates[1].auroc == 0.5
    assert (
        json.loads(json.dumps(found.to_json(), allow_nan=False))["covariates"][2]["auroc"] is None
    )
    assert not any(c.differs for c in found.covariates[1:])


def test_auroc_is_that_of_mann_and_whitney():
    rng = np.random.default_rng(1)
    value, labeled = rng.integers(0, 9, 300), rng.random(300) < 0.3
    expected = mannwhitneyu(value[labeled], value[~labeled]).statistic
    rank = np.unique(value, return_inverse=True)[1]
    found = _auroc(rank, labeled, np.ones(300))
    assert found == pytest.approx(expected / labeled.sum() / (~labeled).sum())
    twice = np.where(value > 4, 2.0, 1.0)
    again = np.repeat(np.arange(300), twice.astype(int))
    assert _auroc(rank, labeled, twice) == pytest.approx(
        _auroc(rank[again], labeled[again], np.ones(len(again)))
    )
    assert _median(np.array([3.0, 1, 2]), np.array([1.0, 1, 5])) == 2


def test_groups_widen_the_interval():
    rng = np.random.default_rng(2)
    s = np.repeat(rng.random(120) < 0.4, 5).astype(int)
    value = np.repeat(rng.normal(size=120), 5)
    one = scar_check(np.full(600, 3.0), s, {"v": value}).covariates[0]
    grouped = scar_check(np.full(600, 3.0), s, {"v": value}, np.repeat(np.arange(120), 5))
    assert (grouped.covariates[0].high - grouped.covariates[0].low) / (
        one.high - one.low
    ) == pytest.approx(np.sqrt(5), rel=0.25)


def test_mistakes_are_said():
    with pytest.raises(BadInputError, match="needs a covariate"):
        scar_check([1.0], [1], {})
    with pytest.raises(BadInputError, match="2 scores: give a label"):
        scar_check([1.0, 2.0], [1, 0], {"m": [1.0]})
    with pytest.raises(BadInputError, match="1 scores are not finite"):
        scar_check([1.0, np.nan], [1, 0], {"m": [1.0, 2.0]})
