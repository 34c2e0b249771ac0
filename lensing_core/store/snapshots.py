"""Hashes of catalogs as they are: the pixels of all cutouts, and the imported labels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.models.manifest_types import SnapshotForm
from lensing_core.store.tables import Candidate, Catalog

_AT_ONCE = 10_000


def snapshot_of(session: Session, catalog_id: int) -> SnapshotForm:
    """Hash a catalog, candidate by candidate in the order of the cutouts.

    ``cutouts_sha256`` is over the hexadecimal hashes of the cutouts' pixels, a line each;
    ``labels_sha256`` over object ids and labels.
    """
    rows = session.execute(
        select(Candidate.cutout_sha256, Candidate.object_id, Candidate.label)
        .where(Candidate.catalog_id == catalog_id)
        .order_by(Candidate.cutout_index)
        .execution_options(yield_per=_AT_ONCE)
    )
    pixels, labels, n = hashlib.sha256(), hashlib.sha256(), 0
    for digest, object_id, label in rows:
        pixels.update(f"{digest}\n".encode())
        labels.update(f"{object_id}\t{'' if label is None else label}\n".encode())
        n += 1
    counts = {
        "candidates": n,
        "cutouts_sha256": pixels.hexdigest(),
        "labels_sha256": labels.hexdigest(),
    }
    return cast(SnapshotForm, counts)


def snapshots_of(session: Session, catalogs: Iterable[str]) -> dict[str, SnapshotForm]:
    """Hashes of the catalogs of some names that are in the workspace."""
    wanted = list(dict.fromkeys(catalogs))
    ids = {c.name: c.id for c in session.scalars(select(Catalog).where(Catalog.name.in_(wanted)))}
    return {name: snapshot_of(session, ids[name]) for name in wanted if name in ids}
