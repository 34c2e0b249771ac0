"""The first rows of a table and their files, which a plan is made from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lensing_core.errors import BadInputError
from lensing_core.ingest.columns import ColumnMap
from lensing_core.ingest.images import RowRequest
from lensing_core.ingest.locating import typical_files
from lensing_core.ingest.locators import FETCHED
from lensing_core.ingest.object_tables import (
    row_reader,
)
from lensing_core.ingest.positions import PositionReader
from lensing_core.ingest.request import ImportRequest
from lensing_core.ingest.rows import ParsedRow, RowReader
from lensing_core.ingest.tables import SourceTable

_PROBED_ROWS = 50
_READ_AT_ONCE = 1000


def first_rows(
    request: ImportRequest,
    table: SourceTable,
    columns: ColumnMap,
    positions: PositionReader,
    pattern: str,
) -> list[RowRequest]:
    """Return the first rows that can be used.

    Raises
    ------
    BadInputError
        If none of them can.
    """
    reader = row_reader(request, table, columns, positions, pattern)
    if FETCHED in pattern and (fetched := _first_fetched(request, len(table), reader, pattern)):
        return fetched
    parsed = list(reader.read(0, min(_PROBED_ROWS, len(table))))
    rows = [row.request for row in parsed if isinstance(row, ParsedRow)]
    if not rows:
        first = next(row for row in parsed if not isinstance(row, ParsedRow))
        raise BadInputError(f"None of the first {len(parsed)} rows can be used: {first.message}")
    return rows


def _first_fetched(
    request: ImportRequest, n_rows: int, reader: RowReader, pattern: str
) -> list[RowRequest]:
    """The first rows with an image; a table may begin outside of a survey's footprint."""
    locator = request.locator(pattern)
    rows: list[RowRequest] = []
    for start in range(0, n_rows, _READ_AT_ONCE):
        for row in reader.read(start, min(start + _READ_AT_ONCE, n_rows)):
            if isinstance(row, ParsedRow) and any(
                locator.has(row.request, band) for band in request.bands
            ):
                rows.append(row.request)
                if len(rows) == _PROBED_ROWS:
                    return rows
    return rows


def first_files(request: ImportRequest, pattern: str, rows: Sequence[RowRequest]) -> Sequence[Path]:
    """Images to look at before the bands are known; none where only the bands would tell."""
    if request.survey or "{band}" in pattern or has_band_files(request):
        return []
    return typical_files(request.locator(pattern), rows, (), request.dataset)


def has_band_files(request: ImportRequest) -> bool:
    """Return whether columns are stated that name the file of each band."""
    return any(role.startswith("file:") and name for role, name in request.columns.items())
