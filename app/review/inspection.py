"""Answers to the panels beside the picture: certainty of a score, its context, its history.

Each answer takes an open session and a message of the page, as those of
:class:`lens_triage.app.review.service.ReviewService` do. They read alone: what people do goes to
:mod:`lens_triage.app.review.events`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import SignedIn
from lens_triage.app.permissions import READER
from lens_triage.app.review.links import sky_links
from lens_triage.app.viewer.reference_rows import references_to_json
from lensing_core.arrays import Float32Array
from lensing_core.consensus import REJECT_REASONS
from lensing_core.errors import LensTriageError
from lensing_core.labeling.reviewing import SCHEME
from lensing_core.neighbors import LabeledEmbeddings, Neighbor, NeighborIndex
from lensing_core.store import Session
from lensing_core.store.blinding import blind_ids
from lensing_core.store.candidates import cutout_places, get_candidate
from lensing_core.store.catalogs import get_catalog
from lensing_core.store.crossmatches import counterparts_of
from lensing_core.store.details import candidate_details
from lensing_core.store.ensembles import get_ensemble, network_members
from lensing_core.store.history import HistoryEntry, history_of
from lensing_core.store.presence import blind_sessions_with, sees_blind
from lensing_core.store.references import references_for
from lensing_core.store.remarks import known_tags, tags_of
from lensing_core.store.score_context import find_score, ood_percentile, scores_by_ensemble
from lensing_core.store.tables import Candidate, Catalog
from lensing_core.store.votes import grades_of, own_grade
from lensing_core.uncertainty.interval import CalibrationRecord, score_interval

_REMARKS = ("tag", "untag", "stage")  # of others that show while grades are blind
_NEIGHBORS = 6  # of either kind
Message = Mapping[str, Any]
Answer = dict[str, Any]
_log = logging.getLogger(__name__)


def panel_start(grader: SignedIn | None) -> Answer:
    """Return what the panels need to know once: who grades, who asks, grades and reasons.

    A reader asks, and grades no more than somebody who is not signed in.
    """
    reads = grader is not None and grader.role == READER
    grades = None if grader is None or reads else {"id": grader.id, "name": grader.name}
    return {
        "grader": grades,
        "asker": None if grader is None else grader.id,
        "reads": reads,
        "grades": [{"key": g.key, "title": g.title} for g in SCHEME.grades],
        "reasons": [{"key": key, "title": title} for key, title in REJECT_REASONS.items()],
    }


@lru_cache(maxsize=2)
def _neighbor_index(context: AppContext) -> NeighborIndex:
    """One for all sessions of a server: it holds up to some hundred megabytes."""
    return NeighborIndex(context.workspace, context.database)


class Inspector:
    """Answers of one page; ``grader`` is who was signed in when it was built."""

    def __init__(self, context: AppContext, grader: SignedIn | None) -> None:
        self._neighbors = _neighbor_index(context)
        self._grader = grader

    def answers(self) -> dict[str, Callable[[Session, Message], Answer]]:
        """Functions by type of message."""
        return {
            "score_context": self._score_context,
            "context": self._surroundings,
            "history": self._history,
            "references": self._references,
        }

    # --- what is known ----------------------------------------------------------------------------

    def _score_context(self, session: Session, message: Message) -> Answer:
        candidate, ensemble_id = _candidate(session, message), message.get("ensemble_id")
        earlier = [
            {
                "name": found.name,
                "id": found.ensemble_id,
                "date": found.created_at.date().isoformat(),
                "promoted": found.promoted,
                "probability": found.probability,
                "logit": found.logit,
            }
            for found in scores_by_ensemble(session, candidate.id)
        ]
        answer: Answer = {"id": candidate.id, "ensembles": earlier}
        if ensemble_id is None:
            return answer
        score = find_score(session, ensemble_id, candidate.id)
        if score is None:
            return answer
        ensemble = get_ensemble(session, ensemble_id)
        problem = ensemble.problem
        record = None if problem else CalibrationRecord.of_manifest(ensemble.manifest)
        details = candidate_details(session, [candidate.id], ensemble_id)[candidate.id]
        interval = score_interval(score.logit, [m.logit for m in details.members], record)
        percentile = ood_percentile(session, score)
        return {
            **answer,
            "interval": None if interval is None else vars(interval),
            "calibration": None if record is None else _calibration(record, score.logit),
            "problem": problem,
            "ood": None if percentile is None else vars(percentile),
        }

    def _surroundings(self, session: Session, message: Message) -> Answer:
        """Look-alikes, cross-matches and links, each in a part of its own.

        A part that could not be made has a ``failure`` in its place; the others are there.
        """
        candidate = _candidate(session, message)
        catalog = get_catalog(session, candidate.catalog_id)
        ensemble_id = message.get("ensemble_id")
        parts: dict[str, Callable[[], Answer]] = {
            "neighbors": lambda: self._look_alikes(session, candidate, catalog, ensemble_id),
            "counterparts": lambda: {"found": _counterparts(session, candidate)},
            "links": lambda: {"found": _links(candidate, catalog)},
        }
        return {"id": candidate.id, **{name: _part(name, make) for name, make in parts.items()}}

    def _look_alikes(
        self, session: Session, candidate: Candidate, catalog: Catalog, ensemble_id: int | None
    ) -> Answer:
        """The nearest labeled lenses and others, or why there are none."""
        if ensemble_id is None:
            return {
                "sentence": "Choose an ensemble: look-alikes are neighbors in its network's "
                "embedding."
            }
        ensemble = get_ensemble(session, ensemble_id)
        for model_id in network_members(ensemble):
            embedding = self._neighbors.embedding(model_id, catalog.name, candidate.cutout_index)
            if embedding is None:
                continue
            labeled = self._neighbors.labeled(model_id)
            found = self._told(session, labeled, embedding, candidate.id)
            return {
                "member": model_id,
                "n_labeled": len(labeled.candidate_id),
                "left_out": labeled.left_out,
                "found": _neighbors_to_json(session, found),
            }
        return {
            "sentence": f"No network of {ensemble.name} has stored an embedding of this candidate; "
            "score the catalog with an ensemble that has a network."
        }

    def _references(self, session: Session, message: Message) -> Answer:
        """Lenses and look-alikes of the survey, to compare with."""
        found = references_for(session, int(message["id"]))
        return {"references": references_to_json(found)}

    # --- what people did --------------------------------------------------------------------------

    def _history(self, session: Session, message: Message) -> Answer:
        candidate = _candidate(session, message)
        told = told_history(session, candidate.id, self._grader, sees_all=self._sees_all(session))
        mine = self._grader.id if self._grader else None
        own = None if mine is None else own_grade(session, candidate.id, mine)
        return {
            "id": candidate.id,
            "stage": candidate.stage,
            "tags": tags_of(session, [candidate.id])[candidate.id],
            "known_tags": known_tags(session),
            "votes": told.votes,
            "own": own
            and {"uuid": own.uuid, "grade": next(v["grade"] for v in told.votes if v["mine"])},
            "entries": told.entries,
            "blind": told.blind,
        }

    def _told(
        self, session: Session, labeled: LabeledEmbeddings, embedding: Float32Array, without: int
    ) -> list[Neighbor]:
        """The nearest of either kind, without those whose class is kept from the reader."""
        if self._sees_all(session):
            return labeled.nearest(embedding, _NEIGHBORS, without=without)
        blind = np.isin(labeled.candidate_id, sorted(blind_ids(session)))
        return labeled.without(blind).nearest(embedding, _NEIGHBORS, without=without)

    def _sees_all(self, session: Session) -> bool:
        """Return whether grades of blind sessions are shown: to organizers, and to who is alone."""
        person = self._grader
        organizes = person is not None and person.is_organizer
        return sees_blind(session, person.id if person else None, organizes=organizes)


@dataclass(frozen=True)
class ToldHistory:
    """Grades and remarks of a candidate that a reader is told.

    Attributes
    ----------
    votes : list of dict
        Grades in force: ``who``, ``mine``, ``grade``, ``scheme``.
    entries : list of dict
        See :class:`~lensing_core.store.history.HistoryEntry`; the newest first.
    blind : list of str
        Open blind sessions for which others' grades are kept back.
    """

    votes: list[Answer]
    entries: list[Answer]
    blind: list[str]


def told_history(
    session: Session, candidate_id: int, reader: SignedIn | None, *, sees_all: bool
) -> ToldHistory:
    """Grades and remarks of a candidate, as far as a reader is told them.

    Parameters
    ----------
    sees_all : bool
        Whether the reader sees others' grades of candidates in open blind sessions.
    """
    mine, name = (reader.id, reader.name) if reader else (None, None)
    votes = grades_of(session, [candidate_id])
    entries = history_of(session, candidate_id)
    blind = [] if sees_all else blind_sessions_with(session, candidate_id)
    if blind:  # nobody's grade sways who has yet to give one
        votes = [vote for vote in votes if vote.grader_id == mine]
        entries = [one for one in entries if one.who == name or one.kind in _REMARKS]
    return ToldHistory(
        [
            {"who": g.grader, "mine": g.grader_id == mine, "grade": g.grade, "scheme": g.scheme}
            for g in votes
        ],
        [_entry_to_json(entry) for entry in entries],
        blind,
    )


def _candidate(session: Session, message: Message) -> Candidate:
    return get_candidate(session, int(message["id"]))


def _part(name: str, make: Callable[[], Answer]) -> Answer:
    """One part of an answer, or why it could not be made."""
    try:
        return make()
    except LensTriageError as error:
        return {"failure": str(error)}
    except Exception:  # noqa: BLE001 - logged in full; the other parts are shown
        _log.exception("Review could not make %s", name)
        return {"failure": "The server could not answer; its log says why."}


def _counterparts(session: Session, candidate: Candidate) -> list[Answer]:
    return [
        {
            "title": match.title,
            "kind": match.kind,
            "version": match.version,
            "status": entry.status,
            "reason": entry.reason,
            "name": entry.counterpart_name or "",
            "separation_arcsec": entry.separation_arcsec,
        }
        for match, entry in counterparts_of(session, candidate.id)
    ]


def _links(candidate: Candidate, catalog: Catalog) -> list[dict[str, str]]:
    if candidate.ra_deg is None or candidate.dec_deg is None:
        return []
    size_arcsec = catalog.size_px * catalog.pixel_scale_arcsec
    return sky_links(candidate.ra_deg, candidate.dec_deg, size_arcsec)


def _calibration(record: CalibrationRecord, logit: float) -> Answer:
    return {
        "bins": [dict(b) for b in record.bins],
        "logit": record.held_out_logit(logit),
        "bin": record.bin_of(logit),
        "prior": record.prior,
        "survey_prior": record.survey_prior,
        "n": record.n_objects,
        "measured_on": record.measured_on,
    }


def _neighbors_to_json(session: Session, found: list[Neighbor]) -> list[Answer]:
    places = cutout_places(session, [n.candidate_id for n in found])
    return [
        {
            "id": n.candidate_id,
            "is_lens": n.is_lens,
            "similarity": n.similarity,
            "object_id": place.object_id,
            "catalog_id": place.catalog_id,
            "catalog": place.catalog,
            "index": place.cutout_index,
            "version": place.cutout_sha256[:12],
        }
        for n in found
        if (place := places.get(n.candidate_id))
    ]


def _entry_to_json(entry: HistoryEntry) -> Answer:
    fields = {name: value for name, value in vars(entry).items() if name != "at"}
    if entry.reason is not None:
        fields["reason"] = REJECT_REASONS.get(entry.reason, entry.reason)
    return {**fields, "at": entry.at.isoformat(timespec="seconds")}
