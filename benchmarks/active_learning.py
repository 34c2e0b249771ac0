"""How many grades does each acquisition function need to find 80 % of the lenses?

    python benchmarks/active_learning.py

A made-up survey in the space of embeddings: lenses of four kinds, two of which the first ensemble
has seen in simulations that miss the survey by a shift, among galaxies with three kinds of
contaminants. Each round grades the next objects (a grader who knows the truth), retrains a
bootstrap ensemble of logistic heads, labeled lenses against everything else with vetted others
weighted, and orders the rest. Printed for each strategy: grades and expert minutes to 80 % of the
lenses, mean over surveys with a 95 % bootstrap interval, and the ratios to random and to the top of
the ranking by paired surveys. A strategy that does not get there within the budget counts with the
budget, and the number of such surveys is printed.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from lensing_core.acquisition import CandidatePool, order_pool, reduced
from lensing_core.arrays import BoolArray, Float32Array, Float64Array
from lensing_core.pu.learners import LogisticLearner
from lensing_core.uncertainty.decomposition import decompose

STRATEGIES = (
    *("random", "top", "uncertain", "margin", "epistemic", "disagreement", "diverse", "clusters"),
    *("anomalous", "mixed"),
)
GOAL = 0.8
MEMBERS = 4


@dataclass(frozen=True)
class Survey:
    """Embeddings (n, d), which objects are lenses, and labeled simulations to begin with."""

    x: Float32Array
    lens: BoolArray
    first_x: Float32Array
    first_lens: BoolArray


def make_survey(n: int, prevalence: float, d: int, seed: int) -> Survey:
    """Galaxies around the origin; kinds of lenses and contaminants in directions of their own."""
    rng = np.random.default_rng([7, seed])
    directions = np.linalg.qr(rng.normal(size=(d, d)))[0]
    kinds = 3.2 * directions[:4] + 0.8 * directions[4]  # all lenses share a little
    contaminants = 2.6 * directions[5:8] + 0.5 * kinds[:3]
    n_lens = round(prevalence * n)
    lens = np.zeros(n, dtype=bool)
    lens[rng.permutation(n)[:n_lens]] = True
    x = rng.normal(size=(n, d))
    x[lens] += kinds[rng.choice(4, n_lens, p=[0.45, 0.25, 0.2, 0.1])]
    others = np.flatnonzero(~lens)
    odd = rng.choice(others, n // 20, replace=False)
    x[odd] += contaminants[rng.integers(0, 3, len(odd))]
    first = rng.normal(size=(400, d)) + 0.6 * rng.normal(size=d) / np.sqrt(d)
    first_lens = np.arange(400) < 200
    first[first_lens] += 1.2 * kinds[rng.integers(0, 2, 200)]
    return Survey(x.astype("f4"), lens, first.astype("f4"), first_lens)


def fit(survey: Survey, graded: BoolArray, seed: int) -> tuple[Float64Array, Float64Array]:
    """Log-odds of the survey by each member, shape (n, members), and distances from non-lenses."""
    rng = np.random.default_rng(seed)
    free = np.flatnonzero(~graded)
    unlabeled = rng.choice(free, min(1500, len(free)), replace=False)
    known = np.flatnonzero(graded)
    x = np.concatenate([survey.first_x, survey.x[known], survey.x[unlabeled]])
    y = np.concatenate(
        [survey.first_lens, survey.lens[known], np.zeros(len(unlabeled), dtype=bool)]
    )
    weight = np.concatenate(
        [np.full(400, 0.25), np.where(survey.lens[known], 3.0, 5.0), np.ones(len(unlabeled))]
    )
    learner = LogisticLearner(inverse_penalty=0.02)
    logits = np.empty((len(survey.x), MEMBERS))
    for k in range(MEMBERS):
        drawn = rng.integers(0, len(y), len(y))
        logits[:, k] = learner.fit(x[drawn], y[drawn].astype(int), weight[drawn], seed=k)(survey.x)
    none = np.concatenate(
        [survey.first_x[~survey.first_lens], survey.x[known][~survey.lens[known]]]
    )
    away = (survey.x - none.mean(axis=0)) / none.std(axis=0)
    return logits, np.sqrt((away**2).sum(axis=1))


def needed(
    survey: Survey, strategy: str, seed: int, arguments: argparse.Namespace
) -> tuple[int, float, bool]:
    """Grades and seconds to the goal, and whether it was reached."""
    graded = np.zeros(len(survey.x), dtype=bool)
    goal = int(np.ceil(GOAL * survey.lens.sum()))
    space = reduced(survey.x, seed=seed)
    found, n, seconds = 0, 0, 0.0
    while n < arguments.budget:
        if not n or strategy != "random":  # a random order does not hang on the model
            logits, far = fit(survey, graded, seed)
        parts = decompose(logits)
        pool = CandidatePool(logits.mean(axis=1), parts.epistemic, parts.disagreement, far, space)
        order = order_pool(strategy, pool, arguments.batch, graded=graded, seed=seed + n)
        for k in order:
            graded[k] = True
            n += 1
            found += int(survey.lens[k])
            looks_like_one = expit(pool.logit[k]) > 0.5 or survey.lens[k]
            seconds += arguments.seconds_hard if looks_like_one else arguments.seconds_easy
            if found >= goal:
                return n, seconds, True
    return n, seconds, False


def interval(values: Float64Array, rng: np.random.Generator) -> str:
    """Mean with its 95 % bootstrap interval."""
    drawn = values[rng.integers(0, len(values), (5000, len(values)))].mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    digits = 2 if values.mean() < 20 else 0
    return f"{values.mean():,.{digits}f} [{low:,.{digits}f}, {high:,.{digits}f}]"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=5000, help="objects of a survey")
    parser.add_argument("--prevalence", type=float, default=0.012, help="share of lenses")
    parser.add_argument("--d", type=int, default=16, help="dimensions")
    parser.add_argument("--seeds", type=int, default=5, help="surveys")
    parser.add_argument("--batch", type=int, default=100, help="grades a round")
    parser.add_argument("--budget", type=int, default=5000, help="most grades")
    parser.add_argument("--seconds-easy", type=float, default=1.4, help="for an easy reject")
    parser.add_argument("--seconds-hard", type=float, default=5.0, help="for what may be a lens")
    parser.add_argument("--strategies", nargs="+", default=list(STRATEGIES))
    arguments = parser.parse_args()
    start = time.perf_counter()
    grades: dict[str, list[int]] = {}
    seconds: dict[str, list[float]] = {}
    missed: dict[str, int] = {}
    for strategy in arguments.strategies:
        for seed in range(arguments.seeds):
            survey = make_survey(arguments.n, arguments.prevalence, arguments.d, seed)
            n, took, reached = needed(survey, strategy, seed, arguments)
            grades.setdefault(strategy, []).append(n)
            seconds.setdefault(strategy, []).append(took)
            missed[strategy] = missed.get(strategy, 0) + (not reached)
    rng = np.random.default_rng(0)
    print(
        f"{arguments.seeds} surveys of {arguments.n:,} objects, {arguments.prevalence:.1%} lenses, "
        f"{arguments.batch} grades a round; {arguments.seconds_easy:g} s for an easy reject, "
        f"{arguments.seconds_hard:g} s for what may be a lens"
    )
    print(
        "| strategy | grades to 80 % | of random | of top score | expert minutes "
        "| surveys that missed it |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    table = {name: np.array(values, dtype=np.float64) for name, values in grades.items()}
    for name, values in table.items():
        ratios = [
            interval(values / table[against], rng) if against in table else "–"
            for against in ("random", "top")
        ]
        minutes = interval(np.array(seconds[name]) / 60, rng)
        print(
            f"| `{name}` | {interval(values, rng)} | {ratios[0]} | {ratios[1]} | {minutes} | "
            f"{missed[name]} of {arguments.seeds} |"
        )
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
