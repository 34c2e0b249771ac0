"""One contract: every method passes the same tests."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit

from lensing_core.errors import BadInputError
from lensing_core.metrics import ranking_metrics
from lensing_core.pu import (
    METHODS,
    LogisticLearner,
    PUMethod,
    PUModel,
    TreesLearner,
    out_of_fold,
    pu_method,
)
from lensing_core.pu.contract import IntervalEstimate, Link, mean_logit

PRIOR, LABEL_FREQUENCY, SHIFT = 0.2, 0.5, 2.0
TREES = TreesLearner(rounds=30, threads=1)
QUICK = {"nnpu": {"min_steps": 150, "epochs": 1}, "upu": {"min_steps": 200, "epochs": 1}}


def gaussians(n=1500, *, seed=0, columns=4, prior=PRIOR, c=LABEL_FREQUENCY):
    """x, y and s of two unit Gaussians ``SHIFT`` apart, labeled completely at random."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < prior).astype(int)
    x = rng.normal(size=(n, columns)).astype(np.float32)
    x[:, 0] += SHIFT * y
    return x, y, y * (rng.random(n) < c)


def a_method(name, learner=TREES, **options) -> PUMethod:
    return pu_method(name, prior=PRIOR, learner=learner, **{**QUICK.get(name, {}), **options})


def given(name, y, s):
    return y if name == "oracle" else s


every_method = pytest.mark.parametrize("name", METHODS)


@every_method
@pytest.mark.parametrize("learner", [TREES, LogisticLearner()], ids=["trees", "logistic"])
def test_shapes_and_ranking(name, learner):
    x, y, s = gaussians()
    model = a_method(name, learner).fit(x, given(name, y, s))
    fresh, truth, _ = gaussians(4000, seed=1)
    decision, probability = model.decision(fresh), model.probability(fresh)
    assert decision.shape == probability.shape == (4000,)
    assert decision.dtype == probability.dtype == np.float64
    np.testing.assert_allclose(probability, expit(decision))
    assert model.decision(fresh[:1]).shape == (1,)
    np.testing.assert_allclose(model.decision(fresh[:7]), decision[:7], rtol=1e-5, atol=1e-5)
    best = ranking_metrics(fresh[:, 0], truth)["auroc"]  # 0.921: the optimum
    assert ranking_metrics(decision, truth)["auroc"] > best - 0.08
    assert model.prior.value > 0


@every_method
def test_top_of_the_ranking_has_no_ties_but_the_models_own(name):
    x, y, s = gaussians()
    model = a_method(name, LogisticLearner(inverse_penalty=10.0)).fit(x, given(name, y, s))
    far = np.zeros((200, x.shape[1]), dtype=np.float32)
    far[:, 0] = np.linspace(-8, 16, 200)
    raw, decision = mean_logit(model.scorers, far), model.decision(far)
    order = np.argsort(raw)
    assert np.all(np.diff(decision[order])[np.diff(raw[order]) > 1e-6] > 0)
    assert np.all(np.diff(model.probability(far)[order]) >= 0)


