"""What every training ends with: its models and their ensemble, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from lensing_core.errors import BadInputError
from lensing_core.models.files import load_member
from lensing_core.store import open_database
from lensing_core.store.tables import Ensemble, EnsembleMember, Model, utc_now
from training.runner.context import JobContext


def is_recorded(context: JobContext, name: str) -> bool:
    """Whether this run has written its ensemble before it was resumed.

    Raises
    ------
    BadInputError
        If another run has made an ensemble of this name.
    """
    with open_database(context.workspace).session() as session:
        made = session.execute(select(Ensemble.run_id).where(Ensemble.name == name)).one_or_none()
    if made is not None and made.run_id != context.run_id:
        raise BadInputError(f"Ensemble {name} exists and is never changed; choose another name.")
    return made is not None


def record_ensemble(
    context: JobContext,
    name: str,
    fusion: str,
    manifest: dict[str, Any],
    model_ids: Sequence[str],
    *,
    promote_first: bool = False,
) -> None:
    """Write an ensemble and those of its models that are new, in one transaction.

    Parameters
    ----------
    model_ids : sequence of str
        Members in their order; their files are in the workspace.
    promote_first : bool, optional
        Promote it where no ensemble is promoted.
    """
    with open_database(context.workspace).session() as session:
        promote = promote_first and not session.scalar(
            select(func.count()).select_from(Ensemble).where(Ensemble.promoted_at.is_not(None))
        )
        for model_id in model_ids:
            if session.get(Model, model_id) is None:
                stored = load_member(context.workspace, model_id).manifest
                session.add(
                    Model(id=model_id, kind=stored["kind"], manifest=stored, run_id=context.run_id)
                )
        session.flush()
        session.add(
            Ensemble(
                name=name,
                fusion=fusion,
                manifest=manifest,
                run_id=context.run_id,
                promoted_at=utc_now() if promote else None,
                members=[EnsembleMember(model_id=m, position=k) for k, m in enumerate(model_ids)],
            )
        )
