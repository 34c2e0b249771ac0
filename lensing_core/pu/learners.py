"""Base learners of the PU methods: gradient-boosted trees and logistic regression.

A learner turns a weighted two-class problem into a scorer; a scorer gives log-odds for rows of
features and is stored without pickle, as LightGBM text or as arrays in safetensors.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

import lightgbm
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from sklearn.linear_model import LogisticRegression

from lensing_core.arrays import Float32Array, Float64Array
from lensing_core.errors import BadInputError
from lensing_core.models.trees import load_trees, save_trees

ROWS_AT_A_TIME = 8192


class Scorer(Protocol):
    """A fitted two-class model."""

    @property
    def suffix(self) -> str:
        """Suffix of its file."""

    def __call__(self, x: Float32Array) -> Float64Array:
        """Log-odds, shape (n,), of features of shape (n, d)."""

    def save(self, path: Path) -> None:
        """Write one file."""


class Learner(Protocol):
    """Settings of a two-class model."""

    def fit(
        self,
        x: Float32Array,
        target: NDArray[np.integer],
        weight: Float64Array | None = None,
        *,
        seed: int,
    ) -> Scorer:
        """Fit to targets 0/1, shape (n,), each row with its weight."""


@dataclass(frozen=True)
class Standardizer:
    """Median for what is missing, then zero mean and unit spread.

    A constant column keeps scale 1 and becomes 0; a column without any value has median 0.
    """

    median: Float32Array
    mean: Float32Array
    scale: Float32Array

    @classmethod
    def measure(cls, x: Float32Array) -> Standardizer:
        """Measure it on rows of shape (n, d)."""
        known = np.isfinite(x)
        if known.all():
            median = np.median(x, axis=0)
            filled = x
        else:
            empty = ~known.any(axis=0)
            median = np.nanmedian(np.where(empty, np.float32(0), x), axis=0)
            filled = np.where(known, x, median)
        mean = filled.mean(axis=0, dtype=np.float64)
        spread = filled.std(axis=0, dtype=np.float64)
        # Rounding leaves a constant column with a spread of some 1e-8 of its value.
        flat = spread <= 1e-6 * np.maximum(np.abs(mean), 1e-30)
        parts = (median, mean, np.where(flat, 1.0, spread))
        return cls(*(np.asarray(part, dtype=np.float32) for part in parts))

    def __call__(self, x: Float32Array) -> Float32Array:
        """Standardized copy, shape (n, d)."""
        filled = np.where(np.isfinite(x), x, self.median)
        return np.asarray((filled - self.mean) / self.scale, dtype=np.float32)


@dataclass(frozen=True)
class DenseScorer:
    """A linear model or a small network of rectified layers, evaluated with numpy.

    Attributes
    ----------
    weights, biases : per layer, shapes (inputs, outputs) and (outputs,); the last has one output
    """

    standardizer: Standardizer
    weights: tuple[Float32Array, ...]
    biases: tuple[Float32Array, ...]

    suffix: ClassVar[str] = ".safetensors"

    def __call__(self, x: Float32Array) -> Float64Array:
        out = np.empty(len(x), dtype=np.float64)
        for first in range(0, len(x), ROWS_AT_A_TIME):
            layer = self.standardizer(x[first : first + ROWS_AT_A_TIME])
            for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
                layer = np.maximum(layer @ weight + bias, 0)
            out[first : first + ROWS_AT_A_TIME] = (layer @ self.weights[-1] + self.biases[-1])[:, 0]
        return out

    def save(self, path: Path) -> None:
        arrays = {f"standardiser.{k}": v for k, v in vars(self.standardizer).items()}
        for k, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            arrays[f"weight.{k}"], arrays[f"bias.{k}"] = weight, bias
        save_file({name: np.ascontiguousarray(value) for name, value in arrays.items()}, path)

    @classmethod
    def load(cls, path: Path) -> DenseScorer:
        """Read what :meth:`save` wrote."""
        arrays = load_file(path)
        layers = range(sum(name.startswith("weight.") for name in arrays))
        return cls(
            Standardizer(**{n: arrays[f"standardiser.{n}"] for n in ("median", "mean", "scale")}),
            tuple(arrays[f"weight.{k}"] for k in layers),
            tuple(arrays[f"bias.{k}"] for k in layers),
        )


@dataclass(frozen=True)
class TreesScorer:
    """Gradient-boosted trees."""

    booster: lightgbm.Booster

    suffix: ClassVar[str] = ".txt"

    def __call__(self, x: Float32Array) -> Float64Array:
        return np.asarray(self.booster.predict(x, raw_score=True), dtype=np.float64)

    def save(self, path: Path) -> None:
        save_trees(self.booster, path)

    @classmethod
    def load(cls, path: Path) -> TreesScorer:
        """Read what :meth:`save` wrote."""
        return cls(load_trees(path))


def load_scorer(path: Path) -> Scorer:
    """Read a scorer; raises BadInputError where the file is missing or damaged."""
    try:
        if path.suffix == DenseScorer.suffix:
            return DenseScorer.load(path)
        return TreesScorer.load(path)
    except (OSError, KeyError, SafetensorError) as error:
        raise BadInputError(f"{path} cannot be read ({error}); train the model again.") from error


@dataclass(frozen=True)
class TreesLearner:
    """LightGBM with few leaves, as suits some hundred positives; takes NaN as it is.

    Attributes
    ----------
    bins : int
        Of equal mass: with 64, the last one holds 1.6 % of the objects, and rarer positives in
        the tail of one feature could not be told from the rest of it.
    monotone : tuple of int, optional
        One a column: +1 where the score may only rise with it, −1 only fall, 0 free.
    threads : int
        0: all of the machine.
    """

    rounds: int = 100
    learning_rate: float = 0.1
    leaves: int = 15
    min_rows_in_leaf: int = 10
    column_share: float = 0.5
    row_share: float = 0.8
    ridge: float = 1.0
    bins: int = 255
    monotone: tuple[int, ...] | None = None
    threads: int = 0

    def fit(
        self,
        x: Float32Array,
        target: NDArray[np.integer],
        weight: Float64Array | None = None,
        *,
        seed: int,
    ) -> TreesScorer:
        parameters = {
            "objective": "binary",
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.min_rows_in_leaf,
            "feature_fraction": self.column_share,
            "bagging_fraction": self.row_share,
            "bagging_freq": 1,  # without it LightGBM ignores bagging_fraction
            "lambda_l2": self.ridge,
            "max_bin": self.bins,
            "seed": seed,
            "deterministic": True,
            "force_col_wise": True,
            "num_threads": self.threads,
            "verbosity": -1,
        }
        if self.monotone is not None:
            parameters["monotone_constraints"] = list(self.monotone)
        data = lightgbm.Dataset(x, np.asarray(target, dtype=np.float32), weight=weight)
        return TreesScorer(lightgbm.train(parameters, data, self.rounds))


@dataclass(frozen=True)
class LogisticLearner:
    """Ridge-penalized logistic regression on standardized features, gaps filled by medians.

    Attributes
    ----------
    inverse_penalty : float
        C of scikit-learn's LogisticRegression.
    """

    inverse_penalty: float = 0.01
    iterations: int = 300

    def fit(
        self,
        x: Float32Array,
        target: NDArray[np.integer],
        weight: Float64Array | None = None,
        *,
        seed: int,
    ) -> DenseScorer:
        del seed  # the optimum is unique
        standardizer = Standardizer.measure(x)
        model = LogisticRegression(C=self.inverse_penalty, max_iter=self.iterations)
        model.fit(standardizer(x), np.asarray(target), sample_weight=weight)
        return DenseScorer(
            standardizer,
            (model.coef_.astype(np.float32).T,),
            (model.intercept_.astype(np.float32),),
        )
