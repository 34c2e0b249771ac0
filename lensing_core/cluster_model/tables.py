"""Rows of tables and of TOML arrays, with cells read under any common name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lensing_core.errors import BadInputError
from lensing_core.ingest.tables import read_table

_NAMES = {
    "ra": ("ra", "ra_deg", "raj2000", "alpha_j2000"),
    "dec": ("dec", "dec_deg", "dej2000", "decj2000", "delta_j2000"),
    "mag": ("mag", "magnitude"),
    "z": ("z", "redshift", "z_spec", "z_source"),
    "family": ("family", "system", "source"),
    "name": ("name", "id", "image"),
    "error_arcsec": ("error_arcsec", "position_error_arcsec"),
    "axis_ratio": ("axis_ratio", "q"),
    "position_angle_deg": ("position_angle_deg", "pa_deg", "pa"),
}
_EMPTY = ("", "nan", "none", "null", "--", "-", "?")
_LIMITS = {"ra": (0.0, 360.0), "dec": (-90.0, 90.0)}


@dataclass(frozen=True)
class Row:
    """A row, and where it stands, for sentences on what is wrong in it."""

    where: str
    values: Mapping[str, Any]

    def _cell(self, name: str) -> Any:
        lower = {str(key).strip().lower(): value for key, value in self.values.items()}
        for known in _NAMES.get(name, (name.lower(),)):
            value = lower.get(known)
            if value is not None and str(value).strip().lower() not in _EMPTY:
                return value
        return None

    def number(self, name: str, default: float | None = None) -> float:
        """A number; ``default`` where the cell is empty or missing.

        Raises
        ------
        BadInputError
            If there is none and no default, or something else.
        """
        value = self._cell(name)
        if value is None:
            if default is None:
                raise BadInputError(f"{self.where}: {name} is missing.")
            return default
        try:
            number = float(value)
        except (TypeError, ValueError):
            what = "degrees as a number" if name in _LIMITS else "a number"
            raise BadInputError(f"{self.where}: {name} is {value!r}; give {what}.") from None
        low, high = _LIMITS.get(name, (-math.inf, math.inf))
        if not (math.isfinite(number) and low <= number <= high):
            raise BadInputError(f"{self.where}: {name} is {number:g}, which cannot be.")
        return number

    def text(self, name: str, default: str | None = None) -> str:
        """A text, and of a whole number its digits alone."""
        value = self._cell(name)
        if value is None:
            if default is None:
                raise BadInputError(f"{self.where}: {name} is missing.")
            return default
        return str(value).strip()

    def flag(self, name: str) -> bool:
        """Return True if a cell says yes; an empty one says no."""
        value = self._cell(name)
        return value is not None and str(value).strip().lower() in ("true", "1", "yes", "y")


def beside(folder: Path, name: Any) -> Path:
    """Path of a file that the cluster's file names.

    Raises
    ------
    BadInputError
        If it lies outside the folder of the cluster's file: who may name one file may not name all.
    """
    path = (folder / str(name)).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise BadInputError(f"{name} lies outside {folder}: put it beside the cluster's file.")
    return path


def table_rows(path: Path) -> tuple[list[Row], Mapping[str, Any]]:
    """Rows of a table in any format that the program reads, and its meta.

    Raises
    ------
    BadInputError
        If it cannot be read.
    """
    if not path.is_file():
        raise BadInputError(f"Table {path} does not exist.")
    table = read_table(path).table
    names = list(table.colnames)
    columns = [table[name].tolist() for name in names]
    rows = [
        Row(f"{path.name}, row {k + 1}", dict(zip(names, cells, strict=True)))
        for k, cells in enumerate(zip(*columns, strict=True))
    ]
    return rows, table.meta


def rows_of(stated: Mapping[str, Any], one: str, many: str, folder: Path, where: str) -> list[Row]:
    """Rows that stand in the file as [[one]], or in the table that ``many`` names."""
    if one in stated and many in stated:
        raise BadInputError(f"{where}: give {many} or [[{one}]], not both.")
    if many in stated:
        return table_rows(beside(folder, stated[many]))[0]
    listed = stated.get(one, [])
    if not isinstance(listed, list):
        raise BadInputError(f"{where}: a list of {many} is [[{one}]], with two brackets.")
    return [
        row if isinstance(row, Row) else Row(f"{where}, {one} {k + 1}", row)
        for k, row in enumerate(listed)
    ]
