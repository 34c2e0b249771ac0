"""What every training ends with: its models and their ensemble, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from lens_triage.training.checks.ensembles import check_name_free
from lens_triage.training.runner.context import JobContext
from lensing_core.models.files import load_member
from lensing_core.store import Session, open_database
from lensing_core.store.tables import Ensemble, EnsembleMember, Model


def is_recorded(context: JobContext, name: str) -> bool:
    """Whether this run has written its ensemble before it was resumed.

    Raises
    ------
    BadInputError
        If another run has made an ensemble of this name.
    """
    with open_database(context.workspace).session() as session:
        check_name_free(session, name, context.run_id)
        return session.scalar(select(Ensemble.id).where(Ensemble.name == name)) is not None


def record_model(context: JobContext, model_id: str) -> None:
    """Write the row of a model whose files are in the workspace."""
    with open_database(context.workspace).session() as session:
        _add_model(session, context, model_id)


def _add_model(session: Session, context: JobContext, model_id: str) -> None:
    if session.get(Model, model_id) is None:
        stored = load_member(context.workspace, model_id).manifest
        session.add(Model(id=model_id, kind=stored["kind"], manifest=stored, run_id=context.run_id))


def record_ensemble(
    context: JobContext,
    name: str,
    fusion: str,
    manifest: dict[str, Any],
    model_ids: Sequence[str],
) -> None:
    """Write an ensemble and those of its models that are new, in one transaction.

    It is not promoted: which ranking all pages take is for people to choose.

    Parameters
    ----------
    model_ids : sequence of str
        Members in their order; their files are in the workspace.
    """
    with open_database(context.workspace).session() as session:
        for model_id in model_ids:
            _add_model(session, context, model_id)
        session.flush()
        session.add(
            Ensemble(
                name=name,
                fusion=fusion,
                manifest=manifest,
                run_id=context.run_id,
                members=[EnsembleMember(model_id=m, position=k) for k, m in enumerate(model_ids)],
            )
        )
