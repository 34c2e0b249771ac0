"""The first rows of a table and their files, which a plan is made from."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from lensing_core.errors import BadInputError
from lensing_core.ingest.columns import ColumnMap
from lensing_core.ingest.images import RowRequest
from lensing_core.ingest.locating import typical_files
from lensing_core.ingest.locators import FETCHED
from lensing_core.ingest.object_tables import (
    row_reader,
)
from lensing_core.ingest.pictures import is_picture
from lensing_core.ingest.positions import PositionReader
from lensing_core.ingest.rejection import RowRejected
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


def first_files(
    request: ImportRequest, pattern: str, rows: Sequence[RowRequest], bands: Sequence[str]
) -> Sequence[Path]:
    """Images to look at before the survey is known; ``bands``: what names may call bands."""
    if request.survey or has_band_files(request):
        return []
    keys = tuple(bands) if "{band}" in pattern else ()
    return typical_files(request.locator(pattern), rows, keys, request.dataset)


def picture_files(request: ImportRequest, pattern: str, rows: Sequence[RowRequest]) -> list[Path]:
    """The first rows' files, where they are called like pictures."""
    if request.image_kind not in ("auto", "picture") or "{band}" in pattern:
        return []
    locator = request.locator(pattern)
    if locator.is_one_file:
        return []
    paths = []
    for row in rows:
        with suppress(RowRejected):  # which is told when its row is imported
            path = locator.find(row)
            if not is_picture(path.name):
                return []
            paths.append(path)
    return paths


def has_band_files(request: ImportRequest) -> bool:
    """Return whether columns are stated that name the file of each band."""
    return any(role.startswith("file:") and name for role, name in request.columns.items())
