"""Utility of grading each object, from its scores: pure functions on arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, expit

from lensing_core.arrays import Float64Array, IntArray
from lensing_core.errors import BadInputError


def entropy(probability: ArrayLike) -> Float64Array:
    """Entropy of a lens or not, nat, 0 to ln 2; shape (n,).

    Least confidence and the margin between the two classes give the same order (Settles 2009,
    Active Learning Literature Survey, section 3.1), so that they are not offered beside it.
    """
    p = np.asarray(probability, dtype=np.float64)
    return np.asarray(entr(p) + entr(1 - p))


def boundary_logit(logit: ArrayLike) -> float:
    """The logit down to which as many objects lie as lenses are expected: Σ p of them, at least 1.

    At a class prior of 1e-3 hardly an object has p = 0.5; this is where the list of candidates
    would end, and where a grade moves an object onto it or off it.
    """
    values = np.asarray(logit, dtype=np.float64)
    if not len(values):
        raise BadInputError("There are no scores, and so no boundary of the list.")
    expected = min(max(1, round(float(expit(values).sum()))), len(values))
    return float(np.partition(values, len(values) - expected)[len(values) - expected])


def grade_spread(p_lens: ArrayLike) -> float:
    """Standard deviation of what the grades of one object stand for; 0 for fewer than two."""
    values = np.asarray(p_lens, dtype=np.float64)
    return float(values.std()) if len(values) > 1 else 0.0


def best_first(
    utility: ArrayLike, n: int, *, leave_out: ArrayLike | None = None, ids: ArrayLike | None = None
) -> IntArray:
    """Indices of the ``n`` objects of the greatest utility, in order.

    Parameters
    ----------
    utility : array_like of shape (m,)
        NaN: unknown, never chosen.
    leave_out : array_like of shape (m,), bool, optional
        E.g. graded already.
    ids : array_like of shape (m,), optional
        Ties go by the greater id, as a ranking in descending order has them; without ids by index.
    """
    values = np.asarray(utility, dtype=np.float64)
    key = np.arange(len(values)) if ids is None else -np.asarray(ids)
    order = np.lexsort((key, -values))
    keep = ~np.isnan(values)
    if leave_out is not None:
        keep &= ~np.asarray(leave_out, dtype=bool)
    return np.asarray(order[keep[order]][:n], dtype=np.int64)


def random_keys(ids: ArrayLike, seed: int) -> NDArray[np.uint64]:
    """A random number for each id, the same for an id wherever it stands; shape (n,).

    The ``n`` smallest are a random sample, which a stream yields in memory for ``n``. splitmix64
    (Steele, Lea & Flood 2014, OOPSLA, 453).
    """
    start = np.random.default_rng(seed).integers(0, 2**63, dtype=np.uint64)
    with np.errstate(over="ignore"):  # modulo 2**64 is meant
        z = np.asarray(ids).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + start
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))
