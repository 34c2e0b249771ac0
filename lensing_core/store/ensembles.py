"""Ensembles and the models in them: by id or name, and which of them a page takes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final, Protocol, TypeVar

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from lensing_core.errors import NotFoundError
from lensing_core.models.manifest import ENCODER, NETWORK, base_models
from lensing_core.models.manifest_types import EnsembleManifest
from lensing_core.store.catalogs import catalog_named
from lensing_core.store.models import members_of
from lensing_core.store.tables import (
    Candidate,
    Catalog,
    Ensemble,
    Model,
    Score,
    SurveyRow,
)

BUNDLED_FOR: Final = "bundled_for"
"""Entry of the manifest of an ensemble that comes with the program: the survey it is made for."""


class AnyEnsemble(Protocol):
    """Attributes by which an ensemble is chosen; rows and summaries have them."""

    @property
    def id(self) -> int: ...
    @property
    def manifest(self) -> EnsembleManifest: ...
    @property
    def problem(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def promoted_at(self) -> datetime | None: ...
    @property
    def archived_at(self) -> datetime | None: ...


def test_set_key(manifest: EnsembleManifest) -> str:
    """A key of the objects that an ensemble was measured on: only under one are figures comparable.

    The objects follow from the labels that were there and from the seed that dealt them out.
    """
    seed = manifest.get("settings", {}).get("seed", "")
    return f"{manifest.get('data_sha256', '')}/{seed}"


_One = TypeVar("_One", bound=AnyEnsemble)


def by_preference(ensembles: Iterable[_One], surveys: Collection[str] = ()) -> list[_One]:
    """Sort ensembles as they are taken where none is named.

    Promoted ones come first, the latest promotion before earlier ones. Then those that come with
    the program for one of the surveys, so that a first small training leads only once a person has
    promoted it. Then the newest. Broken ones come last but for those that are archived.

    Parameters
    ----------
    surveys : collection of str, optional
        Of the catalogs in question; without them all that come with the program are before others.
    """

    def order(ensemble: _One) -> tuple[bool, bool, bool, float, bool, float, int]:
        promoted = ensemble.promoted_at
        whole = not ensemble.problem
        made_for = ensemble.manifest.get(BUNDLED_FOR) if whole else None
        return (
            ensemble.archived_at is None,
            whole,
            promoted is not None,
            promoted.timestamp() if promoted is not None else 0.0,
            made_for is not None and (not surveys or made_for in surveys),
            ensemble.created_at.timestamp(),
            ensemble.id,
        )

    return sorted(ensembles, key=order, reverse=True)


def get_ensemble(session: Session, ensemble_id: int) -> Ensemble:
    """The ensemble of an id; raises NotFoundError."""
    ensemble = session.get(Ensemble, ensemble_id)
    if ensemble is None:
        raise NotFoundError(f"Ensemble {ensemble_id} does not exist.")
    return ensemble


def ensemble_named(session: Session, name: str) -> Ensemble | None:
    """The ensemble of a name; None where there is none."""
    return session.scalar(select(Ensemble).where(Ensemble.name == name))


def find_ensemble(session: Session, name: str) -> Ensemble:
    """The ensemble of a name; raises NotFoundError."""
    ensemble = ensemble_named(session, name)
    if ensemble is None:
        raise NotFoundError(f"There is no ensemble {name}.")
    return ensemble


def ensembles_by_age(session: Session) -> list[Ensemble]:
    """All ensembles, archived ones too, the oldest first."""
    return list(session.scalars(select(Ensemble).order_by(Ensemble.created_at, Ensemble.id)))


def ensemble_names(session: Session) -> list[str]:
    """Names that are taken."""
    return list(session.scalars(select(Ensemble.name).order_by(Ensemble.name)))


def default_ensemble(session: Session, name: str = "", *, catalog: str = "") -> Ensemble:
    """The ensemble of a name; without one, the first :func:`by_preference` that is not archived.

    Parameters
    ----------
    catalog : str, optional
        Those that have scored it go before those that have not; its survey decides which of those
        that come with the program suits.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    if name:
        return find_ensemble(session, name)
    if catalog:
        of = catalog_named(session, catalog)
        best = best_ensemble(session, of.id) if of is not None else None
        if best is not None:
            return best
    ranked = by_preference(session.scalars(select(Ensemble).where(Ensemble.archived_at.is_(None))))
    if not ranked:
        raise NotFoundError("There is no ensemble to start from; train one and score the catalog.")
    return ranked[0]


