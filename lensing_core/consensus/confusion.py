"""Truth and graders' confusion from votes, by expectation maximization: pure functions on arrays.

Dawid & Skene (1979, Applied Statistics 28, 20): an object is of one of J classes, a rater gives
grade c to objects of class j with probability Π[j, c], and votes are independent given the class.
SWAP is its case of two classes, two grades, and a fixed prior (:mod:`.swap`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import betaincinv, expit, logsumexp

from lensing_core.arrays import BoolArray, Float64Array, IntArray
from lensing_core.consensus.votes import UNKNOWN, Votes
from lensing_core.errors import BadInputError

_LEAST = 1e-12


@dataclass(frozen=True)
class Smoothing:
    """Pseudo-counts that are added to a rater's counts, a Dirichlet prior on each row of Π.

    Attributes
    ----------
    flat : float
        Added to every grade, and to each class where shares of classes are estimated.
    pooled : float
        Spread over the grades as all raters of the scheme together use them for that class.
    anchored: float
        For lens or not: spread as the scheme says, P(c | lens) ∝ p_lens(c) · share of grade c. It
        keeps a few votes of one grader from being explained by one class alone.
    """

    flat: float = 1.0
    pooled: float = 0.0
    anchored: float = 0.0


@dataclass(frozen=True)
class ConsensusEstimate:
    """Posteriors of objects and confusion matrices of raters, from votes.

    Attributes
    ----------
    posterior : ndarray of shape (items, J)
    prior : ndarray of shape (items, J)
    pseudo, counts : ndarray of shape (raters, J, grades)
        Smoothing, and expected votes by class and grade.
    iterations : int
    converged : bool
    """

    posterior: Float64Array
    prior: Float64Array
    pseudo: Float64Array
    counts: Float64Array
    iterations: int
    converged: bool

    @property
    def confusion(self) -> Float64Array:
        """Π of each rater, shape (raters, J, grades); rows add up to 1."""
        total = self.pseudo + self.counts
        return np.asarray(total / np.maximum(total.sum(axis=2, keepdims=True), _LEAST))


def estimate(
    votes: Votes,
    start: Float64Array,
    *,
    prior: Float64Array | None = None,
    gold: IntArray | None = None,
    smoothing: Smoothing | None = None,
    learn: BoolArray | None = None,
    max_iterations: int = 500,
    tolerance: float = 1e-6,
) -> ConsensusEstimate:
    """Fit confusion and posterior in turn until no posterior moves by more than ``tolerance``.

    Parameters
    ----------
    start : ndarray of shape (items, J)
        First posterior.
    prior : ndarray of shape (items, J), optional
        Fixed; without it the shares of the classes are estimated too, one for all objects.
    gold : ndarray of shape (items,), int, optional
        Known class, -1 unknown. Confusion learns from it; the posterior of a gold object is what
        votes alone say, so that gold can be judged by.
    learn : ndarray of shape (items,), bool, optional
        Which objects of unknown class confusion learns from; all.
    """
    smoothing = smoothing or Smoothing()
    n, j = start.shape
    if n != votes.n_items:
        raise BadInputError(f"{n} first posteriors for {votes.n_items} objects: give one each.")
    known = np.zeros(n, dtype=bool) if gold is None else gold != UNKNOWN
    truth = np.eye(j)[np.where(known, 0 if gold is None else gold, 0)]
    free = ~known & (votes.per_item() > 0)  # gold standards are no sample of the survey
    counted = known | (np.ones(n, dtype=bool) if learn is None else learn)
    log_prior = None if prior is None else np.log(np.maximum(prior, _LEAST))
    posterior, pseudo = start, _pseudo(votes, np.zeros((votes.n_raters, j, votes.n_grades)), None)
    iteration, moved = 0, np.inf
    counts = pseudo
    while iteration < max_iterations and moved > tolerance:
        iteration += 1
        weight = np.where(known[:, None], truth, posterior) * counted[:, None]
        counts = expected_counts(votes, weight)
        pseudo = _pseudo(votes, counts, smoothing)
        confusion = _normalized(pseudo + counts)
        if prior is None:
            share = posterior[free].sum(axis=0) + smoothing.flat
            share = np.maximum(share, _LEAST)
            log_prior = np.broadcast_to(np.log(share / share.sum()), (n, j))
        new = _posterior(votes, confusion, log_prior)
        moved = float(np.abs(new - posterior).max()) if n else 0.0
        posterior = new
    fixed = np.empty((0, j)) if log_prior is None else np.exp(log_prior)
    return ConsensusEstimate(posterior, fixed, pseudo, counts, iteration, moved <= tolerance)


def expected_counts(votes: Votes, weight: Float64Array) -> Float64Array:
    """Votes by rater, class and grade, shape (raters, J, grades), objects weighted (items, J)."""
    shape = (votes.n_raters, weight.shape[1], votes.n_grades)
    counts = np.empty(shape)
    cell = votes.rater * shape[2] + votes.grade
    for k in range(shape[1]):
        of_lens = np.bincount(cell, weight[votes.item, k], minlength=shape[0] * shape[2])
        counts[:, k] = of_lens.reshape(shape[0], shape[2])
    return counts


def log_likelihood(votes: Votes, confusion: Float64Array) -> Float64Array:
    """Log-probability of each object's votes for each class, shape (items, J)."""
    logs = np.log(np.maximum(confusion, _LEAST))
    return np.stack(
        [
            np.bincount(
                votes.item, logs[votes.rater, k, votes.grade], minlength=votes.n_items
            ).astype(np.float64)
            for k in range(confusion.shape[1])
        ],
        axis=1,
    )


