"""What an import makes of a table, without images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lensing_core.ingest.catalog_writer import Rejected
from lensing_core.ingest.columns import ColumnMap, recognize
from lensing_core.ingest.ids import id_warnings
from lensing_core.ingest.label_columns import label_warnings
from lensing_core.ingest.labels import LabelRule
from lensing_core.ingest.position_units import position_reader
from lensing_core.ingest.positions import PositionReader
from lensing_core.ingest.rows import ParsedRow, RowReader
from lensing_core.ingest.tables import SourceTable, read_table

BANDS = ("g", "r", "i")
CSV = "id,ra,dec\na,150.01,-0.5\nb,150.02,0.5\n"
PLACES = [(150.01, -0.5), (150.02, 0.5)]  # of the rows of CSV


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    """Write a text to a file, whose path is returned."""
    path.write_bytes(text.encode(encoding))
    return path


@dataclass
class TableRows:
    """Rows and what was told of them."""

    table: SourceTable
    columns: ColumnMap
    rows: list[ParsedRow | Rejected]
    told: str
    unclear_cells: dict[str, int]

    def values(self, *names: str) -> list[tuple[Any, ...]]:
        """Some values of each good row, of candidate and observation."""
        found = []
        for row in self.rows:
            if isinstance(row, ParsedRow):
                both = {**row.observation["properties"], **row.observation, **row.candidate}
                found.append(tuple(both.get(name) for name in names))
        return found

    @property
    def positions(self) -> list[tuple[float, float]]:
        """ICRS degrees of the good rows."""
        return self.values("ra_deg", "dec_deg")

    @property
    def ids(self) -> list[str]:
        """Of the good rows."""
        return [str(value) for (value,) in self.values("object_id")]

    @property
    def labels(self) -> list[int | None]:
        """Of the good rows."""
        return [value for (value,) in self.values("label")]

    @property
    def rejected(self) -> list[Rejected]:
        """Rows for the quarantine."""
        return [row for row in self.rows if isinstance(row, Rejected)]


def rows_of(
    path: Path,
    stated: dict[str, str] | None = None,
    rule: LabelRule | None = None,
    *,
    part: str = "",
    unit: str = "auto",
    frame: str = "auto",
) -> TableRows:
    """All rows of a table, by the steps of an import."""
    table, rule = read_table(path, part=part), rule or LabelRule()
    columns = recognize(table, BANDS, stated)
    roles, told = columns.roles, list(table.notes)
    positions = PositionReader()
    if "ra" in roles and "dec" in roles:
        positions, warnings = position_reader(table, (roles["ra"], roles["dec"]), unit, frame)
        told += warnings
    if "id" in roles:
        told += id_warnings(table, roles["id"])
    told += label_warnings(table, roles.get("label"), rule, is_stated="label" in columns.stated)
    reader = RowReader(table, columns, positions, rule)
    rows = list(reader.read(0, len(table)))
    return TableRows(table, columns, rows, "\n".join(told), dict(reader.unclear_cells))
