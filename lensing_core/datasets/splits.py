"""Splits and folds of whole groups: no group ever stands on two sides."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from lensing_core.arrays import IntArray
from lensing_core.errors import BadInputError


def split_groups(
    groups: ArrayLike, shares: Mapping[str, float], *, seed: int = 0
) -> dict[str, IntArray]:
    """Indices of each split by name, of whole groups, near the shares asked for.

    Parameters
    ----------
    groups : array_like of shape (n,)
        As of :func:`~lensing_core.datasets.groups.object_groups`.
    shares : mapping of str to float
        Of all objects; they sum to 1.
    """
    names, member, counts = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    # Where the middle of a group falls on the line of all objects decides its split.
    middle = (np.cumsum(counts[order]) - counts[order] / 2) / counts.sum()
    edges = np.cumsum(list(shares.values()))[:-1]
    of_group = np.empty(len(names), dtype=np.int64)
    of_group[order] = np.searchsorted(edges, middle)
    which = of_group[member]
    return {name: np.flatnonzero(which == k) for k, name in enumerate(shares)}


def fold_of_groups(groups: ArrayLike, n_folds: int, *, seed: int = 0) -> IntArray:
    """Fold of each object, 0 to ``n_folds - 1``, of whole groups dealt by chance."""
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    part = np.random.default_rng([seed, n_folds]).permutation(len(names)) % n_folds
    return np.asarray(part[member], dtype=np.int64)


def group_folds(groups: ArrayLike, s: ArrayLike, n_folds: int, *, seed: int = 0) -> IntArray:
    """Fold of each object, 0 to ``n_folds - 1``; whole groups, labeled ones dealt evenly.

    Parameters
    ----------
    groups : array_like of shape (n,)
        As of :func:`~lensing_core.datasets.groups.object_groups`.
    s : array_like of shape (n,), 1 labeled
        Groups that hold a labeled object are dealt apart from the others, so that every fold
        gets its share of them.

    Raises
    ------
    BadInputError
        If there are fewer groups with a labeled object than folds.
    """
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    labeled = np.zeros(len(names), dtype=bool)
    labeled[member[np.asarray(s) == 1]] = True
    if labeled.sum() < n_folds:
        raise BadInputError(
            f"{n_folds} folds need as many groups with a labeled object; there are "
            f"{int(labeled.sum())}. Label objects in more places of the sky."
        )
    rng = np.random.default_rng(seed)
    fold = np.empty(len(names), dtype=np.int64)
    for stratum in (np.flatnonzero(labeled), np.flatnonzero(~labeled)):
        size = np.bincount(member, minlength=len(names))[stratum]
        # Large groups first, then in random order: folds end up of nearly equal size.
        order = stratum[np.lexsort((rng.random(len(stratum)), -size))]
        turn = np.arange(len(order))
        there, back = turn % n_folds, n_folds - 1 - turn % n_folds
        fold[order] = np.where((turn // n_folds) % 2 == 0, there, back)
    return fold[member]
