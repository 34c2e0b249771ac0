"""Ranking metrics: recall at few false positives, AUROC.

TPR0 and TPR10 as in the strong-lens finding challenge (Metcalf et al. 2019, A&A 625, A119): recall
at the threshold just above the highest-scoring negative, and recall while fewer than ten negatives
pass. A threshold passes all objects of one score; nothing is interpolated between thresholds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lensing_core.arrays import BoolArray, Float64Array
from lensing_core.errors import BadInputError
from lensing_core.proportions import clopper_pearson

FALSE_POSITIVE_RATES = {"recall_fpr_1e-4": 1e-4, "recall_fpr_1e-3": 1e-3, "recall_fpr_1e-2": 1e-2}
NAMES = ("tpr0", "tpr10", *FALSE_POSITIVE_RATES, "average_precision", "auroc")


@dataclass(frozen=True)
class RocBand:
    """A ROC curve with a 95 % interval of the recall at each point (Clopper-Pearson).

    Attributes
    ----------
    fpr, recall, low_95, high_95 : ndarray of shape (k,)
    """

    fpr: Float64Array
    recall: Float64Array
    low_95: Float64Array
    high_95: Float64Array


@dataclass(frozen=True)
class RankingCurve:
    """Cumulative counts from the highest score down, one entry a distinct score.

    Attributes
    ----------
    thresholds : ndarray of shape (k,), descending
        An object passes if its score is at least the threshold.
    true_positives, false_positives : ndarray of shape (k,)
        Objects that pass.
    """

    thresholds: Float64Array
    true_positives: Float64Array
    false_positives: Float64Array

    @classmethod
    def of(cls, scores: ArrayLike, labels: ArrayLike) -> RankingCurve:
        """Sort once, O(n log n).

        Parameters
        ----------
        scores : array_like of shape (n,)
        labels : array_like of shape (n,), 1 lens or 0 not

        Raises
        ------
        BadInputError
            On NaN scores, labels other than 0 and 1, or one class only.
        """
        order, ends, positive = _sorted(scores, labels)
        sorted_scores = np.asarray(scores, dtype=np.float64)[order]
        return cls(
            sorted_scores[ends],
            np.cumsum(positive)[ends].astype(np.float64),
            np.cumsum(~positive)[ends].astype(np.float64),
        )

    @property
    def n_positive(self) -> float:
        return float(self.true_positives[-1])

    @property
    def n_negative(self) -> float:
        return float(self.false_positives[-1])

    def recall_with_false_positives(self, most: float) -> float:
        """Largest recall with at most ``most`` negatives passing."""
        allowed = int(np.searchsorted(self.false_positives, most, side="right"))
        return float(self.true_positives[allowed - 1] / self.n_positive) if allowed else 0.0

    def recall_at_fpr(self, rate: float) -> float:
        """Largest recall at a false-positive rate of at most ``rate``; NaN where the rate is
        below one in the number of negatives and so cannot be measured."""
        if rate * self.n_negative < 1:
            return float("nan")
        return self.recall_with_false_positives(rate * self.n_negative)

    def average_precision(self) -> float:
        """Σ (R_k − R_{k−1}) P_k over distinct scores."""
        precision = self.true_positives / (self.true_positives + self.false_positives)
        steps = np.diff(self.true_positives, prepend=0.0) / self.n_positive
        return float((steps * precision).sum())

    def auroc(self) -> float:
        """Area under the ROC curve; tied pairs count one half."""
        tpr = np.concatenate([[0.0], self.true_positives / self.n_positive])
        fpr = np.concatenate([[0.0], self.false_positives / self.n_negative])
        return float(np.trapezoid(tpr, fpr))

    def metrics(self) -> dict[str, float]:
        """All headline metrics by name (:data:`NAMES`)."""
        return {
            "tpr0": self.recall_with_false_positives(0),
            "tpr10": self.recall_with_false_positives(9),
            **{name: self.recall_at_fpr(rate) for name, rate in FALSE_POSITIVE_RATES.items()},
            "average_precision": self.average_precision(),
            "auroc": self.auroc(),
        }

    def roc(self, most_points: int = 400) -> RocBand:
        """Recall against false-positive rate, from the rate of one negative up."""
        ends = self.thinned(most_points)
        true_positives = self.true_positives[ends]
        low, high = clopper_pearson(true_positives, self.n_positive)
        return RocBand(
            self.false_positives[ends] / self.n_negative,
            true_positives / self.n_positive,
            low,
            high,
        )

    def thinned(self, most_points: int) -> NDArray[np.intp]:
        """Places of the largest recall at each number of passing negatives, from one negative up.

        At most ``most_points`` of them, evenly in log false-positive rate.
        """
        ends = np.flatnonzero(np.append(np.diff(self.false_positives) > 0, True))
        ends = ends[self.false_positives[ends] >= 1]
        logs = np.log(self.false_positives[ends])
        wanted = np.linspace(logs[0], logs[-1], most_points)
        return ends[np.unique(np.searchsorted(logs, wanted).clip(max=len(ends) - 1))]

    def purity_completeness_at(self, k: int) -> tuple[float, float]:
        """Purity and completeness of the first ``k`` objects.

        Where ``k`` falls inside a tie, the tied objects count in proportion: their order is random.
        """
        passed = np.concatenate([[0.0], self.true_positives + self.false_positives])
        true_positives = float(np.interp(k, passed, np.concatenate([[0.0], self.true_positives])))
        return true_positives / min(k, passed[-1]), true_positives / self.n_positive


def _sorted(
    scores: ArrayLike, labels: ArrayLike
) -> tuple[NDArray[np.intp], NDArray[np.intp], BoolArray]:
    """Descending order, last index of each distinct score, and which sorted objects are lenses."""
    values, truth = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    if values.ndim != 1 or values.shape != truth.shape:
        raise BadInputError(f"{values.shape} scores for {truth.shape} labels: give one each.")
    if np.isnan(values).any():
        raise BadInputError(f"{int(np.isnan(values).sum())} scores are NaN.")
    if not np.isin(truth, (0, 1)).all() or truth.min() == truth.max():
        raise BadInputError("Ranking metrics need labels 0 and 1, of both kinds.")
    order = np.argsort(-values, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(values[order]) != 0, True))
    return order, ends, truth[order] == 1


def ranking_metrics(scores: ArrayLike, labels: ArrayLike) -> dict[str, float]:
    """TPR0, TPR10, recall at low false-positive rates, average precision and AUROC."""
    return RankingCurve.of(scores, labels).metrics()


@dataclass(frozen=True)
class Metric:
    """A metric with its 68 % and 95 % bootstrap intervals; NaN where it cannot be measured."""

    value: float
    low_68: float
    high_68: float
    low_95: float
    high_95: float

    def to_json(self) -> dict[str, float | None]:
        """Plain JSON, NaN as null."""
        return {name: None if v != v else v for name, v in asdict(self).items()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Metric:
        """Read what :meth:`to_json` wrote."""
        return cls(**{name: float("nan") if v is None else v for name, v in stored.items()})

    def __str__(self) -> str:
        if self.value != self.value:
            return "not measurable"
        return f"{self.value:.3f} [{self.low_95:.3f}, {self.high_95:.3f}]"


def interval_text(metric: Mapping[str, Any]) -> str:
    """A metric as JSON with its 95 % interval, ``0.812 [0.731, 0.880]``, or what is not known."""
    if metric["value"] is None:
        return "not measurable"
    if metric["low_95"] is None:  # too few non-lenses in some draws
        return f"{metric['value']:.3f} [no interval]"
    return f"{metric['value']:.3f} [{metric['low_95']:.3f}, {metric['high_95']:.3f}]"


def ranking_metrics_with_intervals(
    scores: ArrayLike, labels: ArrayLike, *, n_bootstrap: int = 500, seed: int = 0
) -> dict[str, Metric]:
    """:func:`ranking_metrics` with intervals from a bootstrap stratified by class.

    Each class is drawn with replacement to its own size, so prevalence stays; the sort is done
    once and each draw is a re-weighting of the sorted list.
    """
    values = RankingCurve.of(scores, labels).metrics()
    _, ends, positive = _sorted(scores, labels)
    where_positive, where_negative = np.flatnonzero(positive), np.flatnonzero(~positive)
    rng = np.random.default_rng(seed)
    draws = np.empty((n_bootstrap, len(NAMES)))
    counts = np.empty(len(positive))
    for k in range(n_bootstrap):
        for where in (where_positive, where_negative):
            picked = rng.integers(0, len(where), len(where))
            counts[where] = np.bincount(picked, minlength=len(where))
        true = np.cumsum(np.where(positive, counts, 0.0))[ends]
        false = np.cumsum(np.where(positive, 0.0, counts))[ends]
        present = np.diff(true + false, prepend=0.0) > 0
        resampled = RankingCurve(ends[present].astype(np.float64), true[present], false[present])
        metrics = resampled.metrics()
        draws[k] = [metrics[name] for name in NAMES]
    levels = np.percentile(draws, [16, 84, 2.5, 97.5], axis=0)
    return {name: Metric(values[name], *map(float, levels[:, i])) for i, name in enumerate(NAMES)}


def purity_at_deployment(recall: ArrayLike, fpr: ArrayLike, prior: float) -> Float64Array:
    """Purity π TPR / (π TPR + (1 − π) FPR) of what passes, in a survey with class prior π."""
    tpr, rate = np.asarray(recall, dtype=np.float64), np.asarray(fpr, dtype=np.float64)
    if not 0 < prior < 1:
        raise BadInputError(f"Class prior {prior}: give a number between 0 and 1.")
    return prior * tpr / (prior * tpr + (1 - prior) * rate)
