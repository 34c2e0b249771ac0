"""The exported log of labels, read again: the same events under the same UUIDs.

CSV, ECSV and JSON lines of :mod:`lensing_core.labeling.exporting` come back whole: grades, skips,
flags and undos, with their times. In the workspace that they came from all of them are known, and
nothing is written. Sessions stay behind: an event from elsewhere belongs to none.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lensing_core.consensus import Scheme
from lensing_core.errors import BadInputError
from lensing_core.labeling.grade_rows import BadRow, GradeRow, RowFault, one_name
from lensing_core.spreadsheets import unguarded
from lensing_core.store.label_events import NewEvent

_MARKS = ("uuid", "kind", "undoes", "previous_hash", "hash")
_FLAGS = ("is_repeat", "is_gold")
_JSON = ("view", "visible")


@dataclass(frozen=True)
class LogRow:
    """An event of the file: where it belongs, and the event without grader and candidate."""

    place: GradeRow
    event: NewEvent


def is_own_log(path: Path) -> bool:
    """Return whether a file is a log of labels that this program exported."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as stream:
            for line in stream:
                if line.startswith("#"):
                    continue
                return all(f'"{name}"' in line for name in _MARKS) or (
                    set(_MARKS) <= set(line.replace(",", " ").split())
                )
    except OSError:
        return False
    return False


def read_own_log(
    path: Path, source: str, schemes: Mapping[str, Scheme]
) -> tuple[list[LogRow], list[BadRow]]:
    """Read the events of an exported log, in its order.

    Parameters
    ----------
    source : str
        Name of the import; each event keeps its own source behind it.
    schemes : mapping
        Grading schemes of this workspace; an event of another one is bad.

    Raises
    ------
    BadInputError
        If the file cannot be read.
    """
    rows: list[LogRow] = []
    bad: list[BadRow] = []
    for line, fields in _lines(path):
        try:
            rows.append(_row(line, fields, source, schemes))
        except RowFault as fault:
            bad.append(BadRow(line, str(fault)))
        except BadInputError as error:
            bad.append(BadRow(line, str(error)[0].lower() + str(error)[1:]))
    return rows, bad


def _row(
    line: int, fields: Mapping[str, Any], source: str, schemes: Mapping[str, Scheme]
) -> LogRow:
    scheme = str(fields["scheme"])
    if scheme not in schemes:
        raise RowFault(
            f"scheme {scheme!r} is not one of this workspace, which has {', '.join(schemes)}."
        )
    grade = fields["grade"]
    place = GradeRow(
        line,
        str(fields["object_id"]),
        None,
        None,
        str(grade or ""),
        one_name(fields["grader"]),
        "",
        "",
        None,
        str(fields["uuid"]),
        line,
        str(fields["catalog"]),
    )
    meaning = None if grade is None else schemes[scheme].grade(str(grade))
    event = NewEvent(
        uuid=str(fields["uuid"]),
        kind=fields["kind"],
        grader_id=1,
        candidate_id=1,
        scheme=scheme,
        given_at=fields["given_at"],
        grade=None if meaning is None else meaning.key,
        is_lens=None if meaning is None else meaning.is_lens,
        p_lens=None if meaning is None else meaning.p_lens,
        reject_reason=fields["reject_reason"],
        comment=str(fields["comment"] or ""),
        undoes=fields["undoes"],
        is_repeat=fields["is_repeat"],
        is_gold=fields["is_gold"],
        source=f"import:{source}",
        shown_ms=fields["shown_ms"],
        view={**fields["view"], "order": "clock"},
        visible=fields["visible"],
    ).canonical()
    return LogRow(place, event)


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line and the fields of each event, of the types that the database has."""
    try:
        if _first_letter(path) == "{":
            yield from _json_lines(path)
        elif _first_letter(path) == "#":
            yield from _table_lines(path)
        else:
            with path.open(newline="", encoding="utf-8-sig") as stream:
                reader = csv.DictReader(stream)
                for cells in reader:
                    yield reader.line_num, _typed({k: v or "" for k, v in cells.items() if k})
    except (OSError, UnicodeDecodeError, ValueError, KeyError, csv.Error) as error:
        raise BadInputError(f"{path.name} cannot be read as a log of labels: {error}.") from error


def _first_letter(path: Path) -> str:
    with path.open(encoding="utf-8-sig") as stream:
        return stream.read(1)


def _json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8") as stream:
        for line, text in enumerate(stream, start=1):
            if text.strip():
                yield line, json.loads(text)


def _table_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    from astropy.table import Table  # here: other forms need none of it

    table = Table.read(path, format="ascii.ecsv")
    for line, row in enumerate(table, start=1):
        values = ((name, row[name]) for name in table.colnames)
        cells = {name: "" if value is np.ma.masked else str(value) for name, value in values}
        for name in ("is_lens", "shown_ms"):
            cells[name] = "" if cells[name] == "-1" else cells[name]
        yield line, _typed(cells)


def _typed(cells: Mapping[str, str]) -> dict[str, Any]:
    """Return fields from cells of text."""
    fields: dict[str, Any] = {name: unguarded(text) for name, text in cells.items()}
    for name in ("grade", "reject_reason", "undoes"):
        fields[name] = fields[name] or None
    fields["shown_ms"] = int(fields["shown_ms"]) if fields["shown_ms"] else None
    for name in _FLAGS:
        fields[name] = int(fields[name] in ("1", "True", "true"))
    for name in _JSON:
        fields[name] = json.loads(fields[name] or "{}")
    return fields
