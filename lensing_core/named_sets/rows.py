"""One object of a published data set, and a table of them in the form that an import reads."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lensing_core.disk import replacing
from lensing_core.errors import BadInputError
from lensing_core.ingest.columns import to_number
from lensing_core.ingest.sky_names import normal
from lensing_core.ingest.tables import SourceTable

COLUMNS = ("id", "ra", "dec", "label", "label_confidence", "label_policy", "label_source")


@dataclass(frozen=True)
class SetRow:
    """One object.

    Attributes
    ----------
    name : str
    ra_deg, dec_deg : float or None
        ICRS.
    label : int or None
        1 lens, 0 non-lens, None not said.
    confidence : float
        Probability that the label is right.
    properties : mapping
        Whatever else the set says, as plain values; ``reject_reason`` is the kind of a non-lens.
    files : mapping of str to str
        Image below the images folder, by band; '' for one image of all bands.
    """

    name: str
    ra_deg: float | None = None
    dec_deg: float | None = None
    label: int | None = None
    confidence: float = 1.0
    properties: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SetFiles:
    """A user's copy of a set: its table, its images, and the scale of the lenses looked for."""

    table: Path | None
    images: Path | None
    scale: str = "galaxy"

    def need_table(self, title: str) -> Path:
        """The table; raises BadInputError where none was named."""
        if self.table is None:
            raise BadInputError(f"{title}: name the table of the set.")
        return self.table

    def need_images(self, title: str) -> Path:
        """The images; raises BadInputError where none were named."""
        if self.images is None:
            raise BadInputError(f"{title}: name the images of the set.")
        return self.images


@dataclass(frozen=True)
class NamedSet:
    """A published data set.

    Attributes
    ----------
    key, title, citation : str
    source, policy : str
        Label source and policy, see :mod:`lensing_core.ingest.provenance`.
    read : callable
        The rows of the set; raises BadInputError.
    settings : mapping
        Settings of an import that the set decides, where the user has said nothing else.
    scale : str
        'galaxy', 'cluster' or '' where the list says it for each lens.
    domain : str
        Why its objects are not those of a survey: '' where nothing is known of it.
    """

    key: str
    title: str
    citation: str
    source: str
    policy: str
    read: Callable[[SetFiles], list[SetRow]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    scale: str = ""
    domain: str = ""


def write_rows(path: Path, rows: Iterable[SetRow], chosen: NamedSet) -> int:
    """Write a table that an import reads; returns how many rows it has."""
    rows = list(rows)
    bands = list(dict.fromkeys(band for row in rows for band in row.files))
    extra = list(dict.fromkeys(name for row in rows for name in row.properties))
    n = 0
    with replacing(path) as beside, beside.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        named = (f"list_{name}" if name in COLUMNS else name for name in extra)
        writer.writerow([*COLUMNS, *map(file_column, bands), *named])
        for n, row in enumerate(rows, start=1):  # noqa: B007 - the count is returned
            label = {1: "lens", 0: "nonlens", None: ""}[row.label]
            writer.writerow(
                [
                    *(row.name, _cell(row.ra_deg), _cell(row.dec_deg), label),
                    *("" if row.label is None else repr(row.confidence), chosen.policy),
                    chosen.source,
                    *(row.files.get(band, "") for band in bands),
                    *(_cell(row.properties.get(name)) for name in extra),
                ]
            )
    return n


def file_column(band: str) -> str:
    """Column of the files of a band; '' for one image of all."""
    return f"file_{band}" if band else "file"


def find_column(table: SourceTable, *names: str) -> str | None:
    """The column of the first of some names, whatever its case and punctuation."""
    there = {normal(name): name for name in reversed(table.names)}
    return next((there[normal(name)] for name in names if normal(name) in there), None)


def need_column(table: SourceTable, title: str, *names: str) -> str:
    """Find a column as :func:`find_column` does; raises BadInputError if there is none."""
    column = find_column(table, *names)
    if column is None:
        raise BadInputError(
            f"{title}: table {table.path.name} has no column {' or '.join(names)}; it has "
            f"{', '.join(table.names)}."
        )
    return column


def numbers(table: SourceTable, name: str | None) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Cells as numbers, NaN where there is none."""
    if name is None:
        return np.full(len(table), np.nan)
    values = (to_number(cell) for cell in table.cells(name))
    return np.array([np.nan if one is None else float(one) for one in values], dtype=np.float64)


def other_columns(table: SourceTable, row: int, used: Iterable[str]) -> dict[str, Any]:
    """The cells of a row that play no role, by column."""
    left_out = set(used)
    cells = {
        name: table.cells(name, row, row + 1)[0] for name in table.names if name not in left_out
    }
    return {name: cell for name, cell in cells.items() if cell is not None}


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return repr(value) if isinstance(value, float) else str(value)
