"""Rows of catalogs as ingest writes them: surveys, candidates, observations, quarantine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, func, insert, select
from sqlalchemy.orm import Session

from lensing_core.store.last_ids import next_id
from lensing_core.store.tables import Candidate, Catalog, Observation, Quarantine, SurveyRow

_JSON = {c.name for c in Observation.__table__.columns if isinstance(c.type, JSON)}
# Rows that name the same columns go into one statement. JSON columns stay out where they are None,
# for there None would be stored as the JSON text "null".
_NO_OBSERVATION: dict[str, Any] = {
    c.name: None for c in Observation.__table__.columns if c.nullable and c.name not in _JSON
}


def survey_row(session: Session, name: str, definition: Mapping[str, Any]) -> SurveyRow:
    """Return the row of a survey, made from its definition where there is none."""
    survey = session.scalar(select(SurveyRow).where(SurveyRow.name == name))
    if survey is None:
        survey = SurveyRow(name=name, definition=dict(definition))
        session.add(survey)
    return survey


def add_catalog(session: Session, catalog: Catalog) -> Catalog:
    """Add a catalog, and give it its id."""
    catalog.id = next_id(session, Catalog)  # type: ignore[assignment]  # None: the database gives one
    session.add(catalog)
    session.flush()
    return catalog


def insert_candidates(
    session: Session,
    catalog_id: int,
    candidates: Sequence[Mapping[str, Any]],
    observations: Sequence[Mapping[str, Any]],
) -> None:
    """Insert candidates and their observations, each table in one statement.

    Parameters
    ----------
    candidates : sequence of mapping
        Columns of ``candidate``, with rising ``cutout_index`` above all that the catalog has.
    observations : sequence of mapping
        Columns of ``observation`` that are known of them, in the same order.
    """
    if not candidates:
        return
    first = next_id(session, Candidate)
    session.execute(
        insert(Candidate),
        [
            {"catalog_id": catalog_id, **row, **({} if first is None else {"id": first + k})}
            for k, row in enumerate(candidates)
        ],
    )
    # Asking for the new ids afterwards is faster than an INSERT ... RETURNING for each row.
    ids = session.scalars(
        select(Candidate.id)
        .where(
            Candidate.catalog_id == catalog_id,
            Candidate.cutout_index >= candidates[0]["cutout_index"],
        )
        .order_by(Candidate.cutout_index)
    ).all()
    session.execute(
        insert(Observation),
        [
            {**_NO_OBSERVATION, **_without_null_json(known), "candidate_id": candidate_id}
            for candidate_id, known in zip(ids, observations, strict=True)
        ],
    )


def _without_null_json(observation: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in observation.items() if v is not None or k not in _JSON}


def insert_quarantine(session: Session, catalog_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert source rows that were not ingested; columns of ``quarantine`` each."""
    if rows:
        session.execute(insert(Quarantine), [{"catalog_id": catalog_id, **row} for row in rows])


def count_quarantined(session: Session, catalog_id: int) -> int:
    """Number of source rows of a catalog in quarantine."""
    rows = select(func.count()).where(Quarantine.catalog_id == catalog_id)
    return session.scalar(rows) or 0


def quarantine_reasons(session: Session, catalog_id: int) -> dict[str, int]:
    """Number of quarantined rows by reason, the most frequent first."""
    rows = session.execute(
        select(Quarantine.reason, func.count())
        .where(Quarantine.catalog_id == catalog_id)
        .group_by(Quarantine.reason)
        .order_by(func.count().desc(), Quarantine.reason)
    )
    return {reason: n for reason, n in rows}  # noqa: C416 - rows are no tuples to mypy
