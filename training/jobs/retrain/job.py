"""The run: heads from labels and stored outputs, a new ensemble, and the catalog ranked anew.

Every step leaves a file or a row behind, so that a resumed run goes on where it stopped: the rows
drawn (``selection.npz``), each head (a model, its out-of-fold log-odds and a note), the ensemble,
and the scores in order of the cutouts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lens_triage.training.jobs.retrain.class_prior import estimate_prior, scan_prior
from lens_triage.training.jobs.retrain.diagnosis import diagnose
from lens_triage.training.jobs.retrain.evaluating import evaluate
from lens_triage.training.jobs.retrain.fitting import (
    FittedHead,
    fit_heads,
    log_choices,
    logits_of,
)
from lens_triage.training.jobs.retrain.heads import TrainingSet, deal_folds
from lens_triage.training.jobs.retrain.preparing import (
    Clock,
    aggregate_grades,
    base_of_run,
    digest_of,
    select_rows,
)
from lens_triage.training.jobs.retrain.probing import read_grades
from lens_triage.training.jobs.retrain.rescoring import rescore
from lens_triage.training.jobs.retrain.sample_weights import sample_weights_in
from lens_triage.training.jobs.retrain.selection import (
    RetrainingSample,
    StoredBases,
)
from lens_triage.training.jobs.retrain.stacking import FittedRule, cross_validated, join
from lens_triage.training.recording import is_recorded, record_ensemble
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import RetrainSettings
from lensing_core.arrays import Float32Array, Float64Array, IntArray
from lensing_core.datasets.table import (
    UNLABELED,
)
from lensing_core.models.ensemble import EnsembleRule
from lensing_core.models.files import load_member
from lensing_core.models.head import HeadMember
from lensing_core.scoring import open_ensemble
from lensing_core.store import Session, open_database
from lensing_core.store.encoders import encoders_of
from lensing_core.store.ensembles import find_ensemble
from lensing_core.store.observations import fetch_covariates
from lensing_core.store.tables import Ensemble


def run(context: JobContext, settings: RetrainSettings) -> dict[str, Any]:
    """Train heads, write the ensemble, and score the catalogs with it from stored outputs."""
    clock = Clock()
    names = list(dict.fromkeys([settings.catalog, *settings.additional_catalogs]))
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
class _Material:
    """Data that heads learn from and are measured on.

    Attributes
    ----------
    base, base_rule : Ensemble and its rule
        The rule of its members that look at pixels.
    bases : StoredBases
        Outputs of those members and of encoders.
    selection : RetrainingSample
        All rows: those that train and those that are held out.
    table, raw : ndarray of shape (n, columns), (n, members)
        Stored outputs and logits of all rows.
    train : ndarray of int
        The rows that train.
    chosen, training
        Those rows, and the same with all columns and their weights.
    """

    base: Ensemble
    base_rule: EnsembleRule
    bases: StoredBases
    selection: RetrainingSample
    table: Float32Array
    raw: Float64Array
    train: IntArray
    chosen: RetrainingSample
    training: TrainingSet


def _make(context: JobContext, settings: RetrainSettings, names: list[str], clock: Clock) -> None:
    """Everything up to the ensemble's row in the database."""
    material = _read(context, settings, names, clock)
    bases, chosen = material.bases, material.chosen
    common = {
        "run": context.run_id,
        "settings": settings.to_json(),
        "base": material.base.name,
        "catalogs": names,
        "scale": material.base.manifest.get("scale"),
        "data_sha256": digest_of(material.selection),
        "splits": material.selection.counts(),
    }
    fitted = fit_heads(
        context, settings, bases, material.training, chosen.share_unlabeled, common, clock
    )
    choices = log_choices(context, fitted)
    everything = np.column_stack([material.raw[material.train], *(f.out_of_fold for f in fitted)])
    fused = _calibrate(context, settings, material, everything)
    clock.step("calibration and fusion")
    pu = _diagnose(context, settings, material, fitted, fused.rule(everything).logit, clock)
    evaluation_rows = np.flatnonzero(material.selection.frozen & ~material.selection.seen)
    logits = logits_of(
        fused.rule, fitted, bases, material.table[evaluation_rows], material.raw[evaluation_rows]
    )
    metrics = evaluate(
        context.workspace,
        settings.ensemble,
        material.base,
        material.selection.part(evaluation_rows),
        logits,
    )
    manifest = {
        **common,
        "rule": fused.rule.to_json(),
        "calibrated": fused.calibrated,
        "calibration_note": fused.sentence,
        "fusion_choice": fused.fusion_metrics,
        "cross_validation": cross_validated(
            chosen.state, [f.name for f in fitted], everything[:, -len(fitted) :]
        ),
        "pu": pu,
        "probe_choices": choices,
        **metrics,
    }
    clock.step("figures")
    ids = [*(m.id for m in bases.members), *(f.model_id for f in fitted)]
    record_ensemble(context, settings.ensemble, fused.rule.fusion, manifest, ids)


