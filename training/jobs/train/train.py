"""The job that trains an ensemble: members, calibration, held-out figures, database rows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lens_triage.training.checks.ensembles import check_name_free
from lens_triage.training.jobs.notes import write_note
from lens_triage.training.jobs.train.data import TrainingData
from lens_triage.training.jobs.train.encoder import EncoderPlan, train_encoder
from lens_triage.training.jobs.train.held_out import HeldOut
from lens_triage.training.jobs.train.network import (
    NetworkPlan,
    plan_networks,
    train_network,
)
from lens_triage.training.jobs.train.strata import recall_by_properties
from lens_triage.training.recording import record_ensemble
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import TrainSettings
from lensing_core.arrays import Float32Array, Float64Array, IntArray
from lensing_core.calibration import reliability
from lensing_core.errors import BadInputError
from lensing_core.features import ClassicFeatures, FeaturePool, metadata_names
from lensing_core.features.pool import FROM_ROWS
from lensing_core.metrics import ranking_figures_with_intervals
from lensing_core.models.classic import ClassicMember, train_trees
from lensing_core.models.contract import InputContract
from lensing_core.models.deep import DeepMember, Novelty
from lensing_core.models.encoders import EncoderMember
from lensing_core.models.ensemble import EnsembleRule, FusionChoice, choose_fusion
from lensing_core.models.files import AnyMember, load_member, new_model_id, save_member
from lensing_core.models.member import MemberOutput
from lensing_core.processes import available_cores, look_ahead
from lensing_core.store import open_database
from lensing_core.uncertainty.conformal import ConformalSets

BATCH = 256
CONFORMAL_ERROR = 0.1
NOVELTY_OBJECTS = 2000


def run(context: JobContext, settings: TrainSettings) -> dict[str, Any]:
    """Train what ``settings`` ask for; members that an earlier attempt finished are kept."""
    with open_database(context.workspace).session() as session:
        check_name_free(session, settings.ensemble)
    torch.manual_seed(settings.seed)
    data = TrainingData.open(context.workspace, settings.catalogs)
    splits = data.split(settings.seed)
    sizes = {
        name: {"lenses": int(data.labels.label[i].sum()), "objects": len(i)}
        for name, i in splits.items()
    }
    for reason, count in data.labels.left_out.items():
        context.log(f"Left out: {count:,} labels, {reason}.", "warning")
    context.log(
        "Splits: "
        + ", ".join(
            f"{name} {s['objects']:,} ({s['lenses']:,} lenses)" for name, s in sizes.items()
        )
    )

    common = {
        "run": context.run_id,
        "settings": settings.to_json(),
        "catalogs": settings.catalogs,
        "origins": data.origins,
        "scale": data.scale,
        "data_sha256": data.sha256(),
        "splits": sizes,
    }
    plans: list[NetworkPlan | EncoderPlan | None] = [None] if "trees" in settings.members else []
    if "network" in settings.members:
        plans += plan_networks(settings, data, splits)
    if "encoder" in settings.members:
        plans += [EncoderPlan(name) for name in dict.fromkeys(settings.encoder)]
    stored = [_member(context, settings, plan, data, splits, common) for plan in plans]
    outputs = {
        name: [_outputs(context, settings, m, data, splits[name], name) for _, m in stored]
        for name in ("calibration", "test")
    }
    raw = {name: np.stack([o.logit for o in found], axis=1) for name, found in outputs.items()}
    variances = {name: _stacked_variances(found) for name, found in outputs.items()}
    truth = {name: data.labels.label[splits[name]] for name in raw}
    context.progress(0, None, "Measuring on held-out objects")
    rule, choice = _rule(
        settings,
        raw["calibration"],
        truth["calibration"],
        variances["calibration"],
        data.labels.group[splits["calibration"]],
    )
    if choice is not None:
        context.log(f"Fusion: {choice.fusion} has the best cross-fitted TPR0, then TPR10.")
    scores = rule(raw["test"], variances["test"])
    figures = {
        "ensemble": _figures(scores.logit, truth["test"]),
        **{
            model_id: _figures(scores.member_logits[:, k], truth["test"])
            for k, (model_id, _) in enumerate(stored)
        },
    }
    # Calibration is measured at the prior of the test objects, not at the survey's.
    shifted = rule.at_prior(rule.joint.prior)
    manifest = {
        **common,
        "rule": rule.to_json(),
        "class_prior_of_training": float(data.labels.label.mean()),
        "figures": figures,
        "figures_on": f"held-out objects of {', '.join(settings.catalogs)}",
        "reliability": reliability(
            shifted(raw["test"], variances["test"]).logit, truth["test"]
        ).to_json(),
        "fusion_choice": None if choice is None else choice.figures,
        "conformal": _conformal(
            rule(raw["calibration"], variances["calibration"]).logit,
            truth["calibration"],
            scores.logit,
            truth["test"],
        ),
        "strata": recall_by_properties(
            context.workspace,
            data.labels.candidate_id[splits["test"]],
            scores.logit,
            truth["test"],
        ),
    }
    HeldOut(
        data.labels.candidate_id[splits["test"]],
        truth["test"].astype(np.int64),
        scores.logit,
    ).write(context.workspace, settings.ensemble)
    record_ensemble(
        context,
        settings.ensemble,
        rule.fusion,
        manifest,
        [model_id for model_id, _ in stored],
    )
    return {
        "ensemble": settings.ensemble,
        "members": [m for m, _ in stored],
        "figures": figures["ensemble"],
        "splits": sizes,
    }


def _figures(logits: Float64Array, labels: NDArray[np.integer]) -> dict[str, Any]:
    found = ranking_figures_with_intervals(logits, labels)
    return {name: figure.to_json() for name, figure in found.items()}


def _member(
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
        member = _train_trees(context, settings, data, splits)
    elif isinstance(plan, EncoderPlan):
        member = train_encoder(context, settings, data, splits, plan)
    else:
        member = train_network(context, settings, data, plan)
        known = np.concatenate([splits["validation"], splits["train"]])
        member = with_novelty(member, data, known[data.labels.label[known] == 0])
    model_id = new_model_id(name)
    save_member(context.workspace, model_id, member, common)
    write_note(note, {"model": model_id})
    context.log(f"Member {name} is stored as {model_id}.")
    return model_id, member


def _train_trees(
    context: JobContext, settings: TrainSettings, data: TrainingData, splits: dict[str, IntArray]
) -> ClassicMember:
    compute = ClassicFeatures(data.geometry, tuple(settings.feature_blocks))
    known = metadata_names(compute.names)
    tables = {}
    processes = available_cores() if len(splits["train"]) >= FROM_ROWS else 0
    with FeaturePool(compute, processes) as pool:
        for name in ("train", "validation"):
            begun = (
                pool.submit(
                    native_flux(data, indices), data.metadata_of(indices, known) if known else None
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


def native_flux(data: TrainingData, indices: IntArray) -> Float32Array:
    """Cutouts in the unit of ``data.geometry``: features apply its zero points themselves."""
    return data.flux(indices) * data.native_factors()


def _outputs(
    context: JobContext,
    settings: TrainSettings,
    member: AnyMember,
    data: TrainingData,
    indices: IntArray,
    what: str,
) -> MemberOutput:
    """Raw logits of one member, and their variances where the fusion may need them."""
    with_variance = settings.fusion in ("inverse_variance", "best") and settings.dropout > 0
    with_variance = with_variance and not isinstance(member, EncoderMember)  # it has none
    predict = member.predictor(data.geometry, what, with_variance=with_variance)
    logits, variances = [], []
    for batch in data.batches(indices, BATCH):
        output = predict(native_flux(data, batch), data.metadata_of(batch, member.metadata_names))
        logits.append(output.logit)
        variances.append(output.variance)
        context.progress(sum(map(len, logits)), len(indices), f"Scoring the {what} split")
    known = [v for v in variances if v is not None]
    return MemberOutput(np.concatenate(logits), variance=np.concatenate(known) if known else None)


def _stacked_variances(outputs: list[MemberOutput]) -> Float64Array | None:
    found = [output.variance for output in outputs if output.variance is not None]
    return np.stack(found, axis=1) if len(found) == len(outputs) else None


def _rule(
    settings: TrainSettings,
    raw: Float64Array,
    labels: NDArray[np.integer],
    variances: Float64Array | None,
    groups: IntArray,
) -> tuple[EnsembleRule, FusionChoice | None]:
    """The rule fitted on calibration objects, and what its fusion was chosen by, if it was."""
    choice = None
    if settings.fusion == "best":
        choice = choose_fusion(raw, labels, variances=variances, groups=groups)
    rule = EnsembleRule.fit(
        raw,
        labels,
        fusion=choice.fusion if choice else settings.fusion,
        survey_prior=settings.survey_prior,
        variances=variances,
        groups=groups,
    )
    return rule, choice


def _conformal(
    calibration: Float64Array,
    calibration_labels: NDArray[np.integer],
    test: Float64Array,
    test_labels: NDArray[np.integer],
) -> dict[str, Any] | None:
    """Conformal sets at 10 % error and their coverage of held-out objects; None with few labels."""
    try:
        sets = ConformalSets.fit(calibration, calibration_labels, error_rate=CONFORMAL_ERROR)
    except BadInputError:
        return None
    return {
        "error_rate": sets.error_rate,
        "lens_from": sets.lens_from,
        "other_to": sets.other_to,
        "coverage": sets.coverage(test, test_labels),
    }


def with_novelty(member: DeepMember, data: TrainingData, others: IntArray) -> DeepMember:
    """Add the distance from non-lenses, measured on embeddings of the first of ``others``."""
    predict = member.predictor(data.geometry, "training")
    found = [
        predict(native_flux(data, batch), data.metadata_of(batch, member.metadata_names)).embedding
        for batch in data.batches(others[:NOVELTY_OBJECTS], BATCH)
    ]
    embeddings = np.concatenate([e for e in found if e is not None])
    return replace(member, novelty=Novelty.measure(embeddings))