def posterior_draws(
    votes: Votes, estimate: ConsensusEstimate, n_draws: int, *, seed: int = 0
) -> Float64Array:
    """Posteriors of class 0 of two, with confusion drawn from its posterior, (draws, items).

    Rows of Π are drawn from Dirichlet distributions with the expected counts, so that a rater of
    few votes weighs little in the draws that doubt them. The prior stays as it is.
    """
    rng = np.random.default_rng(seed)
    concentration = estimate.pseudo + estimate.counts
    gamma = rng.standard_gamma(
        np.maximum(concentration, _LEAST), size=(n_draws, *concentration.shape)
    )
    confusion = gamma * (concentration > 0)
    confusion /= np.maximum(confusion.sum(axis=3, keepdims=True), _LEAST)
    logs = np.log(np.maximum(confusion, _LEAST))
    evidence = (logs[:, :, 0] - logs[:, :, 1]).reshape(n_draws, -1)
    cell = votes.rater * votes.n_grades + votes.grade
    given = csr_matrix(
        (np.ones(len(votes)), (votes.item, cell)), shape=(votes.n_items, evidence.shape[1])
    )
    prior = np.log(np.maximum(estimate.prior, _LEAST))
    return np.asarray(expit((given @ evidence.T).T + (prior[:, 0] - prior[:, 1])))


def confusion_interval(
    estimate: ConsensusEstimate, level: float = 0.95
) -> tuple[Float64Array, Float64Array]:
    """Ends of the interval of each Π[j, c], as a beta distribution has them, shaped like Π."""
    total = estimate.pseudo + estimate.counts
    rest = np.maximum(total.sum(axis=2, keepdims=True) - total, _LEAST)
    tail = (1 - level) / 2
    total = np.maximum(total, _LEAST)
    return betaincinv(total, rest, tail), betaincinv(total, rest, 1 - tail)


def _posterior(
    votes: Votes, confusion: Float64Array, log_prior: Float64Array | None
) -> Float64Array:
    logs = log_likelihood(votes, confusion) + (0.0 if log_prior is None else log_prior)
    return np.asarray(np.exp(logs - logsumexp(logs, axis=1, keepdims=True)))


def _normalized(weights: Float64Array) -> Float64Array:
    return np.asarray(weights / np.maximum(weights.sum(axis=2, keepdims=True), _LEAST))


def _pseudo(votes: Votes, counts: Float64Array, smoothing: Smoothing | None) -> Float64Array:
    """Pseudo-counts, shape (raters, J, grades); none for grades that a scheme has not."""
    valid = votes.valid[:, None, :]
    if smoothing is None:
        return np.zeros(counts.shape)
    pseudo = np.full(counts.shape, float(smoothing.flat))
    for scheme in np.unique(votes.scheme_of):
        mine = votes.scheme_of == scheme
        together = counts[mine].sum(axis=0) + valid[mine][0]  # one vote more for each grade
        pseudo[mine] += smoothing.pooled * together / together.sum(axis=1, keepdims=True)
        if smoothing.anchored:
            p = np.nan_to_num(votes.p_lens[scheme])
            said = together.sum(axis=0) * np.clip([p, 1 - p], _LEAST, 1) * valid[mine][0]
            pseudo[mine] += smoothing.anchored * said / said.sum(axis=1, keepdims=True)
    return np.asarray(pseudo * valid)
