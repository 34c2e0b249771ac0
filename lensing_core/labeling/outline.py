"""Outline of a file of grades before its import: form, columns, values by count."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from lensing_core.consensus import Scheme
from lensing_core.errors import BadInputError
from lensing_core.labeling.csv_files import csv_lines, find_layout
from lensing_core.labeling.csv_mapping import CsvMapping
from lensing_core.labeling.csv_meanings import Meanings
from lensing_core.labeling.grade_rows import RowFault
from lensing_core.labeling.own_log import is_own_log
from lensing_core.labeling.peer_tools import recognize
from lensing_core.labeling.zooniverse_outline import (
    WorkflowOutline,
    classifications,
    is_export,
    outline_zooniverse,
    plain_key,
    subjects_of,
)
from lensing_core.spreadsheets import unguarded

MOST_VALUES = 40
_SUBJECTS_LOOKED_AT = 100


@dataclass(frozen=True)
class GradesOutline:
    """Contents of a file.

    Attributes
    ----------
    kind : {'log', 'zooniverse', 'csv'}
    title : str
        One sentence for people.
    columns : tuple of str
        Of a table, or fields of a Zooniverse subject; numbers where there is no header.
    mapping : CsvMapping
        As the file's form suggests it.
    workflows : tuple of WorkflowOutline
    """

    kind: Literal["log", "zooniverse", "csv"]
    title: str
    columns: tuple[str, ...] = ()
    mapping: CsvMapping = field(default_factory=CsvMapping)
    workflows: tuple[WorkflowOutline, ...] = ()


def outline_grades(path: Path, scheme: Scheme) -> GradesOutline:
    """Return what a file is, and how it would be read.

    Raises
    ------
    BadInputError
        If it cannot be read as a table.
    """
    if is_own_log(path):
        return GradesOutline("log", "A log of labels that this program exported.")
    if is_export(path):
        workflows = tuple(outline_zooniverse(path))
        n = sum(one.n for one in workflows)
        title = f"A Zooniverse export: {n:,} classifications of {len(workflows):,} workflows."
        return GradesOutline("zooniverse", title, _subject_fields(path), workflows=workflows)
    _, first = next(csv_lines(path), (0, []))
    header = tuple(name.strip() for name in first)
    tool = recognize(header)
    mapping = CsvMapping(grader_name="" if "grader" in header else "somebody")
    if tool:
        mapping = replace(mapping, object_id=tool.object_id, grade=tool.grade)
        return GradesOutline("csv", f"A file of {tool.title}.", header, mapping)
    try:
        layout = find_layout(path.name, first, mapping, scheme)
    except BadInputError:
        return GradesOutline("csv", f"A table of {len(header)} columns.", header, mapping)
    if layout.has_header:
        return GradesOutline("csv", f"A table of {len(header)} columns.", header, mapping)
    numbers = tuple(str(k + 1) for k in range(len(header)))
    mapping = replace(mapping, object_id="1", grade="2", header=False)
    return GradesOutline("csv", "Lines without a header.", numbers, mapping)


def values_of(path: Path, mapping: CsvMapping, scheme: Scheme) -> dict[str, tuple[int, str | None]]:
    """Return, by value of the grade column, how often it stands there and what it would be read as.

    '' for a sign that there is no grade; None for a value that means nothing in the scheme.

    Raises
    ------
    BadInputError
        If a column is missing.
    """
    lines = csv_lines(path)
    _, first = next(lines, (0, []))
    layout = find_layout(path.name, first, mapping, scheme)
    place, counts = layout.place["grade"], Counter[str]()
    if not layout.has_header and place < len(first):
        counts[unguarded(first[place].strip())] += 1
    for _, cells in lines:
        if place < len(cells):
            counts[unguarded(cells[place].strip())] += 1
    meanings = Meanings(mapping, layout, scheme)
    values: dict[str, tuple[int, str | None]] = {}
    for value, n in counts.most_common(MOST_VALUES):
        try:
            grade = meanings.grade(value)
            known = not grade or _is_grade(scheme, grade)
        except RowFault:
            known = False
        values[value] = n, grade if known else None
    return values


def _is_grade(scheme: Scheme, key: str) -> bool:
    try:
        scheme.grade(key)
    except BadInputError:
        return False
    return True


def _subject_fields(path: Path) -> tuple[str, ...]:
    """Fields of the metadata of the first subjects, ``object_id`` first."""
    fields: dict[str, None] = {}
    for k, (_, cells) in enumerate(classifications(path)):
        if k >= _SUBJECTS_LOOKED_AT:
            break
        try:
            fields.update(dict.fromkeys(name for one in subjects_of(cells) for name in one))
        except RowFault:
            continue
    fields.pop("retired", None)
    return tuple(sorted(fields, key=lambda name: (plain_key(name) != "object_id", name)))
