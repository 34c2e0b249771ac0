"""The run: heads from labels and stored outputs, a new ensemble, and the catalog ranked anew.

Every step leaves a file or a row behind, so that a resumed run goes on where it stopped: the rows
drawn (``selection.npz``), each head (a model, its out-of-fold log-odds and a note), the ensemble,
and the scores in order of the cutouts.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lens_triage.training.jobs.notes import write_note
from lens_triage.training.jobs.retrain.class_prior import estimate_prior, scan_prior
from lens_triage.training.jobs.retrain.copies import copies_in
from lens_triage.training.jobs.retrain.diagnosis import diagnose
from lens_triage.training.jobs.retrain.evaluating import evaluate
from lens_triage.training.jobs.retrain.heads import (
    HeadPlan,
    TrainingSet,
    cross_fit,
    deal_folds,
    plan_heads,
)
from lens_triage.training.jobs.retrain.preparing import (
    Clock,
    base_of_run,
    digest_of,
    join_grades,
    select_rows,
)
from lens_triage.training.jobs.retrain.probing import (
    PROBE,
    plan_probe,
    read_grades,
    trimmed,
)
from lens_triage.training.jobs.retrain.rescoring import rescore
from lens_triage.training.jobs.retrain.selection import (
    RetrainingSample,
    StoredBases,
)
from lens_triage.training.jobs.retrain.stacking import (
    cross_validated,
    join,
)
from lens_triage.training.members import open_ensemble
from lens_triage.training.recording import is_recorded, record_ensemble
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import RetrainSettings
from lensing_core.arrays import Float32Array, Float64Array, IntArray
from lensing_core.datasets.table import (
    LENS,
    UNLABELED,
)
from lensing_core.disk import replacing
from lensing_core.models.ensemble import EnsembleRule
from lensing_core.models.files import load_member, new_model_id, save_member
from lensing_core.models.head import HeadMember
from lensing_core.processes import available_cores
from lensing_core.pu import PriorEstimates
from lensing_core.pu.probes import ProbeFigures
from lensing_core.store import Session, open_database
from lensing_core.store.encoders import encoders_of
from lensing_core.store.ensembles import find_ensemble
from lensing_core.store.observations import fetch_covariates
from lensing_core.store.tables import Ensemble


def run(context: JobContext, settings: RetrainSettings) -> dict[str, Any]:
    """Train heads, write the ensemble, and score the catalogs with it from stored outputs."""
    clock = Clock()
    names = list(dict.fromkeys([settings.catalog, *settings.further]))
    if not is_recorded(context, settings.ensemble):
        _make(context, settings, names, clock)
    with open_database(context.workspace).session() as session:
        ensemble = find_ensemble(session, settings.ensemble)
    context.progress(0, None, "Ranking again")
    scored = sum(rescore(context, ensemble, name) for name in names)
    clock.step("scores")
    manifest = ensemble.manifest
    return {
        "ensemble": ensemble.name,
        "base": manifest.get("base", ""),
        "catalogs": names,
        "members": [m.model_id for m in ensemble.members],
        "figures": manifest.get("figures", {}).get("ensemble", {}),
        "figures_on": manifest.get("figures_on", ""),
        "calibration": manifest.get("calibration_note", ""),
        "notes": manifest.get("pu", {}).get("sentences", []),
        "scored": scored,
        "seconds": clock.seconds,
    }


@dataclass(frozen=True)
class _Fitted:
    """A stored head with its out-of-fold log-odds of the training objects."""

    name: str
    model_id: str
    member: HeadMember
    out_of_fold: Float64Array


def _make(context: JobContext, settings: RetrainSettings, names: list[str], clock: Clock) -> None:
    """Everything up to the ensemble's row in the database."""
    context.progress(0, None, "Reading labels and stored outputs")
    join_grades(context, settings)
    with open_database(context.workspace).session() as session:
        base = base_of_run(context, session, settings)
        selection, catalogs = select_rows(context, session, settings, names, base)
        clock.step("labels and groups")
        base_rule, bases = _open_bases(context, session, base, catalogs, settings)
        grades = (
            read_grades(session, selection.candidate_id, settings.grade_column)
            if settings.grade_column
            else None
        )
    table, raw = bases.read(selection.catalog_id, selection.row)
    clock.step("stored outputs")

    train = np.flatnonzero(~selection.reserved)
    chosen = selection.part(train)
    fold = deal_folds(chosen.state, chosen.group, settings.folds, seed=settings.seed)
    plans = _plans(settings, bases)
    common = {
        "run": context.run_id,
        "settings": settings.to_json(),
        "base": base.name,
        "catalogs": names,
        "scale": base.manifest.get("scale"),
        "data_sha256": digest_of(selection),
        "splits": selection.counts(),
    }
    grade = None if grades is None else grades[train]
    fitted = _heads(
        context, settings, plans, bases, table[train], chosen, fold, common, clock, grade
    )
    choices = _say_choices(context, fitted)
    everything = np.column_stack([raw[train], *(f.out_of_fold for f in fitted)])
    honest = np.flatnonzero((chosen.state != UNLABELED) & ~chosen.seen)
    joined = join(
        everything[honest],
        chosen.state[honest].astype(np.int64),
        chosen.group[honest],
        fusion=settings.fusion,
        survey_prior=settings.survey_prior,
        bases=base_rule,
    )
    context.log(joined.sentence, "info" if joined.calibrated else "warning")
    clock.step("calibration and fusion")
    everyone = TrainingSet(
        table[train], chosen.state, chosen.group, fold, copies_in(chosen, settings)
    )
    priors = _prior(bases, everyone, fitted, chosen.share_unlabeled, seed=settings.seed)
    clock.step("class prior")
    scans = _scan(context, plans, bases, everyone) if settings.prior_scan else []
    clock.step("class prior at half and twice")
    with open_database(context.workspace).session() as session:
        covariates = fetch_covariates(session, chosen.candidate_id)
    pu = diagnose(
        chosen,
        joined.rule(everything).logit,
        priors,
        covariates,
        survey_prior=settings.survey_prior,
        scans=scans,
    )
    for sentence in pu["sentences"]:
        context.log(sentence)
    clock.step("diagnosis")

    held = np.flatnonzero(selection.reserved & ~selection.seen)
    logits = _logits(joined.rule, fitted, bases, table[held], raw[held])
    manifest = {
        **common,
        "rule": joined.rule.to_json(),
        "calibrated": joined.calibrated,
        "calibration_note": joined.sentence,
        "fusion_choice": joined.fusion_figures,
        "cross_validation": cross_validated(
            chosen.state, [f.name for f in fitted], everything[:, -len(fitted) :]
        ),
        "pu": pu,
        "probe_choices": choices,
        **evaluate(context.workspace, settings.ensemble, base, selection.part(held), logits),
    }
    clock.step("figures")
    ids = [*(m.id for m in bases.members), *(f.model_id for f in fitted)]
    record_ensemble(context, settings.ensemble, joined.rule.fusion, manifest, ids)


