"""Writing cross-matches, and what pages and jobs read of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from sqlalchemy import exists, func, insert, select
from sqlalchemy.orm import Session

from lensing_core.arrays import Float64Array, IntArray
from lensing_core.store.tables import Candidate, Crossmatch, CrossmatchEntry, Score

_AT_ONCE = 10_000
_PAIRED = ("matched", "review")


@dataclass(frozen=True)
class CatalogPositions:
    """All candidates of a catalog in order of their ids.

    Attributes
    ----------
    id : ndarray of int64, shape (n,)
    ra_deg, dec_deg : ndarray of shape (n,)
        ICRS, degrees; NaN where unknown.
    """

    id: IntArray
    ra_deg: Float64Array
    dec_deg: Float64Array


def read_positions(session: Session, catalog_id: int) -> CatalogPositions:
    """Positions of a whole catalog, as arrays."""
    columns = Candidate.__table__.c  # as columns: loading attributes takes twice the time
    rows = session.connection().execute(
        select(columns.id, columns.ra_deg, columns.dec_deg)
        .where(columns.catalog_id == catalog_id)
        .execution_options(yield_per=_AT_ONCE)
    )
    parts = [np.empty((0, 3))]
    for part in rows.partitions():
        # As plain tuples: numpy reads SQLAlchemy's rows ten times slower. None becomes NaN.
        parts.append(np.array(list(map(tuple, part)), dtype=np.float64))
    table = np.concatenate(parts)
    table = table[np.argsort(table[:, 0], kind="stable")]  # an index would not give this order
    return CatalogPositions(table[:, 0].astype(np.int64), table[:, 1], table[:, 2])


def write_crossmatch(
    session: Session, crossmatch: Crossmatch, entries: Iterable[Mapping[str, Any]]
) -> int:
    """Add a cross-match with its entries (columns of :class:`CrossmatchEntry`); return its id.

    An earlier one of the same run and reference is replaced.
    """
    earlier = crossmatch.run_id and session.scalar(
        select(Crossmatch).where(
            Crossmatch.run_id == crossmatch.run_id, Crossmatch.reference == crossmatch.reference
        )
    )
    if earlier:
        session.delete(earlier)
        session.flush()
    session.add(crossmatch)
    session.flush()
    remaining = iter(entries)
    while part := list(islice(remaining, _AT_ONCE)):
        session.execute(
            insert(CrossmatchEntry), [{"crossmatch_id": crossmatch.id, **entry} for entry in part]
        )
    return crossmatch.id


def references_done(session: Session, run_id: str) -> set[str]:
    """References that a run has matched completely."""
    return set(
        session.scalars(
            select(Crossmatch.reference).where(
                Crossmatch.run_id == run_id, Crossmatch.state == "complete"
            )
        )
    )


def latest_crossmatches(session: Session, catalog_id: int) -> list[Crossmatch]:
    """The newest cross-match of a catalog with each reference, offline ones as they come.

    A newer one that reached nothing does not hide an older one that did.
    """
    newest = (
        select(func.max(Crossmatch.id))
        .where(Crossmatch.catalog_id == catalog_id, Crossmatch.state != "unreachable")
        .group_by(Crossmatch.reference)
    )
    crossmatches = list(
        session.scalars(select(Crossmatch).where(Crossmatch.id.in_(newest)).order_by(Crossmatch.id))
    )
    reached = {crossmatch.reference for crossmatch in crossmatches}
    silent = (
        select(func.max(Crossmatch.id))
        .where(
            Crossmatch.catalog_id == catalog_id,
            Crossmatch.state == "unreachable",
            Crossmatch.reference.not_in(reached),
        )
        .group_by(Crossmatch.reference)
    )
    return crossmatches + list(
        session.scalars(select(Crossmatch).where(Crossmatch.id.in_(silent)).order_by(Crossmatch.id))
    )


def counterparts_of(
    session: Session, candidate_id: int
) -> list[tuple[Crossmatch, CrossmatchEntry]]:
    """Return what the newest cross-matches say of one candidate, unmatched references left out."""
    newest = (
        select(func.max(Crossmatch.id))
        .where(Crossmatch.state != "unreachable")
        .where(
            Crossmatch.catalog_id
            == select(Candidate.catalog_id).where(Candidate.id == candidate_id).scalar_subquery()
        )
        .group_by(Crossmatch.reference)
    )
    rows = session.execute(
        select(Crossmatch, CrossmatchEntry)
        .join(CrossmatchEntry, CrossmatchEntry.crossmatch_id == Crossmatch.id)
        .where(
            CrossmatchEntry.candidate_id == candidate_id,
            CrossmatchEntry.status.in_(_PAIRED),
            Crossmatch.id.in_(newest),
        )
        .order_by(Crossmatch.id, CrossmatchEntry.separation_arcsec)
    )
    return [(crossmatch, entry) for crossmatch, entry in rows]


def entries_with_scores(
    session: Session,
    crossmatch_ids: Collection[int],
    statuses: Collection[str],
    ensemble_id: int | None,
    *,
    limit: int | None = None,
) -> list[tuple[CrossmatchEntry, Candidate, Score | None]]:
    """Entries with their candidates and an ensemble's scores, the best of the ranking first."""
    scored = (Score.candidate_id == Candidate.id) & (Score.ensemble_id == ensemble_id)
    rows = session.execute(
        select(CrossmatchEntry, Candidate, Score)
        .join(Candidate, Candidate.id == CrossmatchEntry.candidate_id)
        .outerjoin(Score, scored)
        .where(
            CrossmatchEntry.crossmatch_id.in_(crossmatch_ids), CrossmatchEntry.status.in_(statuses)
        )
        .order_by(Score.logit.desc().nulls_last(), CrossmatchEntry.id)
        .limit(limit)
    )
    return [(entry, candidate, score) for entry, candidate, score in rows]


