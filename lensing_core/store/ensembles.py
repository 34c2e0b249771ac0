"""Ensembles and the models in them: by id or name, and which of them a page takes."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from lensing_core.errors import NotFoundError
from lensing_core.store.tables import Ensemble, EnsembleMember, Model, Score


def get_ensemble(session: Session, ensemble_id: int) -> Ensemble:
    """The ensemble of an id; raises NotFoundError."""
    ensemble = session.get(Ensemble, ensemble_id)
    if ensemble is None:
        raise NotFoundError(f"Ensemble {ensemble_id} does not exist.")
    return ensemble


def find_ensemble(session: Session, name: str) -> Ensemble:
    """An ensemble by name; raises NotFoundError."""
    ensemble = session.scalar(select(Ensemble).where(Ensemble.name == name))
    if ensemble is None:
        raise NotFoundError(f"There is no ensemble {name}.")
    return ensemble


def default_ensemble(session: Session, name: str = "") -> Ensemble:
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


def scored_ensembles(session: Session, candidate_id: int | None = None) -> list[Ensemble]:
    """Ensembles that have scored anything (or this candidate): promoted first, then the newest."""
    scored = exists().where(Score.ensemble_id == Ensemble.id)
    if candidate_id is not None:
        scored = scored.where(Score.candidate_id == candidate_id)
    return list(
        session.scalars(
            select(Ensemble)
            .where(scored)
            .order_by(
                Ensemble.promoted_at.is_(None),
                Ensemble.promoted_at.desc(),
                Ensemble.created_at.desc(),
                Ensemble.id.desc(),
            )
        )
    )


def unscored_catalogs(
    session: Session, ensemble_id: int, catalog_ids: Collection[int]
) -> list[int]:
    """Return those of some catalogs of which an ensemble has scored nothing, in their order."""
    return [
        key
        for key in catalog_ids
        if not session.scalar(
            select(exists().where(Score.ensemble_id == ensemble_id, Score.catalog_id == key))
        )
    ]


def best_ensemble(session: Session, catalog_id: int, name: str = "") -> Ensemble | None:
    """The ensemble of a name, else the promoted or the newest one that has scored the catalog.

    Raises
    ------
    NotFoundError
        If the named one has not.
    """
    scored = select(Score.ensemble_id).where(Score.catalog_id == catalog_id).distinct()
    statement = select(Ensemble).where(Ensemble.id.in_(scored))
    if name:
        found = session.scalar(statement.where(Ensemble.name == name))
        if found is None:
            raise NotFoundError(f"There is no ensemble {name} that has scored this catalog.")
        return found
    return session.scalar(
        statement.order_by(
            Ensemble.promoted_at.is_(None), Ensemble.promoted_at.desc(), Ensemble.id.desc()
        ).limit(1)
    )


def network_members(ensemble: Ensemble) -> list[str]:
    """Ids of the members that are networks, in the order of the ensemble."""
    return [m.model_id for m in ensemble.members if m.model.manifest.get("kind") == "network"]


def models_by_preference(session: Session, ensemble_id: int | None) -> list[str]:
    """Ids of all models: the members of an ensemble in their order, then the newest first."""
    members: list[str] = []
    if ensemble_id is not None:
        members = list(
            session.scalars(
                select(EnsembleMember.model_id)
                .where(EnsembleMember.ensemble_id == ensemble_id)
                .order_by(EnsembleMember.position)
            )
        )
    newest = session.scalars(select(Model.id).order_by(Model.created_at.desc(), Model.id))
    return members + [model_id for model_id in newest if model_id not in members]