def scored_ensembles(
    session: Session, candidate_id: int | None = None, *, catalogs: Collection[str] = ()
) -> list[Ensemble]:
    """Ensembles that have scored anything (or this candidate), :func:`by_preference`.

    Parameters
    ----------
    catalogs : collection of str, optional
        Names of those in question, for the survey; else that of the candidate, else all scored.
    """
    scored = exists().where(Score.ensemble_id == Ensemble.id)
    of_survey = select(SurveyRow.name).join(Catalog).distinct()
    if candidate_id is not None:
        scored = scored.where(Score.candidate_id == candidate_id)
        of_survey = of_survey.join(Candidate, Candidate.catalog_id == Catalog.id).where(
            Candidate.id == candidate_id
        )
    elif catalogs:
        of_survey = of_survey.where(Catalog.name.in_(catalogs))
    ensembles = session.scalars(select(Ensemble).where(scored))
    return by_preference(ensembles, session.scalars(of_survey).all())


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


def rows_scored(session: Session, ensemble_id: int, catalog_id: int) -> int:
    """Return how many candidates have a score; they are always the first ones by cutout."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Score)
            .where(Score.ensemble_id == ensemble_id, Score.catalog_id == catalog_id)
        )
        or 0
    )


def best_ensemble(session: Session, catalog_id: int, name: str = "") -> Ensemble | None:
    """The ensemble of a name, else the first :func:`by_preference` that has scored the catalog.

    One that is archived is taken by its name alone.

    Raises
    ------
    NotFoundError
        If the named one has not.
    """
    scored = select(Score.ensemble_id).where(Score.catalog_id == catalog_id).distinct()
    statement = select(Ensemble).where(Ensemble.id.in_(scored))
    if name:
        ensemble = session.scalar(statement.where(Ensemble.name == name))
        if ensemble is None:
            raise NotFoundError(f"There is no ensemble {name} that has scored this catalog.")
        return ensemble
    survey = session.scalar(select(SurveyRow.name).join(Catalog).where(Catalog.id == catalog_id))
    listed = statement.where(Ensemble.archived_at.is_(None))
    ranked = by_preference(session.scalars(listed), [survey] if survey else [])
    return ranked[0] if ranked else None


def network_members(ensemble: Ensemble) -> list[str]:
    """Ids of networks and encoders, in the order of the ensemble; those below its heads last."""
    mine = [m.model_id for m in ensemble.members if m.model.kind in (NETWORK, ENCODER)]
    below = [
        given["model"]
        for member in ensemble.members
        for given in member.model.manifest.get("inputs", [])
        if given["what"] == "embedding"
    ]
    return list(dict.fromkeys([*mine, *below]))


def models_by_preference(session: Session, ensemble_id: int | None) -> list[str]:
    """Ids of all models: the members of an ensemble in their order, then the newest first."""
    members = list(members_of(session, ensemble_id))
    newest = session.scalars(select(Model.id).order_by(Model.created_at.desc(), Model.id))
    return members + [model_id for model_id in newest if model_id not in members]


def version_of(ensemble: Ensemble) -> str:
    """Version of an ensemble: 12 hexadecimal digits that change with its models, with the fusion
    and with the calibration, and with nothing else.

    They begin the SHA-256 of the rule and of the ids of the models, those below heads among them:
    a model never changes under its id. So it is the same in every workspace.
    """
    models = [[member.model_id, *base_models(member.model.manifest)] for member in ensemble.members]
    told = [ensemble.fusion, ensemble.manifest.get("rule"), models]
    written = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()[:12]
