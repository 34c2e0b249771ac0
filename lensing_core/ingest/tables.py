"""Reading the user's table, in whatever format, as plain Python values a chunk at a time."""

from __future__ import annotations

import hashlib
import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Column, Table
from astropy.time import Time
from astropy.units import Quantity, UnitsWarning

from lensing_core.arrays import Float64Array
from lensing_core.errors import BadInputError
from lensing_core.ingest.choices import TABLE_FORMATS
from lensing_core.ingest.delimited import point_number
from lensing_core.ingest.guard import opening
from lensing_core.ingest.joined import SkyAxis, joined_columns
from lensing_core.ingest.plain_values import plain
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.sky_names import Parts
from lensing_core.ingest.table_checks import check_table
from lensing_core.ingest.table_formats import format_of, load_table


@dataclass(frozen=True)
class SourceTable:
    """A table of objects.

    Attributes
    ----------
    table : astropy.table.Table
        Columns of text files are text: numbers are made of them where a role asks for numbers, so
        that an id such as 00123 stays as it is.
    path : Path
    sha256 : str
        Of the file.
    notes : tuple of str
        What a user should know of how it was read.
    mapped_as : str
        Format of a table whose rows stay in its file until they are looked at.
    part : str
        Which table of the file this is, where it was stated.
    units, frames : dict of str to str
        Units and frames of positions by column that the table does not hold as such.
    frame : str
        That of all positions, as the file states it; empty if it does not.
    decimal_commas : frozenset of str
        Columns of text with numbers such as 150,01.
    facts : dict
        What was found by looking at all rows of a column, so that it is done once.
    """

    table: Table
    path: Path
    sha256: str
    notes: tuple[str, ...] = ()
    mapped_as: str = ""
    part: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    frames: Mapping[str, str] = field(default_factory=dict)
    frame: str = ""
    decimal_commas: frozenset[str] = frozenset()
    facts: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to other processes: what is mapped, not read, is mapped there again."""
        if self.mapped_as:
            return read_table, (self.path, self.mapped_as, self.part)
        values = (self.table, self.path, self.sha256, self.notes, "", self.part)
        return SourceTable, (*values, self.units, self.frames, self.frame, self.decimal_commas)

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def _joined(self) -> dict[str, SkyAxis | Parts]:
        return joined_columns(self.table)

    @cached_property
    def names(self) -> list[str]:
        """Column names in order; last those that are made of others."""
        own = [n for n in self.table.colnames if not isinstance(self.table[n], SkyCoord)]
        return [*own, *self._joined]

    @property
    def sky_pairs(self) -> list[tuple[str, str]]:
        """Columns made of coordinates (astropy's SkyCoord), or of angles in parts."""
        made = list(self._joined)
        return list(zip(made[::2], made[1::2], strict=True))

    def unit(self, name: str) -> str:
        """Unit of a column as text, or empty."""
        if name in self._joined:
            return "deg"
        if name in self.units:
            return self.units[name]
        unit = getattr(self.table[name], "unit", None)
        return "" if unit is None else str(unit)

    def description(self, name: str) -> str:
        """Return what the table says of a column, or empty."""
        return "" if name in self._joined else str(self.table[name].info.description or "")

    def ucd(self, name: str) -> str:
        """The unified content descriptor of a column, or empty."""
        if name in self._joined:
            return ""
        meta = self.table[name].info.meta or {}
        return str(next((v for k, v in meta.items() if str(k).lower() == "ucd"), "") or "")

    def is_text(self, name: str) -> bool:
        """Return whether a column holds text."""
        if name in self._joined:
            return False
        column = self.table[name]
        kind = _kind(column)
        if kind == "O":
            first = next((c for c in column if c is not None and c is not np.ma.masked), "")
            return isinstance(first, str | bytes)
        return kind in "US"

    def is_vector(self, name: str) -> bool:
        """Return whether a cell of a column holds several values."""
        if name in self._joined:
            return False
        column = self.table[name]
        if _kind(column) == "O" and not self.is_text(name):
            return True
        return len(column.shape) > 1

    def numbers(self, name: str, start: int = 0, stop: int | None = None) -> Float64Array | None:
        """Numbers of a column, NaN for masked; None where it holds anything else."""
        if name in self._joined or _kind(self.table[name]) not in "iuf" or self.is_vector(name):
            return None
        cells = self.table[name][start:stop]
        values = np.asarray(np.ma.getdata(_bare(cells)), dtype=np.float64)
        masked = np.ma.getmaskarray(np.ma.asarray(_bare(cells)))
        return np.where(masked, np.nan, values)

    def cells(
        self, name: str, start: int = 0, stop: int | None = None, *, verbatim: bool = False
    ) -> list[Any]:
        """Plain JSON values of a column: None for masked, NaN, infinite and empty cells.

        Parameters
        ----------
        verbatim : bool
            Words such as NA, nan and None are text, not missing values: they may be ids.
        """
        if name in self._joined:
            return self._joined_cells(self._joined[name], start, stop)
        column = self.table[name][start:stop]
        if isinstance(column, Time):
            return [None if text is None else str(text) for text in _unmasked(column.isot)]
        values = _bare(column)
        if _kind(values) not in "biufUSOc":
            return [str(value) for value in column]
        found = [plain(value, verbatim=verbatim) for value in _unmasked(values)]
        if name in self.decimal_commas and not verbatim:
            return [point_number(cell) if isinstance(cell, str) else cell for cell in found]
        return found

    def _joined_cells(self, made: SkyAxis | Parts, start: int, stop: int | None) -> list[Any]:
        if isinstance(made, SkyAxis):
            return [plain(v) for v in made.degrees(self.table[made.column][start:stop])]
        return made.degrees([self.cells(name, start, stop) for name in made.columns])


def _kind(column: Any) -> str:
    """The kind of a column's values, as numpy's types have it; empty for astropy's own."""
    return str(getattr(getattr(column, "dtype", None), "kind", ""))


def _bare(column: Any) -> Any:
    """The values of a column without its unit."""
    return column.value if isinstance(column, Quantity) else column


def _unmasked(values: Any) -> list[Any]:
    """Values as a list, None where all of a cell is masked."""
    if isinstance(values, Column) and values.dtype.kind == "O" and not hasattr(values, "mask"):
        return list(values)
    masked = getattr(values, "mask", None)
    # As plain arrays: astropy's columns decode bytes strictly.
    listed = np.asarray(np.ma.getdata(getattr(values, "unmasked", values))).tolist()
    if masked is None or not np.any(masked):
        return list(listed)
    nothing = np.atleast_1d(np.asarray(masked).reshape(len(listed), -1).all(axis=1))
    return [None if m else v for v, m in zip(listed, nothing, strict=True)]


def guess_number(value: Any) -> Any:
    """A number where a text cell is the usual spelling of one, else the value as it is."""
    if not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    if not math.isfinite(number):
        return value
    if re.fullmatch(r"[+-]?\d+", value):
        return int(value) if str(int(value)) == value.lstrip("+") else value
    return number


def read_table(path: Path, table_format: str = "auto", part: str = "") -> SourceTable:
    """Read a table of any of the forms that docs/what-is-read.md lists.

    Parameters
    ----------
    table_format : str
        One of :data:`~lensing_core.ingest.choices.TABLE_FORMATS`; "auto" goes by the file's
        content, and by its name where that is silent.
    part : str
        Number or name of the table that is meant, in a file with several.

    Raises
    ------
    BadInputError
        If the file is missing, cannot be read, or has no rows.
    """
    try:
        opening(path)
        chosen = format_of(path) if table_format == "auto" else table_format
    except RowRejected as problem:
        raise BadInputError(f"Table {problem}") from problem
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnitsWarning)  # units are looked at by role only
            check_table(path, chosen)
            loaded = load_table(path, chosen, part)
    except (BadInputError, MemoryError):
        raise
    except Exception as error:  # whatever a library raises on a damaged file
        detail = " ".join(str(error).split()) or type(error).__name__
        raise BadInputError(
            f"Table {path} cannot be read as {chosen}: {detail[:200]}. Check the file, or name its "
            f"format ({', '.join(TABLE_FORMATS[1:])})."
        ) from error
    if not len(loaded.table):
        raise BadInputError(f"Table {path} has no rows.")
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return SourceTable(
        loaded.table,
        path,
        digest,
        tuple(loaded.notes),
        chosen if loaded.is_mapped else "",
        part,
        loaded.units,
        loaded.frames,
        loaded.frame,
        loaded.decimal_commas,
    )
