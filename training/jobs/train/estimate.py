"""How long a run will take, from the last ones of this workspace."""

from __future__ import annotations

from sqlalchemy import exists, func, select

from lens_triage.training.jobs.train.data import SPLITS
from lens_triage.training.settings import ScoreSettings, TrainSettings
from lensing_core.store import Database, Session
from lensing_core.store.tables import Candidate, Catalog, Ensemble, Run, Score

_RUNS = 20


def _latest(session: Session, kind: str) -> list[Run]:
    """The last finished runs of a kind, the newest first."""
    finished = select(Run).where(Run.kind == kind, Run.status == "succeeded")
    return list(session.scalars(finished.order_by(Run.created_at.desc()).limit(_RUNS)))


def estimate_seconds(database: Database, settings: TrainSettings) -> float | None:
    """Seconds by the latest finished training of the same networks; None if there was none.

    Time is taken to go with networks × epochs × training objects × passes, an upper bound where a
    training stops early.
    """
    work = _work(database, settings)
    with database.session() as session:
        runs = _latest(session, "train")
    for run in runs:
        stored = run.settings
        same = (
            *("backbones", "members", "device", "pooling", "turned"),
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
        labelled = session.scalar(
            select(func.count())
            .select_from(Candidate)
            .join(Catalog, Catalog.id == Candidate.catalog_id)
            .where(Catalog.name.in_(settings.catalogs), Candidate.label.is_not(None))
        )
    return SPLITS["train"] * (labelled or 0) * settings.epochs * settings.copies


def estimate_scoring_seconds(database: Database, settings: ScoreSettings) -> float | None:
    """Seconds by the rate of the latest scoring with the same ensemble; None if there was none."""
    with database.session() as session:
        runs = _latest(session, "score")
        left = session.scalar(
            select(func.count())
            .select_from(Candidate)
            .join(Catalog, Catalog.id == Candidate.catalog_id)
            .where(
                Catalog.name.in_([settings.catalog, *settings.further]),
                ~exists().where(
                    Score.candidate_id == Candidate.id,
                    Score.ensemble_id == Ensemble.id,
                    Ensemble.name == settings.ensemble,
                ),
            )
        )
    for run in runs:
        rate = (run.result or {}).get("per_second")
        same = all(
            run.settings.get(name) == getattr(settings, name) for name in ("ensemble", "device")
        )
        if rate and same:
            return (left or 0) / rate
    return None
