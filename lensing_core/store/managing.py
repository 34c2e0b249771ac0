"""Renaming, archiving and deleting catalogs, ensembles and labeling sessions.

A catalog and an ensemble keep the name that their files, runs, manifests and the log of grades
have; renaming gives them a title, which is shown in its place. What is archived is left out of
lists and choices, and stays what it is. What something depends on is not deleted
(:mod:`lensing_core.store.dependents`).
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy import delete as delete_rows
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from lensing_core.errors import BadInputError
from lensing_core.models.outputs import KINDS, outputs_path
from lensing_core.store.audit import record
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.dependents import (
    Dependents,
    dependents_of_catalog,
    dependents_of_ensemble,
    dependents_of_session,
    models_of_its_own,
)
from lensing_core.store.ensembles import find_ensemble
from lensing_core.store.label_sessions import find_session, get_session
from lensing_core.store.last_ids import keep_last_id
from lensing_core.store.removals import plan_removal
from lensing_core.store.tables import (
    Candidate,
    Catalog,
    Ensemble,
    EnsembleMember,
    LabelSession,
    Model,
    Score,
    utc_now,
)
from lensing_core.store.turns import take_turn
from lensing_core.workspace import Workspace

MOST_LETTERS = 80
_MOST_OF_SESSION = 120
What = Literal["catalog", "ensemble", "session"]
"""What is managed; the kind of its entries in the audit log, too."""


def rename_catalog(session: Session, name: str, title: str) -> Catalog:
    """Give a catalog a title, shown in place of its name; '' takes it away.

    Raises
    ------
    NotFoundError
        If there is no catalog of that name.
    BadInputError
        If the title is too long or is another catalog's name or title.
    """
    catalog = find_catalog(session, name)
    catalog.title = _free_title(session, catalog, title)
    return catalog


def rename_ensemble(session: Session, name: str, title: str) -> Ensemble:
    """Give an ensemble a title, as :func:`rename_catalog` does."""
    ensemble = find_ensemble(session, name)
    ensemble.title = _free_title(session, ensemble, title)
    return ensemble


def rename_session(session: Session, session_id: str, name: str) -> LabelSession:
    """Give a labeling session another name; links to it have its id, and stay good.

    Raises
    ------
    BadInputError
        If the name is empty, too long, or another session's.
    """
    found, name = get_session(session, session_id), _cleaned(name, _MOST_OF_SESSION)
    if not name:
        raise BadInputError(f"Session name '': give 1 to {_MOST_OF_SESSION} letters.")
    other = find_session(session, name)
    if other is not None and other.id != found.id:
        raise BadInputError(f"There is a session {name!r} already; choose another name.")
    found.name = name
    session.flush()
    return found


def archive_catalog(session: Session, name: str, *, archived: bool = True) -> Catalog:
    """Leave a catalog out of lists and choices, or bring it back."""
    catalog = find_catalog(session, name)
    catalog.archived_at = (catalog.archived_at or utc_now()) if archived else None
    return catalog


def archive_ensemble(session: Session, name: str, *, archived: bool = True) -> Ensemble:
    """Leave an ensemble out of lists and choices, or bring it back; one promoted stays there."""
    ensemble = find_ensemble(session, name)
    if archived and ensemble.promoted_at is not None:
        raise BadInputError(f"{ensemble.shown_name} is promoted: take that back first.")
    ensemble.archived_at = (ensemble.archived_at or utc_now()) if archived else None
    return ensemble


def archive_session(session: Session, session_id: str, *, archived: bool = True) -> LabelSession:
    """Leave a labeling session out of lists, or bring it back; an open one stays there."""
    found = get_session(session, session_id)
    if archived and found.status == "open":
        raise BadInputError(f"Session {found.name} is open: close it first.")
    found.archived_at = (found.archived_at or utc_now()) if archived else None
    return found


def delete_catalog(session: Session, workspace: Workspace, name: str) -> Catalog:
    """Delete a catalog with its candidates and all that is known of them.

    Its files go by :func:`~lensing_core.store.removals.finish_removals`, after the commit.

    Raises
    ------
    BadInputError
        If something keeps it; the sentence says what.
    """
    take_turn(session)  # no grade comes in between
    catalog = find_catalog(session, name)
    _refuse(catalog.shown_name, dependents_of_catalog(session, catalog))
    models = session.scalars(select(Model.id)).all()
    outputs = [outputs_path(workspace, key, catalog.name, kind) for key in models for kind in KINDS]
    plan_removal(
        session,
        workspace,
        [
            workspace.catalog_cutouts(catalog.name),
            workspace.reserved_set(catalog.name),
            workspace.verified_cutouts(catalog.name),
            *outputs,
        ],
    )
    keep_last_id(session, Candidate)
    keep_last_id(session, Catalog)
    scored = select(Ensemble.id)  # named for the index of scores, which begins with the ensemble
    session.execute(
        delete_rows(Score).where(Score.ensemble_id.in_(scored), Score.catalog_id == catalog.id)
    )
    session.execute(
        delete_rows(Candidate).where(Candidate.catalog_id == catalog.id),
        execution_options={"synchronize_session": False},
    )
    session.delete(catalog)
    session.flush()
    return catalog


def delete_ensemble(session: Session, workspace: Workspace, name: str) -> Ensemble:
    """Delete an ensemble with its scores and the models that nothing else needs.

    Raises
    ------
    BadInputError
        If something keeps it; the sentence says what.
    """
    take_turn(session)
    ensemble = find_ensemble(session, name)
    _refuse(ensemble.shown_name, dependents_of_ensemble(session, ensemble))
    own = models_of_its_own(session, ensemble)
    plan_removal(
        session,
        workspace,
        [
            workspace.held_out / f"{ensemble.name}.npz",
            workspace.training_sample(ensemble.name),
            *(folder / key for folder in (workspace.models, workspace.embeddings) for key in own),
        ],
    )
    keep_last_id(session, Ensemble)
    session.execute(delete_rows(Score).where(Score.ensemble_id == ensemble.id))
    session.execute(delete_rows(EnsembleMember).where(EnsembleMember.ensemble_id == ensemble.id))
    session.execute(delete_rows(Model).where(Model.id.in_(own)))
    session.execute(delete_rows(Ensemble).where(Ensemble.id == ensemble.id))
    return ensemble


def delete_session(session: Session, session_id: str) -> LabelSession:
    """Delete a labeling session that nobody has graded in.

    Raises
    ------
    BadInputError
        If something was graded in it.
    """
    take_turn(session)
    found = get_session(session, session_id)
    _refuse(f"Session {found.name}", dependents_of_session(session, found))
    session.delete(found)
    session.flush()  # seals the sessions as they are now
    return found


def dependents(session: Session, what: What, key: str) -> Dependents:
    """Dependents of a catalog or an ensemble by its name, or of a labeling session by its id."""
    if what == "catalog":
        return dependents_of_catalog(session, find_catalog(session, key))
    if what == "ensemble":
        return dependents_of_ensemble(session, find_ensemble(session, key))
    return dependents_of_session(session, get_session(session, key))


def give_name(session: Session, what: What, key: str, name: str, who: str) -> str:
    """Rename one of them, with an entry in the audit log; returns the name that is shown."""
    before = _name_of(session, what, key)
    if what == "session":
        shown = rename_session(session, key, name).name
    else:
        changed = (rename_catalog if what == "catalog" else rename_ensemble)(session, key, name)
        shown = changed.shown_name
    record(session, what, who, f"{before}: renamed to {shown}")
    return shown


def archive(session: Session, what: What, key: str, who: str, *, archived: bool = True) -> None:
    """Archive one of them, or bring it back, with an entry in the audit log."""
    {"catalog": archive_catalog, "ensemble": archive_ensemble, "session": archive_session}[what](
        session, key, archived=archived
    )
    state = "archived" if archived else "taken from the archive"
    record(session, what, who, f"{_name_of(session, what, key)}: {state}")


def delete(session: Session, workspace: Workspace, what: What, key: str, who: str) -> str:
    """Delete one of them, with an entry in the audit log; returns the name that it had.

    :func:`~lensing_core.store.removals.finish_removals` has to follow the commit.
    """
    name = _name_of(session, what, key)
    if what == "session":
        delete_session(session, key)
    else:
        (delete_catalog if what == "catalog" else delete_ensemble)(session, workspace, key)
    record(session, what, who, f"{name}: deleted")
    return name


def _name_of(session: Session, what: What, key: str) -> str:
    return get_session(session, key).name if what == "session" else key


def _refuse(name: str, dependents: Dependents) -> None:
    if dependents.reasons:
        reasons = " ".join(dependents.reasons)
        raise BadInputError(f"{name} cannot be deleted. {reasons} Archive it instead.")


def _cleaned(text: str, most: int = MOST_LETTERS) -> str:
    text = " ".join(text.split())
    if len(text) > most or not text.isprintable():
        raise BadInputError(f"Name {text[:20]!r}: give up to {most} letters.")
    return text


def _free_title(session: Session, row: Catalog | Ensemble, title: str) -> str:
    """Return the title; '' where it is the row's own name."""
    title, table = _cleaned(title), type(row)
    if title in ("", row.name):
        return ""
    taken = select(table.id).where(
        table.id != row.id, or_(table.name == title, table.title == title)
    )
    if session.scalar(taken.limit(1)) is not None:
        what = table.__name__.lower()
        raise BadInputError(f"Another {what} is called {title!r} already; choose another name.")
    return title