def _open_bases(
    context: JobContext,
    session: Session,
    base: Ensemble,
    catalogs: dict[int, str],
    settings: RetrainSettings,
) -> tuple[EnsembleRule, StoredBases]:
    """The members of the base ensemble that look at pixels, with their part of its rule."""
    rule, stored = open_ensemble(context.workspace, base)
    pixels = [k for k, m in enumerate(stored) if not isinstance(m.member, HeadMember)]
    part = EnsembleRule(
        "mean", tuple(rule.members[k] for k in pixels), rule.joint, rule.survey_prior
    )
    members = [stored[k] for k in pixels]
    names = list(catalogs.values())
    known = {m.id for m in members}
    encoders = [
        load_member(context.workspace, key)
        for key in encoders_of(session, context.workspace, names, settings.encoders)
        if key not in known
    ]
    return part, StoredBases.open(session, context.workspace, members, catalogs, encoders)


def _plans(settings: RetrainSettings, bases: StoredBases) -> list[HeadPlan]:
    """The heads that were asked for; a probe, too, where encoders have embedded the catalogs."""
    usual = [name for name in settings.heads if name != PROBE]
    plans = plan_heads(usual, bases.usual_inputs, prior=settings.survey_prior, seed=settings.seed)
    if PROBE in settings.heads or bases.encoders:
        graded = bool(settings.grade_column)
        plans.append(plan_probe(bases.inputs, bases.encoders, graded=graded, seed=settings.seed))
    return plans


def _say_choices(context: JobContext, fitted: list[_Fitted]) -> list[dict[str, Any]]:
    """What probes tried and chose, into the log; as plain JSON."""
    found = [choice for f in fitted for choice in f.member.model.choices]
    for choice in found:
        context.log(ProbeFigures(**choice).sentence)
    return found


