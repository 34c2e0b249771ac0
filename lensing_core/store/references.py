"""Lenses of a survey, and objects that are none, to compare with while grading.

An object stands for what is known of it best: a spectrum, else the consensus of two graders or
more, else a label that was imported with confidence for an observed object. What is graded in an
open session is no reference: it would tell the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from lensing_core.store.candidates import get_candidate
from lensing_core.store.consensus_choice import current_consensus_method
from lensing_core.store.tables import (
    Candidate,
    Catalog,
    Confirmation,
    Consensus,
    LabelSession,
    SessionItem,
)

MOST = 12  # of either kind
_LEAST_VOTES, _SURE = 2, 0.95
_LEAST_CONFIDENCE = 0.9
_SAME_ARCSEC = 2.0  # the same object in another catalog
_AT_ONCE = 200


@dataclass(frozen=True)
class Reference:
    """One object whose class is known.

    Attributes
    ----------
    candidate_id, object_id, catalog, cutout_index, cutout_sha256
        Where its picture is.
    is_lens : bool
    source : str
        How its class is known, in words.
    """

    candidate_id: int
    object_id: str
    catalog: str
    cutout_index: int
    cutout_sha256: str
    is_lens: bool
    source: str


def references_for(session: Session, candidate_id: int) -> list[Reference]:
    """References for a candidate: of the survey of its catalog, without itself.

    Objects within 2 arcsec are left out, too: they are the candidate in another catalog.
    """
    candidate = get_candidate(session, candidate_id)
    survey_id = session.get_one(Catalog, candidate.catalog_id).survey_id
    return _references(session, {survey_id}, [candidate])


def references_for_session(session: Session, session_id: str) -> list[Reference]:
    """References for a labeling session: of the surveys of its candidates, without any of them."""
    items = session.scalars(
        select(Candidate)
        .join(SessionItem, SessionItem.candidate_id == Candidate.id)
        .where(SessionItem.session_id == session_id)
    ).all()
    catalogs = {item.catalog_id for item in items}
    surveys = set(session.scalars(select(Catalog.survey_id).where(Catalog.id.in_(catalogs))))
    return _references(session, surveys, items)


def _references(
    session: Session, survey_ids: Collection[int], without: Collection[Candidate]
) -> list[Reference]:
    """The best known lenses and others, the best known first."""
    away = {candidate.id for candidate in without}
    places = _vectors(without)
    references: dict[int, Reference] = {}
    counts = {True: 0, False: 0}
    for is_lens in (True, False):
        for candidate, catalog, source in _known(session, survey_ids, is_lens=is_lens):
            if counts[is_lens] == MOST:
                break
            if candidate.id in away or candidate.id in references or _is_near(candidate, places):
                continue
            counts[is_lens] += 1
            references[candidate.id] = Reference(
                candidate.id,
                candidate.object_id,
                catalog,
                candidate.cutout_index,
                candidate.cutout_sha256,
                is_lens,
                source,
            )
    return list(references.values())


def _known(
    session: Session, survey_ids: Collection[int], *, is_lens: bool
) -> Iterator[tuple[Candidate, str, str]]:
    """Candidates of one class with their catalog and how the class is known, the best first."""
    ways: tuple[tuple[Select[*tuple[Any, ...]], str], ...] = (
        (_confirmed(is_lens=is_lens), "spectrum, {}"),
        (_agreed(is_lens=is_lens), "{} graders, P(lens) {:.2f}"),
        (_labeled(is_lens=is_lens), "imported label, {}"),
    )
    for statement, words in ways:
        kept = statement.where(
            Catalog.survey_id.in_(survey_ids), Candidate.id.not_in(_in_open_sessions())
        )
        for candidate, catalog, *said in session.execute(kept.limit(_AT_ONCE)):
            yield candidate, catalog, words.format(*said)


def _in_open_sessions() -> Select[int]:
    return (
        select(SessionItem.candidate_id)
        .join(LabelSession, LabelSession.id == SessionItem.session_id)
        .where(LabelSession.status == "open")
    )


def _confirmed(*, is_lens: bool) -> Select[Candidate, str, str]:
    latest = select(func.max(Confirmation.id)).group_by(Confirmation.candidate_id)
    return (
        select(Candidate, Catalog.name, Confirmation.reference)
        .join(Catalog, Catalog.id == Candidate.catalog_id)
        .join(Confirmation, Confirmation.candidate_id == Candidate.id)
        .where(
            Confirmation.id.in_(latest),
            Confirmation.outcome == ("lens" if is_lens else "not_lens"),
        )
        .order_by(Confirmation.id.desc())
    )


def _agreed(*, is_lens: bool) -> Select[Candidate, str, int, float]:
    order = Consensus.posterior.desc() if is_lens else Consensus.posterior
    return (
        select(Candidate, Catalog.name, Consensus.n_votes, Consensus.posterior)
        .join(Catalog, Catalog.id == Candidate.catalog_id)
        .join(Consensus, Consensus.candidate_id == Candidate.id)
        .where(
            Consensus.method == current_consensus_method(),
            Consensus.posterior >= _SURE if is_lens else Consensus.posterior <= 1 - _SURE,
            Consensus.n_votes >= _LEAST_VOTES,
        )
        .order_by(order, Candidate.id)
    )


def _labeled(*, is_lens: bool) -> Select[Candidate, str, str]:
    confidence = func.coalesce(Candidate.label_confidence, Catalog.label_confidence)
    return (
        select(
            Candidate,
            Catalog.name,
            func.coalesce(Candidate.label_source, Catalog.label_source, "source not stated"),
        )
        .join(Catalog, Catalog.id == Candidate.catalog_id)
        .where(
            Candidate.label == int(is_lens),
            Catalog.origin == "observed",
            confidence >= _LEAST_CONFIDENCE,
        )
        .order_by(confidence.desc(), Candidate.id)
    )


def _vectors(candidates: Collection[Candidate]) -> np.ndarray:
    """Directions on the sky of those that have a position, (n, 3)."""
    places = [(c.ra_deg, c.dec_deg) for c in candidates if c.ra_deg is not None]
    ra, dec = np.radians(np.array(places, dtype=float).reshape(-1, 2)).T
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)


def _is_near(candidate: Candidate, places: np.ndarray) -> bool:
    here = _vectors([candidate])
    if not len(here) or not len(places):
        return False
    chord = np.linalg.norm(places - here[0], axis=1).min()
    return bool(chord < np.radians(_SAME_ARCSEC / 3600))
