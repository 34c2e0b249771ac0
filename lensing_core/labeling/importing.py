"""Grades from elsewhere: CSV tables with named columns, and Zooniverse classification exports.

A file is read and resolved as a whole before anything is written. Each event's UUID follows from
the source and the row (UUID version 5), so that a file that is imported again, or has grown, adds
what is new and nothing twice.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import numpy as np
from scipy.spatial import cKDTree
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lensing_core.consensus import REJECT_REASONS, SCHEMES, Scheme
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.tables import Candidate, Catalog, Grader, LabelEvent

NAMESPACE = UUID("5d6f3f0e-6d0b-5b52-9d59-0d1f2a7c9f31")
_AT_ONCE = 500
_MAX_SOURCE = 64
csv.field_size_limit(10_000_000)  # subject data of Zooniverse may be long


@dataclass(frozen=True)
class CsvMapping:
    """Which column of a CSV table holds what; '' where there is none.

    Attributes
    ----------
    object_id, ra_deg, dec_deg : str
        The object by its name, else by its position (ICRS, degrees).
    grade, grader, reject_reason, comment, at : str
        ``at``: ISO 8601; without an offset it is UTC.
    grader_name : str
        Who graded all rows, where no column says it.
    """

    object_id: str = "object_id"
    ra_deg: str = ""
    dec_deg: str = ""
    grade: str = "grade"
    grader: str = "grader"
    grader_name: str = ""
    reject_reason: str = ""
    comment: str = ""
    at: str = ""


@dataclass(frozen=True)
class ZooniverseMapping:
    """What a classification export means.

    Attributes
    ----------
    task : str
        Key of the task whose answer is the grade, e.g. ``T0``.
    answers : mapping of str to str
        From the answer's text to the key of a grade.
    subject_key : str
        Field of the subject's metadata that holds the object's name.
    """

    answers: Mapping[str, str]
    task: str = "T0"
    subject_key: str = "object_id"


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
class BadRow:
    """A row that cannot be imported; ``row`` is its line in the file, the header's being 1."""

    row: int
    message: str


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


@dataclass(frozen=True)
class _Row:
    """One grade as the file has it."""

    line: int
    name: str
    ra_deg: float | None
    dec_deg: float | None
    grade: str
    grader: str
    reason: str
    comment: str
    at: datetime | None
    key: str


class _Bad(Exception):
    """What is wrong with a row."""


def import_labels(session: Session, request: ImportRequest) -> ImportReport:
    """Import a file of grades; the caller's transaction commits all of it or nothing.

    Raises
    ------
    BadInputError
        If the file cannot be read or lacks a column.
    NotFoundError
        If there is no catalog of a name.
    """
    rows, bad = _read(request)
    n_rows = len(rows) + len(bad)
    found = _resolve(session, request, rows)
    good: list[tuple[_Row, int]] = []
    for row, place in zip(rows, found, strict=True):
        if isinstance(place, int):
            good.append((row, place))
        else:
            bad.append(BadRow(row.line, place))
    bad.sort(key=lambda one: one.row)
    if bad and not request.skip_bad:
        return ImportReport(n_rows, 0, 0, tuple(bad), written=False)
    before = session.scalar(select(func.count()).select_from(LabelEvent)) or 0
    graders: dict[str, int] = {}
    seen: Counter[str] = Counter()
    events = []
    for row, candidate_id in good:
        if row.grader not in graders:
            graders[row.grader] = grader_named(session, row.grader).id
        seen[row.key] += 1
        uuid = uuid5(NAMESPACE, f"{request.source}\n{row.key}\n{seen[row.key]}")
        events.append(_event(request, row, candidate_id, graders[row.grader], str(uuid)))
    for first in range(0, len(events), _AT_ONCE):
        append_events(session, events[first : first + _AT_ONCE])
    n_new = (session.scalar(select(func.count()).select_from(LabelEvent)) or 0) - before
    return ImportReport(n_rows, n_new, len(events) - n_new, tuple(bad), written=True)


