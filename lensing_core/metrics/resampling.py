"""Bootstrap draws of whole groups, for intervals where objects of one place belong together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import BoolArray

Rows = NDArray[np.intp]


def group_resamples(
    group: NDArray[np.integer], lens: BoolArray, n: int, seed: int
) -> Iterator[Rows]:
    """Rows of whole groups drawn with replacement; draws that lack a class are left out.

    Parameters
    ----------
    group : ndarray of shape (n,)
    lens : ndarray of shape (n,), bool
    n : int
        Draws.
    """
    names, member = np.unique(group, return_inverse=True)
    order = np.argsort(member, kind="stable")
    ends = np.cumsum(np.bincount(member))
    of_group = np.split(order, ends[:-1])
    rng = np.random.default_rng(seed)
    given = 0
    while given < n:
        rows = np.concatenate([of_group[k] for k in rng.integers(0, len(names), len(names))])
        if 0 < lens[rows].sum() < len(rows):
            given += 1
            yield rows
