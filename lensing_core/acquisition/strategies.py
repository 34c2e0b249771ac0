"""The acquisition functions by name, and a pool in memory ordered by one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from lensing_core.acquisition.diversity import cluster_leaders, k_center
from lensing_core.acquisition.utilities import best_first, boundary_logit, random_keys
from lensing_core.arrays import BoolArray, Float64Array, IntArray
from lensing_core.errors import BadInputError

T = TypeVar("T")


@dataclass(frozen=True)
class Strategy:
    """An acquisition function for people.

    Attributes
    ----------
    title, text : str
        What a page calls it, and what it is good for.
    needs_scores : bool
        Whether an ensemble must have scored the candidates.
    """

    title: str
    text: str
    needs_scores: bool = True


STRATEGIES: dict[str, Strategy] = {
    "top": Strategy("Top of the ranking", "The best scores: most lenses for the time."),
    "uncertain": Strategy("Uncertain", "Probability nearest to one half (entropy)."),
    "epistemic": Strategy("Epistemic (BALD)", "Confident members that contradict one another."),
    "margin": Strategy(
        "Edge of the list", "Scores nearest to the end of the list of expected lenses."
    ),
    "disagreement": Strategy("Members disagree", "Largest spread of the members' log-odds."),
    "graders": Strategy("Graders disagree", "Graded objects on which graders disagree.", False),
    "experts": Strategy(
        "For experts", "Objects that graders flagged, then those on which they disagree.", False
    ),
    "diverse": Strategy(
        "Diverse (k-center)", "High scores that differ from one another and from graded objects."
    ),
    "clusters": Strategy("Diverse (clusters)", "The best of each cluster of high scores."),
    "anomalous": Strategy("OOD distance", "Objects farthest from all labeled ones."),
    "random": Strategy("Random sample", "A random sample, for class prior and purity.", False),
    "filter": Strategy("Order of a filter", "In the order of a ranking or saved filter.", False),
    "mixed": Strategy("Mixed", "Several of these in turn, by shares."),
}
DEFAULT_SHARES = {"top": 0.5, "epistemic": 0.2, "diverse": 0.2, "random": 0.1}
POOL_FACTOR, LEAST_POOL, MOST_POOL = 20, 2000, 20_000
"""Diverse objects are chosen from the best ``POOL_FACTOR`` times as many, within these bounds."""


def pool_size(n: int) -> int:
    """Return how many of the best scores a diverse choice of ``n`` looks at."""
    return max(n, min(MOST_POOL, max(LEAST_POOL, POOL_FACTOR * n)))


@dataclass(frozen=True)
class CandidatePool:
    """Scores and embeddings of m objects.

    Attributes
    ----------
    logit, epistemic, disagreement : ndarray of shape (m,)
    ood_distance : ndarray of shape (m,), optional
        NaN where unknown.
    embedding : ndarray of shape (m, d), optional
        As :func:`~lensing_core.acquisition.diversity.reduced` makes it.
    """

    logit: Float64Array
    epistemic: Float64Array
    disagreement: Float64Array
    ood_distance: Float64Array | None = None
    embedding: Float64Array | None = None


def order_pool(
    strategy: str,
    pool: CandidatePool,
    n: int,
    *,
    graded: BoolArray,
    seed: int = 0,
    shares: Mapping[str, float] | None = None,
) -> IntArray:
    """Indices of the next ``n`` objects to grade, in order, without the graded ones.

    Raises
    ------
    BadInputError
        If the strategy is unknown, or what it needs is missing.
    """
    if strategy == "mixed":
        parts = check_shares(DEFAULT_SHARES if shares is None else shares)
        lists = {
            name: [int(k) for k in order_pool(name, pool, n, graded=graded, seed=seed)]
            for name in parts
        }
        chosen = interleave(lists, parts, n)
        return np.array([key for _, key in chosen], dtype=np.int64)
    if strategy in ("diverse", "clusters"):
        return _spread(strategy, pool, n, graded, seed)
    if strategy == "random":
        free = np.flatnonzero(~graded)
        return np.asarray(free[np.argsort(random_keys(free, seed))[:n]])
    return best_first(_utility(strategy, pool), n, leave_out=graded)


def _utility(strategy: str, pool: CandidatePool) -> Float64Array:
    if strategy == "top":
        return pool.logit
    if strategy == "uncertain":
        return -np.abs(pool.logit)  # as entropy, and exact where that has run into its limits
    if strategy == "margin":
        return -np.abs(pool.logit - boundary_logit(pool.logit))
    if strategy == "epistemic":
        return pool.epistemic
    if strategy == "disagreement":
        return pool.disagreement
    if strategy == "anomalous" and pool.ood_distance is not None:
        return pool.ood_distance
    raise BadInputError(f"Strategy {strategy!r} cannot order these objects.")


def _spread(strategy: str, pool: CandidatePool, n: int, graded: BoolArray, seed: int) -> IntArray:
    if pool.embedding is None:
        raise BadInputError(f"Strategy {strategy!r} needs embeddings.")
    best = best_first(pool.logit, pool_size(n), leave_out=graded)
    x = pool.embedding[best]
    if strategy == "clusters":
        return best[cluster_leaders(x, n, seed=seed).order]
    return best[k_center(x, n, centers=pool.embedding[graded]).order]


def check_shares(shares: Mapping[str, float]) -> dict[str, float]:
    """The shares of a mixture, made to add up to 1.

    Raises
    ------
    BadInputError
        If a strategy is unknown or cannot be mixed, or a share is no positive number.
    """
    wanted = {name: float(share) for name, share in shares.items() if share != 0}
    for name, share in wanted.items():
        if name not in STRATEGIES or name in ("mixed", "filter"):
            raise BadInputError(f"Shares: {name!r} is not a strategy that can be mixed.")
        if not 0 < share < np.inf:
            raise BadInputError(f"Shares: {name} = {share}; give positive numbers.")
    if not wanted:
        raise BadInputError("Shares: give at least one strategy a share.")
    total = sum(wanted.values())
    return {name: share / total for name, share in wanted.items()}


def interleave(
    lists: Mapping[str, Sequence[T]], shares: Mapping[str, float], n: int
) -> list[tuple[str, T]]:
    """``n`` different objects from several ordered lists, each in proportion to its share.

    Next comes the list that is farthest behind its share; an object that two lists have is taken
    once, by the one whose turn it is; a list that ends leaves its places to the others.
    """
    waiting: dict[str, Iterator[T]] = {name: iter(lists[name]) for name in shares}
    taken = dict.fromkeys(waiting, 0)
    seen: set[T] = set()
    result: list[tuple[str, T]] = []
    while waiting and len(result) < n:
        turn = max(waiting, key=lambda name: shares[name] * (len(result) + 1) - taken[name])
        new = next((item for item in waiting[turn] if item not in seen), None)
        if new is None:
            del waiting[turn]
            continue
        seen.add(new)
        taken[turn] += 1
        result.append((turn, new))
    return result
