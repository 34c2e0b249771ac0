"""Proportions with Clopper-Pearson intervals: the one home of binomial uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv

from lensing_core.arrays import Float64Array


def clopper_pearson(
    found: ArrayLike, total: ArrayLike, *, level: float = 0.95
) -> tuple[Float64Array, Float64Array]:
    """Return the exact intervals of shares ``found / total`` (Clopper & Pearson 1934, Biometrika
    26, 404), an array each; 0 to 1 where nothing was counted.

    Counts need not be whole: a bootstrap's weighted counts are taken as they are.
    """
    k, n = np.broadcast_arrays(
        np.asarray(found, dtype=np.float64), np.asarray(total, dtype=np.float64)
    )
    tail = (1 - level) / 2
    with np.errstate(invalid="ignore"):
        low = np.where((k > 0) & (n > 0), betaincinv(k, n - k + 1, tail), 0.0)
        high = np.where((k < n) & (n > 0), betaincinv(k + 1, n - k, 1 - tail), 1.0)
    return low, high


@dataclass(frozen=True)
class Proportion:
    """``found`` of ``total``, with its 95 % interval."""

    found: int
    total: int

    @property
    def value(self) -> float:
        """NaN where nothing was counted."""
        return self.found / self.total if self.total else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the interval; 0 and 1 where nothing was counted."""
        low, high = clopper_pearson(self.found, self.total)
        return float(low), float(high)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON with ``low_95`` and ``high_95``; value None where nothing was counted."""
        low, high = self.interval
        return {
            "found": self.found,
            "total": self.total,
            "value": self.value if self.total else None,
            "low_95": low,
            "high_95": high,
        }
