"""Grades from CSV tables: by columns that the user names, those of known tools, or none at all."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from lensing_core.consensus import Scheme
from lensing_core.errors import BadInputError
from lensing_core.labeling.csv_mapping import CsvMapping, Layout
from lensing_core.labeling.csv_meanings import Meanings, whole_number
from lensing_core.labeling.grade_rows import (
    BadRow,
    GradeRow,
    GradesRead,
    RowFault,
    check_position,
    degrees,
    moment,
    one_name,
)
from lensing_core.labeling.peer_tools import PeerTool, recognize
from lensing_core.spreadsheets import unguarded

_ROLES = ("object_id", "ra_deg", "dec_deg", "grade", "grader", "reject_reason", "comment", "at")
_LINE = ("object_id", "grade", "subclass", "comment")
"""Columns of lines without a header, as Visualization-tool writes them."""


def read_csv(path: Path, mapping: CsvMapping, scheme: Scheme) -> GradesRead:
    """Read a table of grades; what a grade may be is checked where events are built.

    Raises
    ------
    BadInputError
        If the file cannot be read or lacks a column.
    """
    lines = csv_lines(path)
    _, first = next(lines, (0, []))
    layout = find_layout(path.name, first, mapping, scheme)
    read, meanings = GradesRead(), Meanings(mapping, layout, scheme)
    if layout.tool:
        read.notes.append(f"The file was read as one of {layout.tool.title}.")
    elif not layout.has_header:
        read.notes.append(
            "The first line is data: column 1 was read as the object id, column 2 as the grade."
            if mapping.object_id == CsvMapping.object_id
            else "The first line was read as data."
        )
    unopened = _unopened_pages(path, layout) if layout.tool and layout.tool.pages else frozenset()
    if not layout.has_header:
        lines = _chained((1, first), lines)
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        try:
            row = _row(line, cells, mapping, layout, meanings, unopened)
        except RowFault as fault:
            read.bad.append(BadRow(line, str(fault)))
            continue
        if row is None:
            read.n_ungraded += 1
        else:
            read.rows.append(row)
    read.notes += meanings.notes()
    if unopened:
        read.notes.append(
            f"{len(unopened):,} pages were never opened; their cutouts have no grade."
        )
    return read


def csv_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each line; cells are parted by comma, semicolon or tab.

    Raises
    ------
    BadInputError
        If the file is no text in UTF-8.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            begin = stream.readline()
            delimiter = max(",;\t", key=begin.count) if begin else ","
            stream.seek(0)
            reader = csv.reader(stream, delimiter=delimiter)
            for cells in reader:
                yield reader.line_num, cells
    except UnicodeDecodeError as error:
        raise BadInputError(
            f"{path.name} is not text in UTF-8 (byte {error.start}): save it as CSV in UTF-8."
        ) from error
    except (OSError, csv.Error) as error:
        raise BadInputError(f"{path} cannot be read as CSV: {error}.") from error


def find_layout(file: str, first: Sequence[str], mapping: CsvMapping, scheme: Scheme) -> Layout:
    """Return the columns of the roles: as named, else those of a known tool, else by number.

    Raises
    ------
    BadInputError
        If a column is missing, or stands twice in the header.
    """
    header = [name.strip() for name in first]
    tool = recognize(header) if mapping.header is not False else None
    named = _names(mapping, tool, header)
    if mapping.header is False or (
        mapping.header is None
        and not set(named.values()) & set(header)
        and _is_data(first, mapping, scheme)
    ):
        return _without_header(file, first, mapping)
    missing = [name or "(none named)" for name in named.values() if name not in header]
    if missing:
        raise BadInputError(
            f"{file} has no column {', '.join(missing)}; it has "
            f"{', '.join(header) or 'none'}. Name the columns."
        )
    for name in named.values():
        if header.count(name) > 1:
            raise BadInputError(
                f"{file} has {header.count(name)} columns {name!r}; rename all but one."
            )
    place = {role: header.index(name) for role, name in named.items()}
    if tool:
        more = {
            "subclass": tool.reason,
            "graded": tool.graded,
            "comment": tool.comment,
            "page": tool.pages,
            "time": "time" if tool.pages else "",
        }
        place = {r: header.index(n) for r, n in more.items() if n and n in header} | place
    return Layout(place, len(header), True, tool)


def _names(mapping: CsvMapping, tool: PeerTool | None, header: Sequence[str]) -> dict[str, str]:
    """Return the column of each role that must be there."""
    named = {role: str(getattr(mapping, role)) for role in _ROLES}
    if mapping.grader_name:
        named["grader"] = ""
    if tool is not None:
        for role, own in (("object_id", tool.object_id), ("grade", tool.grade)):
            if (
                named[role] not in header
                and named[role] == getattr(CsvMapping, role)
                and (own or "" in tool.marks)
            ):
                named[role] = own
    index = tool is not None and "" in tool.marks and named["object_id"] == ""
    needed = ["grade"] if named["object_id"] or index else ["ra_deg", "dec_deg", "grade"]
    if not mapping.grader_name:
        needed.append("grader")
    kept = {role: name for role, name in named.items() if name or role in needed}
    if index:
        kept["object_id"] = ""
    return kept


def _is_data(first: Sequence[str], mapping: CsvMapping, scheme: Scheme) -> bool:
    """Return whether the first line is one of data: its second cell is a grade."""
    if len(first) < 2 or mapping.object_id != CsvMapping.object_id:
        return False
    if mapping.grade != CsvMapping.grade:
        return False
    layout = Layout({}, 0, has_header=False)
    try:
        return not Meanings(mapping, layout, scheme).is_unknown(first[1].strip())
    except RowFault:
        return False


def _without_header(file: str, first: Sequence[str], mapping: CsvMapping) -> Layout:
    place = {role: k for k, role in enumerate(_LINE) if k < len(first)}
    if len(first) < len(_LINE):
        place = {role: k for role, k in place.items() if role in ("object_id", "grade")}
    for role in _ROLES:
        name = getattr(mapping, role)
        if not name or name == getattr(CsvMapping, role):
            continue
        if not name.isdecimal() or not 1 <= int(name) <= len(first):
            raise BadInputError(
                f"{file} has no header: give {role} as the number of a column, 1 to {len(first)}, "
                f"not {name!r}."
            )
        place[role] = int(name) - 1
    if not mapping.object_id:
        place.pop("object_id", None)
    if "grader" not in place and not mapping.grader_name:
        raise BadInputError(
            f"{file} has no header and no column of graders: say who graded all rows."
        )
    if "grade" not in place:
        raise BadInputError(f"{file} has one column: there are no grades.")
    return Layout(place, 0, has_header=False)


def _row(
    line: int,
    cells: Sequence[str],
    mapping: CsvMapping,
    layout: Layout,
    meanings: Meanings,
    unopened: frozenset[str],
) -> GradeRow | None:
    """Return the grade of a line, or None where nobody has graded the object."""
    if layout.n_columns and len(cells) > layout.n_columns:
        raise RowFault(f"it has {len(cells)} cells, the header {layout.n_columns}.")

    def cell(role: str) -> str:
        k = layout.place.get(role)
        if k is None or k >= len(cells):
            return ""
        text = cells[k] if role != "comment" or layout.has_header else ",".join(cells[k:])
        return text.strip()

    tool = layout.tool
    if tool and tool.graded and cell("graded").casefold() in ("false", "0", ""):
        return None
    name = cell("object_id")
    ra, dec = degrees(cell("ra_deg"), "ra"), degrees(cell("dec_deg"), "dec")
    if not name and (ra is None or dec is None):
        raise RowFault("neither a name nor a position says which object it is.")
    check_position(ra, dec)
    if tool and tool.pages and _page(cells, layout) in unopened:
        return None
    grade = meanings.grade(unguarded(cell("grade")))
    if not grade:
        return None
    grader = mapping.grader_name or unguarded(cell("grader"))
    told = [name, cell("ra_deg"), cell("dec_deg"), cell("grade"), grader]
    told += [cell("reject_reason"), cell("comment"), cell("at")]
    return GradeRow(
        line,
        name,
        None if name else ra,
        None if name else dec,
        grade,
        one_name(grader),
        unguarded(cell("reject_reason")) or _reason(cell("subclass"), grade, layout, meanings),
        unguarded(cell("comment")) if _is_remark(cell("comment"), tool) else "",
        moment(cell("at")),
        json.dumps(told),
        line,
    )


def _is_remark(text: str, tool: PeerTool | None) -> bool:
    return tool is None or text not in tool.ungraded


def _reason(word: str, grade: str, layout: Layout, meanings: Meanings) -> str:
    """Return the reject reason of a subclass, where the grade says that there is no lens."""
    if layout.tool is None or not word:
        return ""
    return layout.tool.reasons.get(word.casefold(), "") if meanings.rejects(grade) else ""


def _unopened_pages(path: Path, layout: Layout) -> frozenset[str]:
    """Pages of a mosaic without a time or a mark, if the file has times at all."""
    if not {"page", "time", "grade"} <= layout.place.keys():
        return frozenset()
    all_pages, opened = set(), set()
    lines = csv_lines(path)
    next(lines, None)
    for _, cells in lines:
        page = _page(cells, layout)
        all_pages.add(page)
        values = (
            cells[layout.place[role]].strip()
            for role in ("time", "grade")
            if layout.place[role] < len(cells)
        )
        if any(whole_number(value) not in ("", "0") for value in values):
            opened.add(page)
    return frozenset(all_pages - opened) if opened else frozenset()


def _page(cells: Sequence[str], layout: Layout) -> str:
    k = layout.place.get("page", -1)
    return cells[k].strip() if 0 <= k < len(cells) else ""


def _chained(
    first: tuple[int, list[str]], rest: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, list[str]]]:
    yield first
    yield from rest
