"""The classic member: LightGBM on named features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import Float32Array, Float64Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.features import (
    ClassicFeatures,
    compute_features,
    metadata_names,
    stored_blocks,
)
from lensing_core.models.contract import CutoutSelection, InputContract
from lensing_core.models.manifest import CLASSIC
from lensing_core.models.member import MemberOutput, Metadata
from lensing_core.models.trees import load_trees, save_trees

WEIGHTS = "trees.txt"
VIRTUAL_MEMBERS = 8


@dataclass(frozen=True)
class ClassicMember:
    """Gradient-boosted trees with the features that they were trained on."""

    contract: InputContract
    booster: lightgbm.Booster
    features: dict[str, Any]

    @property
    def metadata_names(self) -> tuple[str, ...]:
        return metadata_names(stored_blocks(self.features))

    def predictor(
        self, geometry: CutoutGeometry, catalog: str, *, with_variance: bool = False
    ) -> ClassicPredictor:
        """Scores cutouts of ``geometry``."""
        selection = self.contract.fit(geometry, catalog)
        compute = ClassicFeatures.stored(selection.geometry, self.features)
        return ClassicPredictor(self.booster, selection, compute, with_variance)

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the trees as text; return what the manifest must hold."""
        save_trees(self.booster, folder / WEIGHTS)
        return {"kind": CLASSIC, "contract": self.contract.to_json(), "features": self.features}

    @classmethod
    def load(cls, folder: Path, manifest: dict[str, Any]) -> ClassicMember:
        """Read what :meth:`save` wrote."""
        return cls(
            InputContract.from_json(manifest["contract"]),
            load_trees(folder / WEIGHTS, manifest.get("files")),
            manifest["features"],
        )


@dataclass(frozen=True)
class ClassicPredictor:
    """Scores cutouts of one geometry."""

    booster: lightgbm.Booster
    selection: CutoutSelection
    compute: ClassicFeatures
    with_variance: bool

    def __call__(self, flux: Float32Array, metadata: Metadata | None = None) -> MemberOutput:
        return self.of_table(self.table(flux, metadata))

    def of_table(self, table: Float32Array) -> MemberOutput:
        """The output for features (n, columns) that :meth:`table` gave, or a pool of processes."""
        logit = np.asarray(self.booster.predict(table, raw_score=True))
        variance = self._variance(table) if self.with_variance else None
        return MemberOutput(logit, variance=variance, features=table)

    def table(self, flux: Float32Array, metadata: Metadata | None = None) -> Float32Array:
        """Return what the trees see of cutouts (n, band, y, x)."""
        return compute_features(self.compute, self.selection(flux), metadata)

    def _variance(self, table: Float32Array) -> Float64Array:
        """Variance over the sums of the first half of the trees and more of them.

        A virtual ensemble (Malinin, Prokhorenkova & Ustimenko 2021, arXiv:2006.10562).
        """
        rounds = self.booster.num_trees()
        stops = np.unique(np.linspace(rounds / 2, rounds, VIRTUAL_MEMBERS).astype(int).clip(1))
        sums = [self.booster.predict(table, raw_score=True, num_iteration=int(k)) for k in stops]
        return np.asarray(np.var(sums, axis=0))


def train_trees(
    train: tuple[Float32Array, NDArray[np.integer]],
    validation: tuple[Float32Array, NDArray[np.integer]],
    *,
    names: tuple[str, ...],
    learning_rate: float,
    leaves: int,
    rounds: int,
    patience: int,
    seed: int,
    threads: int,
    monotone: Sequence[int] | None = None,
    balanced: bool = False,
    weight: NDArray[np.floating] | None = None,
    on_round: Any = None,
) -> lightgbm.Booster:
    """Fit trees with early stopping on the validation log loss.

    Parameters
    ----------
    train, validation : (features of shape (n, columns), labels of shape (n,))
    monotone : sequence of int, optional
        For each column whether the score may only rise (1) or only fall (−1) with it; else 0.
    balanced : bool
        Both classes weigh the same. The logits then are those of equal classes; calibration moves
        them to the class prior of objects that were not weighted.
    weight : ndarray of shape (n,), optional
        Of the labels of ``train``.
    on_round : callable, optional
        Called with a LightGBM callback environment each round; may raise to stop.
    """
    columns = [f"f{k}" for k in range(len(names))]  # LightGBM forbids some characters of our names
    weights = weight
    if balanced:
        weights = _class_weights(train[1], np.ones(len(train[1])) if weight is None else weight)
    data = lightgbm.Dataset(train[0], train[1], weight=weights, feature_name=columns)
    even = _class_weights(validation[1], np.ones(len(validation[1]))) if balanced else None
    validation_set = data.create_valid(validation[0], validation[1], weight=even)
    parameters: dict[str, Any] = {
        "objective": "binary",
        "metric": "binary_logloss",
        "learning_rate": learning_rate,
        "num_leaves": leaves,
        "min_data_in_leaf": 20,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,  # without it LightGBM ignores bagging_fraction
        "lambda_l2": 1.0,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": threads,
        "verbosity": -1,
    }
    if monotone is not None and any(monotone):
        parameters["monotone_constraints"] = list(monotone)
        parameters["monotone_constraints_method"] = "intermediate"
    callbacks: list[Any] = [lightgbm.early_stopping(patience, verbose=False)]
    if on_round is not None:
        callbacks.append(on_round)
    return lightgbm.train(
        parameters,
        data,
        rounds,
        valid_sets=[validation_set],
        valid_names=["validation"],
        callbacks=callbacks,
    )


def _class_weights(labels: NDArray[np.integer], weight: NDArray[np.floating]) -> Float64Array:
    """Weights that sum to half of the objects in either class, in proportion to those given."""
    total = np.bincount(labels, weights=weight, minlength=2)
    return np.asarray(weight * len(labels) / (2 * np.where(total > 0, total, 1))[labels])
