"""Two rankings of the same objects: is one better, and how sure is that?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lensing_core.metrics.ranking import NAMES, ranking_metrics


@dataclass(frozen=True)
class Difference:
    """Second metric less first, with its 95 % interval; NaN where it cannot be measured.

    Attributes
    ----------
    share_better : float
        Of the resamples, where the second is better; ties count one half.
    """

    first: float
    second: float
    value: float
    low_95: float
    high_95: float
    share_better: float

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, NaN as null."""
        return {name: None if v != v else v for name, v in asdict(self).items()}


def compare_rankings(
    first: ArrayLike, second: ArrayLike, labels: ArrayLike, *, n_bootstrap: int = 300, seed: int = 0
) -> dict[str, Difference]:
    """Differences of all ranking metrics by a paired bootstrap, stratified by class.

    The same objects are drawn for both, so that what is easy or hard for both cancels (Efron &
    Tibshirani 1993, An Introduction to the Bootstrap).

    Parameters
    ----------
    first, second : array_like of shape (n,)
        Scores of the same objects.
    labels : array_like of shape (n,), 1 lens or 0 not
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    truth = np.asarray(labels)
    metrics = ranking_metrics(a, truth), ranking_metrics(b, truth)
    classes = [np.flatnonzero(truth == k) for k in (0, 1)]
    rng = np.random.default_rng(seed)
    draws = np.empty((n_bootstrap, len(NAMES)))
    for k in range(n_bootstrap):
        drawn = np.concatenate(
            [where[rng.integers(0, len(where), len(where))] for where in classes]
        )
        one, other = (ranking_metrics(scores[drawn], truth[drawn]) for scores in (a, b))
        draws[k] = [other[name] - one[name] for name in NAMES]
    low, high = np.percentile(draws, [2.5, 97.5], axis=0)
    better = (draws > 0).mean(axis=0) + 0.5 * (draws == 0).mean(axis=0)
    return {
        name: Difference(
            metrics[0][name],
            metrics[1][name],
            metrics[1][name] - metrics[0][name],
            float(low[k]),
            float(high[k]),
            float(better[k]),
        )
        for k, name in enumerate(NAMES)
    }