def _heads(
    context: JobContext,
    settings: RetrainSettings,
    plans: list[HeadPlan],
    bases: StoredBases,
    table: Float32Array,
    chosen: RetrainingSample,
    fold: IntArray,
    common: dict[str, Any],
    clock: Clock,
    grade: Float64Array | None,
) -> list[_Fitted]:
    """All heads, fitted and stored, with progress."""
    each = len(np.unique(fold)) + 1
    copies = copies_in(chosen, settings)
    total = len(plans) * each
    fitted: list[_Fitted] = []
    for k, plan in enumerate(plans):

        def done(count: int, k: int = k, name: str = plan.name) -> None:
            context.progress(k * each + count, total, f"Fitting head {name}")

        x = table[:, bases.columns_of(plan.inputs)]
        training = TrainingSet(x, chosen.state, chosen.group, fold, copies, grade)
        shift = plan.shift(chosen.share_unlabeled, float(copies[chosen.state == LENS].mean()))
        fitted.append(_head(context, settings, plan, bases, training, shift, common, done))
        clock.step(f"head {plan.name}")
    context.progress(total, total, "Joining members")
    return fitted


def _prior(
    bases: StoredBases,
    training: TrainingSet,
    fitted: list[_Fitted],
    share_unlabeled: float,
    *,
    seed: int,
) -> PriorEstimates:
    """The class prior, from out-of-fold scores of heads against the unlabeled where there are."""
    embeddings = tuple(i for i in bases.inputs if i.what == "embedding") or tuple(bases.inputs)
    return estimate_prior(
        training,
        {f.name: f.out_of_fold for f in fitted if f.name in ("trees", "logistic")},
        bases.columns_of(embeddings),
        share_unlabeled,
        seed=seed,
    )


def _scan(
    context: JobContext, plans: list[HeadPlan], bases: StoredBases, everyone: TrainingSet
) -> list[dict[str, Any]]:
    """Rankings of the heads that are told a class prior, at half and twice of it."""
    found: list[dict[str, Any]] = []
    for k, plan in enumerate(plans):
        context.progress(k, len(plans), f"Head {plan.name} at other class priors")
        x = everyone.x[:, bases.columns_of(plan.inputs)]
        found += scan_prior(plan, replace(everyone, x=x))
    return found


def _head(
    context: JobContext,
    settings: RetrainSettings,
    plan: HeadPlan,
    bases: StoredBases,
    training: TrainingSet,
    shift: float,
    common: dict[str, Any],
    done: Callable[[int], None],
) -> _Fitted:
    """Fit and store one head, or take the one that this run has stored already."""
    note: Path = context.folder / f"{plan.name}.json"
    kept: Path = context.folder / f"{plan.name}.npy"
    if note.is_file():
        model_id = json.loads(note.read_text())["model"]
        if (context.workspace.models / model_id).is_dir():
            before = load_member(context.workspace, model_id).member
            if isinstance(before, HeadMember):
                context.log(f"Head {plan.name} was trained before: {model_id}.")
                return _Fitted(plan.name, model_id, before, np.load(kept))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # several fits run at a time
    try:
        out, model = cross_fit(
            plan.method,
            training,
            done=done,
            workers=available_cores(),
        )
    finally:
        torch.set_num_threads(threads)
    model_id = new_model_id(plan.name)
    inputs = plan.inputs
    if plan.name == PROBE:
        inputs, model = trimmed(inputs, model)
    below = {m.id: m.member for m in (*bases.members, *bases.encoders)}
    head = HeadMember(inputs, model, shift, {i.model: below[i.model] for i in inputs})
    save_member(context.workspace, model_id, head, common)
    with replacing(kept) as beside, beside.open("wb") as stream:
        np.save(stream, out + shift)
    write_note(note, {"model": model_id})
    return _Fitted(plan.name, model_id, head, out + shift)


def _logits(
    rule: EnsembleRule,
    fitted: list[_Fitted],
    bases: StoredBases,
    table: Float32Array,
    raw: Float64Array,
) -> dict[str, Float64Array]:
    """Logits of held-out objects by the ensemble and by each member, at the survey's prior."""
    columns = [raw]
    for head in fitted:
        x = table[:, bases.columns_of(head.member.inputs)]
        columns.append(head.member.model.decision(x) + head.member.shift)
    scores = rule(np.column_stack(columns))
    ids = [*(m.id for m in bases.members), *(f.model_id for f in fitted)]
    return {
        "ensemble": scores.logit,
        **{key: scores.member_logits[:, k] for k, key in enumerate(ids)},
    }
