"""Distances between two sets of objects: column by column, and of all columns together."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import ks_2samp, wasserstein_distance

from lensing_core.arrays import Float32Array, Float64Array

MOST = 500
N_PERMUTATIONS = 500
MOVED_SIGMA, MOVED_SHARE = 1.0, 0.5
_LEAST = 10
"""Known values that a column needs on either side."""


@dataclass(frozen=True)
class ColumnDistance:
    """Distance of one column of a catalog from that of a training set.

    Attributes
    ----------
    name : str
    training, catalog : float
        Medians.
    wasserstein : float
        Of order 1, in standard deviations of the training set.
    kolmogorov_smirnov : float
        Largest difference of the cumulative distributions.
    """

    name: str
    training: float
    catalog: float
    wasserstein: float
    kolmogorov_smirnov: float

    @property
    def moved(self) -> bool:
        """Return whether it is far: a standard deviation, or half of one side beyond the other."""
        return self.wasserstein >= MOVED_SIGMA or self.kolmogorov_smirnov >= MOVED_SHARE

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "moved": self.moved}


def column_distance(
    name: str, training: Float64Array, catalog: Float64Array, *, least_spread: float = 0.0
) -> ColumnDistance | None:
    """Compare one column; None where fewer than ten values are known on a side.

    The standard deviation is that of the training set, and at least ``least_spread``. A column that
    is constant in training has no scale without the latter: it is left out.
    """
    a, b = (values[np.isfinite(values)] for values in (training, catalog))
    if min(len(a), len(b)) < _LEAST:
        return None
    spread = max(float(a.std()), least_spread)
    if not spread > 0:
        return None
    distance = wasserstein_distance(a / spread, b / spread)
    ks = float(ks_2samp(a, b, method="asymp").statistic)
    medians = float(np.median(a)), float(np.median(b))
    return ColumnDistance(name, *medians, float(distance), ks)


def mean_discrepancy(
    training: Float32Array,
    catalog: Float32Array,
    *,
    n_permutations: int = N_PERMUTATIONS,
    seed: int = 0,
) -> tuple[float, float]:
    """Squared maximum mean discrepancy, and its p-value by permutation.

    Unbiased, with a Gaussian kernel whose width is the median of all distances (Gretton et al.
    2012, JMLR 13, 723, Lemma 6 and Sect. 8), on at most :data:`MOST` objects of each side; columns
    are standardized by the training set, unknown values stand at its mean.

    Parameters
    ----------
    training, catalog : ndarray of shape (n, d), (m, d)
    """
    rng = np.random.default_rng(seed)
    sides = [
        v if len(v) <= MOST else v[rng.choice(len(v), MOST, replace=False)]
        for v in (training, catalog)
    ]
    a, b = standardize(*(side.astype(np.float64) for side in sides))
    together = np.concatenate([a, b])
    distances = cdist(together, together)
    width = float(np.median(distances[np.triu_indices(len(together), 1)])) or 1.0
    kernel = np.exp(-(distances**2) / (2 * width**2))
    np.fill_diagonal(kernel, 0.0)
    n, m = len(a), len(b)
    first = np.zeros((len(together), n_permutations + 1))
    first[:n, 0] = 1  # as it is, then shuffled
    for k in range(1, n_permutations + 1):
        first[rng.permutation(len(together))[:n], k] = 1
    found = _discrepancies(kernel, first, n, m)
    p = (1 + int((found[1:] >= found[0]).sum())) / (1 + n_permutations)
    return float(found[0]), p


def _discrepancies(kernel: Float64Array, first: Float64Array, n: int, m: int) -> Float64Array:
    """For each column of ``first``, which says who is on the first side."""
    products = kernel @ first
    within = (first * products).sum(axis=0)
    across = ((1 - first) * products).sum(axis=0)
    other = kernel.sum() - within - 2 * across
    return np.asarray(within / (n * (n - 1)) + other / (m * (m - 1)) - 2 * across / (n * m))


def standardize(training: Float64Array, catalog: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Both in standard deviations from the mean of the first; constant columns are left out."""
    known = np.where(np.isfinite(training), training, np.nan)
    used = np.isfinite(known).any(axis=0)
    mean, spread = np.nanmean(known[:, used], axis=0), np.nanstd(known[:, used], axis=0)
    varies = spread > 0
    keep = np.flatnonzero(used)[varies]
    a, b = (
        np.nan_to_num((v[:, keep] - mean[varies]) / spread[varies], posinf=0.0, neginf=0.0)
        for v in (training, catalog)
    )
    return a, b
