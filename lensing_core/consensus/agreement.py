"""Agreement of graders with one another and with themselves, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lensing_core.arrays import Float64Array
from lensing_core.errors import BadInputError

_DRAWS = 2000
_CELLS = 4_000_000


@dataclass(frozen=True)
class Agreement:
    """A coefficient with its 95 % bootstrap interval; NaN where it is not defined.

    Attributes
    ----------
    n : int
        Objects that it rests on.
    """

    value: float
    low_95: float
    high_95: float
    n: int


def cohen_kappa(
    first: ArrayLike, second: ArrayLike, n_grades: int, *, weighted: bool = False, seed: int = 0
) -> Agreement:
    """Cohen's κ of two graders on the objects that both have graded (Cohen 1960, Educational and
    Psychological Measurement 20, 37).

    Parameters
    ----------
    first, second : array_like of shape (n,), int
        Grades 0 to ``n_grades`` − 1 of the same objects.
    weighted : bool
        Grades are in order and near misses count less: quadratic weights (Cohen 1968,
        Psychological Bulletin 70, 213).
    """
    a, b = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    if a.shape != b.shape:
        raise BadInputError(f"{len(a)} and {len(b)} grades: give both graders' of each object.")
    if not len(a):
        return Agreement(np.nan, np.nan, np.nan, 0)
    table = np.bincount(a * n_grades + b, minlength=n_grades**2).reshape(n_grades, n_grades)
    step = np.subtract.outer(np.arange(n_grades), np.arange(n_grades))
    cost = (step**2).astype(np.float64) if weighted else (step != 0).astype(np.float64)
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(len(a), table.ravel() / len(a), _DRAWS)
    values = _kappa(draws.reshape(_DRAWS, n_grades, n_grades), cost)
    return _with_interval(float(_kappa(table[None], cost)[0]), values, len(a))


def _kappa(tables: NDArray[np.integer], cost: Float64Array) -> Float64Array:
    """1 − observed / expected disagreement of each table, shape (k,)."""
    n = tables.sum(axis=(1, 2))
    expected = np.einsum("ki,kj,ij->k", tables.sum(2), tables.sum(1), cost) / n
    observed = np.einsum("kij,ij->k", tables, cost)
    return np.asarray(
        1 - np.divide(observed, expected, out=np.full(len(n), np.nan), where=expected > 0)
    )


def fleiss_kappa(counts: ArrayLike, *, seed: int = 0) -> Agreement:
    """Fleiss' κ of any number of graders (Fleiss 1971, Psychological Bulletin 76, 378).

    Objects need not have equally many grades: agreement of an object is that of its pairs, and an
    object weighs as many pairs as a grader of it has partners; those with one grade are left out.
    For equal numbers it is Fleiss' formula.

    Parameters
    ----------
    counts : array_like of shape (objects, grades), int
        How many graders gave each grade.
    """
    table = np.asarray(counts, dtype=np.float64)
    table = table[table.sum(axis=1) > 1]
    n = table.sum(axis=1)
    if not len(table):
        return Agreement(np.nan, np.nan, np.nan, 0)
    pairs = (table * (table - 1)).sum(axis=1) / (n - 1)  # of n grades, those that agree
    columns = np.column_stack([pairs, n, table])
    rng = np.random.default_rng(seed)
    every = np.full(len(table), 1 / len(table))
    at_once = max(1, _CELLS // len(table))
    sums = [
        rng.multinomial(len(table), every, min(at_once, _DRAWS - first)) @ columns
        for first in range(0, _DRAWS, at_once)
    ]
    values = _fleiss(np.concatenate(sums))
    return _with_interval(float(_fleiss(columns.sum(axis=0)[None])[0]), values, len(table))


def _fleiss(sums: Float64Array) -> Float64Array:
    """κ of rows of sums: agreeing grades, grades, and grades of each kind."""
    share = sums[:, 0] / sums[:, 1]
    chance = ((sums[:, 2:] / sums[:, 1:2]) ** 2).sum(axis=1)
    possible = 1 - chance
    return np.asarray(
        np.divide(share - chance, possible, out=np.full(len(sums), np.nan), where=possible > 1e-12)
    )


def _with_interval(value: float, draws: Float64Array, n: int) -> Agreement:
    defined = draws[np.isfinite(draws)]
    if not np.isfinite(value) or len(defined) < _DRAWS / 2:
        return Agreement(value, np.nan, np.nan, n)
    low, high = np.percentile(defined, [2.5, 97.5])
    return Agreement(value, float(low), float(high), n)
