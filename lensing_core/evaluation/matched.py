"""Separation of lenses from the non-lenses most similar in brightness, color and size."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree

from lensing_core.arrays import Float64Array
from lensing_core.errors import BadInputError

NEIGHBORS = 5


@dataclass(frozen=True)
class MatchedSeparation:
    """P(a lens scores above a non-lens alike), with its 95 % interval (bootstrap by groups).

    Attributes
    ----------
    value, low_95, high_95 : float
    lenses, others : int
        How many there are to choose from.
    distance : float
        Median distance of a lens from its neighbors, in robust standard deviations of the
        non-lenses: how good the match is.
    """

    value: float
    low_95: float
    high_95: float
    lenses: int
    others: int
    distance: float

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low_95:.3f}, {self.high_95:.3f}]"


@dataclass(frozen=True)
class Matches:
    """The k nearest non-lenses of each lens.

    Attributes
    ----------
    lens : ndarray of shape (m,)
        Rows of the lenses.
    neighbor : ndarray of shape (m, k)
        Rows of their neighbors.
    distance : ndarray of shape (m, k)
    """

    lens: NDArray[np.intp]
    neighbor: NDArray[np.intp]
    distance: Float64Array

    def above(self, scores: Float64Array) -> Float64Array:
        """Share of the neighbors that each lens scores above, ties one half; (m,)."""
        mine, theirs = scores[self.lens][:, None], scores[self.neighbor]
        return np.asarray(((mine > theirs) + 0.5 * (mine == theirs)).mean(axis=1))


def find_matches(properties: ArrayLike, labels: ArrayLike, *, k: int = NEIGHBORS) -> Matches:
    """The ``k`` non-lenses nearest to each lens, in robust standard deviations of non-lenses.

    Parameters
    ----------
    properties : array_like of shape (n, p)
        All finite.
    labels : array_like of shape (n,), 1 lens or 0 not

    Raises
    ------
    BadInputError
        If there are no lenses, or fewer than ``k`` non-lenses.
    """
    values, truth = np.asarray(properties, dtype=np.float64), np.asarray(labels)
    lens, other = np.flatnonzero(truth == 1), np.flatnonzero(truth == 0)
    if not len(lens) or len(other) < k:
        raise BadInputError(
            f"{len(lens)} lenses and {len(other)} non-lenses: matching needs a lens and {k} others."
        )
    middle = np.median(values[other], axis=0)
    spread = 1.4826 * np.median(np.abs(values[other] - middle), axis=0)
    scaled = (values - middle) / np.where(spread > 0, spread, 1.0)
    distance, nearest = KDTree(scaled[other]).query(scaled[lens], k=k)
    shape = (len(lens), k)
    return Matches(lens, other[np.reshape(nearest, shape)], np.reshape(distance, shape))


def group_draws(group: NDArray[np.integer], n: int, seed: int) -> Float64Array:
    """Return how often each object counts in ``n`` bootstrap draws of whole groups, shape (n,
    objects).
    """
    names, member = np.unique(group, return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=n)
    return drawn[:, member].astype(np.float64)


def matched_separation(
    scores: ArrayLike,
    labels: ArrayLike,
    properties: ArrayLike,
    groups: ArrayLike,
    *,
    k: int = NEIGHBORS,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> MatchedSeparation:
    """P(lens above neighbor) over the ``k`` nearest non-lenses of each lens.

    A lens that is brighter than all non-lenses has none alike: the baselines on the same objects
    show what is left of that advantage, and :attr:`MatchedSeparation.distance` how large it is.
    Intervals come from draws of the lenses' groups, the neighbors of each lens staying its own.
    """
    matches = find_matches(properties, labels, k=k)
    share = matches.above(np.asarray(scores, dtype=np.float64))
    counts = group_draws(np.asarray(groups)[matches.lens], n_bootstrap, seed)
    means = counts @ share / counts.sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return MatchedSeparation(
        float(share.mean()),
        float(low),
        float(high),
        len(matches.lens),
        int((np.asarray(labels) == 0).sum()),
        float(np.median(matches.distance)),
    )
