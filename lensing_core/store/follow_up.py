"""Candidates for follow-up, and what came of observing them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lensing_core.consensus.schemes import SCHEMES
from lensing_core.errors import BadInputError
from lensing_core.export.columns import ExportRow
from lensing_core.store.batches import in_batches
from lensing_core.store.blinding import graded_blind
from lensing_core.store.candidates import get_candidate
from lensing_core.store.confirmations import Evidence, add_confirmation
from lensing_core.store.consensus_choice import current_consensus_method
from lensing_core.store.entries import entries_of
from lensing_core.store.export_rows import export_candidates
from lensing_core.store.label_events import build_event, canonical_text
from lensing_core.store.labels import append_events
from lensing_core.store.ranking_query import RankingQuery
from lensing_core.store.tables import (
    STAGES,
    Candidate,
    Catalog,
    Consensus,
    Crossmatch,
    CrossmatchEntry,
    FollowUp,
    Score,
)

SCHEME = SCHEMES["abcx"]
NOT_A_LENS = "X"
SOURCE = "follow-up"
MAX_INSTRUMENT = 120
MAX_NOTE = 2000
_EARLIEST = date(1950, 1, 1)


@dataclass(frozen=True)
class ObservationReport:
    """An observation of a candidate, as whoever took it tells.

    Attributes
    ----------
    night : date
        Civil date of the evening at the site.
    instrument : str
    outcome : str
        ``lens``: confirmed; ``not_lens``; ``inconclusive``.
    spectrum, reference : str
    z_lens, z_source : float or None
        Evidence, as of :class:`~lensing_core.store.confirmations.Evidence`; a spectrum that is not
        named is that of the instrument in the night.
    reject_reason : str
        Why it is none, of a non-lens without a reference; '' for none.
    note : str
    """

    night: date
    instrument: str
    outcome: str
    spectrum: str = ""
    z_lens: float | None = None
    z_source: float | None = None
    reference: str = ""
    reject_reason: str = ""
    note: str = ""


@dataclass(frozen=True)
class FollowUpRecord:
    """A report that was kept, with who entered it; ``gave`` says what it became.

    ``confirmation``, ``grade``, or '' for an inconclusive one.
    """

    night: date
    instrument: str
    outcome: str
    note: str
    gave: str
    grader: str
    at: datetime


def follow_up_rows(
    session: Session,
    stages: Collection[str],
    ensemble_id: int | None,
    most: int,
    *,
    candidate_ids: Collection[int] = (),
    hides_blind: bool = False,
) -> list[ExportRow]:
    """The candidates of some stages with the highest posteriors, with all that is known of each.

    The posterior is that of the graders, else the probability of the ensemble; candidates without
    any come last. Simulated ones are left out.

    Parameters
    ----------
    candidate_ids : collection of int, optional
        These alone, whatever their stage.
    hides_blind : bool, optional
        Whether what graders say of candidates in open blind sessions counts as nothing.
    """
    for stage in stages:
        if stage not in STAGES:
            raise BadInputError(f"Stage {stage!r}: use one of {', '.join(STAGES)}.")
    posterior = func.coalesce(Consensus.posterior, Score.probability)
    agreed = (Consensus.candidate_id == Candidate.id) & (
        Consensus.method == current_consensus_method()
    )
    if hides_blind:
        agreed &= Consensus.candidate_id.not_in(graded_blind())
    scored = (Score.candidate_id == Candidate.id) & (Score.ensemble_id == ensemble_id)
    chosen = Candidate.id.in_(candidate_ids) if candidate_ids else Candidate.stage.in_(stages)
    ids = session.scalars(
        select(Candidate.id)
        .outerjoin(Consensus, agreed)
        .outerjoin(Score, scored)
        .join(Catalog, Catalog.id == Candidate.catalog_id)
        .where(chosen, Catalog.origin != "simulated")
        .order_by(posterior.desc().nulls_last(), Candidate.id)
        .limit(most)
    ).all()
    by_score = ensemble_id is not None
    query = RankingQuery(
        ensemble_id,
        sort="score" if by_score else "object_id",
        descending=by_score,
        hides_blind=hides_blind,
    )
    return export_candidates(session, query, ids)


def known_lens_states(session: Session, candidate_ids: Sequence[int]) -> dict[int, bool]:
    """Return whether the newest cross-matches with lens lists matched each of some candidates.

    Candidates of catalogs that no such list was matched with are left out.
    """
    newest = (
        select(func.max(Crossmatch.id))
        .where(Crossmatch.state != "unreachable", Crossmatch.kind == "lens")
        .group_by(Crossmatch.catalog_id, Crossmatch.reference)
    )
    states: dict[int, bool] = {}
    for part in in_batches(candidate_ids):
        asked = select(Crossmatch.catalog_id).where(Crossmatch.id.in_(newest))
        states |= dict.fromkeys(
            session.scalars(
                select(Candidate.id).where(Candidate.id.in_(part), Candidate.catalog_id.in_(asked))
            ),
            False,
        )
        matched = session.scalars(
            select(CrossmatchEntry.candidate_id).where(
                CrossmatchEntry.candidate_id.in_(part),
                CrossmatchEntry.crossmatch_id.in_(newest),
                CrossmatchEntry.status == "matched",
            )
        )
        states |= dict.fromkeys((key for key in matched if key is not None), True)
    return states


def record_follow_up(
    session: Session, candidate_id: int, grader_id: int, report: ObservationReport
) -> FollowUp:
    """Keep a report, with the label that follows from it.

    A confirmed lens becomes a confirmation record, and so does a non-lens with a reference; a
    non-lens without one becomes a grade of who reports; an inconclusive observation gives no label.

    Raises
    ------
    NotFoundError
        If there is no such candidate.
    BadInputError
        If the report makes no sense, or lacks the evidence of what it says.
    """
    instrument = canonical_text(report.instrument, "instrument").strip()
    note = canonical_text(report.note, "note").strip()
    _check(report, instrument, note)
    candidate = get_candidate(session, candidate_id)
    if session.get_one(Catalog, candidate.catalog_id).origin == "simulated":
        raise BadInputError(f"{candidate.object_id} is simulated: nobody observes it.")
    confirmation_id = event_uuid = None
    if report.outcome == "lens" or (report.outcome == "not_lens" and report.reference.strip()):
        evidence = Evidence(
            report.outcome,
            report.spectrum.strip() or f"{instrument}, {report.night.isoformat()}",
            report.z_lens,
            report.z_source,
            report.reference,
            note,
        )
        confirmation_id = add_confirmation(session, candidate_id, grader_id, evidence).id
    elif report.outcome == "not_lens":
        event_uuid = str(uuid4())
        sent = {
            "uuid": event_uuid,
            "kind": "grade",
            "given_at": datetime.now(UTC),
            "grade": NOT_A_LENS,
            "reject_reason": report.reject_reason,
            "comment": f"Observed with {instrument} on {report.night.isoformat()}. {note}".strip(),
        }
        event = build_event(
            sent,
            scheme=SCHEME,
            grader_id=grader_id,
            candidate_id=candidate_id,
            source=SOURCE,
            visible={"blind": False, "page": "validate"},
        )
        append_events(session, [event])
    row = FollowUp(
        candidate_id=candidate_id,
        grader_id=grader_id,
        night=report.night,
        instrument=instrument,
        outcome=report.outcome,
        note=note,
        confirmation_id=confirmation_id,
        event_uuid=event_uuid,
    )
    session.add(row)
    session.flush()
    return row


def follow_ups_of(session: Session, candidate_id: int) -> list[FollowUpRecord]:
    """All reports of a candidate, the latest first."""
    return [
        FollowUpRecord(
            row.night,
            row.instrument,
            row.outcome,
            row.note,
            "confirmation" if row.confirmation_id else "grade" if row.event_uuid else "",
            name,
            row.at,
        )
        for row, name in entries_of(session, FollowUp, candidate_id)
    ]


def _check(report: ObservationReport, instrument: str, note: str) -> None:
    if report.outcome not in ("lens", "not_lens", "inconclusive"):
        raise BadInputError(f"Outcome {report.outcome!r}: use one of lens, not_lens, inconclusive.")
    if not 0 < len(instrument) <= MAX_INSTRUMENT:
        raise BadInputError(f"Instrument: give its name, 1 to {MAX_INSTRUMENT} letters.")
    if len(note) > MAX_NOTE:
        raise BadInputError(f"Note of {len(note):,} letters: give {MAX_NOTE:,} at most.")
    latest = datetime.now(UTC).date() + timedelta(days=1)
    if not _EARLIEST <= report.night <= latest:
        raise BadInputError(
            f"Night {report.night.isoformat()}: give the date of an evening that has been."
        )
    if report.reject_reason and report.outcome != "not_lens":
        raise BadInputError("A reject reason goes only with the outcome not a lens.")
