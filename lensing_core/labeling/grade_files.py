"""Files of grades: CSV tables with named columns, and Zooniverse classification exports."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from lensing_core.errors import BadInputError
from lensing_core.store.tables import Grader

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
class BadRow:
    """A row that cannot be imported; ``row`` is its line in the file, the header's being 1."""

    row: int
    message: str


@dataclass(frozen=True)
class GradeRow:
    """One grade as the file has it.

    Attributes
    ----------
    line : int
        Of the file, the header's being 1.
    name : str
        Of the object; '' where it is known by its position.
    ra_deg, dec_deg : float or None
    grade, grader, reason, comment : str
    at : datetime or None
    key : str
        What tells the row from others of its source.
    """

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


def read_grades(
    path: Path, mapping: CsvMapping | ZooniverseMapping
) -> tuple[list[GradeRow], list[BadRow]]:
    """Read a whole file; rows that cannot be read come with what is wrong with them.

    What a grade, a reason or a comment may be is checked where the event is built
    (:func:`lensing_core.store.label_events.build_event`).

    Raises
    ------
    BadInputError
        If the file cannot be read or lacks a column.
    """
    rows: list[GradeRow] = []
    bad: list[BadRow] = []
    for line, cells in _cells(path, mapping):
        try:
            if isinstance(mapping, CsvMapping):
                row = _from_csv(line, cells, mapping)
            else:
                row = _from_zooniverse(line, cells, mapping)
            _check(row)
            rows.append(row)
        except _Bad as error:
            bad.append(BadRow(line, str(error)))
    return rows, bad


def _cells(
    path: Path, mapping: CsvMapping | ZooniverseMapping
) -> Iterator[tuple[int, dict[str, str]]]:
    """Lines of the file with their cells by column; checks that the columns are there."""
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


def _from_csv(line: int, cells: Mapping[str, str], mapping: CsvMapping) -> GradeRow:
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
    return GradeRow(
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


def _from_zooniverse(line: int, cells: Mapping[str, str], mapping: ZooniverseMapping) -> GradeRow:
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
    return GradeRow(
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
    except (ValueError, RecursionError):
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


def _check(row: GradeRow) -> None:
    if not 0 < len(row.grader) <= Grader.name.type.length:
        raise _Bad("no grader is named.")