def _event(
    request: ImportRequest, row: _Row, candidate_id: int, grader_id: int, uuid: str
) -> NewEvent:
    grade = request.scheme.grade(row.grade)
    return NewEvent(
        uuid=uuid,
        kind="grade",
        grader_id=grader_id,
        candidate_id=candidate_id,
        scheme=request.scheme.name,
        given_at=row.at or datetime.now(UTC),
        grade=grade.key,
        is_lens=grade.is_lens,
        p_lens=grade.p_lens,
        reject_reason=row.reason or None,
        comment=row.comment,
        source=f"import:{request.source}",
    )


# -- reading -------------------------------------------------------------------------------------


def _read(request: ImportRequest) -> tuple[list[_Row], list[BadRow]]:
    rows: list[_Row] = []
    bad: list[BadRow] = []
    for line, cells in _cells(request):
        try:
            if isinstance(request.mapping, CsvMapping):
                row = _from_csv(line, cells, request.mapping)
            else:
                row = _from_zooniverse(line, cells, request.mapping)
            _check(row, request.scheme)
            rows.append(row)
        except _Bad as error:
            bad.append(BadRow(line, str(error)))
    return rows, bad


def _cells(request: ImportRequest) -> Iterator[tuple[int, dict[str, str]]]:
    """Lines of the file with their cells by column; checks that the columns are there."""
    mapping, path = request.mapping, request.path
    if isinstance(mapping, CsvMapping):
        by_name = [mapping.object_id] if mapping.object_id else [mapping.ra_deg, mapping.dec_deg]
        optional = (mapping.reject_reason, mapping.comment, mapping.at)
        who = [] if mapping.grader_name else [mapping.grader]
        wanted = [*by_name, mapping.grade, *who, *(name for name in optional if name)]
    else:
        wanted = ["classification_id", "user_name", "created_at", "annotations", "subject_data"]
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            there = reader.fieldnames or []
            missing = [name or "(none named)" for name in wanted if name not in there]
            if missing:
                raise BadInputError(
                    f"{path.name} has no column {', '.join(missing)}; it has "
                    f"{', '.join(there) or 'none'}. Name the columns."
                )
            for cells in reader:
                yield reader.line_num, {k: (v or "") for k, v in cells.items() if k is not None}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInputError(f"{path} cannot be read as CSV: {error}.") from error


def _from_csv(line: int, cells: Mapping[str, str], mapping: CsvMapping) -> _Row:
    def cell(name: str) -> str:
        return cells.get(name, "").strip() if name else ""

    name = cell(mapping.object_id)
    ra, dec = _number(cell(mapping.ra_deg), "ra"), _number(cell(mapping.dec_deg), "dec")
    if not name and (ra is None or dec is None):
        raise _Bad("neither a name nor a position says which object it is.")
    if dec is not None and not -90 <= dec <= 90:
        raise _Bad(f"declination {dec:g} deg lies outside -90 to 90.")
    grader = mapping.grader_name or cell(mapping.grader)
    parts = [name, cell(mapping.ra_deg), cell(mapping.dec_deg), cell(mapping.grade), grader]
    parts += [cell(mapping.reject_reason), cell(mapping.comment), cell(mapping.at)]
    return _Row(
        line,
        name,
        ra,
        dec,
        cell(mapping.grade),
        " ".join(grader.split()),
        cell(mapping.reject_reason),
        cell(mapping.comment),
        _moment(cell(mapping.at)),
        json.dumps(parts),
    )


def _from_zooniverse(line: int, cells: Mapping[str, str], mapping: ZooniverseMapping) -> _Row:
    annotations = _json(cells["annotations"], "annotations", list)
    answers = [a.get("value") for a in annotations if a.get("task") == mapping.task]
    if not answers:
        raise _Bad(f"task {mapping.task} was not answered.")
    value = answers[-1]
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    if str(value) not in mapping.answers:
        raise _Bad(f"answer {value!r} stands for no grade; say which.")
    subjects = _json(cells["subject_data"], "subject_data", dict)
    names = [
        str(data[mapping.subject_key])
        for data in subjects.values()
        if isinstance(data, dict) and data.get(mapping.subject_key) not in (None, "")
    ]
    if len(names) != 1:
        raise _Bad(f"subject_data holds {len(names)} objects with {mapping.subject_key!r}.")
    return _Row(
        line,
        names[0].strip(),
        None,
        None,
        mapping.answers[str(value)],
        " ".join(cells["user_name"].split()),
        "",
        "",
        _moment(cells["created_at"].strip().removesuffix(" UTC")),
        f"{cells['classification_id'].strip()}:{mapping.task}",
    )


