"""Sets of candidates that were marked on a chart, in the gallery or in another program.

They are kept for some days.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from lensing_core.errors import BadInputError
from lensing_core.store.batches import in_batches
from lensing_core.store.tables import Candidate, Selection, SelectionItem, utc_now

MOST_SELECTED = 250_000
KEPT = timedelta(days=14)
_MARKED_EVERY = timedelta(days=1)


def candidates_that_exist(session: Session, candidate_ids: Sequence[int]) -> list[int]:
    """Return those of some ids that candidates have; others were removed with their catalog."""
    return [
        key
        for part in in_batches(candidate_ids)
        for key in session.scalars(select(Candidate.id).where(Candidate.id.in_(part)))
    ]


def keep_selection(session: Session, candidate_ids: Sequence[int], title: str) -> Selection:
    """Store a set of candidates; the same set has the same id. Old sets are removed.

    Raises
    ------
    BadInputError
        If the set is empty or has more than :data:`MOST_SELECTED` candidates.
    """
    ids = np.unique(np.asarray(candidate_ids, dtype=np.int64))
    if not len(ids):
        raise BadInputError("No candidate lies inside.")
    if len(ids) > MOST_SELECTED:
        raise BadInputError(
            f"{len(ids):,} candidates lie inside; a selection holds up to {MOST_SELECTED:,}. "
            "Draw a smaller one, or use the filters."
        )
    session.execute(delete(Selection).where(Selection.used_at < utc_now() - KEPT))
    key = hashlib.sha256(ids.tobytes()).hexdigest()[:16]
    selection = session.get(Selection, key)
    if selection is None:
        selection = Selection(id=key, title=title[:120], n=len(ids))
        session.add(selection)
        session.flush()
        session.connection().execute(
            insert(SelectionItem),
            [{"selection_id": key, "candidate_id": k} for k in ids.tolist()],
        )
    selection.title, selection.used_at = title[:120], utc_now()
    return selection


def find_selection(session: Session, selection_id: str) -> Selection | None:
    """The selection of an id; None where it is no longer kept."""
    return session.get(Selection, selection_id)


def is_worn(selection: Selection) -> bool:
    """Return whether a selection that is used should be marked so, to be kept for longer."""
    return utc_now() - selection.used_at > _MARKED_EVERY


def mark_used(session: Session, selection_id: str) -> None:
    """Keep a selection for :data:`KEPT` from now on."""
    selection = find_selection(session, selection_id)
    if selection is not None:
        selection.used_at = utc_now()
