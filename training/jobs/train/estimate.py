"""Estimate of a run's time, from earlier ones of this workspace."""

from __future__ import annotations

from lens_triage.training.jobs.train.data import SPLITS
from lens_triage.training.settings import ScoreSettings, TrainSettings
from lensing_core.store import Database
from lensing_core.store.catalogs import count_labeled
from lensing_core.store.run_queue import runs_of_kind
from lensing_core.store.scores import count_unscored

_RUNS = 20


def estimate_seconds(database: Database, settings: TrainSettings) -> float | None:
    """Seconds by the latest finished training of the same networks; None if there was none.

    Time is taken to go with networks × epochs × training objects × passes, an upper bound where a
    training stops early.
    """
    work = _work(database, settings)
    with database.session() as session:
        runs = runs_of_kind(session, "train", status="succeeded", limit=_RUNS)
    for run in runs:
        stored = settings.with_present_names(run.settings)
        same = (
            *("backbones", "members", "device", "pooling", "dihedral_averaging"),
            *("small_stem", "width", "precision"),
        )
        if any(stored.get(name) != getattr(settings, name) for name in same):
            continue
        objects = (run.result or {}).get("splits", {}).get("train", {}).get("objects", 0)
        done = objects * stored.get("epochs", 0) * stored.get("copies", 1)
        if done and run.started_at and run.finished_at:
            return work * (run.finished_at - run.started_at).total_seconds() / done
    return None


def _work(database: Database, settings: TrainSettings) -> float:
    with database.session() as session:
        labeled = count_labeled(session, settings.catalogs)
    return SPLITS["train"] * labeled * settings.epochs * settings.copies


def estimate_scoring_seconds(database: Database, settings: ScoreSettings) -> float | None:
    """Seconds by the rate of the latest scoring with the same ensemble; None if there was none."""
    with database.session() as session:
        runs = runs_of_kind(session, "score", status="succeeded", limit=_RUNS)
        left = count_unscored(
            session, settings.ensemble, [settings.catalog, *settings.additional_catalogs]
        )
    for run in runs:
        rate = (run.result or {}).get("per_second")
        same = all(
            run.settings.get(name) == getattr(settings, name) for name in ("ensemble", "device")
        )
        if rate and same:
            return left / rate
    return None
