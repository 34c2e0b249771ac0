"""Open queues put in a new order when another ensemble is promoted."""

from __future__ import annotations

from typing import Any

import numpy as np

from lensing_core.acquisition.strategies import DEFAULT_SHARES, CandidatePool, order_pool
from lensing_core.store import Session
from lensing_core.store.label_sessions import open_sessions, replace_items, ungraded_items
from lensing_core.store.queues import ranking_values
from lensing_core.store.tables import Ensemble, LabelSession, SessionItem

RERANKED = ("top", "uncertain", "margin", "epistemic", "disagreement", "anomalous", "mixed")
"""Strategies that go by scores; other queues stay as they are."""
_MIXED = {k: v for k, v in DEFAULT_SHARES.items() if k in ("top", "epistemic", "random")}


def rerank_open_queues(session: Session, ensemble: Ensemble) -> dict[str, int]:
    """Put what is ungraded in open queues into the order that the ensemble's scores give.

    Candidates that anybody has touched in the session keep their places, and so do those of
    sessions whose queue does not go by scores, or whose candidates the ensemble has not all scored.
    No candidate enters or leaves a queue, so that a grade on its way still finds its cutout.

    Returns
    -------
    dict of str to int
        How many candidates moved, by name of the session.
    """
    moved: dict[str, int] = {}
    for label_session in open_sessions(session):
        if label_session.queue.get("strategy") in RERANKED:
            n = _rerank(session, label_session, ensemble)
            if n:
                moved[label_session.name] = n
    return moved


def _rerank(session: Session, label_session: LabelSession, ensemble: Ensemble) -> int:
    items = ungraded_items(session, label_session.id)
    ids = [item.candidate_id for item in items]
    scores = ranking_values(session, ensemble.id, ids)
    if not items or len(scores) < len(ids):
        return 0
    table = np.array([scores[key] for key in ids], dtype=np.float64)
    order = order_pool(
        label_session.queue["strategy"],
        CandidatePool(table[:, 0], table[:, 1], table[:, 2], table[:, 3]),
        len(ids),
        graded=np.zeros(len(ids), dtype=bool),
        shares=_MIXED,
    ).tolist()
    order += sorted(set(range(len(ids))) - set(order))  # without a distance: last, as they were
    places = [item.position for item in items]
    n = sum(k != place for k, place in enumerate(order))
    rows = [
        _row(items[k], place, ensemble.name, rank)
        for rank, (k, place) in enumerate(zip(order, places, strict=True), start=1)
    ]
    replace_items(session, label_session.id, rows)
    label_session.ensemble_id = ensemble.id
    return n


def _row(item: SessionItem, position: int, ensemble: str, rank: int) -> dict[str, Any]:
    return {
        "session_id": item.session_id,
        "position": position,
        "candidate_id": item.candidate_id,
        "kind": item.kind,
        "why": f"rank {rank:,} of the ungraded candidates, by {ensemble}",
        "answer": item.answer,
        "explanation": item.explanation,
    }
