"""The classic member of a new ensemble: features, and boosted trees on them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from lens_triage.training.jobs.train.data import TrainingData
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import TrainSettings
from lensing_core.arrays import IntArray
from lensing_core.features import ClassicFeatures, FeaturePool, metadata_names
from lensing_core.features.pool import FROM_ROWS
from lensing_core.models.classic import ClassicMember, train_trees
from lensing_core.models.contract import InputContract
from lensing_core.processes import available_cores, look_ahead

BATCH = 256


def fit_trees(
    context: JobContext, settings: TrainSettings, data: TrainingData, splits: dict[str, IntArray]
) -> ClassicMember:
    """Fit boosted trees on features of training objects, stopped by validation objects."""
    compute = ClassicFeatures(data.geometry, tuple(settings.feature_blocks))
    known = metadata_names(compute.names)
    tables = {}
    processes = available_cores() if len(splits["train"]) >= FROM_ROWS else 0
    with FeaturePool(compute, processes) as pool:
        for name in ("train", "validation"):
            begun = (
                pool.submit(
                    data.native_flux(indices), data.metadata_of(indices, known) if known else None
                )
                for indices in data.batches(splits[name], BATCH)
            )
            parts = []
            for features in look_ahead(begun, pool.ahead):
                parts.append(features())
                done = sum(map(len, parts))
                context.progress(done, len(splits[name]), f"Features, {name} objects")
            tables[name] = (np.concatenate(parts), data.labels.label[splits[name]])

    def report(environment: Any) -> None:
        loss = environment.evaluation_result_list[0][2]
        if environment.iteration % 10 == 0:
            context.metric("validation_loss", loss, step=environment.iteration, member="trees")
        context.progress(environment.iteration, settings.rounds, "Training trees")

    booster = train_trees(
        tables["train"],
        tables["validation"],
        names=compute.schema.names,
        learning_rate=settings.trees_learning_rate,
        leaves=settings.leaves,
        rounds=settings.rounds,
        patience=50,
        seed=settings.seed,
        threads=torch.get_num_threads(),
        monotone=compute.monotone if settings.monotone else None,
        balanced=settings.balanced_trees,
        weight=None if data.labels.weight is None else data.labels.weights(splits["train"]),
        on_round=report,
    )
    return ClassicMember(InputContract.of(data.geometry), booster, compute.to_json())
