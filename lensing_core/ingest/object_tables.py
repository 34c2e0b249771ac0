"""The table of the objects of an import, and a reader of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lensing_core.errors import BadInputError, Offer, about, of_setting
from lensing_core.ingest.columns import ColumnMap, recognize
from lensing_core.ingest.file_names import IMAGE_SUFFIXES
from lensing_core.ingest.listings import table_of_files
from lensing_core.ingest.locators import pattern_fields
from lensing_core.ingest.position_units import position_reader
from lensing_core.ingest.positions import PositionReader
from lensing_core.ingest.request import ImportRequest
from lensing_core.ingest.rows import RowReader
from lensing_core.ingest.tables import SourceTable, read_table
from lensing_core.surveys import Survey, load_surveys

# What a helper process says it is at while it reads a table.
TABLE = "table"


def open_objects(request: ImportRequest) -> SourceTable:
    """The table of objects: as named, or one made of the image files where none is named."""
    if request.table:
        path = Path(request.table).expanduser()
        with about("table"):
            return read_table(path, request.table_format, request.table_part)
    root = request.root
    if root.is_file():
        offer = Offer(f"The folder {root.parent}", {"images": str(root.parent)})
        raise of_setting(
            BadInputError(
                f"{root} is a single file: give a table of its rows or positions, or name its "
                "folder."
            ),
            "table",
            [offer],
        )
    return table_of_files(request.locator(request.pattern), IMAGE_SUFFIXES, band_texts(request))


def band_texts(request: ImportRequest, surveys: Mapping[str, Survey] | None = None) -> list[str]:
    """Names of bands in file names: as stated, else the bands of the survey, or of all surveys."""
    if request.bands:
        return list(request.keys_of(request.bands))
    known = load_surveys() if surveys is None else surveys
    chosen = [known[request.survey]] if request.survey in known else known.values()
    bands = dict.fromkeys(band for survey in chosen for band in survey.band_names)
    return list(dict.fromkeys([*request.band_keys.values(), *request.keys_of(list(bands))]))


def open_positions(request: ImportRequest) -> tuple[SourceTable, RowReader, list[str]]:
    """The table of objects, a reader of its rows, and warnings; images need not be there.

    Raises
    ------
    BadInputError
        If it has no columns of positions.
    """
    table = open_objects(request)
    columns = recognize(table, (), without_bands(request.columns))
    if not {"ra", "dec"} <= columns.roles.keys():
        raise of_setting(
            BadInputError(
                f"{table.path} has no columns of positions that are recognized; it has "
                f"{', '.join(table.names)}. Map those of right ascension (ra) and declination "
                "(dec)."
            ),
            "columns",
        )
    positions, warnings = positions_of(request, table, columns)
    return table, row_reader(request, table, columns, positions, ""), warnings


def positions_of(
    request: ImportRequest, table: SourceTable, columns: ColumnMap
) -> tuple[PositionReader, list[str]]:
    """Return how the cells of positions are read, and warnings; no positions without columns."""
    names = columns.roles.get("ra"), columns.roles.get("dec")
    if names[0] is None or names[1] is None:
        return PositionReader(), []
    return position_reader(
        table, (names[0], names[1]), request.position_unit, request.position_frame
    )


def row_reader(
    request: ImportRequest,
    table: SourceTable,
    columns: ColumnMap,
    positions: PositionReader,
    pattern: str,
) -> RowReader:
    """Return a reader of rows that keeps the columns which patterns of file names ask for."""
    fields = frozenset(
        name
        for text in (pattern, request.variance_pattern, request.psf_pattern)
        for name in pattern_fields(text)
    )
    return RowReader(table, columns, positions, request.labels, fields)


def without_bands(stated: Mapping[str, str]) -> dict[str, str]:
    """Return the stated columns that belong to no single band."""
    return {role: name for role, name in stated.items() if ":" not in role}
