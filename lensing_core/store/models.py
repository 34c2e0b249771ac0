"""Models and ensembles as rows: what a training adds, and which models there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.store.last_ids import next_id
from lensing_core.store.tables import Ensemble, EnsembleMember, Model


def models_by_id(session: Session, model_ids: Collection[str]) -> dict[str, Model]:
    """Return models by id; ids that do not exist are left out."""
    models = session.scalars(select(Model).where(Model.id.in_(model_ids)))
    return {model.id: model for model in models}


def newest_models(session: Session, kind: str) -> Sequence[str]:
    """Return the ids of all models of a kind, the newest first."""
    return session.scalars(
        select(Model.id).where(Model.kind == kind).order_by(Model.created_at.desc())
    ).all()


def members_of(session: Session, ensemble_id: int | None) -> Sequence[str]:
    """Return the ids of an ensemble's members in their order."""
    return session.scalars(
        select(EnsembleMember.model_id)
        .where(EnsembleMember.ensemble_id == ensemble_id)
        .order_by(EnsembleMember.position)
    ).all()


def ensembles_of_run(session: Session, run_id: str) -> Sequence[str]:
    """Return the names of the ensembles that a run has made."""
    return session.scalars(select(Ensemble.name).where(Ensemble.run_id == run_id)).all()


def add_models(
    session: Session, models: Mapping[str, Mapping[str, Any]], *, run_id: str | None = None
) -> None:
    """Add those of some models, manifests by id, that are new."""
    present = models_by_id(session, models)
    session.add_all(
        Model(id=key, kind=stored["kind"], manifest=dict(stored), run_id=run_id)
        for key, stored in models.items()
        if key not in present
    )
    session.flush()


def add_ensemble(
    session: Session,
    name: str,
    fusion: str,
    manifest: Mapping[str, Any],
    members: Sequence[str],
    models: Mapping[str, Mapping[str, Any]],
    *,
    run_id: str | None = None,
) -> Ensemble:
    """Add an ensemble, not promoted, with those of its models that are new.

    Parameters
    ----------
    members : sequence of str
        Ids of its models, in their order.
    models : mapping of str to mapping
        Manifests by id: of the members that may be new, and of models that heads build on.
    run_id : str, optional
        The run that made it; without one it comes from elsewhere.
    """
    add_models(session, models, run_id=run_id)
    ensemble = Ensemble(
        id=next_id(session, Ensemble),
        name=name,
        fusion=fusion,
        manifest=dict(manifest),
        run_id=run_id,
        members=[EnsembleMember(model_id=m, position=k) for k, m in enumerate(members)],
    )
    session.add(ensemble)
    return ensemble
