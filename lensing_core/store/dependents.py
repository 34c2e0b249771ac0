"""Dependents of a catalog, an ensemble or a labeling session, listed before it is deleted."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from lensing_core.models.manifest import HEAD
from lensing_core.store.ensembles import BUNDLED_FOR, ensembles_by_age
from lensing_core.store.runs import ACTIVE
from lensing_core.store.tables import (
    Candidate,
    CandidateTag,
    Catalog,
    Confirmation,
    ConsensusChoice,
    Crossmatch,
    CrossmatchEntry,
    Ensemble,
    EnsembleMember,
    FollowUp,
    LabelEvent,
    LabelSession,
    LensModel,
    LensTest,
    Model,
    Quarantine,
    Remark,
    Run,
    SavedFilter,
    Score,
    SessionGrader,
    SessionItem,
)

_CATALOG_FIELDS = ("catalog", "catalogs", "source", "additional_catalogs", "pretrain_catalogs")
_ENSEMBLE_FIELDS = ("ensemble", "base")
_GROWS = "the log of grades only grows"


@dataclass(frozen=True)
class Dependents:
    """Rows that depend on one catalog, ensemble or session.

    Attributes
    ----------
    goes : mapping of str to int
        How many rows would be deleted with it, by what they are; those without any left out.
    stays : mapping of str to tuple of str
        Names of what refers to it and stays, by what it is; those without any left out.
    reasons : tuple of str
        Why it cannot be deleted, a sentence each; empty: it can.
    """

    goes: Mapping[str, int]
    stays: Mapping[str, tuple[str, ...]]
    reasons: tuple[str, ...]


def _dependents(
    goes: Mapping[str, int],
    stays: Mapping[str, Sequence[str]],
    reasons: Sequence[tuple[Any, str]],
) -> Dependents:
    """Leave out what there is none of; a reason counts where what comes before it is true."""
    return Dependents(
        {name: n for name, n in goes.items() if n},
        {name: tuple(found) for name, found in stays.items() if found},
        tuple(sentence for holds, sentence in reasons if holds),
    )


def dependents_of_catalog(session: Session, catalog: Catalog) -> Dependents:
    """Dependents of a catalog; counts its grades, which keep it from being deleted."""
    mine = select(Candidate.id).where(Candidate.catalog_id == catalog.id)

    def of_mine(column: InstrumentedAttribute[Any], *also: ColumnElement[bool]) -> int:
        return _count(session, column.in_(mine), *also)

    events = of_mine(LabelEvent.candidate_id)
    records = of_mine(Confirmation.candidate_id) + of_mine(FollowUp.candidate_id)
    sessions = session.scalars(
        select(LabelSession.name)
        .where(
            exists().where(
                SessionItem.session_id == LabelSession.id, SessionItem.candidate_id.in_(mine)
            )
        )
        .order_by(LabelSession.name)
    ).all()
    runs, busy = _runs_naming(session, catalog.name, _CATALOG_FIELDS)
    scored = select(Ensemble.id)  # named, so that the index of scores, which begins with it, serves
    return _dependents(
        {
            "candidates": _count(session, Candidate.catalog_id == catalog.id),
            "quarantined rows": _count(session, Quarantine.catalog_id == catalog.id),
            "scores": _count(
                session, Score.ensemble_id.in_(scored), Score.catalog_id == catalog.id
            ),
            "cross-matches": _count(session, Crossmatch.catalog_id == catalog.id),
            "counterparts": _count(
                session,
                CrossmatchEntry.crossmatch_id.in_(
                    select(Crossmatch.id).where(Crossmatch.catalog_id == catalog.id)
                ),
            ),
            "lens tests": of_mine(LensTest.candidate_id),
            "lens models": of_mine(LensModel.candidate_id),
            "notes": of_mine(Remark.candidate_id, Remark.kind == "note"),
            "tags": of_mine(CandidateTag.candidate_id),
        },
        {
            "ensembles trained on it": [
                e.name
                for e in ensembles_by_age(session)
                if not e.problem and catalog.name in e.manifest.get("catalogs", [])
            ],
            "labeling sessions": sessions,
            "runs": runs,
        },
        (
            (events, f"It has {_events(events)}, and {_GROWS}."),
            (records, f"It has confirmation records or observations ({records:,}), which stay."),
            (
                sessions and not events,
                f"Its candidates are in the queue of {_listed(sessions)}: delete that first.",
            ),
            (busy, f"It is in use by {_listed(busy)}: wait for its end, or cancel it."),
        ),
    )


def dependents_of_ensemble(session: Session, ensemble: Ensemble) -> Dependents:
    """Dependents of an ensemble: sessions, filters, grades and other ensembles keep it."""
    problem = ensemble.problem
    manifest: Mapping[str, Any] = {} if problem else ensemble.manifest
    own = models_of_its_own(session, ensemble)
    members = [member.model_id for member in ensemble.members]
    others = [e for e in ensembles_by_age(session) if e.id != ensemble.id]
    built = [e.name for e in others if not e.problem and e.manifest.get("base") == ensemble.name]
    shared = [
        e.name for e in others if e.name not in built and _builds_on(e, set(members) - set(own))
    ]
    sessions = session.scalars(
        select(LabelSession.name)
        .where(LabelSession.ensemble_id == ensemble.id)
        .order_by(LabelSession.name)
    ).all()
    filters = [
        kept.name
        for kept in session.scalars(select(SavedFilter).order_by(SavedFilter.name))
        if kept.query.get("ensemble_id") == ensemble.id
    ]
    # In Review; a session in which they are in view has the ensemble's id.
    seen = _count(session, LabelEvent.visible["ensemble"].as_string() == ensemble.name)
    chosen = _count(session, ConsensusChoice.ensemble_id == ensemble.id)
    runs, busy = _runs_naming(session, ensemble.name, _ENSEMBLE_FIELDS)
    return _dependents(
        {
            "scores": _count(session, Score.ensemble_id == ensemble.id),
            "models of its own": len(own),
        },
        {
            "ensembles that go on from it": built,
            "ensembles that share its models": shared,
            "labeling sessions": sessions,
            "saved filters": filters,
            "runs": runs,
        },
        (
            (ensemble.promoted_at, "It is promoted: take that back first."),
            (
                BUNDLED_FOR in manifest,
                "It comes with the program, which would bring it again.",
            ),
            (built, f"{_listed(built)} goes on from it."),
            (sessions, f"The queue of {_listed(sessions)} was made by its scores."),
            (filters, f"It is in the saved filter {_listed(filters)}."),
            (seen, f"Its scores were in view of {_events(seen)}, and {_GROWS}."),
            (chosen, "Its scores are the prior of the consensus."),
            (busy, f"It is in use by {_listed(busy)}: wait for its end, or cancel it."),
        ),
    )


def dependents_of_session(session: Session, found: LabelSession) -> Dependents:
    """Dependents of a labeling session: grades keep it."""
    events = _count(session, LabelEvent.session_id == found.id)
    mine = select(SessionItem.candidate_id).where(SessionItem.session_id == found.id)
    return _dependents(
        {
            "objects in its queue": _count(session, SessionItem.session_id == found.id),
            "invited graders": _count(session, SessionGrader.session_id == found.id),
        },
        {
            "catalogs": session.scalars(
                select(Catalog.name)
                .where(Catalog.id.in_(select(Candidate.catalog_id).where(Candidate.id.in_(mine))))
                .order_by(Catalog.name)
            ).all()
        },
        ((events, f"It has {_events(events)}, and {_GROWS}."),),
    )


def models_of_its_own(session: Session, ensemble: Ensemble) -> list[str]:
    """Ids of the models of an ensemble that no other ensemble has and no other model needs."""
    members = [member.model_id for member in ensemble.members]
    shared = set(
        session.scalars(
            select(EnsembleMember.model_id).where(
                EnsembleMember.model_id.in_(members), EnsembleMember.ensemble_id != ensemble.id
            )
        )
    )
    # As text: the manifest of a broken head may be mended, and names what it needs all the same.
    heads = [
        json.dumps(stored)
        for key, stored in session.execute(
            select(Model.id, Model.stored_manifest).where(Model.kind == HEAD)
        )
        if key not in members
    ]
    return [
        key
        for key in members
        if key not in shared and not any(json.dumps(key) in head for head in heads)
    ]


def _builds_on(ensemble: Ensemble, models: Collection[str]) -> bool:
    """Return True if an ensemble has one of some models, or a head that needs one."""
    for member in ensemble.members:
        needed = json.dumps(member.model.stored_manifest) if member.model.kind == HEAD else ""
        if member.model_id in models or any(json.dumps(key) in needed for key in models):
            return True
    return False


def _runs_naming(
    session: Session, name: str, fields: Collection[str]
) -> tuple[list[str], list[str]]:
    """Titles of the runs whose settings name something, and of those at work or waiting."""
    all_of_them, busy = [], []
    asked = select(Run.title, Run.settings, Run.status).order_by(Run.created_at.desc())
    for title, settings, status in session.execute(asked):
        given = [settings.get(key) for key in fields]
        if any(value == name or (isinstance(value, list) and name in value) for value in given):
            all_of_them.append(title)
            if status in ACTIVE:
                busy.append(title)
    return all_of_them, busy


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(*conditions)) or 0


def _events(n: int) -> str:
    return f"{n:,} event{'' if n == 1 else 's'} of grading"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
