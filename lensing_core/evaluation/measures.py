"""Metrics of scores on real objects, beside those of brightness, color and center alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lensing_core.arrays import Float32Array, Float64Array
from lensing_core.datasets.uses import LENS, OTHER
from lensing_core.evaluation.appearance import Appearance
from lensing_core.evaluation.matched import (
    MatchedSeparation,
    find_matches,
    group_draws,
    matched_separation,
)
from lensing_core.metrics import Metric, RankingCurve
from lensing_core.metrics.comparison import Difference
from lensing_core.metrics.resampling import group_resamples
from lensing_core.metrics.strata import threshold_at_fpr
from lensing_core.proportions import clopper_pearson
from lensing_core.pu.probes import ColumnBlock, ProbeData, ProbeInput, cross_fitted_scores

BASELINES = ("brightness", "color", "center")
RATES = (1e-3, 1e-2, 5e-2, 1e-1)
N_BOOTSTRAP = 500


@dataclass(frozen=True)
class Measured:
    """Metrics of one score on n objects.

    Attributes
    ----------
    metrics : dict of str to Figure
        ``auroc``, ``average_precision``, ``tpr0``, ``tpr10`` and ``recall_fpr_RATE`` for each of
        :data:`RATES`; NaN where there are too few non-lenses for a rate.
    matched : MatchedSeparation
    """

    metrics: dict[str, Metric]
    matched: MatchedSeparation

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        metrics = {name: metric.to_json() for name, metric in self.metrics.items()}
        return {"figures": metrics, "matched": self.matched.to_json()}


def headline(scores: Float64Array, labels: NDArray[np.integer]) -> dict[str, float]:
    """AUROC, average precision, TPR0, TPR10 and recall at each of :data:`RATES`."""
    curve = RankingCurve.of(scores, labels)
    return {
        "auroc": curve.auroc(),
        "average_precision": curve.average_precision(),
        "tpr0": curve.recall_with_false_positives(0),
        "tpr10": curve.recall_with_false_positives(9),
        **{f"recall_fpr_{rate:g}": curve.recall_at_fpr(rate) for rate in RATES},
    }


def measure_scores(
    scores: ArrayLike,
    labels: ArrayLike,
    properties: ArrayLike,
    groups: ArrayLike,
    *,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = 0,
) -> Measured:
    """Ranking metrics and matched separation with intervals from draws of whole groups.

    Parameters
    ----------
    scores, labels, groups : array_like of shape (n,)
        Labels 1 for lenses and 0 for non-lenses.
    properties : array_like of shape (n, p)
        By which non-lenses are matched.
    """
    values = np.asarray(scores, dtype=np.float64)
    truth, group = np.asarray(labels), np.asarray(groups)
    headline_metrics = headline(values, truth)
    draws = np.array(
        [
            list(headline(values[rows], truth[rows]).values())
            for rows in group_resamples(group, truth == 1, n_bootstrap, seed)
        ]
    )
    levels = np.percentile(draws, [16, 84, 2.5, 97.5], axis=0)
    metrics = {
        name: Metric(value, *map(float, levels[:, k]))
        for k, (name, value) in enumerate(headline_metrics.items())
    }
    return Measured(metrics, matched_separation(values, truth, properties, group, seed=seed))


def compare_measured(
    first: ArrayLike,
    second: ArrayLike,
    labels: ArrayLike,
    properties: ArrayLike,
    groups: ArrayLike,
    *,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = 0,
) -> dict[str, Difference]:
    """Second less first, on the same draws of whole groups: metrics and ``matched``."""
    a, b = (np.asarray(values, dtype=np.float64) for values in (first, second))
    truth, group = np.asarray(labels), np.asarray(groups)
    one, two = headline(a, truth), headline(b, truth)
    draws = np.array(
        [
            [
                y - x
                for x, y in zip(
                    headline(a[rows], truth[rows]).values(),
                    headline(b[rows], truth[rows]).values(),
                    strict=True,
                )
            ]
            for rows in group_resamples(group, truth == 1, n_bootstrap, seed)
        ]
    )
    differences = {
        name: _difference(one[name], two[name], draws[:, k]) for k, name in enumerate(one)
    }
    matches = find_matches(properties, truth)
    shares = matches.above(a), matches.above(b)
    counts = group_draws(group[matches.lens], n_bootstrap, seed)
    moved = counts @ (shares[1] - shares[0]) / counts.sum(axis=1)
    means = float(shares[0].mean()), float(shares[1].mean())
    return {**differences, "matched": _difference(*means, moved)}


def _difference(first: float, second: float, draws: Float64Array) -> Difference:
    low, high = np.percentile(draws, [2.5, 97.5])
    better = float((draws > 0).mean() + 0.5 * (draws == 0).mean())
    return Difference(first, second, second - first, float(low), float(high), better)


def baseline_scores(
    appearance: Appearance, labels: ArrayLike, groups: ArrayLike, *, seed: int = 0
) -> dict[str, Float64Array]:
    """Scores by brightness, color and center alone, cross-fitted in whole groups.

    Each is a ridge regression that learns from the labels of the other folds, so that it is free to
    find out which sign helps. A baseline without columns (color of one band) is left out.
    """
    scores = {}
    for name in BASELINES:
        columns = np.asarray(getattr(appearance, name), dtype=np.float32)
        if columns.shape[1]:
            scores[name] = scores_by(columns, labels, groups, seed=seed)
    return scores


def scores_by(
    columns: Float32Array, labels: ArrayLike, groups: ArrayLike, *, seed: int = 0
) -> Float64Array:
    """Out-of-fold scores (n,) of a ridge regression on columns (n, d), in whole groups."""
    truth = np.asarray(labels)
    data = ProbeData(
        columns,
        np.where(truth == 1, LENS, OTHER).astype(np.int8),
        np.ones(len(truth)),
        np.asarray(groups),
    )
    given = ProbeInput("columns", (ColumnBlock("columns", "columns", 0, columns.shape[1]),))
    return cross_fitted_scores(data, given, penalty=1.0, seed=seed)


def recall_by_class(
    scores: ArrayLike, labels: ArrayLike, classes: Sequence[str | None], *, fpr: float = 1e-2
) -> list[dict[str, Any]]:
    """Recall of lenses by class (how visible their arcs are), at one threshold for all.

    Returns
    -------
    list of dict
        ``name``, ``found``, ``lenses``, ``recall``, ``low_95``, ``high_95``, the largest class
        first; lenses without a class are left out.
    """
    values, truth = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    threshold = threshold_at_fpr(values[truth == 0], fpr)
    of = np.array(["" if c is None else str(c) for c in classes])
    rows = []
    for name in sorted(set(of[truth == 1]) - {""}):
        mine = (truth == 1) & (of == name)
        total, passed = int(mine.sum()), int((mine & (values >= threshold)).sum())
        low, high = map(float, clopper_pearson(passed, total))
        rows.append(
            {"name": name, "found": passed, "lenses": total, "recall": passed / total}
            | {"low_95": low, "high_95": high}
        )
    return sorted(rows, key=lambda row: -row["lenses"])