@every_method
def test_same_seed_same_model(name):
    x, y, s = gaussians()
    one, two = (a_method(name, seed=3).fit(x, given(name, y, s)).decision(x) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    if name != "upu":  # linear from zero, whole batches of positives: the order hardly matters
        other = a_method(name, seed=4).fit(x, given(name, y, s)).decision(x)
        assert np.abs(one - other).max() > 1e-6


@every_method
@pytest.mark.parametrize("learner", [TREES, LogisticLearner()], ids=["trees", "logistic"])
def test_round_trip_through_files(name, learner, tmp_path):
    x, y, s = gaussians(600)
    model = a_method(name, learner).fit(x, given(name, y, s))
    manifest = model.to_files(tmp_path / "model")
    assert not list((tmp_path / "model").glob("*.pkl"))
    again = PUModel.from_files(tmp_path / "model")
    np.testing.assert_array_equal(again.decision(x), model.decision(x))
    assert (again.prior, again.label_frequency) == (model.prior, model.label_frequency)
    assert (again.method, again.link, again.columns) == (name.split("_re")[0], model.link, 4)
    assert json.loads(json.dumps(manifest, allow_nan=False))["diagnostics"] == again.diagnostics


@every_method
def test_unknown_values_are_taken_and_infinite_ones_refused(name):
    x, y, s = gaussians()
    x[::3, 1] = np.nan
    x[:, 3] = np.nan  # a column without any value
    x[5] = np.nan  # a row without any
    model = a_method(name).fit(x, given(name, y, s))
    assert np.isfinite(model.decision(x)).all()
    logistic = a_method(name, LogisticLearner()).fit(x, given(name, y, s))
    assert np.isfinite(logistic.decision(x)).all()
    for bad in (np.inf, -np.inf, 1e300):
        wide = x.astype(np.float64)
        wide[7, 2] = bad
        with pytest.raises(BadInputError, match="Feature 2 of row 7 is infinite; store NaN"):
            a_method(name).fit(wide, s)
        with pytest.raises(BadInputError, match="Feature 2 of row 7 is infinite"):
            model.decision(wide)


@every_method
def test_columns_that_say_nothing_give_one_score(name):
    x, y, s = gaussians(600)
    method = a_method(name, LogisticLearner())
    if name == "spy":
        with pytest.raises(BadInputError, match="No unlabeled object ranks below the spies"):
            method.fit(np.ones_like(x), s)
        return
    model = method.fit(np.ones_like(x), given(name, y, s))
    decision = model.decision(np.ones_like(x))
    assert np.ptp(decision) == 0
    assert np.isfinite(decision).all()


@every_method
def test_label_mistakes_are_said_in_one_sentence(name):
    x, _, s = gaussians(200)
    method, n = a_method(name), len(s)
    needed = method.min_positives
    one = np.zeros(n, dtype=int)
    for positives in (0, 1):
        one[:positives] = 1
        text = f"needs at least {needed} labeled positives; there are {positives}"
        with pytest.raises(BadInputError, match=text):
            method.fit(x, one)
    with pytest.raises(BadInputError, match=r"All 200 objects are labeled; .* needs unlabeled"):
        method.fit(x, np.ones(n))
    for wrong in (np.where(s == 1, 1, -1), np.where(s == 1, 1.0, np.nan), s * 0.5):
        with pytest.raises(BadInputError, match="Labels are 1 for a labeled positive and 0"):
            method.fit(x, wrong)
    with pytest.raises(BadInputError, match="200 rows of features, labels of shape"):
        method.fit(x, s[:-1])
    with pytest.raises(BadInputError, match=r"groups of shape \(3,\)"):
        method.fit(x, s, [1, 2, 3])
    with pytest.raises(BadInputError, match=r"Groups of type .* whole numbers"):
        method.fit(x, s, ["a"] * n)
    with pytest.raises(BadInputError, match="give rows and columns"):
        method.fit(x[:, 0], s)
    with pytest.raises(BadInputError, match="takes 4 columns; these features have 3"):
        method.fit(x, s).decision(x[:, :3])


@every_method
def test_the_fewest_positives_give_a_model(name):
    x, _, _ = gaussians(200)
    method = a_method(name)
    s = np.zeros(200, dtype=int)
    s[np.argsort(-x[:, 0])[: method.min_positives]] = 1
    assert np.isfinite(method.fit(x, s).decision(x)).all()


class Watched(PUMethod):
    """Passes on to a method, and keeps the groups that each model was fitted on."""

    name = "watched"

    def __init__(self, method):
        self.method, self.seen = method, []

    def _fit(self, x, s, groups):
        self.seen.append(np.unique(groups))
        return self.method.fit(x, s, groups)


@every_method
def test_out_of_fold_scores_know_nothing_of_their_group(name):
    """Exemplars of a group look alike and share labels that mean nothing: chance is the best."""
    rng = np.random.default_rng(5)
    n_groups, members = 300, 6
    center = rng.normal(size=(n_groups, 6))
    groups = np.repeat(np.arange(n_groups), members)
    x = (center[groups] + 0.01 * rng.normal(size=(len(groups), 6))).astype(np.float32)
    s = np.repeat(rng.permutation(n_groups) < 100, members).astype(int)
    watched = Watched(a_method(name, TreesLearner(rounds=100, leaves=31, threads=1)))
    held = out_of_fold(watched, x, s, groups, n_folds=4)
    assert len(watched.seen) == 4
    left_out = [set(range(n_groups)) - set(seen.tolist()) for seen in watched.seen]
    assert set.union(*left_out) == set(range(n_groups))
    assert sum(map(len, left_out)) == n_groups
    # 300 groups of one label: the standard error of the AUROC is 0.036.
    assert abs(ranking_metrics(held, s)["auroc"] - 0.5) < 0.11


@pytest.mark.parametrize("name", [n for n in METHODS if n not in ("upu", "nnpu")])
def test_by_rows_instead_of_groups_the_same_labels_leak(name):
    """The counterpart: without groups, twins on the other side give the label away."""
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(300), 6)
    center = rng.normal(size=(300, 6))
    x = (center[groups] + 0.01 * rng.normal(size=(1800, 6))).astype(np.float32)
    s = np.repeat(rng.permutation(300) < 100, 6).astype(int)
    method = a_method(name, TreesLearner(rounds=100, leaves=31, threads=1))
    assert ranking_metrics(out_of_fold(method, x, s, n_folds=4), s)["auroc"] > 0.7


