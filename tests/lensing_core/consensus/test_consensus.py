"""SWAP and Dawid-Skene on simulated graders of known confusion, and against crowd-kit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from crowdkit.aggregation import DawidSkene

from lensing_core.consensus import (
    SCHEMES,
    Smoothing,
    Thresholds,
    Votes,
    confusion_interval,
    dawid_skene,
    estimate,
    list_metrics,
    posterior_draws,
    skill,
    swap,
    vote_table,
    votes_needed,
)
from lensing_core.errors import BadInputError

ABCX = np.array([[0.95, 0.7, 0.3, 0.02]])
SAYS = np.array([[1, 1, -1, 0]])


def simulate(
    confusion: np.ndarray, truth: np.ndarray, share: float, seed: int, p_lens=ABCX, says=SAYS
) -> Votes:
    """Votes of graders with confusion (raters, 2, grades); class 0 is a lens."""
    rng = np.random.default_rng(seed)
    item, rater = np.nonzero(rng.random((len(truth), len(confusion))) < share)
    rows = confusion[rater, 1 - truth[item]].cumsum(axis=1)
    grade = np.minimum((rng.random(len(item))[:, None] > rows).sum(axis=1), rows.shape[1] - 1)
    return Votes(
        item, rater, grade, len(truth), np.zeros(len(confusion), dtype=np.int64), p_lens, says
    )


def experts(n: int, seed: int) -> np.ndarray:
    """Confusion of graders of differing skill with four grades."""
    rng = np.random.default_rng(seed)
    lens = rng.dirichlet([8, 5, 3, 1.5], n)
    other = rng.dirichlet([0.3, 0.8, 3, 14], n)
    return np.stack([lens, other], axis=1)


@pytest.mark.filterwarnings("ignore:The (inplace|copy) keyword")  # of crowd-kit, by pandas
def test_dawid_skene_is_that_of_crowd_kit():
    rng = np.random.default_rng(2)
    k, n = 3, 300
    truth = rng.integers(0, k, n)
    confusion = np.stack([rng.dirichlet(1 + 6 * np.eye(k)[j], 8) for j in range(k)], axis=1)
    item, rater = np.nonzero(rng.random((n, 8)) < 0.6)
    grade = np.array(
        [rng.choice(k, p=confusion[r, truth[i]]) for i, r in zip(item, rater, strict=True)]
    )
    votes = Votes(
        item, rater, grade, n, np.zeros(8, dtype=np.int64), np.array([[1.0, 0.5, 0]]), SAYS[:, :3]
    )
    start = np.zeros((n, k))
    np.add.at(start, (item, grade), 1)
    start /= np.maximum(start.sum(axis=1, keepdims=True), 1)
    ours = estimate(votes, start, smoothing=Smoothing(0, 0), tolerance=-1.0, max_iterations=40)
    frame = pd.DataFrame({"task": item, "worker": rater, "label": grade})
    model = DawidSkene(n_iter=40, tol=-np.inf).fit(frame)  # as many steps, to the same place
    theirs = model.probas_.sort_index()[list(range(k))]
    there = theirs.index.to_numpy()
    assert ours.posterior[there] == pytest.approx(theirs.to_numpy(), abs=2e-5)
    errors = model.errors_.sort_index()
    for worker in range(8):
        table = errors.loc[worker][list(range(k))].to_numpy()  # rows: grades given
        assert ours.confusion[worker] == pytest.approx(table.T, abs=2e-4)


def test_dawid_skene_recovers_known_confusion_within_its_intervals():
    confusion, inside, total, brier = experts(6, 0), 0, 0, []
    for seed in range(6):
        truth = (np.random.default_rng(100 + seed).random(1500) < 0.15).astype(int)
        votes = simulate(confusion, truth, 0.7, seed)
        found = dawid_skene(votes)
        assert found.converged
        low, high = confusion_interval(found)
        inside += int(((confusion >= low) & (confusion <= high)).sum())
        total += confusion.size
        assert found.prior[0, 0] == pytest.approx(truth.mean(), abs=0.03)
        p = found.posterior[:, 0]
        brier.append(((p - truth) ** 2).mean())
        draws = posterior_draws(votes, found, 100, seed=seed)
        metrics = list_metrics(p, draws, Thresholds(0.9, 1e-3))
        purity = truth[p >= 0.9].mean()
        completeness = truth[p >= 0.9].sum() / truth.sum()
        assert metrics.purity[1] - 0.02 <= purity <= metrics.purity[2] + 0.02
        assert metrics.completeness[1] - 0.03 <= completeness <= metrics.completeness[2] + 0.03
    assert inside / total > 0.88  # 288 rows at 95 %; truth is estimated too
    assert np.mean(brier) < 0.02


def test_swap_recovers_skill_and_finds_rare_lenses_by_gold():
    p_l, p_d = np.array([0.9, 0.8, 0.95, 0.6, 0.85]), np.array([0.98, 0.95, 0.9, 0.99, 0.97])
    confusion = np.stack([np.stack([p_l, 1 - p_l], 1), np.stack([1 - p_d, p_d], 1)], axis=1)
    rng = np.random.default_rng(5)
    truth = (rng.random(20_000) < 2e-3).astype(int)
    truth[:600] = np.arange(600) % 2  # gold
    gold = np.full(len(truth), -1)
    gold[:600] = truth[:600]
    binary = np.array([[1.0, 0.0]]), np.array([[1, 0]])
    votes = simulate(confusion, truth, 1.0, 3, *binary)
    for learn in (True, False):
        found = swap(votes, prior=2e-3, gold=gold, learn_from_all=learn)
        low, high = confusion_interval(found, 0.999)
        assert ((confusion >= low) & (confusion <= high)).all()
        assert skill(found) == pytest.approx(np.stack([p_l, p_d], 1), abs=0.06)
        rest = slice(600, None)
        p, y = found.posterior[rest, 0], truth[rest]
        expected = p.sum()
        assert abs(expected - y.sum()) < 4 * np.sqrt((p * (1 - p)).sum()) + 0.1 * y.sum()
        accepted = p >= 0.95
        assert y[accepted].mean() > 0.9
        assert y[accepted].sum() / y.sum() > 0.75


def test_swap_is_the_product_of_odds_of_the_paper():
    # One grader, right on 8 of 10 lenses and on all 10 others: P_L = 9/12, P_D = 11/12.
    gold = np.repeat([1, 0, -1], [10, 10, 1])
    said = np.concatenate([np.repeat([0, 1], [8, 2]), np.ones(10, dtype=int), [0]])
    votes = Votes(
        np.arange(21), np.zeros(21, dtype=int), said, 21, np.zeros(1, dtype=int),
        np.array([[1.0, 0.0]]), np.array([[1, 0]]),
    )  # fmt: skip
    found = swap(votes, prior=2e-4, gold=gold, learn_from_all=False)
    assert skill(found)[0] == pytest.approx([9 / 12, 11 / 12])
    odds = 2e-4 / (1 - 2e-4) * (9 / 12) / (1 / 12)
    assert found.posterior[20, 0] == pytest.approx(odds / (1 + odds))


def test_a_useless_grader_says_nothing_and_undecided_grades_do_not_count():
    truth = (np.random.default_rng(0).random(800) < 0.5).astype(int)
    gold = np.where(np.arange(800) < 700, truth, -1)
    confusion = np.stack([[[0.9, 0.1], [0.1, 0.9]], [[0.5, 0.5], [0.5, 0.5]]])
    binary = np.array([[1.0, 0.0]]), np.array([[1, 0]])
    votes = simulate(confusion, truth, 1.0, 1, *binary)
    only = Votes(*(v[votes.rater == 1] for v in (votes.item, votes.rater, votes.grade)), 800,
                 votes.scheme_of, *binary)  # fmt: skip
    found = swap(only, prior=0.3, gold=gold, learn_from_all=False)
    assert found.posterior[:, 0] == pytest.approx(0.3, abs=0.06)
    undecided = Votes(np.array([0]), np.array([0]), np.array([2]), 1, np.array([0]), ABCX, SAYS)
    assert swap(undecided, prior=0.01).posterior[0, 0] == pytest.approx(0.01)


def test_expected_votes_to_a_decision_are_those_of_a_simulation():
    p_l, p_d, thresholds = 0.85, 0.95, Thresholds(0.95, 1e-4)
    confusion = np.array([[[p_l, 1 - p_l], [1 - p_d, p_d]]])
    rng = np.random.default_rng(0)
    for prior in (0.002, 0.1):
        said = votes_needed(np.array([prior]), thresholds, confusion)[0]
        taken = []
        for _ in range(3000):
            lens, p, n = rng.random() < prior, prior, 0
            while thresholds.states(np.array([p]))[0] == 0:
                yes = rng.random() < (p_l if lens else 1 - p_d)
                odds = p / (1 - p) * (p_l / (1 - p_d) if yes else (1 - p_l) / p_d)
                p, n = odds / (1 + odds), n + 1
            taken.append(n)
        assert said - 1 <= np.mean(taken) <= said + 1.5  # overshoot is left out
    decided = votes_needed(np.array([0.99, 1e-9]), thresholds, confusion)
    assert decided.tolist() == [0, 0]
    useless = np.full((1, 2, 2), 0.5)
    assert np.isinf(votes_needed(np.array([0.3]), thresholds, useless)).all()


def test_one_grader_alone_is_taken_nearly_at_the_word_of_the_scheme():
    counts = {"A": 3, "B": 5, "C": 7, "X": 45}
    grades = [grade for grade, n in counts.items() for _ in range(n)]
    table = vote_table([(k, 1, "abcx", grade) for k, grade in enumerate(grades)], SCHEMES)
    found = dawid_skene(table.votes)
    p = found.posterior[[0, 3, 8, 15], 0]
    assert found.converged
    assert p == pytest.approx([0.95, 0.7, 0.3, 0.02], abs=0.2)
    assert (np.diff(p) < 0).all()
    low, high = np.percentile(posterior_draws(table.votes, found, 200)[:, 0], [2.5, 97.5])
    assert low < 0.7 < p[0] < high


def test_thresholds_and_lists_at_their_ends():
    with pytest.raises(BadInputError, match="the smaller"):
        Thresholds(0.1, 0.5)
    none = list_metrics(np.array([0.2, 0.1]), np.full((10, 2), 0.15), Thresholds())
    assert none.n_accepted == 0
    assert np.isnan(none.purity[0])
    assert none.completeness[0] == 0
    empty = dawid_skene(vote_table([], SCHEMES).votes)
    assert empty.posterior.shape == (0, 2)


def test_vote_tables_mix_schemes_and_put_probabilities_at_their_marks():
    rows = [
        (7, 1, "abcx", "A"), (7, 2, "binary", "lens"), (9, 1, "abcx", "X"),
        (9, 3, "p_lens", "0.21"), (3, 2, "binary", "not"),
    ]  # fmt: skip
    table = vote_table(rows, SCHEMES)
    votes = table.votes
    assert table.items.tolist() == [3, 7, 9]
    assert table.raters == ((1, "abcx"), (2, "binary"), (3, "p_lens"))
    assert votes.per_item().tolist() == [1, 2, 2]
    assert table.grades["p_lens"][votes.grade[3]] == "0.25"
    assert votes.valid.sum(axis=1).tolist() == [4, 2, 5]
    found = dawid_skene(votes)
    assert (
        found.confusion[~np.broadcast_to(votes.valid[:, None], found.confusion.shape)] == 0
    ).all()
    p = found.posterior[:, 0]
    assert p[1] > 0.5 > max(p[0], p[2])
    with pytest.raises(BadInputError, match="'Z'"):
        vote_table([(1, 1, "abcx", "Z")], SCHEMES)
    with pytest.raises(BadInputError, match="'own'"):
        vote_table([(1, 1, "own", "A")], SCHEMES)
