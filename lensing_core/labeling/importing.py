"""Grades from elsewhere, put into the log.

A file is read and resolved as a whole before anything is written. Each event's UUID follows from
the source and the row (UUID version 5), so that a file that is imported again, or has grown, adds
what is new and nothing twice.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid5

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lensing_core.consensus import SCHEMES, Scheme
from lensing_core.errors import BadInputError
from lensing_core.labeling.finding import find_candidates
from lensing_core.labeling.grade_files import (
    BadRow,
    CsvMapping,
    GradeRow,
    ZooniverseMapping,
    read_grades,
)
from lensing_core.store.label_events import NewEvent, build_event
from lensing_core.store.labels import append_events, check_grader_name, grader_named
from lensing_core.store.tables import LabelEvent

NAMESPACE = UUID("5d6f3f0e-6d0b-5b52-9d59-0d1f2a7c9f31")
_AT_ONCE = 500
_MAX_SOURCE = 64
_NO_GRADER_YET = 1


@dataclass(frozen=True)
class ImportRequest:
    """A file of grades, and how it is to be read.

    Attributes
    ----------
    path : Path
    mapping : CsvMapping or ZooniverseMapping
    source : str
        Name of the source, part of each event; with the row it makes the UUID.
    scheme : Scheme
    catalogs : tuple of str
        Where objects are looked for; empty: all.
    radius_arcsec : float
        Of a match by position.
    skip_bad : bool
        Write the good rows although others are bad; else one bad row keeps all out.
    """

    path: Path
    mapping: CsvMapping | ZooniverseMapping
    source: str
    scheme: Scheme = field(default_factory=lambda: SCHEMES["abcx"])
    catalogs: tuple[str, ...] = ()
    radius_arcsec: float = 1.0
    skip_bad: bool = False

    def __post_init__(self) -> None:
        if not 0 < len(self.source) <= _MAX_SOURCE - len("import:"):
            raise BadInputError(
                f"Source {self.source[:20]!r}: give a name of 1 to {_MAX_SOURCE - 7} letters."
            )
        if not 0 < self.radius_arcsec <= 3600:
            raise BadInputError(f"Radius {self.radius_arcsec} arcsec: give one up to 3600.")


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Attributes
    ----------
    n_rows, n_new, n_known : int
        Rows read; events written; events that were in the log before.
    bad : tuple of BadRow
    written : bool
    """

    n_rows: int
    n_new: int
    n_known: int
    bad: tuple[BadRow, ...]
    written: bool


def import_labels(session: Session, request: ImportRequest) -> ImportReport:
    """Import a file of grades; the caller's transaction commits all of it or nothing.

    Raises
    ------
    BadInputError
        If the file cannot be read or lacks a column.
    NotFoundError
        If there is no catalog of a name.
    """
    rows, bad = read_grades(request.path, request.mapping)
    n_rows = len(rows) + len(bad)
    found = find_candidates(session, rows, request.catalogs, request.radius_arcsec)
    good: list[tuple[GradeRow, NewEvent]] = []
    seen: Counter[str] = Counter()
    names = _Names(session)
    for row, place in zip(rows, found, strict=True):
        if not isinstance(place, int):
            bad.append(BadRow(row.line, place))
            continue
        seen[row.key] += 1
        try:
            names.check(row.grader)
            good.append((row, _event(request, row, place, seen[row.key])))
        except BadInputError as error:
            bad.append(BadRow(row.line, str(error)[0].lower() + str(error)[1:]))
    bad.sort(key=lambda one: one.row)
    if bad and not request.skip_bad:
        return ImportReport(n_rows, 0, 0, tuple(bad), written=False)
    before = session.scalar(select(func.count()).select_from(LabelEvent)) or 0
    graders: dict[str, int] = {}
    events = []
    for row, event in good:
        if row.grader not in graders:
            graders[row.grader] = grader_named(session, row.grader, imported=True).id
        events.append(replace(event, grader_id=graders[row.grader]))
    for first in range(0, len(events), _AT_ONCE):
        append_events(session, events[first : first + _AT_ONCE])
    n_new = (session.scalar(select(func.count()).select_from(LabelEvent)) or 0) - before
    return ImportReport(n_rows, n_new, len(events) - n_new, tuple(bad), written=True)


@dataclass
class _Names:
    """Names of graders in a file: each is checked once, before any grader is made."""

    session: Session
    _faults: dict[str, str] = field(default_factory=dict)
    _kept: set[str] = field(default_factory=set)

    def check(self, name: str) -> None:
        """Raise BadInputError where no grader may have the name."""
        if name not in self._faults:
            try:
                kept = check_grader_name(self.session, name, imported=True, beside=self._kept)
                self._kept.add(kept)
                self._faults[name] = ""
            except BadInputError as error:
                self._faults[name] = str(error)
        if self._faults[name]:
            raise BadInputError(self._faults[name])


def _event(request: ImportRequest, row: GradeRow, candidate_id: int, copy: int) -> NewEvent:
    """The event of a row; its grader is filled in later, so that a bad file makes none."""
    sent = {
        "uuid": str(uuid5(NAMESPACE, f"{request.source}\n{row.key}\n{copy}")),
        "kind": "grade",
        "given_at": row.at or datetime.now(UTC),
        "grade": row.grade,
        "reject_reason": row.reason,
        "comment": row.comment,
    }
    return build_event(
        sent,
        scheme=request.scheme,
        grader_id=_NO_GRADER_YET,
        candidate_id=candidate_id,
        source=f"import:{request.source}",
    )
