"""The positions of a table whose images are yet to be fetched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lensing_core.arrays import Float64Array
from lensing_core.errors import BadInputError
from lensing_core.ingest.isolation import look_apart
from lensing_core.ingest.object_tables import TABLE, open_positions
from lensing_core.ingest.request import ImportRequest
from lensing_core.ingest.rows import ParsedRow
from lensing_core.supervised import mark

_AT_ONCE = 1000


@dataclass(frozen=True)
class PositionList:
    """Positions for which images are fetched.

    Attributes
    ----------
    n_rows : int
        Of the table.
    position_deg : ndarray of shape (n, 2)
        Right ascension and declination (ICRS) of the rows that have one, each place once.
    n_without : int
        Rows without a usable position or id.
    warnings : list of str
        For the user.
    """

    n_rows: int
    position_deg: Float64Array
    n_without: int
    warnings: list[str]


def read_positions(request: ImportRequest, table_seconds: float | None = None) -> PositionList:
    """Read the positions of a table in a process of its own.

    Raises
    ------
    BadInputError
        If the table cannot be read, or has no positions.
    """
    return look_apart(
        _read, request, limits=request.limits, table=request.table, table_seconds=table_seconds
    )


def _read(request: ImportRequest) -> PositionList:
    mark(TABLE)
    table, reader, warnings = open_positions(request)
    found: list[tuple[float, float]] = []
    n_without, first = 0, ""
    for start in range(0, len(table), _AT_ONCE):
        for row in reader.read(start, min(start + _AT_ONCE, len(table))):
            if isinstance(row, ParsedRow) and row.request.position_deg is not None:
                found.append(row.request.position_deg)
                continue
            n_without += 1
            first = first or ("" if isinstance(row, ParsedRow) else row.message)
    if not found:
        raise BadInputError(
            f"No row of {table.path} has a position that an image could be fetched for. {first}"
        )
    once = np.array(list(dict.fromkeys(found)))
    return PositionList(len(table), once, n_without, [*table.notes, *warnings])
