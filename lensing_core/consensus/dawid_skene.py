"""Lens probability from grades of any scheme (Dawid & Skene 1979, Applied Statistics 28, 20).

Objects are lenses or not; each grader has a probability of every grade for both. So a "possible
lens" of a severe grader counts for more than that of a generous one, and schemes mix.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lensing_core.arrays import Float64Array, IntArray
from lensing_core.consensus.confusion import ConsensusEstimate, Smoothing, estimate
from lensing_core.consensus.votes import UNKNOWN, Votes

SMOOTHING = Smoothing(flat=0.1, pooled=2.0, anchored=20.0)
"""A new grader is taken for one of the others for two votes, and at the scheme's word for twenty:
one grader alone gets nearly what the grades stand for, and hundreds of votes hardly feel it."""


def dawid_skene(
    votes: Votes,
    *,
    prior: ArrayLike | None = None,
    gold: IntArray | None = None,
    smoothing: Smoothing = SMOOTHING,
) -> ConsensusEstimate:
    """Posterior (class 0 lens, class 1 no lens) of objects and confusion of graders.

    Parameters
    ----------
    prior : float or array_like of shape (items,), optional
        Probability of a lens before any vote; without it the share of lenses is estimated.
    gold : ndarray of shape (items,), int, optional
        1 lens, 0 no lens, -1 unknown.
    """
    known = None if gold is None else np.where(gold == UNKNOWN, UNKNOWN, 1 - gold)
    both = None
    if prior is not None:
        p = np.broadcast_to(np.asarray(prior, dtype=np.float64), (votes.n_items,))
        both = np.stack([p, 1 - p], axis=1)
    return estimate(votes, mean_grade(votes), prior=both, gold=known, smoothing=smoothing)


def mean_grade(votes: Votes) -> Float64Array:
    """Return what the grades of each object stand for on average, as first posterior (items, 2).

    Objects without votes get one half.
    """
    said = votes.p_lens[votes.scheme_of[votes.rater], votes.grade]
    n = votes.per_item()
    total = np.bincount(votes.item, said, minlength=votes.n_items)
    p = np.divide(total, n, out=np.full(votes.n_items, 0.5), where=n > 0)
    return np.stack([p, 1 - p], axis=1)
