"""The job that trains an ensemble: members, calibration, metrics on the test split, its row."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from lens_triage.training.checks.ensembles import check_name_free
from lens_triage.training.jobs.train.calibrating import fit_rule, measure_rule, score_split
from lens_triage.training.jobs.train.data import TrainingData
from lens_triage.training.jobs.train.held_out import HeldOut
from lens_triage.training.jobs.train.members import train_members
from lens_triage.training.jobs.train.strata import recall_by_properties
from lens_triage.training.recording import record_ensemble
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import TrainSettings
from lens_triage.training.shift import joined_outputs
from lensing_core.arrays import IntArray
from lensing_core.store import open_database


def run(context: JobContext, settings: TrainSettings) -> dict[str, Any]:
    """Train what ``settings`` ask for; members that an earlier attempt finished are kept."""
    with open_database(context.workspace).session() as session:
        check_name_free(session, settings.ensemble)
    torch.manual_seed(settings.seed)
    data = TrainingData.open(context.workspace, settings.catalogs)
    splits = data.split(settings.seed)
    common = _common(context, settings, data, splits)
    members = train_members(context, settings, data, splits, common)
    calibration, test = (
        score_split(context, settings, members, data, splits[name], name)
        for name in ("calibration", "test")
    )
    context.progress(0, None, "Measuring on the test split")
    rule, choice = fit_rule(settings, calibration)
    if choice is not None:
        context.log(f"Fusion: {choice.fusion} has the best cross-fitted TPR0, then TPR10.")
    measured, logits = measure_rule(rule, list(members), calibration, test)
    candidates = data.labels.candidate_id[test.indices]
    manifest = {
        **common,
        **measured,
        "rule": rule.to_json(),
        "class_prior_of_training": float(data.labels.label.mean()),
        "figures_on": f"held-out objects of {', '.join(settings.catalogs)}",
        "fusion_choice": None if choice is None else choice.metrics,
        "strata": recall_by_properties(context.workspace, candidates, logits, test.label),
    }
    HeldOut(candidates, test.label.astype(np.int64), logits).write(
        context.workspace, settings.ensemble
    )
    # Objects that members were not fitted on: embeddings of those that they were are too alike.
    record_ensemble(
        context,
        settings.ensemble,
        rule.fusion,
        manifest,
        list(members),
        outputs=joined_outputs([calibration.sample, test.sample]),
    )
    return {
        "ensemble": settings.ensemble,
        "members": list(members),
        "figures": measured["figures"]["ensemble"],
        "splits": common["splits"],
    }


def _common(
    context: JobContext, settings: TrainSettings, data: TrainingData, splits: dict[str, IntArray]
) -> dict[str, Any]:
    """The part of a manifest that members and ensemble share; logs what is in it."""
    sizes = {
        name: {"lenses": int(data.labels.label[i].sum()), "objects": len(i)}
        for name, i in splits.items()
    }
    for reason, count in data.labels.left_out.items():
        context.log(f"Left out: {count:,} labels, {reason}.", "warning")
    listed = (f"{name} {s['objects']:,} ({s['lenses']:,} lenses)" for name, s in sizes.items())
    context.log("Splits: " + ", ".join(listed))
    return {
        "run": context.run_id,
        "settings": settings.to_json(),
        "catalogs": settings.catalogs,
        "origins": data.origins,
        "scale": data.scale,
        "data_sha256": data.sha256(),
        "splits": sizes,
    }