def count_entries(session: Session, crossmatch_ids: Collection[int], status: str) -> int:
    """Number of entries of a status that have a candidate."""
    statement = select(func.count(CrossmatchEntry.candidate_id)).where(
        CrossmatchEntry.crossmatch_id.in_(crossmatch_ids), CrossmatchEntry.status == status
    )
    return session.scalar(statement) or 0


def entries_of_candidates(
    session: Session, candidate_ids: Collection[int], crossmatch_ids: Collection[int]
) -> list[CrossmatchEntry]:
    """Counterparts of a few candidates in some cross-matches, those for review among them."""
    return list(
        session.scalars(
            select(CrossmatchEntry).where(
                CrossmatchEntry.candidate_id.in_(candidate_ids),
                CrossmatchEntry.crossmatch_id.in_(crossmatch_ids),
                CrossmatchEntry.status.in_(_PAIRED),
            )
        )
    )


def unlisted_candidates(
    session: Session,
    catalog_id: int,
    ensemble_id: int,
    crossmatch_ids: Collection[int],
    limit: int,
) -> list[tuple[Candidate, Score]]:
    """The first candidates of a ranking that some cross-matches have no counterpart of."""
    listed = exists().where(
        CrossmatchEntry.candidate_id == Score.candidate_id,
        CrossmatchEntry.crossmatch_id.in_(crossmatch_ids),
        CrossmatchEntry.status.in_(_PAIRED),
    )
    rows = session.execute(
        select(Candidate, Score)
        .join(Score, Score.candidate_id == Candidate.id)
        .where(Score.ensemble_id == ensemble_id, Score.catalog_id == catalog_id, ~listed)
        .order_by(Score.logit.desc(), Score.candidate_id.desc())
        .limit(limit)
    )
    return [(candidate, score) for candidate, score in rows]


def lone_references(
    session: Session, crossmatch_id: int, *, limit: int
) -> tuple[int, list[CrossmatchEntry]]:
    """Return how many objects of a reference have no candidate, and the first of them."""
    alone = (
        CrossmatchEntry.crossmatch_id == crossmatch_id,
        CrossmatchEntry.status == "unmatched",
        CrossmatchEntry.candidate_id.is_(None),
    )
    n = session.scalar(select(func.count()).select_from(CrossmatchEntry).where(*alone)) or 0
    rows = select(CrossmatchEntry).where(*alone).order_by(CrossmatchEntry.id).limit(limit)
    return n, list(session.scalars(rows))
