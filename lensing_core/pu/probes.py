"""Linear probes: the head for 20 to 200 labels, on the best of several kinds of columns.

A probe is a ridge regression on standardized columns. Which columns (an encoder's layers, a
member's embedding, features), which target (lens or not, or the grade) and which penalty are chosen
by cross-validation in whole groups of the training objects, and the choice is told with figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from lensing_core.datasets.groups import Groups
from lensing_core.datasets.splits import group_folds
from lensing_core.datasets.uses import LENS, UNLABELED
from lensing_core.errors import BadInputError
from lensing_core.metrics.ranking import RankingCurve
from lensing_core.metrics.resampling import group_resamples
from lensing_core.pu.learners import DenseScorer, Features, Floats, Standardiser

Target = Literal["lens", "grade"]
PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
FOLDS, REPEATS = 5, 3
MOST_UNLABELED = 500
"""Unlabeled objects that a probe is fitted on: its cost grows as the cube of all objects."""
FEW_FALSE, FEW_SHARE, LARGE_SHARE = 9, 0.1, 0.01


@dataclass(frozen=True)
class ColumnBlock:
    """Columns of one kind.

    Attributes
    ----------
    source : str
        The model that they come from.
    part : str
        What of it: a layer, ``embedding``, ``features``.
    start, stop : int
    """

    source: str
    part: str
    start: int
    stop: int


@dataclass(frozen=True)
class ProbeInput:
    """Blocks of columns and the target that a probe may take; each block weighs the same."""

    name: str
    blocks: tuple[ColumnBlock, ...]
    target: Target = "lens"


@dataclass(frozen=True)
class ProbeFigures:
    """Cross-fitted figures of one input with its best penalty, as shown to people.

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
            f"{self.high_95:.2f}] with {self.false_positives} of {self.others} others passing, "
            f"AUROC {self.auroc:.3f}, {mark}."
        )


@dataclass(frozen=True)
class FittedProbe:
    """A probe fitted on all objects.

    Attributes
    ----------
    scorer : DenseScorer
        On all columns; those that were not chosen have weight 0.
    figures : tuple of ProbeFigures
        Of every input that was tried.
    """

    scorer: DenseScorer
    chosen: ProbeInput
    figures: tuple[ProbeFigures, ...]


def probe_inputs(blocks: Sequence[ColumnBlock], *, graded: bool = False) -> list[ProbeInput]:
    """Every source by itself, each of its parts, and all sources together; for each target."""
    sources = list(dict.fromkeys(block.source for block in blocks))
    named: dict[str, tuple[ColumnBlock, ...]] = {}
    for source in sources:
        mine = tuple(block for block in blocks if block.source == source)
        named[source] = mine
        parts = list(dict.fromkeys(block.part for block in mine))
        if len(parts) > 1:
            named |= {f"{source}, {p}": tuple(b for b in mine if b.part == p) for p in parts}
    if len(sources) > 1:
        named["all together"] = tuple(blocks)
    targets: tuple[Target, ...] = ("lens", "grade") if graded else ("lens",)
    return [ProbeInput(name, chosen, t) for name, chosen in named.items() for t in targets]


def few_false_positives(others: int) -> int:
    """How many others may pass at a low false-positive rate.

    Nine (as of TPR10), fewer where that is more than a tenth of them, and 1 % where that is more.
    """
    return max(1, min(FEW_FALSE, int(FEW_SHARE * others)), int(LARGE_SHARE * others))


