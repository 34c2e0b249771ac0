"""Linear probes: the head for 20 to 200 labels, on the best of several kinds of columns.

A probe is a ridge regression on standardized columns. Which columns (an encoder's layers, a
member's embedding, features), which target (lens or not, or the grade) and which penalty are chosen
by cross-validation in whole groups of the training objects, and the choice is told with metrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from lensing_core.arrays import BoolArray, Float32Array, Float64Array, IntArray
from lensing_core.datasets.splits import group_folds
from lensing_core.datasets.uses import LENS, UNLABELED
from lensing_core.errors import BadInputError
from lensing_core.metrics.ranking import RankingCurve
from lensing_core.metrics.resampling import group_resamples
from lensing_core.pu.learners import DenseScorer, Standardizer
from lensing_core.pu.probe_data import ColumnBlock, ProbeData, ProbeInput, probe_inputs
from lensing_core.pu.ridge import kernel_ridge, ridge_path

__all__ = [
    "ColumnBlock",
    "FittedProbe",
    "ProbeData",
    "ProbeInput",
    "ProbeMethod",
    "ProbeMetrics",
    "cross_fitted_scores",
    "few_false_positives",
    "fit_probe",
    "probe_inputs",
]
PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
_INDEX = range(len(PENALTIES))
FOLDS, REPEATS = 5, 3
FEW_FALSE, FEW_SHARE, LARGE_SHARE = 9, 0.1, 0.01


@dataclass(frozen=True)
class ProbeMetrics:
    """Cross-fitted metrics of one input with its best penalty, as shown to people.

    Attributes
    ----------
    recall, low_95, high_95 : float
        Recall while fewer than :attr:`false_positives` + 1 others pass, with its 95 % interval
        (bootstrap by groups).
    mean_recall : float
        Mean recall over 1 to that many; the input with the largest is chosen.
    auroc : float
        By which the penalty is chosen.
    """

    name: str
    target: str
    penalty: float
    recall: float
    low_95: float
    high_95: float
    mean_recall: float
    auroc: float
    false_positives: int
    lenses: int
    others: int
    chosen: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    @property
    def sentence(self) -> str:
        """One line for logs."""
        mark = "chosen" if self.chosen else "not chosen"
        return (
            f"Probe on {self.name} ({self.target}): recall {self.recall:.2f} [{self.low_95:.2f}, "
            f"{self.high_95:.2f}] with {self.false_positives} of {self.others} non-lenses passing, "
            f"AUROC {self.auroc:.3f}, {mark}."
        )


@dataclass(frozen=True)
class FittedProbe:
    """A probe fitted on all objects.

    Attributes
    ----------
    scorer : DenseScorer
        On all columns; those that were not chosen have weight 0.
    metrics : tuple of ProbeMetrics
        Of every input that was tried.
    """

    scorer: DenseScorer
    chosen: ProbeInput
    metrics: tuple[ProbeMetrics, ...]


def few_false_positives(others: int) -> int:
    """Return how many others may pass at a low false-positive rate.

    Nine (as of TPR10), fewer where that is more than a tenth of them, and 1 % where that is more.
    """
    return max(1, min(FEW_FALSE, int(FEW_SHARE * others)), int(LARGE_SHARE * others))


@dataclass(frozen=True)
class ProbeMethod:
    """Fits the best of several inputs.

    Attributes
    ----------
    inputs : tuple of ProbeInput
    """

    inputs: tuple[ProbeInput, ...]
    seed: int = 0
    folds: int = FOLDS
    repeats: int = REPEATS

    def fit(self, data: ProbeData) -> FittedProbe:
        """Choose input, target and penalty in whole groups, then fit on all objects.

        Raises
        ------
        BadInputError
            If lenses or others stand in fewer than two groups.
        """
        thin = data.thinned(self.seed)
        runs = [self.cross_fitted(thin, repeat) for repeat in range(self.repeats)]
        tried = [
            self._judge(thin, given, [run[k] for run in runs])
            for k, given in enumerate(self.inputs)
        ]
        best = max(range(len(tried)), key=lambda k: _merit(tried[k][0]))
        given, scores = self.inputs[best], tried[best][1]
        metrics = tuple(
            ProbeMetrics(**{**asdict(f), "chosen": k == best}) for k, (f, _) in enumerate(tried)
        )
        scorer = fit_probe(thin, given, metrics[best].penalty)
        slope, intercept = _to_log_odds(scores, thin)
        scaled = DenseScorer(
            scorer.standardizer,
            (np.asarray(slope * scorer.weights[0], dtype=np.float32),),
            (np.asarray(slope * scorer.biases[0] + intercept, dtype=np.float32),),
        )
        return FittedProbe(scaled, given, metrics)

    def _judge(
        self, data: ProbeData, given: ProbeInput, runs: Sequence[Float64Array]
    ) -> tuple[ProbeMetrics, Float64Array]:
        """Metrics of one input with its best penalty, and its cross-fitted scores."""
        judged, lens = _judged(data)
        auroc = np.mean(
            [
                [RankingCurve.of(r[judged, k], lens).auroc() for k in range(r.shape[1])]
                for r in runs
            ],
            axis=0,
        )
        k = int(auroc.argmax())
        scores = np.mean([r[:, k] for r in runs], axis=0)
        allowed = few_false_positives(int((~lens).sum()))
        recall, mean_recall = np.mean([_recalls(r[judged, k], lens, allowed) for r in runs], axis=0)
        low, high = _interval(scores[judged], lens, data.group[judged], allowed, self.seed)
        metrics = ProbeMetrics(
            given.name,
            given.target,
            PENALTIES[k],
            float(recall),
            low,
            high,
            float(mean_recall),
            float(auroc[k]),
            allowed,
            int(lens.sum()),
            int((~lens).sum()),
        )
        return metrics, scores

    def cross_fitted(self, data: ProbeData, repeat: int) -> list[Float64Array]:
        """Out-of-fold scores (n, penalties) of all objects by each input."""
        lens = data.state == LENS
        n_folds = min(
            self.folds, len(np.unique(data.group[lens])), len(np.unique(data.group[~lens]))
        )
        if n_folds < 2:
            raise BadInputError(
                "A probe is chosen by cross-validation in whole groups: label lenses and "
                "non-lenses in "
                "at least two places of the sky."
            )
        fold = group_folds(data.group, lens, n_folds, seed=self.seed + 101 * repeat)
        out = [np.empty((len(lens), len(PENALTIES))) for _ in self.inputs]
        targets = {given.target: data.targets(given.target) for given in self.inputs}
        for k in range(n_folds):
            train, in_fold = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            kernels = {
                block: _kernel(data.x[:, block.start : block.stop], train)
                for block in dict.fromkeys(b for given in self.inputs for b in given.blocks)
            }
            for given, scores in zip(self.inputs, out, strict=True):
                kernel = np.mean([kernels[block] for block in given.blocks], axis=0)
                trains, value = targets[given.target]
                used = trains[train]
                scores[in_fold] = kernel_ridge(
                    kernel[np.ix_(train[used], train[used])],
                    kernel[np.ix_(in_fold, train[used])],
                    value[train[used]],
                    _balanced(data.weight[train[used]], lens[train[used]]),
                    PENALTIES,
                )
        return out


def _kernel(x: Float32Array, train: NDArray[np.intp]) -> Float64Array:
    """Products of all objects, by columns standardized on the training objects, (n, n)."""
    a = Standardizer.measure(x[train])(x)
    return np.asarray(a @ a.T / x.shape[1], dtype=np.float64)


def cross_fitted_scores(
    data: ProbeData, given: ProbeInput, *, penalty: float | None = None, seed: int = 0
) -> Float64Array:
    """Out-of-fold scores (n,) of one input, means over several dealings of the folds.

    Parameters
    ----------
    penalty : float, optional
        One of :data:`PENALTIES`; else the one with the best cross-fitted AUROC.
    """
    method = ProbeMethod((given,), seed=seed)
    runs = [method.cross_fitted(data, repeat)[0] for repeat in range(method.repeats)]
    if penalty is None:
        truth = (data.state == LENS).astype(int)
        auroc = [[RankingCurve.of(run[:, k], truth).auroc() for run in runs] for k in _INDEX]
        k = int(np.mean(auroc, axis=1).argmax())
    else:
        k = PENALTIES.index(penalty)
    return np.asarray(np.mean([run[:, k] for run in runs], axis=0))


def _merit(metrics: ProbeMetrics) -> tuple[float, float]:
    return metrics.mean_recall, metrics.auroc


def _judged(data: ProbeData) -> tuple[NDArray[np.intp], BoolArray]:
    """Rows that metrics stand on, and which are lenses; vetted others where there are enough."""
    trains, _ = data.targets("lens")
    vetted = np.flatnonzero(data.state != UNLABELED)
    lens = data.state == LENS
    enough = int((~lens[vetted]).sum()) >= 20
    rows = vetted if enough else np.flatnonzero(trains)
    return rows, lens[rows]


def _balanced(weight: Float64Array, lens: BoolArray) -> Float64Array:
    """Weights with mean 1 by which lenses and others weigh the same."""
    out = weight.astype(np.float64).copy()
    for side in (lens, ~lens):
        if side.any():
            out[side] *= len(lens) / (2 * out[side].sum())
    return out


@dataclass(frozen=True)
class _Columns:
    index: NDArray[np.intp]
    scale: Float32Array


def _columns(x: Float32Array, given: ProbeInput) -> tuple[Standardizer, _Columns]:
    """The columns of an input, and factors by which each block weighs the same."""
    index = np.concatenate([np.arange(b.start, b.stop) for b in given.blocks])
    widths = np.array([b.stop - b.start for b in given.blocks])
    scale = np.repeat(1 / np.sqrt(widths * len(widths)), widths).astype(np.float32)
    return Standardizer.measure(x[:, index]), _Columns(index, scale)


def fit_probe(data: ProbeData, given: ProbeInput, penalty: float) -> DenseScorer:
    """The probe on all objects, as a linear model over all columns; those left out weigh 0."""
    trains, value = data.targets(given.target)
    rows = np.flatnonzero(trains)
    standardizer, columns = _columns(data.x[rows], given)
    a = standardizer(data.x[rows][:, columns.index]) * columns.scale
    path = ridge_path(
        a, value[rows], _balanced(data.weight[rows], (data.state == LENS)[rows]), (penalty,)
    )
    d = data.x.shape[1]
    median, mean, scale = (np.full(d, v, np.float32) for v in (0.0, 0.0, 1.0))
    weight = np.zeros((d, 1), dtype=np.float32)
    median[columns.index] = standardizer.median
    mean[columns.index] = standardizer.mean
    scale[columns.index] = standardizer.scale
    weight[columns.index, 0] = path.coefficients[:, 0] * columns.scale
    return DenseScorer(
        Standardizer(median, mean, scale), (weight,), (path.intercepts.astype(np.float32),)
    )


def _to_log_odds(scores: Float64Array, data: ProbeData) -> tuple[float, float]:
    """Slope and intercept from cross-fitted scores to log-odds of a lens among these objects."""
    rows, lens = _judged(data)
    spread = float(scores[rows].std()) or 1.0
    model = LogisticRegression(C=1e3).fit(scores[rows, None] / spread, lens)
    slope = max(float(model.coef_[0, 0]), 1e-3) / spread
    return slope, float(model.intercept_[0])


def _recalls(scores: Float64Array, lens: BoolArray, allowed: int) -> tuple[float, float]:
    """Recall with ``allowed`` false positives, and its mean over 1 to that many."""
    # With k false positives the threshold stands just above the next of the others.
    non_lens_scores = np.append(np.sort(scores[~lens])[::-1], -np.inf)
    next_others = non_lens_scores[np.minimum(np.arange(1, allowed + 1), len(non_lens_scores) - 1)]
    each = (scores[lens][:, None] > next_others).mean(axis=0)
    return float(each[-1]), float(each.mean())


def _interval(
    scores: Float64Array, lens: BoolArray, group: IntArray, allowed: int, seed: int
) -> tuple[float, float]:
    draws = [
        _recalls(scores[rows], lens[rows], allowed)[0]
        for rows in group_resamples(group, lens, 200, seed)
    ]
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)
