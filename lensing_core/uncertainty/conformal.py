"""Conformal prediction sets: which classes cannot be excluded at a stated error rate.

Split conformal prediction by class (Vovk, Gammerman & Shafer 2005; Angelopoulos & Bates 2023,
Found. Trends Mach. Learn. 16, 494): for objects exchangeable with the calibration objects of their
class, the set misses the true class with probability at most ``error_rate``, whatever the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import BoolArray
from lensing_core.errors import BadInputError


@dataclass(frozen=True)
class ConformalSets:
    """Thresholds of class-conditional prediction sets.

    Attributes
    ----------
    error_rate : float
        The largest allowed rate of sets without the true class, within each class.
    lens_from : float
        The set has "lens" where the score is at least this.
    other_to : float
        The set has "not a lens" where the score is at most this.
    """

    error_rate: float
    lens_from: float
    other_to: float

    @classmethod
    def fit(
        cls,
        scores: NDArray[np.floating],
        labels: NDArray[np.integer],
        *,
        error_rate: float = 0.1,
    ) -> ConformalSets:
        """Fit on calibration scores (any monotone score), shape (n,), and labels 0/1.

        Raises
        ------
        BadInputError
            If a class has too few objects to promise ``error_rate`` (needs 1/error_rate − 1).
        """
        if not 0 < error_rate < 1:
            raise BadInputError(f"Error rate {error_rate}: give a number between 0 and 1.")
        scores, labels = np.asarray(scores, dtype=np.float64), np.asarray(labels)
        cuts = {}
        # The k-th smallest conformity score of a class, k = floor(error_rate (n + 1)).
        for name, conformity in (("lens", scores[labels == 1]), ("other", -scores[labels == 0])):
            k = int(np.floor(error_rate * (len(conformity) + 1)))
            if k < 1:
                raise BadInputError(
                    f"{len(conformity)} calibration objects of class {name!r}: an error rate of "
                    f"{error_rate} needs at least {int(np.ceil(1 / error_rate)) - 1}."
                )
            cuts[name] = float(np.partition(conformity, k - 1)[k - 1])
        return cls(error_rate, lens_from=cuts["lens"], other_to=-cuts["other"])

    def contains(self, scores: NDArray[np.floating]) -> BoolArray:
        """Membership of (not a lens, lens) in each object's set, shape (n, 2)."""
        scores = np.asarray(scores, dtype=np.float64)
        return np.stack([scores <= self.other_to, scores >= self.lens_from], axis=1)

    def coverage(
        self, scores: NDArray[np.floating], labels: NDArray[np.integer]
    ) -> dict[str, float]:
        """Measured share of objects whose set has their class, by class, and mean set size."""
        sets, labels = self.contains(scores), np.asarray(labels)
        return {
            "lens": float(sets[labels == 1, 1].mean()),
            "other": float(sets[labels == 0, 0].mean()),
            "mean_size": float(sets.sum(axis=1).mean()),
        }
