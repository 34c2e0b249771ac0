"""The run: networks of an ensemble trained further on the labels of a catalog, with its pixels.

Labels, held-out groups and folds are those of the fast retrain. Each network is trained once a fold
and once on all; what folds say of the objects that they left out calibrates the new ensemble. Every
fit leaves a checkpoint or a model behind, so that a resumed run goes on where it stopped.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lens_triage.training.jobs import score as scoring
from lens_triage.training.jobs.notes import write_note
from lens_triage.training.jobs.retrain.evaluating import evaluate
from lens_triage.training.jobs.retrain.heads import deal_folds
from lens_triage.training.jobs.retrain.networks import (
    BALANCE,
    finetune,
    open_cutouts,
)
from lens_triage.training.jobs.retrain.preparing import (
    Clock,
    aggregate_grades,
    base_of_run,
    digest_of,
    select_rows,
)
from lens_triage.training.jobs.retrain.sample_weights import (
    repeated,
    sample_weights_in,
)
from lens_triage.training.jobs.retrain.selection import (
    RetrainingSample,
    StoredBases,
)
from lens_triage.training.jobs.retrain.stacking import join
from lens_triage.training.jobs.train.data import TrainingData
from lens_triage.training.jobs.train.members import BATCH, with_ood_distance
from lens_triage.training.recording import is_recorded, record_ensemble
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import FinetuneSettings, ScoreSettings
from lensing_core.arrays import Float64Array, IntArray
from lensing_core.calibration import Calibration, shift_prior
from lensing_core.datasets.table import (
    LENS,
    UNLABELED,
)
from lensing_core.disk import replacing
from lensing_core.errors import BadInputError
from lensing_core.models.deep import DeepMember
from lensing_core.models.ensemble import EnsembleRule
from lensing_core.models.files import new_model_id, save_member
from lensing_core.models.head import HeadMember
from lensing_core.scoring import open_ensemble
from lensing_core.store import open_database
from lensing_core.store.ensembles import find_ensemble


def run(context: JobContext, settings: FinetuneSettings) -> dict[str, Any]:
    """Train the networks, write the ensemble, and score the catalogs with it."""
    clock = Clock()
    names = list(dict.fromkeys([settings.catalog, *settings.additional_catalogs]))
    if not is_recorded(context, settings.ensemble):
        _make(context, settings, names, clock)
    scored = scoring.run(
        context,
        ScoreSettings(
            ensemble=settings.ensemble,
            catalog=names[0],
            additional_catalogs=names[1:],
            device=settings.device,
        ),
    )
    clock.step("scores")
    with open_database(context.workspace).session() as session:
        ensemble = find_ensemble(session, settings.ensemble)
        manifest, members = ensemble.manifest, [m.model_id for m in ensemble.members]
    return {
        "ensemble": settings.ensemble,
        "base": manifest.get("base", ""),
        "catalogs": names,
        "members": members,
        "figures": manifest.get("figures", {}).get("ensemble", {}),
        "figures_on": manifest.get("figures_on", ""),
        "calibration": manifest.get("calibration_note", ""),
        "scored": scored["scored"],
        "seconds": clock.seconds,
    }


def _make(context: JobContext, settings: FinetuneSettings, names: list[str], clock: Clock) -> None:
    """Everything up to the ensemble's row in the database."""
    context.progress(0, None, "Reading labels")
    aggregate_grades(context, settings)
    with open_database(context.workspace).session() as session:
        base = base_of_run(context, session, settings)
        base_rule, stored = open_ensemble(context.workspace, base)
        pixels = [k for k, m in enumerate(stored) if not isinstance(m.member, HeadMember)]
        before = [stored[k] for k in pixels]
        if not any(isinstance(m.member, DeepMember) for m in before):
            raise BadInputError(
                f"Ensemble {base.name} has no network to train further; retrain makes heads for it."
            )
        selection, catalogs = select_rows(context, session, settings, names, base)
        kept = [m for m in before if not isinstance(m.member, DeepMember)]
        outputs = StoredBases.open(session, context.workspace, kept, catalogs)
    clock.step("labels and groups")

    train = np.flatnonzero(~selection.frozen)
    evaluation_rows = np.flatnonzero(selection.frozen & ~selection.seen)
    chosen = selection.part(train)
    fold = deal_folds(chosen.state, chosen.group, settings.folds, seed=settings.seed)
    common = {
        "run": context.run_id,
        "settings": settings.to_json(),
        "base": base.name,
        "catalogs": names,
        "scale": base.manifest.get("scale"),
        "data_sha256": digest_of(selection),
        "splits": selection.counts(),
    }
    _, known = outputs.read(selection.catalog_id, selection.row)
    of_kept = dict(zip((m.id for m in kept), known.T, strict=True))
    ids: list[str] = []
    calibrations: list[Calibration] = []
    columns: list[
        Float64Array
    ] = []  # of all rows; of training rows by models that did not see them
    move = float(shift_prior(0.0, BALANCE, base_rule.joint.prior))
    for k, stored_member in zip(pixels, before, strict=True):
        member = stored_member.member
        if isinstance(member, DeepMember):
            data = open_cutouts(context.workspace, selection, catalogs, member)
            job = _Fits(context, settings, stored_member.id, member, data, train, fold, chosen)
            model_id, column = job.run(common)
            # Uncalibrated, the logits of the loss stand at its own prior.
            calibrations.append(Calibration("platt", 1.0, move, (), (), base_rule.joint.prior))
            clock.step(f"network {model_id}")
        else:
            model_id, column = stored_member.id, of_kept[stored_member.id]
            calibrations.append(base_rule.members[k])
        ids.append(model_id)
        columns.append(column)
    raw = np.column_stack(columns)
    honest = np.flatnonzero((chosen.state != UNLABELED) & ~chosen.seen)
    fused = join(
        raw[train][honest],
        chosen.state[honest].astype(np.int64),
        chosen.group[honest],
        fusion=settings.fusion,
        survey_prior=settings.survey_prior,
        bases=EnsembleRule("mean", tuple(calibrations), base_rule.joint, settings.survey_prior),
    )
    context.log(fused.sentence, "info" if fused.calibrated else "warning")
    scores = fused.rule(raw[evaluation_rows])
    logits = {
        "ensemble": scores.logit,
        **{key: scores.member_logits[:, k] for k, key in enumerate(ids)},
    }
    manifest = {
        **common,
        "rule": fused.rule.to_json(),
        "calibrated": fused.calibrated,
        "calibration_note": fused.sentence,
        "fusion_choice": fused.fusion_metrics,
        **evaluate(
            context.workspace, settings.ensemble, base, selection.part(evaluation_rows), logits
        ),
    }
    clock.step("calibration and metrics")
    record_ensemble(context, settings.ensemble, fused.rule.fusion, manifest, ids)


