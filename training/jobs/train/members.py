"""Members of a new ensemble: each trained and stored, or taken up by a resumed run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lens_triage.training.jobs.notes import write_note
from lens_triage.training.jobs.train.data import TrainingData
from lens_triage.training.jobs.train.encoder import EncoderPlan, train_encoder
from lens_triage.training.jobs.train.network import (
    NetworkPlan,
    plan_networks,
    train_network,
)
from lens_triage.training.jobs.train.trees import fit_trees
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import TrainSettings
from lensing_core.arrays import IntArray
from lensing_core.models.deep import DeepMember
from lensing_core.models.files import AnyMember, load_member, new_model_id, save_member
from lensing_core.models.ood import OODDistance

BATCH = 256
OOD_OBJECTS = 2000


def train_members(
    context: JobContext,
    settings: TrainSettings,
    data: TrainingData,
    splits: dict[str, IntArray],
    common: dict[str, Any],
) -> dict[str, AnyMember]:
    """Train and store all members that ``settings`` ask for; by model id, in their order."""
    plans: list[NetworkPlan | EncoderPlan | None] = [None] if "trees" in settings.members else []
    if "network" in settings.members:
        plans += plan_networks(settings, data, splits)
    if "encoder" in settings.members:
        plans += [EncoderPlan(name) for name in dict.fromkeys(settings.encoder)]
    return dict(_train_member(context, settings, plan, data, splits, common) for plan in plans)


def _train_member(
    context: JobContext,
    settings: TrainSettings,
    plan: NetworkPlan | EncoderPlan | None,
    data: TrainingData,
    splits: dict[str, IntArray],
    common: dict[str, Any],
) -> tuple[str, AnyMember]:
    """Train and store one member, or take the one that this run has stored already."""
    name = plan.name if plan else "trees"
    note: Path = context.folder / f"{name}.json"
    if note.exists():
        model_id = json.loads(note.read_text())["model"]
        if (context.workspace.models / model_id).is_dir():
            context.log(f"Member {name} was trained before: {model_id}.")
            return model_id, load_member(context.workspace, model_id).member
    member: AnyMember
    if plan is None:
        member = fit_trees(context, settings, data, splits)
    elif isinstance(plan, EncoderPlan):
        member = train_encoder(context, settings, data, splits, plan)
    else:
        member = train_network(context, settings, data, plan)
        known = np.concatenate([splits["validation"], splits["train"]])
        member = with_ood_distance(member, data, known[data.labels.label[known] == 0])
    model_id = new_model_id(name)
    save_member(context.workspace, model_id, member, common)
    write_note(note, {"model": model_id})
    context.log(f"Member {name} is stored as {model_id}.")
    return model_id, member


def with_ood_distance(member: DeepMember, data: TrainingData, others: IntArray) -> DeepMember:
    """Add the distance from non-lenses, measured on embeddings of the first of ``others``."""
    predict = member.predictor(data.geometry, "training")
    outputs = (
        predict(data.native_flux(batch), data.metadata_of(batch, member.metadata_names))
        for batch in data.batches(others[:OOD_OBJECTS], BATCH)
    )
    embeddings = np.concatenate([o.embedding for o in outputs if o.embedding is not None])
    return replace(member, ood_distance=OODDistance.measure(embeddings))
