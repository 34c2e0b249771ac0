"""The classic member: LightGBM on grid features."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from lensing_core.cutouts import CutoutGeometry
from lensing_core.features import GridFeatures
from lensing_core.models.contract import CutoutSelection, InputContract
from lensing_core.models.member import MemberOutput, Metadata, Predictor

WEIGHTS = "trees.txt"
KIND = "lightgbm"
VIRTUAL_MEMBERS = 8
_AT_ONCE = 32
"""Cutouts whose features are computed together: few enough to stay in a core's cache."""


@dataclass(frozen=True)
class ClassicMember:
    """Gradient-boosted trees with the features that they were trained on."""

    contract: InputContract
    booster: lightgbm.Booster
    features: dict[str, Any]

    @property
    def metadata_names(self) -> tuple[str, ...]:
        return ()

    def predictor(
        self, geometry: CutoutGeometry, catalog: str, *, with_variance: bool = False
    ) -> Predictor:
        """Scores cutouts of ``geometry``."""
        selection = self.contract.fit(geometry, catalog)
        compute = GridFeatures(selection.geometry)
        compute.schema.check(self.features)
        return _ClassicPredictor(self.booster, selection, compute, with_variance)

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the trees as text; return what the manifest must hold."""
        self.booster.save_model(folder / WEIGHTS)
        return {"kind": KIND, "contract": self.contract.to_json(), "features": self.features}

    @classmethod
    def load(cls, folder: Path, manifest: dict[str, Any]) -> ClassicMember:
        """What :meth:`save` wrote."""
        return cls(
            InputContract.from_json(manifest["contract"]),
            lightgbm.Booster(model_file=folder / WEIGHTS),
            manifest["features"],
        )


@dataclass(frozen=True)
class _ClassicPredictor:
    booster: lightgbm.Booster
    selection: CutoutSelection
    compute: GridFeatures
    with_variance: bool

    def __call__(self, flux: NDArray[np.float32], metadata: Metadata | None = None) -> MemberOutput:
        table = compute_features(self.compute, self.selection(flux))
        logit = np.asarray(self.booster.predict(table, raw_score=True))
        variance = self._variance(table) if self.with_variance else None
        return MemberOutput(logit, variance=variance, features=table)

    def _variance(self, table: NDArray[np.float32]) -> NDArray[np.float64]:
        """Variance over the sums of the first half of the trees and more of them.

        A virtual ensemble (Malinin, Prokhorenkova & Ustimenko 2021, arXiv:2006.10562).
        """
        rounds = self.booster.num_trees()
        stops = np.unique(np.linspace(rounds / 2, rounds, VIRTUAL_MEMBERS).astype(int).clip(1))
        sums = [self.booster.predict(table, raw_score=True, num_iteration=int(k)) for k in stops]
        return np.asarray(np.var(sums, axis=0))


def compute_features(
    compute: Callable[[NDArray[np.float32]], NDArray[np.float32]], flux: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Features (n, columns) of cutouts (n, band, y, x), in small parts on all cores."""
    parts = [flux[k : k + _AT_ONCE] for k in range(0, max(1, len(flux)), _AT_ONCE)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.concatenate(list(pool.map(compute, parts)))


def train_trees(
    train: tuple[NDArray[np.float32], NDArray[np.integer]],
    validation: tuple[NDArray[np.float32], NDArray[np.integer]],
    *,
    names: tuple[str, ...],
    learning_rate: float,
    leaves: int,
    rounds: int,
    patience: int,
    seed: int,
    threads: int,
    on_round: Any = None,
) -> lightgbm.Booster:
    """Fit trees with early stopping on the validation log loss.

    Parameters
    ----------
    train, validation : (features of shape (n, columns), labels of shape (n,))
    on_round : callable, optional
        Called with a LightGBM callback environment each round; may raise to stop.
    """
    columns = [f"f{k}" for k in range(len(names))]  # LightGBM forbids some characters of our names
    data = lightgbm.Dataset(train[0], train[1], feature_name=columns)
    held = data.create_valid(validation[0], validation[1])
    parameters = {
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
    callbacks: list[Any] = [lightgbm.early_stopping(patience, verbose=False)]
    if on_round is not None:
        callbacks.append(on_round)
    return lightgbm.train(
        parameters,
        data,
        rounds,
        valid_sets=[held],
        valid_names=["validation"],
        callbacks=callbacks,
    )
