"""Stored embeddings of candidates by id, from whatever member of an ensemble has kept them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lensing_core.arrays import Float32Array
from lensing_core.errors import NotFoundError
from lensing_core.models.outputs import outputs_path, stored_output
from lensing_core.store import Session
from lensing_core.store.candidates import catalog_rows_of
from lensing_core.store.catalogs import catalogs_by_id
from lensing_core.store.encoders import encoders_of
from lensing_core.store.models import members_of
from lensing_core.stored_arrays import StoredArray
from lensing_core.workspace import Workspace


def read_embeddings(
    session: Session, workspace: Workspace, ensemble_id: int | None, ids: Sequence[int]
) -> Float32Array:
    """Embeddings of candidates, shape (n, d), in the order of ``ids``.

    Of the ensemble's first member that has stored embeddings of all their catalogs, else of the
    newest encoder that has; features of the first member that has features where there are none.
    NaN where a row is not stored.

    Raises
    ------
    NotFoundError
        If no member has stored either.
    """
    places = catalog_rows_of(session, ids)
    if not ids:
        return np.empty((0, 1), dtype=np.float32)
    catalogs = catalogs_by_id(session, {catalog_id for catalog_id, _ in places.values()})
    names = {key: catalog.name for key, catalog in catalogs.items()}
    members = members_of(session, ensemble_id)
    encoders = encoders_of(session, workspace, list(names.values()))
    for kind in ("embedding", "features"):
        for model in (*members, *encoders) if kind == "embedding" else members:
            stored: dict[int, StoredArray] = {}
            for key, name in names.items():
                outputs = stored_output(outputs_path(workspace, model, name, kind))
                if outputs is not None:
                    stored[key] = outputs
            if len(stored) == len(names):
                return _gather(stored, [places[key] for key in ids])
    raise NotFoundError(
        "No member of this ensemble has stored embeddings or features of "
        f"{', '.join(names.values())}; score the catalog with it again."
    )


def _gather(stored: dict[int, StoredArray], places: Sequence[tuple[int, int]]) -> Float32Array:
    where = np.array(places)
    columns = next(iter(stored.values())).shape[1]
    table = np.full((len(where), columns), np.nan, dtype=np.float32)
    for catalog, rows in stored.items():
        mine = np.flatnonzero((where[:, 0] == catalog) & (where[:, 1] < len(rows)))
        mine = mine[np.argsort(where[mine, 1])]  # forward through the file
        table[mine] = rows[where[mine, 1]]
    return table
