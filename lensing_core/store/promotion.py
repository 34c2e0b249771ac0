"""Which ensemble the pages take where none is named: the one promoted last."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.errors import NotFoundError
from lensing_core.store.database import Database
from lensing_core.store.tables import Ensemble, utc_now


def promote(database: Database, name: str) -> None:
    """Make an ensemble the one that is taken first; those promoted before stand behind it."""
    with database.session() as session:
        _find(session, name).promoted_at = utc_now()


def take_back(database: Database, name: str) -> None:
    """Undo :func:`promote`: the one promoted before it, if any, comes first again."""
    with database.session() as session:
        _find(session, name).promoted_at = None


def _find(session: Session, name: str) -> Ensemble:
    ensemble = session.scalar(select(Ensemble).where(Ensemble.name == name))
    if ensemble is None:
        raise NotFoundError(f"There is no ensemble {name}.")
    return ensemble
