"""Stored embeddings of candidates by id, from whatever member of an ensemble has kept them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.errors import NotFoundError
from lensing_core.models.outputs import outputs_path, stored_output
from lensing_core.store.tables import Candidate, Catalog, EnsembleMember
from lensing_core.stored_arrays import StoredArray
from lensing_core.workspace import Workspace

_AT_ONCE = 5000


def read_embeddings(
    session: Session, workspace: Workspace, ensemble_id: int | None, ids: Sequence[int]
) -> NDArray[np.float32]:
    """Embeddings of candidates, shape (n, d), in the order of ``ids``.

    Of the ensemble's first member that has stored embeddings of all their catalogs; features of
    the first that has features where no member has embeddings. NaN where a row is not stored.

    Raises
    ------
    NotFoundError
        If no member has stored either.
    """
    places = _places(session, ids)
    if not ids:
        return np.empty((0, 1), dtype=np.float32)
    catalog_ids = sorted({catalog for catalog, _ in places.values()})
    names = {
        c.id: c.name for c in session.scalars(select(Catalog).where(Catalog.id.in_(catalog_ids)))
    }
    members = session.scalars(
        select(EnsembleMember.model_id)
        .where(EnsembleMember.ensemble_id == ensemble_id)
        .order_by(EnsembleMember.position)
    ).all()
    for kind in ("embedding", "features"):
        for model in members:
            stored: dict[int, StoredArray] = {}
            for key, name in names.items():
                found = stored_output(outputs_path(workspace, model, name, kind))
                if found is not None:
                    stored[key] = found
            if len(stored) == len(names):
                return _gather(stored, [places[key] for key in ids])
    raise NotFoundError(
        "No member of this ensemble has stored embeddings or features of "
        f"{', '.join(names.values())}; score the catalog with it again."
    )


def _places(session: Session, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Catalog and row of each candidate."""
    places: dict[int, tuple[int, int]] = {}
    for first in range(0, len(ids), _AT_ONCE):
        rows = session.execute(
            select(Candidate.id, Candidate.catalog_id, Candidate.cutout_index).where(
                Candidate.id.in_(ids[first : first + _AT_ONCE])
            )
        )
        places.update({key: (catalog, row) for key, catalog, row in rows})
    return places


def _gather(
    stored: dict[int, StoredArray], places: Sequence[tuple[int, int]]
) -> NDArray[np.float32]:
    where = np.array(places)
    columns = next(iter(stored.values())).shape[1]
    table = np.full((len(where), columns), np.nan, dtype=np.float32)
    for catalog, rows in stored.items():
        mine = np.flatnonzero((where[:, 0] == catalog) & (where[:, 1] < len(rows)))
        mine = mine[np.argsort(where[mine, 1])]  # forward through the file
        table[mine] = rows[where[mine, 1]]
    return table
