"""The job that trains an ensemble: members, calibration, held-out figures, database rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sqlalchemy import func, select

from lensing_core.calibration import reliability
from lensing_core.errors import BadInputError
from lensing_core.features import GridFeatures
from lensing_core.metrics import ranking_figures_with_intervals
from lensing_core.models.classic import ClassicMember, train_trees
from lensing_core.models.contract import InputContract
from lensing_core.models.deep import DeepMember, Novelty
from lensing_core.models.ensemble import EnsembleRule
from lensing_core.models.files import AnyMember, load_member, new_model_id, save_member
from lensing_core.store import open_database
from lensing_core.store.tables import Ensemble, EnsembleMember, Model, utc_now
from training.fit.data import Indices, TrainingData
from training.fit.network import train_network
from training.jobs.context import JobContext
from training.settings import TrainSettings

BATCH = 256


def run(context: JobContext, settings: TrainSettings) -> dict[str, Any]:
    """Train what ``settings`` ask for; members that an earlier attempt finished are kept."""
    _check_new(context, settings.ensemble)
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
        "data_sha256": data.sha256(),
        "splits": sizes,
    }
    stored = [_member(context, settings, name, data, splits, common) for name in settings.members]
    raw = {
        name: np.stack(
            [_raw_logits(context, member, data, splits[name], name) for _, member in stored],
            axis=1,
        )
        for name in ("calibration", "test")
    }
    truth = {name: data.labels.label[splits[name]] for name in raw}
    rule = EnsembleRule.fit(
        raw["calibration"],
        truth["calibration"],
        fusion=settings.fusion,
        survey_prior=settings.survey_prior,
    )
    context.progress(0, None, "Measuring on held-out objects")
    scores = rule(raw["test"])
    figures = {
        "ensemble": _figures(scores.logit, truth["test"]),
        **{
            model_id: _figures(scores.member_logits[:, k], truth["test"])
            for k, (model_id, _) in enumerate(stored)
        },
    }
    # Calibration is measured at the prior of the test objects, not at the survey's.
    at_test_prior = rule.joint.prior
    shifted = EnsembleRule(rule.fusion, rule.members, rule.joint, at_test_prior)
    manifest = {
        **common,
        "rule": rule.to_json(),
        "class_prior_of_training": float(data.labels.label.mean()),
        "figures": figures,
        "figures_on": f"held-out objects of {', '.join(settings.catalogs)}",
        "reliability": reliability(shifted(raw["test"]).logit, truth["test"]).to_json(),
    }
    _record(context, settings, manifest, [model_id for model_id, _ in stored])
    return {
        "ensemble": settings.ensemble,
        "members": [m for m, _ in stored],
        "figures": figures["ensemble"],
        "splits": sizes,
    }


def _check_new(context: JobContext, name: str) -> None:
    with open_database(context.workspace).session() as session:
        if session.scalar(select(Ensemble.id).where(Ensemble.name == name)) is not None:
            raise BadInputError(
                f"Ensemble {name} exists and is never changed; choose another name."
            )


def _figures(logits: NDArray[np.float64], labels: NDArray[np.integer]) -> dict[str, Any]:
    found = ranking_figures_with_intervals(logits, labels)
    return {name: figure.to_json() for name, figure in found.items()}


def _member(
    context: JobContext,
    settings: TrainSettings,
    name: str,
    data: TrainingData,
    splits: dict[str, Indices],
    common: dict[str, Any],
) -> tuple[str, AnyMember]:
    """Train and store one member, or take the one that this run has stored already."""
    note: Path = context.folder / f"{name}.json"
    if note.exists():
        model_id = json.loads(note.read_text())["model"]
        if (context.workspace.models / model_id).is_dir():
            context.log(f"Member {name} was trained before: {model_id}.")
            return model_id, load_member(context.workspace, model_id).member
    member: AnyMember
    if name == "trees":
        member = _train_trees(context, settings, data, splits)
    else:
        member = _with_novelty(train_network(context, settings, data, splits), data, splits)
    model_id = new_model_id(name)
    save_member(context.workspace, model_id, member, common)
    note.write_text(json.dumps({"model": model_id}))
    context.log(f"Member {name} is stored as {model_id}.")
    return model_id, member


def _train_trees(
    context: JobContext, settings: TrainSettings, data: TrainingData, splits: dict[str, Indices]
) -> ClassicMember:
    compute = GridFeatures(data.geometry)
    tables = {}
    for name in ("train", "validation"):
        parts = []
        for indices in data.batches(splits[name], BATCH):
            parts.append(compute(_native(data, indices)))
            context.progress(sum(map(len, parts)), len(splits[name]), f"Features, {name} objects")
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
        on_round=report,
    )
    return ClassicMember(InputContract.of(data.geometry), booster, compute.schema.to_json())


def _native(data: TrainingData, indices: Indices) -> NDArray[np.float32]:
    """Cutouts in the unit of ``data.geometry``: features apply its zero points themselves."""
    from lensing_core.models.contract import flux_scale

    return data.flux(indices) / flux_scale(data.geometry)[:, None, None]


def _raw_logits(
    context: JobContext, member: AnyMember, data: TrainingData, indices: Indices, what: str
) -> NDArray[np.float64]:
    predict = member.predictor(data.geometry, what)
    parts = []
    for batch in data.batches(indices, BATCH):
        parts.append(predict(_native(data, batch)).logit)
        context.progress(sum(map(len, parts)), len(indices), f"Scoring the {what} split")
    return np.concatenate(parts)


def _with_novelty(member: DeepMember, data: TrainingData, splits: dict[str, Indices]) -> DeepMember:
    """Add the distance from non-lenses, measured on embeddings of the validation split."""
    predict = member.predictor(data.geometry, "training")
    known = np.concatenate([splits["validation"], splits["train"]])
    others = known[data.labels.label[known] == 0][:2000]
    found = [predict(_native(data, batch)).embedding for batch in data.batches(others, BATCH)]
    embeddings = np.concatenate([e for e in found if e is not None])
    return DeepMember(
        member.contract, member.spec, member.network, member.scaling, Novelty.measure(embeddings)
    )


def _record(
    context: JobContext, settings: TrainSettings, manifest: dict[str, Any], models: list[str]
) -> None:
    """Write models and ensemble in one transaction; the first ensemble is promoted."""
    with open_database(context.workspace).session() as session:
        promoted = session.scalar(
            select(func.count()).select_from(Ensemble).where(Ensemble.promoted_at.is_not(None))
        )
        for model_id in models:
            stored = load_member(context.workspace, model_id).manifest
            session.add(
                Model(id=model_id, kind=stored["kind"], manifest=stored, run_id=context.run_id)
            )
        session.flush()
        session.add(
            Ensemble(
                name=settings.ensemble,
                fusion=settings.fusion,
                manifest=manifest,
                run_id=context.run_id,
                promoted_at=None if promoted else utc_now(),
                members=[EnsembleMember(model_id=m, position=k) for k, m in enumerate(models)],
            )
        )
