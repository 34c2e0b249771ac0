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

from lensing_core.consensus import SCHEMES, Scheme
from lensing_core.errors import BadInputError
from lensing_core.labeling.clock import decide_by_clock
from lensing_core.labeling.finding import find_candidates
from lensing_core.labeling.grade_files import (
    BadRow,
    CsvMapping,
    GradeRow,
    ZooniverseMapping,
    read_grades,
)
from lensing_core.labeling.own_log import is_own_log, read_own_log
from lensing_core.store import Session
from lensing_core.store.batches import in_batches
from lensing_core.store.consensus import schemes_in_use
from lensing_core.store.label_events import NewEvent, build_event
from lensing_core.store.labels import (
    append_events,
    check_grader_name,
    count_events,
    grader_named,
)

NAMESPACE = UUID("5d6f3f0e-6d0b-5b52-9d59-0d1f2a7c9f31")
_AT_ONCE = 500
_MAX_SOURCE = 64
_NO_GRADER_YET = 1


@dataclass(frozen=True)
class GradeImportRequest:
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
class GradeImportReport:
    """Result of an import.

    Attributes
    ----------
    n_rows, n_new, n_known : int
        Rows read; events written; events that were in the log before.
    bad : tuple of BadRow
    written : bool
    notes : tuple of str
        What was left aside, decided or read in another spelling, one sentence each.
    """

    n_rows: int
    n_new: int
    n_known: int
    bad: tuple[BadRow, ...]
    written: bool
    notes: tuple[str, ...] = ()


@dataclass
class _Found:
    """Events of a file with their graders' names, before anything is written."""

    events: list[tuple[str, NewEvent]]
    bad: list[BadRow]
    n_rows: int
    notes: list[str] = field(default_factory=list)


def import_labels(session: Session, request: GradeImportRequest) -> GradeImportReport:
    """Import a file of grades; the caller's transaction commits all of it or nothing.

    A log that this program exported is told by its columns and comes back event by event, whatever
    the mapping.

    Raises
    ------
    BadInputError
        If the file cannot be read, lacks a column, or leaves open which question is meant.
    NotFoundError
        If there is no catalog of a name.
    """
    own = is_own_log(request.path)
    graded = _own_events(session, request) if own else _graded(session, request)
    bad = tuple(sorted(graded.bad, key=lambda one: one.row))
    if bad and not request.skip_bad:
        return GradeImportReport(graded.n_rows, 0, 0, bad, written=False, notes=tuple(graded.notes))
    before = count_events(session)
    graders: dict[str, int] = {}
    events = []
    for name, event in graded.events:
        if name not in graders:
            graders[name] = grader_named(session, name, imported=True).id
        events.append(replace(event, grader_id=graders[name]))
    for part in in_batches(events, _AT_ONCE):
        append_events(session, part)
    n_new = count_events(session) - before
    n_known = len(events) - n_new
    return GradeImportReport(
        graded.n_rows, n_new, n_known, bad, written=True, notes=tuple(graded.notes)
    )


def _graded(session: Session, request: GradeImportRequest) -> _Found:
    """Events of a table of grades or a Zooniverse export, in order of time."""
    read = read_grades(request.path, request.mapping, request.scheme)
    bad = read.bad
    n_rows = len(read.rows) + len(bad) + read.n_ungraded
    places = find_candidates(session, read.rows, request.catalogs, request.radius_arcsec)
    good: list[tuple[GradeRow, NewEvent]] = []
    seen: Counter[str] = Counter()
    names = _Names(session)
    for row, place in zip(read.rows, places, strict=True):
        if not isinstance(place, int):
            bad.append(BadRow(row.line, place))
            continue
        seen[row.key] += 1
        try:
            names.check(row.grader)
            good.append((row, _event(request, row, place, seen[row.key])))
        except BadInputError as error:
            bad.append(BadRow(row.line, _clause(error)))
    decided = decide_by_clock(good)
    bad += decided.bad
    events = [(row.grader, event) for row, event in decided.rows]
    notes = read.notes + decided.notes
    if read.n_ungraded:
        notes.append(f"{read.n_ungraded:,} rows hold no grade.")
    return _Found(events, bad, n_rows, notes)


def _own_events(session: Session, request: GradeImportRequest) -> _Found:
    """Events of an exported log, in its order."""
    rows, bad = read_own_log(request.path, request.source, schemes_in_use(session))
    n_rows = len(rows) + len(bad)
    places = find_candidates(
        session, [row.place for row in rows], request.catalogs, request.radius_arcsec
    )
    names, events = _Names(session), []
    for row, place in zip(rows, places, strict=True):
        try:
            if not isinstance(place, int):
                raise BadInputError(place)
            names.check(row.place.grader)
            events.append((row.place.grader, replace(row.event, candidate_id=place)))
        except BadInputError as error:
            bad.append(BadRow(row.place.line, _clause(error)))
    return _Found(events, bad, n_rows, ["The file was read as an exported log of labels."])


def _clause(error: BadInputError) -> str:
    return str(error)[0].lower() + str(error)[1:]


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


def _event(request: GradeImportRequest, row: GradeRow, candidate_id: int, copy: int) -> NewEvent:
    """The event of a row; its grader is filled in later, so that a bad file makes none."""
    sent = {
        "uuid": str(uuid5(NAMESPACE, f"{request.source}\n{row.key}\n{copy}")),
        "kind": "grade",
        "given_at": row.at or datetime.now(UTC),
        "grade": row.grade,
        "reject_reason": row.reason,
        "comment": row.comment,
        "view": {} if row.at is None else {"order": "clock"},
    }
    return build_event(
        sent,
        scheme=request.scheme,
        grader_id=_NO_GRADER_YET,
        candidate_id=candidate_id,
        source=f"import:{request.source}",
    )
