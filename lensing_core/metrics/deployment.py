"""Metrics of a ranking in a survey, where lenses are much rarer than in the test split.

Recall and false-positive rate of a threshold do not depend on the class prior π; purity does:
π TPR / (π TPR + (1 − π) FPR). Below a false-positive rate of one in the number of held-out
non-lenses nothing is measured, so everything here begins at the first non-lens that passes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lensing_core.arrays import Float64Array
from lensing_core.errors import BadInputError
from lensing_core.metrics.ranking import RankingCurve, purity_at_deployment
from lensing_core.proportions import clopper_pearson

SECONDS_AN_HOUR = 3600.0


@dataclass(frozen=True)
class Deployment:
    """Thresholds of a ranking at the class prior of a survey, the strictest first.

    The bounds take both ends of the 95 % Clopper-Pearson intervals of recall and of the
    false-positive rate at once: they hold with 90 % at least.

    Attributes
    ----------
    prior : float
    fpr, recall, purity, share : ndarray of shape (k,)
        ``share`` of all candidates passes.
    fpr_low, fpr_high, recall_low, recall_high, purity_low, purity_high : ndarray of shape (k,)
    """

    prior: float
    fpr: Float64Array
    fpr_low: Float64Array
    fpr_high: Float64Array
    recall: Float64Array
    recall_low: Float64Array
    recall_high: Float64Array

    @property
    def purity(self) -> Float64Array:
        return purity_at_deployment(self.recall, self.fpr, self.prior)

    @property
    def purity_low(self) -> Float64Array:
        return purity_at_deployment(self.recall_low, self.fpr_high, self.prior)

    @property
    def purity_high(self) -> Float64Array:
        return purity_at_deployment(self.recall_high, self.fpr_low, self.prior)

    @property
    def share(self) -> Float64Array:
        return self._share(self.recall, self.fpr)

    def _share(self, recall: Float64Array, fpr: Float64Array) -> Float64Array:
        return np.asarray(self.prior * recall + (1 - self.prior) * fpr)

    def at_fpr(self, rate: float) -> int | None:
        """Place of the threshold that passes at most ``rate`` of the non-lenses; None: too few."""
        k = int(np.searchsorted(self.fpr, rate * (1 + 1e-12), side="right")) - 1
        return k if k >= 0 else None


def deploy(curve: RankingCurve, prior: float, *, most_points: int = 400) -> Deployment:
    """The thresholds of ``curve`` in a survey where a share ``prior`` of the candidates are lenses.

    Raises
    ------
    BadInputError
        If ``prior`` is no share between 0 and 1.
    """
    if not 0 < prior < 1:
        raise BadInputError(f"Class prior {prior}: give a number between 0 and 1.")
    ends = curve.thinned(most_points)
    lenses_passed, passed = curve.true_positives[ends], curve.false_positives[ends]
    return Deployment(
        prior,
        passed / curve.n_negative,
        *clopper_pearson(passed, curve.n_negative),
        lenses_passed / curve.n_positive,
        *clopper_pearson(lenses_passed, curve.n_positive),
    )


@dataclass(frozen=True)
class Discoveries:
    """Lenses expected among the first candidates of a ranking, by time.

    Attributes
    ----------
    reviewed, hours, found, low, high, at_random : ndarray of shape (k,)
        Candidates looked at, the time that takes, lenses among them with their bounds, and lenses
        in as many candidates of an unsorted list.
    """

    reviewed: Float64Array
    hours: Float64Array
    found: Float64Array
    low: Float64Array
    high: Float64Array
    at_random: Float64Array


def discoveries(deployment: Deployment, n_candidates: int, seconds_each: float) -> Discoveries:
    """The discovery curve of ``n_candidates``, each looked at for ``seconds_each``.

    Raises
    ------
    BadInputError
        If there is nothing to review or no time for it.
    """
    if n_candidates < 1 or not seconds_each > 0:
        raise BadInputError(
            f"{n_candidates} candidates of {seconds_each:g} s each: both must be above 0."
        )
    d, lenses = deployment, n_candidates * deployment.prior
    reviewed = n_candidates * d.share
    worst = n_candidates * d._share(d.recall_low, d.fpr_high)
    best = n_candidates * d._share(d.recall_high, d.fpr_low)
    return Discoveries(
        reviewed,
        reviewed * seconds_each / SECONDS_AN_HOUR,
        lenses * d.recall,
        np.interp(reviewed, worst, lenses * d.recall_low, left=0.0),
        np.minimum(np.interp(reviewed, best, lenses * d.recall_high), reviewed),
        d.prior * reviewed,
    )
