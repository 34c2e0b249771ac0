"""Checks that ids kept all digits of a survey's names: floats lose some."""

from __future__ import annotations

import re

import numpy as np

from lensing_core.errors import BadInputError
from lensing_core.ingest.tables import SourceTable

_BLOCK = 65_536  # rows looked at together
_EXACT = {2: 2**11, 4: 2**24, 8: 2**53}  # up to which floats of so many bytes hold whole numbers
_SCIENTIFIC = re.compile(r"\d(?:\.(\d+))?[eE]\+?(\d{1,3})")
_POINT = re.compile(r"(\d{16,})\.0*")
_EXCEL_DIGITS = 15  # that a spreadsheet keeps
_FEW = 3


def id_warnings(table: SourceTable, name: str) -> list[str]:
    """Return what a user should know of the ids; a block of rows is in memory at a time.

    Raises
    ------
    BadInputError
        If ids have lost digits.
    """
    return _of_floats(table, name) if _is_float(table, name) else _of_text(table, name)


def _is_float(table: SourceTable, name: str) -> bool:
    return table.numbers(name, 0, 1) is not None and table.table[name].dtype.kind == "f"


def _of_floats(table: SourceTable, name: str) -> list[str]:
    size = table.table[name].dtype.itemsize
    most = _EXACT.get(size, 2**53)
    for start in range(0, len(table), _BLOCK):
        numbers = table.numbers(name, start, start + _BLOCK)
        if numbers is None:
            return []
        with np.errstate(invalid="ignore"):
            beyond = np.flatnonzero(np.isfinite(numbers) & (np.abs(numbers) >= most))
        if len(beyond):
            at = int(beyond[0])
            raise BadInputError(
                f"Ids of column {name} are floats of {8 * size} bits beyond "
                f"2^{most.bit_length() - 1} and have lost digits (row {start + at + 1}: "
                f"{numbers[at]:.0f}); write the column as 64-bit integers or as text, or map "
                "another one (columns: id=COLUMN)."
            )
    return []


def _of_text(table: SourceTable, name: str) -> list[str]:
    if not table.is_text(name):
        return []
    total = lost = long = rounded = 0
    example = ""
    for start in range(0, len(table), _BLOCK):
        for cell in table.cells(name, start, start + _BLOCK, verbatim=True):
            if not isinstance(cell, str):
                continue
            total += 1
            if _has_lost_digits(cell):
                lost += 1
                example = example or cell
            elif len(cell) > _EXCEL_DIGITS and cell.isdecimal():
                long += 1
                rounded += cell.endswith("0" * (len(cell) - _EXCEL_DIGITS))
    remedy = "write the table with ids as text or 64-bit integers"
    if lost > total / 2:
        raise BadInputError(
            f"Ids of column {name} are written as floats, as {example}, and have lost digits; "
            f"{remedy}, or map another column (columns: id=COLUMN)."
        )
    warnings = []
    if lost:
        warnings.append(
            f"{lost:,} ids of column {name} look like floats that have lost digits, as {example}; "
            f"{remedy}."
        )
    if long >= _FEW and rounded == long == total:
        warnings.append(
            f"All ids of column {name} end in zeros after {_EXCEL_DIGITS} digits, as a spreadsheet "
            f"leaves them: they may have lost digits; {remedy}."
        )
    return warnings


def _has_lost_digits(cell: str) -> bool:
    """Return whether text is a whole number that a float cannot hold, or not written in full."""
    if match := _SCIENTIFIC.fullmatch(cell):
        return match[1] is not None and len(match[1]) < int(match[2])
    match = _POINT.fullmatch(cell)
    return match is not None and int(match[1]) >= 2**53