@dataclass(frozen=True)
class _Fits:
    """The fits of one network: one a fold, one on all.

    Attributes
    ----------
    base_id, member : the network to start from
    data : cutouts of all rows
    train, fold : ndarray of the rows that train, and the fold of each
    chosen : RetrainingSample
        Those rows.
    """

    context: JobContext
    settings: FinetuneSettings
    base_id: str
    member: DeepMember
    data: TrainingData
    train: IntArray
    fold: IntArray
    chosen: RetrainingSample

    def run(self, common: dict[str, Any]) -> tuple[str, Float64Array]:
        """Train and store the network; its id, and logits of all rows that nothing saw.

        Logits of training rows come from the folds, those of the others from the final network.
        """
        context, data = self.context, self.data
        note: Path = context.folder / f"{self.base_id}.json"
        kept = note.with_suffix(".npy")
        if note.is_file():
            model_id = str(json.loads(note.read_text())["model"])
            if (context.workspace.models / model_id).is_dir():
                context.log(f"Network {model_id} was trained before.")
                return model_id, np.asarray(np.load(kept))
        logits = np.empty(len(data))
        for k in np.unique(self.fold).tolist():
            name = f"{self.base_id}-fold-{k + 1}"
            part: Path = context.folder / f"{name}.npy"
            left_out = self.train[self.fold == k]
            if not part.is_file():
                fitted = self._fit(name, np.flatnonzero(self.fold != k), k)
                context.progress(0, None, f"Scoring what {name} has not seen")
                _save(part, _logits(fitted, data, left_out))
            logits[left_out] = np.load(part)
        final = self._fit(self.base_id, np.arange(len(self.train)), 0)
        context.progress(0, None, "Scoring the frozen evaluation set")
        rest = np.setdiff1d(np.arange(len(data)), self.train)
        logits[rest] = _logits(final, data, rest)
        final = with_ood_distance(final, data, self.train[self.chosen.state != LENS])
        model_id = new_model_id("fine-tuned")
        save_member(context.workspace, model_id, final, {**common, "from": self.base_id})
        _save(kept, logits)
        write_note(note, {"model": model_id})
        return model_id, logits

    def _fit(self, name: str, rows: IntArray, number: int) -> DeepMember:
        """Fit a network to some of the training rows, each repeated by its weight."""
        rows = repeated(rows, sample_weights_in(self.chosen, self.settings))
        return finetune(
            self.context,
            self.settings,
            self.member,
            self.data,
            self.train[rows],
            name=name,
            seed=self.settings.seed + number,
        )


def _logits(member: DeepMember, data: TrainingData, rows: IntArray) -> Float64Array:
    predict = member.predictor(data.geometry, "the selection")
    parts = [
        predict(data.native_flux(batch), data.metadata_of(batch, member.metadata_names)).logit
        for batch in data.batches(rows, BATCH)
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def _save(path: Path, values: Float64Array) -> None:
    """Whole or not at all."""
    with replacing(path) as beside, beside.open("wb") as stream:
        np.save(stream, values)
