"""Rows of units and dashes below the names of a text table, as VizieR writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

import astropy.units as u

NO_VALUE = frozenset(("", "nan", "null", "none", "n/a", "na", "--", "masked"))
_NO_UNIT = frozenset(
    (
        *("", "-", "--", "---", "none", "null", "str", "string", "char", "text", "name", "int"),
        *("long", "integer", "float", "double", "bool", "boolean", "unitless", "dimensionless"),
    )
)
_WORDS = frozenset(
    (
        *("deg", "degree", "degrees", "rad", "radian", "radians", "hour", "hours", "hourangle"),
        *(
            "h",
            "hr",
            "hms",
            "dms",
            "h:m:s",
            "d:m:s",
            "arcsec",
            "arcmin",
            "mag",
            "ab mag",
            "mag(ab)",
        ),
    )
)
_DASHES = re.compile(r"[-=:+|]{2,}")
_SEXAGESIMAL = re.compile(r"[+-]?\d+[:hd°\s]\s*\d+.*")


def is_number(cell: str) -> bool:
    """Return whether a cell is the usual spelling of a number; NaN is none."""
    try:
        return float(cell) == float(cell)
    except ValueError:
        return False


@lru_cache(maxsize=4096)
def is_unit(cell: str) -> bool:
    """Return whether a cell names a unit."""
    word = bare_unit(cell)
    if word.lower() in _WORDS:
        return True
    if is_number(word) or not word:
        return False
    try:
        u.Unit(word, parse_strict="raise")
    except (ValueError, TypeError):
        return False
    return True


def bare_unit(cell: str) -> str:
    """A unit without quotes and brackets around it."""
    return cell.strip().strip("\"'").strip("[]()").strip()


def rows_below_names(columns: Mapping[str, Sequence[str]]) -> tuple[dict[str, str], int]:
    """The units of a row below the names, and how many rows are no data.

    A row is one of units if each of its cells is a unit or empty, and one of them stands above
    numbers alone: ``a`` or ``g`` above further text may be data.
    """
    n = max(map(len, columns.values()), default=0)
    units: dict[str, str] = {}
    at = 0
    if n > at and _is_units(columns, at):
        units = {
            name: bare_unit(cells[at])
            for name, cells in columns.items()
            if bare_unit(cells[at]).lower() not in _NO_UNIT
        }
        at += 1
    if n > at and _is_dashes(columns, at):
        at += 1
        if not units and n > at and _is_units(columns, at):
            units, more = rows_below_names({name: cells[at:] for name, cells in columns.items()})
            at += more
    return units, at


def _is_dashes(columns: Mapping[str, Sequence[str]], at: int) -> bool:
    cells = [cells[at] for cells in columns.values() if cells[at]]
    return (
        bool(cells)
        and all(_DASHES.fullmatch(cell) or cell == "-" for cell in cells)
        and any(len(cell) > 2 for cell in cells)
    )


def _is_units(columns: Mapping[str, Sequence[str]], at: int) -> bool:
    row = {name: cells[at] for name, cells in columns.items()}
    if not all(bare_unit(c).lower() in _NO_UNIT or is_unit(c) for c in row.values()):
        return False
    return any(
        bare_unit(cell).lower() not in _NO_UNIT and _is_above_numbers(columns[name][at + 1 :])
        for name, cell in row.items()
    )


def _is_above_numbers(cells: Sequence[str]) -> bool:
    """Return whether most cells that are not missing are numbers or sexagesimal angles."""
    given = [c for c in cells if c.lower() not in NO_VALUE and not _DASHES.fullmatch(c)]
    numbers = sum(is_number(c) or bool(_SEXAGESIMAL.fullmatch(c)) for c in given)
    return numbers > len(given) / 2
