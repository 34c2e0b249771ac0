"""The ensemble that pages use by default: the one promoted last."""

from __future__ import annotations

from lensing_core.acquisition.reranking import rerank_open_queues
from lensing_core.store import Session
from lensing_core.store.ensembles import find_ensemble
from lensing_core.store.tables import utc_now


def promote(session: Session, name: str) -> dict[str, int]:
    """Make an ensemble the one that is taken first; those promoted before stand behind it.

    What is ungraded in open queues is put in the new order; returns how many candidates moved, by
    session.

    Raises
    ------
    NotFoundError
        If there is no such ensemble.
    BrokenModelError
        If its manifest is damaged.
    """
    ensemble = find_ensemble(session, name)
    ensemble.manifest  # noqa: B018 - a broken one is refused
    ensemble.promoted_at = utc_now()
    return rerank_open_queues(session, ensemble)


def take_back(session: Session, name: str) -> None:
    """Undo :func:`promote`: the one promoted before it, if any, comes first again."""
    find_ensemble(session, name).promoted_at = None