def _read(
    context: JobContext, settings: RetrainSettings, names: list[str], clock: Clock
) -> _Material:
    """Read labels and stored outputs; deal the rows that train into folds."""
    context.progress(0, None, "Reading labels and stored outputs")
    aggregate_grades(context, settings)
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
    train = np.flatnonzero(~selection.frozen)
    chosen = selection.part(train)
    training = TrainingSet(
        table[train],
        chosen.state,
        chosen.group,
        deal_folds(chosen.state, chosen.group, settings.folds, seed=settings.seed),
        sample_weights_in(chosen, settings),
        None if grades is None else grades[train],
    )
    return _Material(base, base_rule, bases, selection, table, raw, train, chosen, training)


def _calibrate(
    context: JobContext, settings: RetrainSettings, material: _Material, logits: Float64Array
) -> FittedRule:
    """Calibrate and fuse members on vetted objects, by logits (n, members) out of fold."""
    chosen = material.chosen
    honest = np.flatnonzero((chosen.state != UNLABELED) & ~chosen.seen)
    fused = join(
        logits[honest],
        chosen.state[honest].astype(np.int64),
        chosen.group[honest],
        fusion=settings.fusion,
        survey_prior=settings.survey_prior,
        bases=material.base_rule,
    )
    context.log(fused.sentence, "info" if fused.calibrated else "warning")
    return fused


def _diagnose(
    context: JobContext,
    settings: RetrainSettings,
    material: _Material,
    fitted: list[FittedHead],
    logits: Float64Array,
    clock: Clock,
) -> dict[str, Any]:
    """Estimate the class prior and check the labeled lenses; log what comes of it."""
    bases, training, chosen = material.bases, material.training, material.chosen
    embeddings = tuple(i for i in bases.inputs if i.what == "embedding") or tuple(bases.inputs)
    priors = estimate_prior(
        training,
        {f.name: f.out_of_fold for f in fitted if f.name in ("trees", "logistic")},
        bases.columns_of(embeddings),
        chosen.share_unlabeled,
        seed=settings.seed,
    )
    clock.step("class prior")
    scans = _scan(context, fitted, bases, training) if settings.prior_scan else []
    clock.step("class prior at half and twice")
    with open_database(context.workspace).session() as session:
        covariates = fetch_covariates(session, chosen.candidate_id)
    pu = diagnose(
        chosen, logits, priors, covariates, survey_prior=settings.survey_prior, scans=scans
    )
    for sentence in pu["sentences"]:
        context.log(sentence)
    clock.step("diagnosis")
    return pu


def _scan(
    context: JobContext, fitted: list[FittedHead], bases: StoredBases, training: TrainingSet
) -> list[dict[str, Any]]:
    """Compare rankings of the heads that take a class prior at half and twice of it."""
    scans: list[dict[str, Any]] = []
    for k, head in enumerate(fitted):
        context.progress(k, len(fitted), f"Head {head.name} at other class priors")
        x = training.x[:, bases.columns_of(head.plan.inputs)]
        scans += scan_prior(head.plan, replace(training, x=x), head.member.model)
    return scans


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
