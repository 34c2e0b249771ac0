"""Which candidates the rows of a file of grades mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.errors import NotFoundError
from lensing_core.labeling.grade_files import GradeRow
from lensing_core.store.tables import Candidate, Catalog

_AT_ONCE = 500


def find_candidates(
    session: Session, rows: Sequence[GradeRow], catalogs: Sequence[str], radius_arcsec: float
) -> list[int | str]:
    """The candidate of each row by its name, else the nearest to its position; or what is wrong.

    Raises
    ------
    NotFoundError
        If there is no catalog of a name.
    """
    keys_of_catalogs = _catalogs(session, catalogs)
    named = sorted({row.name for row in rows if row.name})
    by_name: dict[str, list[int]] = {}
    for first in range(0, len(named), _AT_ONCE):
        statement = select(Candidate.object_id, Candidate.id).where(
            Candidate.object_id.in_(named[first : first + _AT_ONCE]),
            Candidate.catalog_id.in_(keys_of_catalogs),
        )
        for name, key in session.execute(statement):
            by_name.setdefault(name, []).append(key)
    found: list[int | str] = []
    for row in rows:
        keys = by_name.get(row.name, [])
        if not row.name:
            found.append("")
        elif len(keys) == 1:
            found.append(keys[0])
        elif keys:
            found.append(f"{len(keys)} catalogs have an object {row.name!r}; name one catalog.")
        else:
            found.append(f"no candidate is called {row.name!r}.")
    unnamed = [k for k, row in enumerate(rows) if not row.name]
    if unnamed:
        near = _by_position(session, keys_of_catalogs, [rows[k] for k in unnamed], radius_arcsec)
        for k, place in zip(unnamed, near, strict=True):
            found[k] = place
    return found


def _catalogs(session: Session, names: Sequence[str]) -> list[int]:
    if not names:
        return list(session.scalars(select(Catalog.id)))
    there = {c.name: c.id for c in session.scalars(select(Catalog).where(Catalog.name.in_(names)))}
    if missing := [name for name in names if name not in there]:
        raise NotFoundError(f"There is no catalog {missing[0]}.")
    return list(there.values())


def _by_position(
    session: Session, catalogs: Sequence[int], rows: Sequence[GradeRow], radius_arcsec: float
) -> list[int | str]:
    """The nearest candidate within the radius."""
    from scipy.spatial import cKDTree  # here: most files name their objects

    known = np.array(
        [
            (key, ra_deg, dec_deg)
            for key, ra_deg, dec_deg in session.execute(
                select(Candidate.id, Candidate.ra_deg, Candidate.dec_deg).where(
                    Candidate.catalog_id.in_(catalogs), Candidate.ra_deg.is_not(None)
                )
            )
        ],
        dtype=np.float64,
    ).reshape(-1, 3)
    asked = [(row.ra_deg or 0.0, row.dec_deg or 0.0) for row in rows]  # both are there: _from_csv
    sky = np.array(asked)
    chord = 2 * np.sin(np.radians(radius_arcsec / 3600) / 2)
    if not len(known):
        return [f"no candidate lies within {radius_arcsec:g} arcsec." for _ in rows]
    distance, nearest = cKDTree(_unit(known[:, 1], known[:, 2])).query(_unit(*sky.T))
    return [
        int(known[k, 0])
        if d <= chord
        else f"no candidate lies within {radius_arcsec:g} arcsec of {a:.5f}, {b:+.5f} deg."
        for d, k, (a, b) in zip(distance, nearest, asked, strict=True)
    ]


def _unit(ra_deg: Any, dec_deg: Any) -> Any:
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)
