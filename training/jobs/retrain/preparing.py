"""Start of a retraining: its base ensemble, the rows that train, and those that evaluate.

Both are written beside the run at its first attempt, so that a resumed run goes on with the same.
"""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import numpy as np

from lens_triage.training.jobs.notes import write_note
from lens_triage.training.jobs.retrain.frozen_set import freeze
from lens_triage.training.jobs.retrain.labels import grade_rule, labels_of_run
from lens_triage.training.jobs.retrain.selection import (
    RetrainingSample,
    draw,
    seen_by_bases,
)
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import RetrainSettings
from lensing_core.datasets.table import UNLABELED
from lensing_core.store import Session, open_database
from lensing_core.store.consensus import update_consensus
from lensing_core.store.consensus_choice import current_consensus_settings
from lensing_core.store.ensembles import default_ensemble, get_ensemble
from lensing_core.store.tables import Ensemble


class Clock:
    """Seconds by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def step(self, name: str) -> None:
        """Return what passed since the last step was for ``name``."""
        now = time.perf_counter()
        self.seconds[name] = round(self.seconds.get(name, 0.0) + now - self._last, 2)
        self._last = now


def bring_consensus_up_to_date(session: Session, settings: RetrainSettings) -> Ensemble | None:
    """Join grades by the prior and thresholds that were chosen last; return whose scores are it."""
    grades = grade_rule(settings)
    if grades is None:
        return None
    rule = current_consensus_settings(session, grades.rule.method) or grades.rule
    update_consensus(session, rule, only_if_new=True)
    return None if rule.ensemble_id is None else get_ensemble(session, rule.ensemble_id)


def aggregate_grades(context: JobContext, settings: RetrainSettings) -> None:
    """Bring the consensus up to date, and say in the log where scores are its prior."""
    with open_database(context.workspace).session() as session:
        prior = bring_consensus_up_to_date(session, settings)
    if prior is not None:
        context.log(
            f"The consensus has scores of {prior.name} as its prior: labels depend in part on "
            "its earlier scores.",
            "warning",
        )


def base_of_run(context: JobContext, session: Session, settings: RetrainSettings) -> Ensemble:
    """The base ensemble: on a resume the one that the run began with."""
    note: Path = context.folder / "base.json"
    if note.is_file():
        return default_ensemble(session, json.loads(note.read_text())["base"])
    base = default_ensemble(session, settings.base, catalog=settings.catalog)
    write_note(note, {"base": base.name})
    return base


def select_rows(
    context: JobContext,
    session: Session,
    settings: RetrainSettings,
    names: list[str],
    base: Ensemble,
) -> tuple[RetrainingSample, dict[int, str]]:
    """The rows of this run, drawn at its first attempt; and the catalogs' names by id."""
    path: Path = context.folder / "selection.npz"
    note = path.with_suffix(".json")
    if note.is_file():
        stored = json.loads(note.read_text())
        return RetrainingSample.read(path), {int(k): v for k, v in stored["catalogs"].items()}
    labels, groups = labels_of_run(session, names, settings)
    if labels.graded.any():
        context.log(f"{int(labels.graded.sum()):,} labels are grades of people here.")
    for reason, count in labels.left_out.items():
        context.log(f"Left out: {count:,} labels, {reason}.", "warning")
    seen = seen_by_bases(session, context.workspace, [m.model_id for m in base.members], labels)
    n_seen = int((seen & (labels.state != UNLABELED)).sum())
    if n_seen:
        context.log(
            f"{n_seen:,} labeled objects were seen by the training of {base.name}: they train "
            "heads, and neither calibrate nor evaluate.",
            "warning",
        )
    frozen = freeze(context.workspace, labels, groups, seen, settings.seed)
    selection = draw(
        labels,
        groups,
        frozen,
        seen,
        most_unlabeled=settings.most_unlabeled,
        seed=settings.seed,
    )
    selection.write(path)
    write_note(note, {"catalogs": labels.catalogs})
    counts = selection.counts()
    context.log(
        "; ".join(
            f"{what}: {c['lenses']:,} lenses, {c['others']:,} vetted non-lenses, "
            f"{c['unlabeled']:,} unlabeled"
            for what, c in (("Training", counts["train"]), ("held out", counts["held_out"]))
        )
        + "."
    )
    return selection, labels.catalogs


def digest_of(selection: RetrainingSample) -> str:
    """Digest of the objects and labels used to train and evaluate."""
    digest = hashlib.sha256()
    for name in ("candidate_id", "state", "group", "frozen", "weight", "reason"):
        digest.update(np.ascontiguousarray(getattr(selection, name)).tobytes())
    return digest.hexdigest()
