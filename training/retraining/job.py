"""The run: heads from labels and stored outputs, a new ensemble, and the catalog ranked anew.

Every step leaves a file or a row behind, so that a resumed run goes on where it stopped: the rows
drawn (``selection.npz``), each head (a model, its out-of-fold log-odds and a note), the ensemble,
and the scores in order of the cutouts.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.models.ensemble import EnsembleRule
from lensing_core.models.files import load_member, new_model_id, save_member
from lensing_core.models.head import HeadMember
from lensing_core.processes import available_cores
from lensing_core.store import open_database
from lensing_core.store.consensus import update_consensus
from lensing_core.store.tables import Ensemble
from training.jobs.context import JobContext
from training.recording import record_ensemble
from training.retraining.diagnosis import diagnose, fetch_covariates
from training.retraining.evaluating import evaluate
from training.retraining.heads import (
    HeadPlan,
    TrainingSet,
    copies_of,
    cross_fit,
    deal_folds,
    plan_heads,
)
from training.retraining.labels import LENS, UNLABELED, GradeRule, training_labels
from training.retraining.rescoring import rescore
from training.retraining.reserved import reserve
from training.retraining.selection import (
    Selection,
    StoredBases,
    draw,
    groups_of,
    seen_by_bases,
    write_note,
)
from training.retraining.stacking import (
    cross_validated,
    join,
)
from training.settings import RetrainSettings

Floats = NDArray[np.float64]


def run(context: JobContext, settings: RetrainSettings) -> dict[str, Any]:
    """Train heads, write the ensemble, and score the catalogs with it from stored outputs."""
    clock = Clock()
    database = open_database(context.workspace)
    names = list(dict.fromkeys([settings.catalog, *settings.further]))
    with database.session() as session:
        made = session.scalar(select(Ensemble).where(Ensemble.name == settings.ensemble))
        if made is not None and made.run_id != context.run_id:
            raise BadInputError(
                f"Ensemble {settings.ensemble} exists and is never changed; choose another name."
            )
    if made is None:
        _make(context, settings, names, clock)
    with database.session() as session:
        ensemble = session.scalars(select(Ensemble).where(Ensemble.name == settings.ensemble)).one()
    context.progress(0, None, "Ranking again")
    scored = sum(rescore(context, ensemble, name) for name in names)
    clock.step("scores")
    manifest = ensemble.manifest
    return {
        "ensemble": ensemble.name,
        "base": manifest["base"],
        "catalogs": names,
        "members": [m.model_id for m in ensemble.members],
        "figures": manifest["figures"].get("ensemble", {}),
        "figures_on": manifest["figures_on"],
        "calibration": manifest["calibration_note"],
        "notes": manifest["pu"]["sentences"],
        "scored": scored,
        "seconds": clock.seconds,
    }


class Clock:
    """Seconds by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def step(self, name: str) -> None:
        """What passed since the last step was for ``name``."""
        now = time.perf_counter()
        self.seconds[name] = round(self.seconds.get(name, 0.0) + now - self._last, 2)
        self._last = now


def find_base(session: Session, name: str) -> Ensemble:
    """The ensemble of a name; without one, the promoted, else the newest.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    if name:
        found = session.scalar(select(Ensemble).where(Ensemble.name == name))
        if found is None:
            raise NotFoundError(f"There is no ensemble {name}; train one first.")
        return found
    order = (
        Ensemble.promoted_at.is_(None),
        Ensemble.promoted_at.desc(),
        Ensemble.created_at.desc(),
        Ensemble.id.desc(),
    )
    found = session.scalars(select(Ensemble).order_by(*order).limit(1)).first()
    if found is None:
        raise NotFoundError("There is no ensemble to start from; train one and score the catalog.")
    return found


@dataclass(frozen=True)
class _Fitted:
    """A stored head with its out-of-fold log-odds of the training objects."""

    name: str
    model_id: str
    member: HeadMember
    out_of_fold: Floats


def _make(context: JobContext, settings: RetrainSettings, names: list[str], clock: Clock) -> None:
    """Everything up to the ensemble's row in the database."""
    context.progress(0, None, "Reading labels and stored outputs")
    grades = GradeRule.of(settings)
    if grades is not None:
        with open_database(context.workspace).session() as session:
            update_consensus(session, grades.rule, only_if_new=True)
    with open_database(context.workspace).session() as session:
        base = base_of_run(context, session, settings)
        selection, catalogs = select_rows(context, session, settings, names, base)
        clock.step("labels and groups")
        base_rule, bases = _open_bases(context, session, base, catalogs)
    table, raw = bases.read(selection.catalog_id, selection.row)
    clock.step("stored outputs")

    train = np.flatnonzero(~selection.reserved)
    chosen = selection.part(train)
    fold = deal_folds(chosen.state, chosen.group, settings.folds, seed=settings.seed)
    plans = plan_heads(
        settings.heads, bases.inputs, prior=settings.survey_prior, seed=settings.seed
    )
    common = {
        "run": context.run_id,
        "settings": settings.to_json(),
        "base": base.name,
        "catalogs": names,
        "data_sha256": digest_of(selection),
        "splits": selection.counts(),
    }
    fitted = _heads(context, settings, plans, bases, table[train], chosen, fold, common, clock)
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
    naive = [f.out_of_fold for f, plan in zip(fitted, plans, strict=True) if plan.naive]
    with open_database(context.workspace).session() as session:
        covariates = fetch_covariates(session, chosen.candidate_id)
    pu = diagnose(
        chosen,
        joined.rule(everything).logit,
        naive[-1] if naive else None,
        covariates,
        survey_prior=settings.survey_prior,
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
        **evaluate(context.workspace, settings.ensemble, base, selection.part(held), logits),
    }
    clock.step("figures")
    ids = [*(m.id for m in bases.members), *(f.model_id for f in fitted)]
    record_ensemble(context, settings.ensemble, joined.rule.fusion, manifest, ids)


