"""SWAP: lens or not by graders of known skill (Marshall et al. 2016, MNRAS 455, 1171).

A grader says "lens" of lenses with probability P_L and "no lens" of others with P_D. Each starts as
if right once and wrong once, learns from gold standards, and, as in the offline analyses of later
projects, from all other objects by their posterior. A vote multiplies the odds of an object by
P_L / (1 − P_D) for "lens" and by (1 − P_L) / P_D for "no lens"; all votes are weighed by the skill
that the grader has shown in the end, so that the order of votes does not matter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lensing_core.arrays import Float64Array, IntArray
from lensing_core.consensus.confusion import ConsensusEstimate, estimate
from lensing_core.consensus.votes import UNKNOWN, Votes

PRIOR = 2e-4
"""Share of lenses among all objects of Marshall et al. (2016)."""


def swap(
    votes: Votes,
    *,
    prior: ArrayLike = PRIOR,
    gold: IntArray | None = None,
    learn_from_all: bool = True,
) -> ConsensusEstimate:
    """Posterior (class 0 lens, class 1 no lens) of objects and skill of graders.

    Parameters
    ----------
    votes : Votes
        Undecided grades say nothing and are left out.
    prior : float or array_like of shape (items,)
        Probability of a lens before any vote; of a calibrated ensemble, or one for all.
    gold : ndarray of shape (items,), int, optional
        1 lens, 0 no lens, -1 unknown.
    learn_from_all : bool
        Else skill is learned from gold alone.
    """
    binary = votes.binary()
    p = np.broadcast_to(np.asarray(prior, dtype=np.float64), (votes.n_items,))
    both = np.stack([p, 1 - p], axis=1)
    known = None if gold is None else np.where(gold == UNKNOWN, UNKNOWN, 1 - gold)
    learn = np.full(votes.n_items, learn_from_all)
    return estimate(binary, _first(binary, p), prior=both, gold=known, learn=learn)


def _first(votes: Votes, prior: Float64Array) -> Float64Array:
    """Posterior by graders of P_L = P_D = 0.75, from where the iteration starts."""
    step = np.where(votes.grade == 0, np.log(3.0), -np.log(3.0))
    logit = np.log(prior / (1 - prior)) + np.bincount(votes.item, step, votes.n_items)
    p = 1 / (1 + np.exp(-logit))
    return np.stack([p, 1 - p], axis=1)
