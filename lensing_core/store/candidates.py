"""Candidates, found by id, by their place in a catalog, or on the sky."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from lensing_core.arrays import Float64Array
from lensing_core.errors import NotFoundError
from lensing_core.store.batches import in_batches
from lensing_core.store.ranking_filters import candidate_conditions
from lensing_core.store.ranking_query import Cone, RankingQuery
from lensing_core.store.tables import Candidate, Catalog


@dataclass(frozen=True)
class CutoutPlace:
    """The user's name of a candidate, and where its cutout lies.

    Attributes
    ----------
    object_id : str
    catalog_id : int
    catalog : str
        Its name.
    cutout_index : int
    cutout_sha256 : str
        Of the pixels, hexadecimal.
    """

    object_id: str
    catalog_id: int
    catalog: str
    cutout_index: int
    cutout_sha256: str


def get_candidate(session: Session, candidate_id: int) -> Candidate:
    """The candidate of an id; raises NotFoundError."""
    candidate = session.get(Candidate, candidate_id)
    if candidate is None:
        raise no_candidate(candidate_id)
    return candidate


def no_candidate(candidate_id: int) -> NotFoundError:
    """The error that says that there is no candidate of this id."""
    return NotFoundError(f"Candidate {candidate_id} does not exist.")


def candidate_at(session: Session, catalog: str, cutout_index: int) -> int | None:
    """Id of the candidate whose cutout has this index in a catalog; None where there is none."""
    return session.scalar(
        select(Candidate.id)
        .join(Catalog, Catalog.id == Candidate.catalog_id)
        .where(Catalog.name == catalog, Candidate.cutout_index == cutout_index)
    )


def nearest_candidate(
    session: Session, ra_deg: float, dec_deg: float, radius_arcsec: float
) -> int | None:
    """Id of the nearest candidate of all catalogs within a circle; None where there is none.

    Raises
    ------
    BadInputError
        If the position is not one of the sky.
    """
    cone = Cone(ra_deg, dec_deg, radius_arcsec / 3600)
    rows = session.execute(
        select(Candidate.id, Candidate.ra_deg, Candidate.dec_deg).where(
            *candidate_conditions(RankingQuery(sort="object_id", cone=cone))
        )
    ).all()
    if not rows:
        return None
    ra, dec = np.radians(np.array([(row.ra_deg, row.dec_deg) for row in rows], dtype=float).T)
    ra_0, dec_0 = np.radians((ra_deg, dec_deg))
    haversine = np.sin((dec - dec_0) / 2) ** 2
    haversine += np.cos(dec) * np.cos(dec_0) * np.sin((ra - ra_0) / 2) ** 2
    return int(rows[int(np.argmin(haversine))].id)


def object_names(session: Session, candidate_ids: Iterable[int]) -> dict[int, str]:
    """The users' names of some candidates; ids that do not exist are left out."""
    names: dict[int, str] = {}
    for part in in_batches(sorted(set(candidate_ids))):
        rows = session.execute(
            select(Candidate.id, Candidate.object_id).where(Candidate.id.in_(part))
        )
        names.update((row.id, row.object_id) for row in rows)
    return names


def cutout_places(session: Session, candidate_ids: Iterable[int]) -> dict[int, CutoutPlace]:
    """Places of the cutouts of a few candidates; ids that do not exist are left out."""
    rows = session.execute(
        select(
            Candidate.id,
            Candidate.object_id,
            Candidate.catalog_id,
            Catalog.name,
            Candidate.cutout_index,
            Candidate.cutout_sha256,
        )
        .join(Catalog, Catalog.id == Candidate.catalog_id)
        .where(Candidate.id.in_(list(candidate_ids)))
    )
    return {
        candidate_id: CutoutPlace(object_id, catalog_id, catalog, index, sha256)
        for candidate_id, object_id, catalog_id, catalog, index, sha256 in rows
    }


