"""Objects of a catalog drawn at random, at a cost that does not grow with the catalog."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.arrays import BoolArray, Float64Array, IntArray
from lensing_core.store.batches import in_batches
from lensing_core.store.tables import Candidate, Catalog, Observation


@dataclass(frozen=True)
class DrawnObjects:
    """Drawn candidates, n in number, in the order of their cutouts.

    Attributes
    ----------
    candidate_id, cutout_index : ndarray of shape (n,)
    lens : ndarray of shape (n,), bool
        Imported as a lens.
    theta_e_arcsec : ndarray of shape (n,)
        Of the simulation, else what richness, velocity dispersion or mass suggest; NaN: unknown.
    """

    candidate_id: IntArray
    cutout_index: IntArray
    lens: BoolArray
    theta_e_arcsec: Float64Array


def draw_objects(session: Session, catalog: Catalog, n: int, *, seed: int = 0) -> DrawnObjects:
    """Draw at most ``n`` candidates of a catalog, by the numbers of their cutouts."""
    total = catalog.n_candidates
    rng = np.random.default_rng(seed)
    index = np.arange(total) if total <= n else np.sort(rng.choice(total, n, replace=False))
    rows: list[tuple[int, int, bool, float]] = []
    for part in in_batches(index):
        found = session.execute(
            select(
                Candidate.id,
                Candidate.cutout_index,
                Candidate.label,
                Candidate.theta_e_proxy_arcsec,
                Observation.truth,
            )
            .outerjoin(Observation, Observation.candidate_id == Candidate.id)
            .where(Candidate.catalog_id == catalog.id, Candidate.cutout_index.in_(part))
            .order_by(Candidate.cutout_index)
        )
        for key, cutout, label, proxy, truth in found:
            radius = (truth or {}).get("theta_e_arcsec") or proxy
            rows.append((key, cutout, label == 1, np.nan if radius is None else float(radius)))
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    kinds = (np.int64, np.int64, np.bool_, np.float64)
    return DrawnObjects(
        *(np.array(column, dtype=kind) for column, kind in zip(columns, kinds, strict=True))
    )
