"""Heads of a retraining: fitted, stored, and taken up again by a resumed run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lens_triage.training.jobs.notes import write_note
from lens_triage.training.jobs.retrain.heads import (
    HeadPlan,
    TrainingSet,
    cross_fit,
    plan_heads,
)
from lens_triage.training.jobs.retrain.preparing import Clock
from lens_triage.training.jobs.retrain.probing import (
    PROBE,
    plan_probe,
    trimmed,
)
from lens_triage.training.jobs.retrain.selection import StoredBases
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import RetrainSettings
from lensing_core.arrays import Float32Array, Float64Array
from lensing_core.datasets.table import LENS
from lensing_core.disk import replacing
from lensing_core.models.ensemble import EnsembleRule
from lensing_core.models.files import load_member, new_model_id, save_member
from lensing_core.models.head import HeadMember
from lensing_core.processes import available_cores
from lensing_core.pu.probes import ProbeMetrics


@dataclass(frozen=True)
class FittedHead:
    """A stored head with its out-of-fold log-odds of the training objects."""

    plan: HeadPlan
    model_id: str
    member: HeadMember
    out_of_fold: Float64Array

    @property
    def name(self) -> str:
        """Name of the plan."""
        return self.plan.name

    def decision(self, bases: StoredBases, table: Float32Array) -> Float64Array:
        """Log-odds of objects whose stored outputs are the rows of ``table``."""
        x = table[:, bases.columns_of(self.member.inputs)]
        return self.member.model.decision(x) + self.member.shift


def plans_of(settings: RetrainSettings, bases: StoredBases) -> list[HeadPlan]:
    """The heads that were asked for; a probe, too, where encoders have embedded the catalogs."""
    usual = [name for name in settings.heads if name != PROBE]
    plans = plan_heads(usual, bases.usual_inputs, prior=settings.survey_prior, seed=settings.seed)
    if PROBE in settings.heads or bases.encoders:
        graded = bool(settings.grade_column)
        plans.append(plan_probe(bases.inputs, bases.encoders, graded=graded, seed=settings.seed))
    return plans


def fit_heads(
    context: JobContext,
    settings: RetrainSettings,
    bases: StoredBases,
    training: TrainingSet,
    share_unlabeled: float,
    common: dict[str, Any],
    clock: Clock,
) -> list[FittedHead]:
    """Fit and store all heads, with progress.

    Parameters
    ----------
    training : TrainingSet
        All columns of the base members.
    share_unlabeled : float
        Share of all unlabeled objects that were drawn.
    common : dict
        For the manifests of all.
    """
    plans = plans_of(settings, bases)
    each = len(np.unique(training.fold)) + 1
    total = len(plans) * each
    lens_weight = float(training.sample_weights[training.state == LENS].mean())
    fitted: list[FittedHead] = []
    for k, plan in enumerate(plans):

        def done(count: int, k: int = k, name: str = plan.name) -> None:
            context.progress(k * each + count, total, f"Fitting head {name}")

        mine = replace(training, x=training.x[:, bases.columns_of(plan.inputs)])
        shift = plan.shift(share_unlabeled, lens_weight)
        fitted.append(_fit_head(context, plan, bases, mine, shift, common, done))
        clock.step(f"head {plan.name}")
    context.progress(total, total, "Fusing members")
    return fitted


def log_choices(context: JobContext, fitted: list[FittedHead]) -> list[dict[str, Any]]:
    """Log what probes tried and chose; return it as plain JSON."""
    choices = [choice for head in fitted for choice in head.member.model.choices]
    for choice in choices:
        context.log(ProbeMetrics(**choice).sentence)
    return choices


def logits_of(
    rule: EnsembleRule,
    fitted: list[FittedHead],
    bases: StoredBases,
    table: Float32Array,
    raw: Float64Array,
) -> dict[str, Float64Array]:
    """Logits of objects by the ensemble and by each member, at the survey's prior.

    Parameters
    ----------
    table, raw : ndarray of shape (n, columns), (n, base members)
        Stored outputs and logits of the base members.
    """
    scores = rule(np.column_stack([raw, *(head.decision(bases, table) for head in fitted)]))
    ids = [*(m.id for m in bases.members), *(head.model_id for head in fitted)]
    return {
        "ensemble": scores.logit,
        **{key: scores.member_logits[:, k] for k, key in enumerate(ids)},
    }


def _fit_head(
    context: JobContext,
    plan: HeadPlan,
    bases: StoredBases,
    training: TrainingSet,
    shift: float,
    common: dict[str, Any],
    done: Callable[[int], None],
) -> FittedHead:
    """Fit and store one head, or take the one that this run has stored already."""
    note: Path = context.folder / f"{plan.name}.json"
    out_of_fold: Path = context.folder / f"{plan.name}.npy"
    if note.is_file():
        model_id = json.loads(note.read_text())["model"]
        if (context.workspace.models / model_id).is_dir():
            before = load_member(context.workspace, model_id).member
            if isinstance(before, HeadMember):
                context.log(f"Head {plan.name} was trained before: {model_id}.")
                return FittedHead(plan, model_id, before, np.load(out_of_fold))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # several fits run at a time
    try:
        out, model = cross_fit(plan.method, training, done=done, workers=available_cores())
    finally:
        torch.set_num_threads(threads)
    model_id = new_model_id(plan.name)
    inputs = plan.inputs
    if plan.name == PROBE:
        inputs, model = trimmed(inputs, model)
    below = {m.id: m.member for m in (*bases.members, *bases.encoders)}
    head = HeadMember(inputs, model, shift, {i.model: below[i.model] for i in inputs})
    save_member(context.workspace, model_id, head, common)
    with replacing(out_of_fold) as beside, beside.open("wb") as stream:
        np.save(stream, out + shift)
    write_note(note, {"model": model_id})
    return FittedHead(plan, model_id, head, out + shift)