def candidates_by_cutout(
    session: Session, catalog_id: int, start: int, stop: int
) -> dict[int, int]:
    """Cutout index by id of the candidates whose index is in [start, stop), in its order."""
    rows = session.execute(
        select(Candidate.id, Candidate.cutout_index)
        .where(
            Candidate.catalog_id == catalog_id,
            Candidate.cutout_index >= start,
            Candidate.cutout_index < stop,
        )
        .order_by(Candidate.cutout_index)
    )
    return {row[0]: row[1] for row in rows}


def catalog_rows_of(session: Session, candidate_ids: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Catalog and cutout index of candidates by id; ids that do not exist are left out."""
    rows_of: dict[int, tuple[int, int]] = {}
    for part in in_batches(candidate_ids):
        rows = session.execute(
            select(Candidate.id, Candidate.catalog_id, Candidate.cutout_index).where(
                Candidate.id.in_(part)
            )
        )
        rows_of.update({row[0]: (row[1], row[2]) for row in rows})
    return rows_of


class NamedCandidate(NamedTuple):
    """A candidate that has a name, and the catalog in which it has it."""

    id: int
    catalog_id: int


def candidates_named(
    session: Session, object_ids: Iterable[str], catalog_ids: Collection[int] = ()
) -> dict[str, list[NamedCandidate]]:
    """Return the candidates of each name, by name; of all catalogs where none is given.

    Names that no candidate has are left out.
    """
    named: dict[str, list[NamedCandidate]] = {}
    for part in in_batches(object_ids):
        statement = select(Candidate.object_id, Candidate.id, Candidate.catalog_id).where(
            Candidate.object_id.in_(part)
        )
        if catalog_ids:
            statement = statement.where(Candidate.catalog_id.in_(catalog_ids))
        for name, key, catalog_id in session.execute(statement):
            named.setdefault(name, []).append(NamedCandidate(key, catalog_id))
    return named


def ids_of_objects(
    session: Session, object_ids: Iterable[str], catalog_ids: Collection[int] = ()
) -> dict[str, list[int]]:
    """Ids of the candidates of each name, as :func:`candidates_named` has them."""
    named = candidates_named(session, object_ids, catalog_ids)
    return {name: [one.id for one in candidates] for name, candidates in named.items()}


def has_positions(session: Session, catalog_id: int) -> bool:
    """Return whether any candidate of a catalog has a position."""
    placed = exists().where(Candidate.catalog_id == catalog_id, Candidate.ra_deg.is_not(None))
    return bool(session.scalar(select(placed)))


def write_columns(
    session: Session,
    candidate_ids: Sequence[int],
    columns: Mapping[str, Float64Array],
) -> None:
    """Put columns of numbers, in the order of the ids, into the rows of candidates; NaN is NULL."""
    if not columns or not candidate_ids:
        return
    values = {
        name: [v if np.isfinite(v) else None for v in column.tolist()]
        for name, column in columns.items()
    }
    session.execute(
        update(Candidate),
        [
            {"id": key, **{name: column[k] for name, column in values.items()}}
            for k, key in enumerate(candidate_ids)
        ],
    )


def require_candidates(session: Session, candidate_ids: Iterable[int]) -> None:
    """Raise NotFoundError where one of some ids is of no candidate."""
    for part in in_batches(candidate_ids):
        present = set(session.scalars(select(Candidate.id).where(Candidate.id.in_(part))))
        if missing := [key for key in part if key not in present]:
            raise no_candidate(missing[0])


class PlacedCandidate(NamedTuple):
    """A candidate with its position (ICRS, degrees)."""

    id: int
    ra_deg: float
    dec_deg: float
    object_id: str
    catalog_id: int


def placed_candidates(session: Session, catalog_ids: Collection[int]) -> list[PlacedCandidate]:
    """Return the candidates of some catalogs that have a position."""
    columns = (getattr(Candidate, name) for name in PlacedCandidate._fields)
    rows = session.execute(
        select(*columns).where(
            Candidate.catalog_id.in_(catalog_ids),
            Candidate.ra_deg.is_not(None),
            Candidate.dec_deg.is_not(None),
        )
    )
    return list(map(PlacedCandidate._make, rows))
