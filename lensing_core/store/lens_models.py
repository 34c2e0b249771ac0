"""Lens models of candidates: kept, and found again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.store.candidates import CutoutPlace
from lensing_core.store.run_queue import runs_of_kind
from lensing_core.store.tables import Confirmation, LensModel
from lensing_core.store.tables.base import utc_now

SAMPLED, FAILED = "sampled", "failed"
_NEWEST_RUNS = 50


@dataclass(frozen=True)
class StoredLensModel:
    """A kept lens model.

    Attributes
    ----------
    candidate_id : int
    run_id : str
        Its files are in that run's folder, under the candidate's number.
    at : datetime
    status : str
        'sampled' or 'failed'.
    sentence : str
        Why it failed.
    summary : dict
        Empty where it failed.
    """

    candidate_id: int
    run_id: str
    at: datetime
    status: str
    sentence: str
    summary: dict[str, Any]


def keep_lens_model(
    session: Session,
    candidate_id: int,
    run_id: str,
    place: CutoutPlace,
    *,
    version: int,
    sentence: str = "",
    summary: dict[str, Any] | None = None,
) -> None:
    """Keep a run's model of a candidate; without a summary it has failed for a reason."""
    session.merge(
        LensModel(
            candidate_id=candidate_id,
            run_id=run_id,
            version=version,
            cutout_sha256=place.cutout_sha256,
            at=utc_now(),
            status=FAILED if summary is None else SAMPLED,
            sentence=sentence,
            summary=summary or {},
        )
    )
    session.flush()


def newest_lens_model(
    session: Session, candidate_id: int, place: CutoutPlace
) -> StoredLensModel | None:
    """The newest model of a candidate's present pixels; one that failed only where no other is."""
    rows = session.scalars(
        select(LensModel)
        .where(
            LensModel.candidate_id == candidate_id,
            LensModel.cutout_sha256 == place.cutout_sha256,
        )
        .order_by(LensModel.status.desc(), LensModel.at.desc())
        .limit(1)
    )
    row = rows.first()
    return None if row is None else _stored(row)


def models_of_run(session: Session, run_id: str) -> dict[int, StoredLensModel]:
    """Models that a run has stored so far, by candidate."""
    rows = session.scalars(select(LensModel).where(LensModel.run_id == run_id))
    return {row.candidate_id: _stored(row) for row in rows}


def newest_model_run(session: Session, catalog: str, object_id: str) -> str | None:
    """Id of the newest run that was started for one object's posterior alone; None without one."""
    for run in runs_of_kind(session, "model", limit=_NEWEST_RUNS):
        settings = run.settings
        of_it = settings.get("catalog") == catalog and settings.get("objects") == [object_id]
        if of_it and settings.get("posterior"):
            return run.id
    return None


def measured_redshifts(session: Session, candidate_id: int) -> tuple[float | None, float | None]:
    """Redshifts of lens and source by the confirmation record in force; None: not measured."""
    row = session.scalar(
        select(Confirmation)
        .where(Confirmation.candidate_id == candidate_id)
        .order_by(Confirmation.id.desc())
        .limit(1)
    )
    if row is None or row.outcome == "withdrawn":
        return None, None
    return row.z_lens, row.z_source


def _stored(row: LensModel) -> StoredLensModel:
    return StoredLensModel(
        row.candidate_id, row.run_id, row.at, row.status, row.sentence, row.summary
    )
