"""Confirmations: records of evidence that people enter, one after another; the latest counts.

No score makes one, and none is changed or deleted: a record that was wrong is withdrawn by a later
one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lensing_core.errors import BadInputError
from lensing_core.store.batches import in_batches
from lensing_core.store.candidates import get_candidate
from lensing_core.store.entries import entries_of
from lensing_core.store.label_events import canonical_text
from lensing_core.store.tables import OUTCOMES, Catalog, Confirmation

MAX_EVIDENCE = 400
MAX_NOTE = 4000
MAX_REDSHIFT = 20.0


@dataclass(frozen=True)
class Evidence:
    """Evidence of a confirmation.

    Attributes
    ----------
    outcome : str
        ``lens``, ``not_lens`` or ``withdrawn``.
    spectrum : str
        Instrument with date and program, or the identifier of the spectrum in its archive.
    z_lens, z_source : float or None
    reference : str
        Bibcode, DOI or arXiv number.
    note : str
    """

    outcome: str
    spectrum: str = ""
    z_lens: float | None = None
    z_source: float | None = None
    reference: str = ""
    note: str = ""

    def checked(self) -> Evidence:
        """The same in canonical form.

        Raises
        ------
        BadInputError
            If a lens lacks its spectrum, reference or one of two redshifts, the source is not
            behind the lens, a non-lens lacks spectrum or reference, or a withdrawal its reason.
        """
        if self.outcome not in OUTCOMES:
            raise BadInputError(f"Outcome {self.outcome!r}: use one of {', '.join(OUTCOMES)}.")
        texts = {}
        for name, most in (
            ("spectrum", MAX_EVIDENCE),
            ("reference", MAX_EVIDENCE),
            ("note", MAX_NOTE),
        ):
            text = canonical_text(getattr(self, name), name).strip()
            if len(text) > most:
                raise BadInputError(f"{name.capitalize()}: give {most} letters at most.")
            texts[name] = text
        for name, value in (("lens", self.z_lens), ("source", self.z_source)):
            if value is not None and not (math.isfinite(value) and 0 < value < MAX_REDSHIFT):
                raise BadInputError(
                    f"Redshift of the {name} {value}: give a number above 0 and below "
                    f"{MAX_REDSHIFT:g}."
                )
        if self.outcome == "withdrawn":
            if not texts["note"]:
                raise BadInputError("A record is withdrawn with a reason; write it as the note.")
            return Evidence("withdrawn", note=texts["note"])
        for name, what in (
            ("spectrum", "the spectrum: instrument and date, or its identifier in an archive"),
            ("reference", "the reference: bibcode, DOI or arXiv number"),
        ):
            if not texts[name]:
                raise BadInputError(f"The record lacks {what}.")
        if self.outcome == "lens":
            if self.z_lens is None or self.z_source is None:
                raise BadInputError("A confirmed lens has the redshifts of lens and source.")
            if self.z_source <= self.z_lens:
                raise BadInputError(
                    f"The source at z = {self.z_source:g} is not behind the lens at "
                    f"z = {self.z_lens:g}."
                )
        return Evidence(self.outcome, z_lens=self.z_lens, z_source=self.z_source, **texts)


@dataclass(frozen=True)
class ConfirmationRecord:
    """A record with the name of who entered it."""

    evidence: Evidence
    grader: str
    at: datetime


def add_confirmation(
    session: Session, candidate_id: int, grader_id: int, evidence: Evidence
) -> Confirmation:
    """Enter a record.

    Raises
    ------
    NotFoundError
        If there is no such candidate.
    BadInputError
        If evidence is missing or makes no sense, the candidate is simulated, or there is nothing to
        withdraw.
    """
    evidence = evidence.checked()
    candidate = get_candidate(session, candidate_id)
    catalog = session.get_one(Catalog, candidate.catalog_id)
    if catalog.origin == "simulated":
        raise BadInputError(
            f"{candidate.object_id} is simulated (catalog {catalog.name}): it has no spectrum."
        )
    if evidence.outcome == "withdrawn" and candidate_id not in outcomes(session, [candidate_id]):
        raise BadInputError(f"{candidate.object_id} has no record that could be withdrawn.")
    row = Confirmation(
        candidate_id=candidate_id,
        grader_id=grader_id,
        outcome=evidence.outcome,
        spectrum=evidence.spectrum,
        z_lens=evidence.z_lens,
        z_source=evidence.z_source,
        reference=evidence.reference,
        note=evidence.note,
    )
    session.add(row)
    session.flush()
    return row


def confirmations_of(session: Session, candidate_id: int) -> list[ConfirmationRecord]:
    """All records of a candidate, the latest first."""
    return [_record(row, name) for row, name in entries_of(session, Confirmation, candidate_id)]


def outcomes(session: Session, candidate_ids: Iterable[int]) -> dict[int, str]:
    """``lens`` or ``not_lens`` of those of some candidates whose latest record is not withdrawn."""
    latest: dict[int, str] = {}
    for part in in_batches(candidate_ids):
        rows = session.execute(
            select(Confirmation.candidate_id, Confirmation.outcome)
            .where(Confirmation.candidate_id.in_(part))
            .order_by(Confirmation.id)
        )
        latest.update((key, outcome) for key, outcome in rows)
    return {key: outcome for key, outcome in latest.items() if outcome != "withdrawn"}


def outcomes_in_force(session: Session) -> dict[int, str]:
    """``lens`` or ``not_lens`` of all candidates whose latest record is not withdrawn."""
    latest = select(func.max(Confirmation.id)).group_by(Confirmation.candidate_id)
    rows = session.execute(
        select(Confirmation.candidate_id, Confirmation.outcome).where(
            Confirmation.id.in_(latest), Confirmation.outcome != "withdrawn"
        )
    )
    return {row[0]: row[1] for row in rows}


def _record(row: Confirmation, name: str) -> ConfirmationRecord:
    evidence = Evidence(
        row.outcome, row.spectrum, row.z_lens, row.z_source, row.reference, row.note
    )
    return ConfirmationRecord(evidence, name, row.at)