def base_of_run(context: JobContext, session: Session, settings: RetrainSettings) -> Ensemble:
    """The base ensemble: on a resume the one that the run began with."""
    note: Path = context.folder / "base.json"
    if note.is_file():
        return find_base(session, json.loads(note.read_text())["base"])
    base = find_base(session, settings.base)
    write_note(note, {"base": base.name})
    return base


def select_rows(
    context: JobContext,
    session: Session,
    settings: RetrainSettings,
    names: list[str],
    base: Ensemble,
) -> tuple[Selection, dict[int, str]]:
    """The rows of this run, drawn at its first attempt; and the catalogs' names by id."""
    path: Path = context.folder / "selection.npz"
    note = path.with_suffix(".json")
    if note.is_file():
        stored = json.loads(note.read_text())
        return Selection.read(path), {int(k): v for k, v in stored["catalogs"].items()}
    labels = training_labels(
        session, names, min_confidence=settings.min_confidence, grades=GradeRule.of(settings)
    )
    if labels.graded.any():
        context.log(f"{int(labels.graded.sum()):,} labels are grades of people here.")
    for reason, count in labels.left_out.items():
        context.log(f"Left out: {count:,} labels, {reason}.", "warning")
    groups = groups_of(labels, settings.block_nside)
    seen = seen_by_bases(session, context.workspace, [m.model_id for m in base.members], labels)
    n_seen = int((seen & (labels.state != UNLABELED)).sum())
    if n_seen:
        context.log(
            f"{n_seen:,} labeled objects were seen by the training of {base.name}: they train "
            "heads, and neither calibrate nor evaluate.",
            "warning",
        )
    reserved = reserve(context.workspace, labels, groups, seen, settings.seed)
    selection = draw(
        labels,
        groups,
        reserved,
        seen,
        most_unlabeled=settings.most_unlabeled,
        seed=settings.seed,
    )
    selection.write(path)
    write_note(note, {"catalogs": labels.catalogs})
    counts = selection.counts()
    context.log(
        "; ".join(
            f"{what}: {c['lenses']:,} lenses, {c['others']:,} vetted others, "
            f"{c['unlabeled']:,} unlabeled"
            for what, c in (("Training", counts["train"]), ("held out", counts["held_out"]))
        )
        + "."
    )
    return selection, labels.catalogs


def _open_bases(
    context: JobContext, session: Session, base: Ensemble, catalogs: dict[int, str]
) -> tuple[EnsembleRule, StoredBases]:
    """The members of the base ensemble that look at pixels, with their part of its rule."""
    stored = [load_member(context.workspace, m.model_id) for m in base.members]
    rule = EnsembleRule.from_json(base.manifest["rule"])
    pixels = [k for k, m in enumerate(stored) if not isinstance(m.member, HeadMember)]
    part = EnsembleRule(
        "mean", tuple(rule.members[k] for k in pixels), rule.joint, rule.survey_prior
    )
    members = [stored[k] for k in pixels]
    return part, StoredBases.open(session, context.workspace, members, catalogs)


def _heads(
    context: JobContext,
    settings: RetrainSettings,
    plans: list[HeadPlan],
    bases: StoredBases,
    table: NDArray[np.float32],
    chosen: Selection,
    fold: NDArray[np.int64],
    common: dict[str, Any],
    clock: Clock,
) -> list[_Fitted]:
    """All heads, fitted and stored, with progress."""
    each = len(np.unique(fold)) + 1
    copies = copies_of(
        chosen.state,
        chosen.weight,
        chosen.reason,
        other_weight=settings.other_weight,
        hard_weight=settings.hard_weight,
    )
    total = len(plans) * each
    fitted: list[_Fitted] = []
    for k, plan in enumerate(plans):

        def done(count: int, k: int = k, name: str = plan.name) -> None:
            context.progress(k * each + count, total, f"Fitting head {name}")

        x = table[:, bases.columns_of(plan.inputs)]
        training = TrainingSet(x, chosen.state, chosen.group, fold, copies)
        shift = plan.shift(chosen.share_unlabeled, float(copies[chosen.state == LENS].mean()))
        fitted.append(_head(context, settings, plan, bases, training, shift, common, done))
        clock.step(f"head {plan.name}")
    context.progress(total, total, "Joining members")
    return fitted


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
    head = HeadMember(plan.inputs, model, shift, {m.id: m.member for m in bases.members})
    save_member(context.workspace, model_id, head, common)
    np.save(kept, out + shift)
    write_note(note, {"model": model_id})
    return _Fitted(plan.name, model_id, head, out + shift)


def _logits(
    rule: EnsembleRule,
    fitted: list[_Fitted],
    bases: StoredBases,
    table: NDArray[np.float32],
    raw: Floats,
) -> dict[str, Floats]:
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


def digest_of(selection: Selection) -> str:
    """Of which objects with which labels trained and evaluated."""
    digest = hashlib.sha256()
    for name in ("candidate_id", "state", "group", "reserved", "weight", "reason"):
        digest.update(np.ascontiguousarray(getattr(selection, name)).tobytes())
    return digest.hexdigest()