@dataclass(frozen=True)
class ProbeData:
    """Objects that a probe is fitted on.

    Attributes
    ----------
    x : ndarray of shape (n, d)
        NaN where unknown.
    state : ndarray of shape (n,)
        :data:`~lensing_core.datasets.uses.LENS`, ``OTHER`` or ``UNLABELED``; what is unlabeled
        counts as no lens.
    weight : ndarray of shape (n,)
        Of each object among those of its class; the classes weigh the same.
    group : ndarray of shape (n,)
    grade : ndarray of shape (n,), or None
        From 0 to 1, NaN where there is none; unlabeled objects without one count as 0.
    """

    x: Features
    state: NDArray[np.int8]
    weight: Floats
    group: Groups
    grade: Floats | None = None

    def rows(self, chosen: NDArray[np.integer]) -> ProbeData:
        """Some of the objects."""
        grade = None if self.grade is None else self.grade[chosen]
        return ProbeData(
            self.x[chosen], self.state[chosen], self.weight[chosen], self.group[chosen], grade
        )

    def thinned(self, seed: int) -> ProbeData:
        """All labeled or graded objects, and at most :data:`MOST_UNLABELED` others."""
        known = self.state != UNLABELED
        if self.grade is not None:
            known = known | np.isfinite(self.grade)
        rest = np.flatnonzero(~known)
        if len(rest) <= MOST_UNLABELED:
            return self
        kept = np.random.default_rng(seed).choice(rest, MOST_UNLABELED, replace=False)
        return self.rows(np.sort(np.concatenate([np.flatnonzero(known), kept])))

    def targets(self, target: Target) -> tuple[NDArray[np.bool_], Floats]:
        """Which objects train for a target, and their values."""
        lens = self.state == LENS
        if target == "lens":
            graded = np.zeros(len(lens), bool) if self.grade is None else np.isfinite(self.grade)
            # Graded objects between lens and non-lens say nothing of this target.
            return ~((self.state == UNLABELED) & graded), lens.astype(np.float64)
        grade = np.full(len(lens), np.nan) if self.grade is None else self.grade
        value = np.where(np.isfinite(grade), grade, np.where(lens, 1.0, 0.0))
        return np.ones(len(lens), dtype=bool), value


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
        tried = [self._try(thin, given) for given in self.inputs]
        best = max(range(len(tried)), key=lambda k: _merit(tried[k][0]))
        given, scores = self.inputs[best], tried[best][1]
        figures = tuple(
            ProbeFigures(**{**asdict(f), "chosen": k == best}) for k, (f, _) in enumerate(tried)
        )
        scorer = _fit(thin, given, figures[best].penalty)
        slope, intercept = _to_log_odds(scores, thin)
        scaled = DenseScorer(
            scorer.standardiser,
            (np.asarray(slope * scorer.weights[0], dtype=np.float32),),
            (np.asarray(slope * scorer.biases[0] + intercept, dtype=np.float32),),
        )
        return FittedProbe(scaled, given, figures)

    def _try(self, data: ProbeData, given: ProbeInput) -> tuple[ProbeFigures, Floats]:
        """Figures of one input with its best penalty, and its cross-fitted scores."""
        judged, lens = _judged(data)
        runs = [self._cross_fitted(data, given, k) for k in range(self.repeats)]
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
        figures = ProbeFigures(
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
        return figures, scores

    def _cross_fitted(self, data: ProbeData, given: ProbeInput, repeat: int) -> Floats:
        """Out-of-fold scores (n, penalties) of all objects."""
        lens = data.state == LENS
        n_folds = min(
            self.folds, len(np.unique(data.group[lens])), len(np.unique(data.group[~lens]))
        )
        if n_folds < 2:
            raise BadInputError(
                "A probe is chosen by cross-validation in whole groups: label lenses and others in "
                "at least two places of the sky."
            )
        fold = group_folds(data.group, lens, n_folds, seed=self.seed + 101 * repeat)
        out = np.empty((len(lens), len(PENALTIES)))
        trains, value = data.targets(given.target)
        for k in range(n_folds):
            rows, held = np.flatnonzero((fold != k) & trains), fold == k
            standardiser, columns = _columns(data.x[rows], given)
            a = standardiser(data.x[rows][:, columns.index]) * columns.scale
            weight = _balanced(data.weight[rows], lens[rows])
            path = _ridge_path(a, value[rows], weight, PENALTIES)
            held_a = standardiser(data.x[held][:, columns.index]) * columns.scale
            out[held] = held_a @ path.coefficients + path.intercepts
        return out


def _merit(figures: ProbeFigures) -> tuple[float, float]:
    return figures.mean_recall, figures.auroc


def _judged(data: ProbeData) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Rows that figures stand on, and which are lenses; vetted others where there are enough."""
    trains, _ = data.targets("lens")
    vetted = np.flatnonzero(data.state != UNLABELED)
    lens = data.state == LENS
    enough = int((~lens[vetted]).sum()) >= 20
    rows = vetted if enough else np.flatnonzero(trains)
    return rows, lens[rows]


def _balanced(weight: Floats, lens: NDArray[np.bool_]) -> Floats:
    """Weights with mean 1 by which lenses and others weigh the same."""
    out = weight.astype(np.float64).copy()
    for side in (lens, ~lens):
        if side.any():
            out[side] *= len(lens) / (2 * out[side].sum())
    return out


@dataclass(frozen=True)
class _Columns:
    index: NDArray[np.intp]
    scale: Features


def _columns(x: Features, given: ProbeInput) -> tuple[Standardiser, _Columns]:
    """The columns of an input, and factors by which each block weighs the same."""
    index = np.concatenate([np.arange(b.start, b.stop) for b in given.blocks])
    widths = np.array([b.stop - b.start for b in given.blocks])
    scale = np.repeat(1 / np.sqrt(widths * len(widths)), widths).astype(np.float32)
    return Standardiser.measure(x[:, index]), _Columns(index, scale)


@dataclass(frozen=True)
class _RidgePath:
    """Coefficients (d, penalties) and intercepts (penalties,)."""

    coefficients: Floats
    intercepts: Floats


def _ridge_path(a: Features, y: Floats, weight: Floats, penalties: Sequence[float]) -> _RidgePath:
    """Weighted ridge regressions with a free intercept, by one eigendecomposition.

    min Σ w (y − a·β − b)² + λ |β|² (Hoerl & Kennard 1970, Technometrics 12, 55), in the space of
    objects or of columns, whichever is smaller.
    """
    rows = a.astype(np.float64)
    mean_a, mean_y = np.average(rows, axis=0, weights=weight), np.average(y, weights=weight)
    root = np.sqrt(weight)[:, None]
    b, z = (rows - mean_a) * root, (y - mean_y) * root[:, 0]
    columns = np.empty((a.shape[1], len(penalties)))
    dual = len(b) <= b.shape[1]
    values, vectors = np.linalg.eigh(b @ b.T if dual else b.T @ b)
    projected = vectors.T @ (z if dual else b.T @ z)
    for k, penalty in enumerate(penalties):
        solved = vectors @ (projected / (np.maximum(values, 0) + penalty))
        columns[:, k] = b.T @ solved if dual else solved
    return _RidgePath(columns, mean_y - mean_a @ columns)


def _fit(data: ProbeData, given: ProbeInput, penalty: float) -> DenseScorer:
    """The probe on all objects, as a linear model over all columns."""
    trains, value = data.targets(given.target)
    rows = np.flatnonzero(trains)
    standardiser, columns = _columns(data.x[rows], given)
    a = standardiser(data.x[rows][:, columns.index]) * columns.scale
    path = _ridge_path(
        a, value[rows], _balanced(data.weight[rows], (data.state == LENS)[rows]), (penalty,)
    )
    d = data.x.shape[1]
    median, mean, scale = (np.full(d, v, np.float32) for v in (0.0, 0.0, 1.0))
    weight = np.zeros((d, 1), dtype=np.float32)
    median[columns.index] = standardiser.median
    mean[columns.index] = standardiser.mean
    scale[columns.index] = standardiser.scale
    weight[columns.index, 0] = path.coefficients[:, 0] * columns.scale
    return DenseScorer(
        Standardiser(median, mean, scale), (weight,), (path.intercepts.astype(np.float32),)
    )


def _to_log_odds(scores: Floats, data: ProbeData) -> tuple[float, float]:
    """Slope and intercept from cross-fitted scores to log-odds of a lens among these objects."""
    rows, lens = _judged(data)
    spread = float(scores[rows].std()) or 1.0
    model = LogisticRegression(C=1e3).fit(scores[rows, None] / spread, lens)
    slope = max(float(model.coef_[0, 0]), 1e-3) / spread
    return slope, float(model.intercept_[0])


def _recalls(scores: Floats, lens: NDArray[np.bool_], allowed: int) -> tuple[float, float]:
    """Recall with ``allowed`` false positives, and its mean over 1 to that many."""
    # With k false positives the threshold stands just above the next of the others.
    others = np.append(np.sort(scores[~lens])[::-1], -np.inf)
    next_others = others[np.minimum(np.arange(1, allowed + 1), len(others) - 1)]
    each = (scores[lens][:, None] > next_others).mean(axis=0)
    return float(each[-1]), float(each.mean())


def _interval(
    scores: Floats, lens: NDArray[np.bool_], group: Groups, allowed: int, seed: int
) -> tuple[float, float]:
    draws = [
        _recalls(scores[rows], lens[rows], allowed)[0]
        for rows in group_resamples(group, lens, 200, seed)
    ]
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)