def _json(text: str, name: str, kind: type) -> Any:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = None
    parts = value if isinstance(value, list) else []
    if not isinstance(value, kind) or not all(isinstance(part, dict) for part in parts):
        raise _Bad(f"{name} is not the JSON of a Zooniverse export.")
    return value


def _number(text: str, name: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise _Bad(f"{name} {text!r} is no number of degrees.")
    return value


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _Bad(f"time {text!r} is not ISO 8601.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _check(row: _Row, scheme: Scheme) -> None:
    if not 0 < len(row.grader) <= Grader.name.type.length:
        raise _Bad("no grader is named.")
    try:
        scheme.grade(row.grade)
    except BadInputError as error:
        raise _Bad(str(error)[0].lower() + str(error)[1:]) from None
    if row.reason and row.reason not in REJECT_REASONS:
        reasons = ", ".join(REJECT_REASONS)
        raise _Bad(f"reject reason {row.reason!r} is unknown; give one of {reasons}.")
    if len(row.comment) > 4000:
        raise _Bad("the comment has over 4000 letters.")


# -- which candidate it is -----------------------------------------------------------------------


def _resolve(session: Session, request: ImportRequest, rows: Sequence[_Row]) -> list[int | str]:
    """The candidate of each row, or what is wrong."""
    catalogs = _catalogs(session, request.catalogs)
    named = sorted({row.name for row in rows if row.name})
    by_name: dict[str, list[int]] = {}
    for first in range(0, len(named), _AT_ONCE):
        statement = select(Candidate.object_id, Candidate.id).where(
            Candidate.object_id.in_(named[first : first + _AT_ONCE]),
            Candidate.catalog_id.in_(catalogs),
        )
        for name, key in session.execute(statement):
            by_name.setdefault(name, []).append(key)
    found: list[int | str] = []
    for row in rows:
        keys = by_name.get(row.name, [])
        if not row.name:
            found.append("")
        elif len(keys) == 1:
            found.append(keys[0])
        elif keys:
            found.append(f"{len(keys)} catalogs have an object {row.name!r}; name one catalog.")
        else:
            found.append(f"no candidate is called {row.name!r}.")
    unnamed = [k for k, row in enumerate(rows) if not row.name]
    if unnamed:
        near = _by_position(session, catalogs, [rows[k] for k in unnamed], request.radius_arcsec)
        for k, place in zip(unnamed, near, strict=True):
            found[k] = place
    return found


def _catalogs(session: Session, names: Sequence[str]) -> list[int]:
    if not names:
        return list(session.scalars(select(Catalog.id)))
    there = {c.name: c.id for c in session.scalars(select(Catalog).where(Catalog.name.in_(names)))}
    if missing := [name for name in names if name not in there]:
        raise NotFoundError(f"There is no catalog {missing[0]}.")
    return list(there.values())


def _by_position(
    session: Session, catalogs: Sequence[int], rows: Sequence[_Row], radius_arcsec: float
) -> list[int | str]:
    """The nearest candidate within the radius."""
    known = np.array(
        [
            (key, ra_deg, dec_deg)
            for key, ra_deg, dec_deg in session.execute(
                select(Candidate.id, Candidate.ra_deg, Candidate.dec_deg).where(
                    Candidate.catalog_id.in_(catalogs), Candidate.ra_deg.is_not(None)
                )
            )
        ],
        dtype=np.float64,
    ).reshape(-1, 3)
    asked = [(row.ra_deg or 0.0, row.dec_deg or 0.0) for row in rows]  # both are there: _from_csv
    sky = np.array(asked)
    chord = 2 * np.sin(np.radians(radius_arcsec / 3600) / 2)
    if not len(known):
        return [f"no candidate lies within {radius_arcsec:g} arcsec." for _ in rows]
    distance, nearest = cKDTree(_unit(known[:, 1], known[:, 2])).query(_unit(*sky.T))
    return [
        int(known[k, 0])
        if d <= chord
        else f"no candidate lies within {radius_arcsec:g} arcsec of {a:.5f}, {b:+.5f} deg."
        for d, k, (a, b) in zip(distance, nearest, asked, strict=True)
    ]


def _unit(ra_deg: Any, dec_deg: Any) -> Any:
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)
