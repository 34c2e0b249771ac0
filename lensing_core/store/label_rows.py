"""Imported labels as they stand in the database, streamed; what they mean is for ``datasets``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import false, func, literal, or_, select
from sqlalchemy.orm import Session

from lensing_core.store.tables import Candidate, Catalog, Confirmation, Observation, Vote

_AT_ONCE = 10_000


class LabelRow(NamedTuple):
    """A candidate with the label that it came with; None: unknown, or as its catalog says."""

    candidate_id: int
    cutout_index: int
    ra_deg: float | None
    dec_deg: float | None
    label: int | None
    confidence: float | None
    policy: str | None
    object_id: str


@dataclass(frozen=True)
class LabelRows:
    """``n`` rows in order of cutouts, that can be read once."""

    n: int
    rows: Iterator[LabelRow]


def label_rows(
    session: Session, catalog_id: int, *, unlabeled: bool, graded: bool, with_names: bool
) -> LabelRows:
    """Read the labels of a catalog's candidates.

    Parameters
    ----------
    unlabeled : bool
        Whether candidates without a label are among them; those with a confirmation always are.
    graded : bool
        Whether, of those, at least the ones are that anybody has graded.
    with_names : bool
        Whether ``object_id`` is read; '' without, which is faster.
    """
    statement = select(
        Candidate.id,
        Candidate.cutout_index,
        Candidate.ra_deg,
        Candidate.dec_deg,
        Candidate.label,
        Candidate.label_confidence,
        Candidate.label_policy,
        Candidate.object_id if with_names else literal(""),
    ).where(Candidate.catalog_id == catalog_id)
    if not unlabeled:
        voted = Candidate.id.in_(select(Vote.candidate_id)) if graded else false()
        confirmed = Candidate.id.in_(select(Confirmation.candidate_id))
        statement = statement.where(or_(Candidate.label.is_not(None), voted, confirmed))
    n = session.scalar(select(func.count()).select_from(statement.subquery())) or 0
    rows = session.execute(
        statement.order_by(Candidate.cutout_index).execution_options(yield_per=_AT_ONCE)
    )
    return LabelRows(n, map(LabelRow._make, rows))


def policies_of_labels(session: Session, catalog: Catalog) -> set[str]:
    """The label policies that hold for the labeled candidates of a catalog."""
    policy = func.coalesce(Candidate.label_policy, catalog.label_policy)
    statement = select(policy).where(
        Candidate.catalog_id == catalog.id, Candidate.label.is_not(None)
    )
    return set(session.scalars(statement.distinct()))


def reasons_of_labels(session: Session, catalog_id: int) -> Iterator[tuple[int, str]]:
    """Iterate over candidates that are labeled non-lenses for a reason, each with its word."""
    said = Observation.properties["reject_reason"].as_string()
    statement = (
        select(Candidate.id, said)
        .join(Observation, Observation.candidate_id == Candidate.id)
        .where(Candidate.catalog_id == catalog_id, Candidate.label == 0, said.is_not(None))
        .execution_options(yield_per=_AT_ONCE)
    )
    return ((key, word) for key, word in session.execute(statement))