@pytest.mark.parametrize("damage", ["{", "[]", '{"method": "naive"}', "gone"])
def test_damaged_files_are_said(damage, tmp_path):
    x, _, s = gaussians(300)
    a_method("naive").fit(x, s).to_files(tmp_path)
    if damage == "gone":
        (tmp_path / "scorer_000.txt").unlink()
    else:
        (tmp_path / "pu.json").write_text(damage)
    with pytest.raises(BadInputError, match=r"cannot be read .*; train the model again"):
        PUModel.from_files(tmp_path)


@pytest.mark.parametrize("scale", ["log_odds", "elkan_noto", "case_control"])
def test_links_are_increasing_continuous_and_exact_below_their_knee(scale):
    link = Link(scale, -1.0, 0.3)
    z = np.linspace(-60, 60, 200_001)
    out = link(z)
    assert np.all(np.diff(out) > 0)
    assert np.diff(out).max() < 0.02
    low = z[z < -0.3]  # all of P < 0.95
    if scale == "elkan_noto":
        low = low[expit(low - 1) / 0.3 < 0.95]
        np.testing.assert_allclose(expit(link(low)), expit(low - 1) / 0.3, rtol=1e-9)
    if scale == "case_control":
        low = low[np.exp(low - 1) < 0.95]
        np.testing.assert_allclose(expit(link(low)), np.exp(low - 1), rtol=1e-9)


def test_a_link_of_another_kind_is_refused():
    with pytest.raises(BadInputError, match="Scale 'cube' is unknown: log_odds, elkan_noto, case"):
        Link("cube")


def test_estimates_keep_what_is_not_known():
    for e in (IntervalEstimate(0.3), IntervalEstimate(0.3, 0.1, 0.6)):
        assert IntervalEstimate.from_json(json.loads(json.dumps(e.to_json()))) == e
    assert np.isnan(IntervalEstimate.from_json(IntervalEstimate(float("nan")).to_json()).value)
    assert str(IntervalEstimate(0.3, 0.1, 0.6)) == "0.3 [0.1, 0.6]"
    assert str(IntervalEstimate(0.3)) == "0.3"


def test_unknown_names_and_options_are_said():
    with pytest.raises(BadInputError, match="PU method 'magic' is unknown; there are naive"):
        pu_method("magic", prior=0.1)
    with pytest.raises(BadInputError, match="Learner 'forest' is unknown; there are lightgbm"):
        pu_method("naive", prior=0.1, learner="forest")
    with pytest.raises(BadInputError, match="An option does not fit the PU method naive"):
        pu_method("naive", prior=0.1, bags=3)
    for name in ("nnpu", "upu", "bagging", "spy"):
        for prior in (0.0, 1.0, -0.1, float("nan")):
            with pytest.raises(BadInputError, match="Class prior"):
                pu_method(name, prior=prior)
