"""Acquisition functions on arrays: against brute force, closed forms and independent code."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.special import expit
from scipy.stats import entropy as scipy_entropy

from lensing_core.acquisition import (
    STRATEGIES,
    CandidatePool,
    best_first,
    boundary_logit,
    cluster_leaders,
    entropy,
    interleave,
    k_center,
    order_pool,
    random_keys,
    reduced,
)
from lensing_core.errors import BadInputError


@pytest.fixture(scope="module")
def pool() -> CandidatePool:
    rng = np.random.default_rng(3)
    n = 600
    ood_distance = rng.chisquare(5, n)
    ood_distance[::7] = np.nan
    return CandidatePool(
        rng.normal(-3, 2, n), rng.random(n), rng.random(n), ood_distance, rng.normal(size=(n, 8))
    )


def test_entropy_is_that_of_scipy_and_exact_at_the_ends():
    p = np.array([0.0, 1e-12, 0.1, 0.5, 0.93, 1.0])
    assert entropy(p) == pytest.approx([scipy_entropy([1 - q, q]) for q in p], abs=1e-15)
    assert entropy(0.5) == pytest.approx(math.log(2))


def test_the_boundary_holds_the_expected_number_of_lenses():
    logit = np.random.default_rng(0).normal(-4, 3, 5000)
    boundary = boundary_logit(logit)
    assert (logit >= boundary).sum() == round(expit(logit).sum())
    assert boundary_logit([-9.0, -12.0]) == -9.0  # fewer than one expected: the best one


def test_best_first_leaves_out_the_unknown_and_the_graded_and_breaks_ties_by_id():
    utility = [1.0, np.nan, 3.0, 3.0, 2.0]
    assert best_first(utility, 9).tolist() == [2, 3, 4, 0]
    assert best_first(utility, 9, ids=[7, 1, 4, 6, 2]).tolist() == [3, 2, 4, 0]
    assert best_first(utility, 2, leave_out=[0, 0, 1, 0, 0]).tolist() == [3, 4]


def test_random_keys_sample_fairly_and_do_not_depend_on_the_place():
    ids = np.arange(20_000)
    keys = random_keys(ids, 5)
    assert (random_keys(ids[::-1], 5)[::-1] == keys).all()
    assert not (random_keys(ids, 6) == keys).any()
    sample = np.argsort(keys)[:2000]
    # Mean of 2000 of 20,000 numbers: sigma = 20000/sqrt(12·2000)·sqrt(0.9) = 122
    assert abs(sample.mean() - 9999.5) < 5 * 122
    assert abs(np.corrcoef(keys[:-1].astype(float), keys[1:].astype(float))[0, 1]) < 0.03


@pytest.mark.parametrize("strategy", sorted(set(STRATEGIES) - {"graders", "experts", "filter"}))
def test_every_strategy_orders_ungraded_objects_without_repeats(pool, strategy):
    graded = np.zeros(len(pool.logit), dtype=bool)
    graded[::3] = True
    order = order_pool(strategy, pool, 50, graded=graded, seed=2)
    assert len(set(order.tolist())) == 50
    assert not graded[order].any()
    assert (order == order_pool(strategy, pool, 50, graded=graded, seed=2)).all()


def test_strategies_by_one_number_are_sorted_by_it(pool):
    none = np.zeros(len(pool.logit), dtype=bool)

    def chosen(strategy: str) -> np.ndarray:
        return order_pool(strategy, pool, 600, graded=none)

    assert (np.diff(pool.logit[chosen("top")]) <= 0).all()
    assert (np.diff(entropy(expit(pool.logit[chosen("uncertain")]))) <= 1e-15).all()
    assert (np.diff(pool.epistemic[chosen("epistemic")]) <= 0).all()
    edge = np.abs(pool.logit[chosen("margin")] - boundary_logit(pool.logit))
    assert edge[0] == 0
    assert (np.diff(edge) >= 0).all()
    assert np.isfinite(pool.ood_distance[chosen("anomalous")]).all()
    with pytest.raises(BadInputError, match="'best'"):
        order_pool("best", pool, 5, graded=none)


def test_k_center_is_the_greedy_choice_and_within_twice_the_best_radius():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 3))
    found = k_center(x, 10)
    chosen = [0]
    for _ in range(9):
        chosen.append(int(cdist(x, x[chosen]).min(axis=1).argmax()))
    assert found.order.tolist() == chosen
    assert found.distance[1:] == pytest.approx(
        [cdist(x[[c]], x[chosen[:k]]).min() for k, c in enumerate(chosen) if k]
    )
    # Four tight clusters: four centers reach all within twice the size of a cluster.
    centers = np.array([[0, 0], [9, 0], [0, 9], [9, 9.0]])
    y = np.concatenate([c + rng.uniform(-0.1, 0.1, (20, 2)) for c in centers])
    four = k_center(y, 4).order
    assert cdist(y, y[four]).min(axis=1).max() <= 2 * np.hypot(0.1, 0.1) * 2


def test_k_center_keeps_away_from_graded_objects_and_survives_copies():
    x = np.array([[0.0, 0], [5, 0], [0, 5], [5, 5]])
    assert k_center(x, 1, centers=[[0.0, 0.0]]).order.tolist() == [3]
    copies = k_center(np.ones((4, 2)), 4)
    assert sorted(copies.order.tolist()) == [0, 1, 2, 3]
    assert copies.distance[1:].tolist() == [0, 0, 0]


def test_cluster_leaders_are_the_best_of_each_cluster():
    rng = np.random.default_rng(0)
    cluster = rng.integers(0, 5, 200)
    x = 50.0 * np.eye(5)[cluster] + rng.normal(0, 0.1, (200, 5))
    found = cluster_leaders(x, 5)
    assert found.order.tolist() == sorted(np.flatnonzero(cluster == k)[0] for k in range(5))
    assert found.distance.sum() == 200
    assert len(set(cluster_leaders(np.ones((30, 2)), 7).order.tolist())) == 7


def test_reduction_ignores_units_and_bears_unknown_values():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 40)) @ rng.normal(size=(40, 40))
    scaled = reduced(x * np.geomspace(1e-6, 1e6, 40) + 17)
    assert scaled.shape == (300, 32)
    assert cdist(scaled, scaled) == pytest.approx(cdist(reduced(x), reduced(x)), rel=1e-6, abs=1e-6)
    x[3, 4], x[:, 5], x[9, 9] = np.nan, np.nan, np.inf
    assert np.isfinite(reduced(x[:, :10])).all()
    assert reduced(x[:, :10]).shape == (300, 9)


def test_a_mixture_keeps_its_shares_at_every_length():
    lists = {"top": list(range(100)), "random": list(range(50, 150))}
    shares = {"top": 0.75, "random": 0.25}
    mixed = interleave(lists, shares, 60)
    assert len({key for _, key in mixed}) == 60
    for n in range(1, 61):
        assert abs(sum(name == "top" for name, _ in mixed[:n]) - 0.75 * n) <= 1
    # What one list lacks the other fills; nothing comes twice.
    assert len(interleave({"top": [1, 2], "random": [2, 3, 4]}, shares, 9)) == 4
    with pytest.raises(BadInputError, match="'mixed'"):
        order_pool(
            "mixed",
            CandidatePool(*np.zeros((3, 2))),
            1,
            graded=np.zeros(2, bool),
            shares={"mixed": 1},
        )
