"""Rows of the table as candidates: id, position, label, observed properties, further columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lensing_core.ingest.catalog_writer import Rejected
from lensing_core.ingest.columns import OBSERVATION_ROLES, ColumnMap, to_number
from lensing_core.ingest.file_names import image_stem
from lensing_core.ingest.images import RowRequest
from lensing_core.ingest.labels import LabelRule, UnknownLabel
from lensing_core.ingest.missing_values import is_missing, is_missing_flux
from lensing_core.ingest.positions import Position, PositionReader
from lensing_core.ingest.provenance import POLICIES, default_policy
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.tables import SourceTable, guess_number

_MAX_ID = 255
_REFERENCE_BANDS = ("i", "r", "VIS", "F814W", "z", "g")


@dataclass(frozen=True)
class ParsedRow:
    """A row that can be looked for: what to read, and what the table says of the object.

    Attributes
    ----------
    candidate, observation : dict
        Columns of the tables of those names.
    """

    request: RowRequest
    candidate: dict[str, Any]
    observation: dict[str, Any]


@dataclass
class RowReader:
    """Reads a table's rows.

    Attributes
    ----------
    fields : set of str
        Columns that file-name patterns use.
    unclear_cells : Counter
        Cells that hold no value (words, or codes such as 99 and -9999) and were left empty, by
        what they should have been.
    """

    table: SourceTable
    columns: ColumnMap
    positions: PositionReader
    labels: LabelRule
    fields: frozenset[str] = frozenset()
    unclear_cells: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        used = self.columns.used | {name for pair in self.table.sky_pairs for name in pair}
        if self.labels.is_grade:  # a grade says more than the label made of it
            used.discard(self.columns.roles.get("label", ""))
        self._properties = [n for n in self.table.names if n not in used]
        reference = (b for b in _REFERENCE_BANDS if b in self.columns.magnitudes)
        self._reference_band = next(reference, next(iter(self.columns.magnitudes), None))

    def read(self, start: int, stop: int) -> Iterator[ParsedRow | Rejected]:
        """Rows ``start`` to ``stop``; memory goes with their number."""
        fields = self.fields - {"id", "band", "ra_dec"}
        names = [*self.columns.used, *self._properties, *fields]
        known = [name for name in dict.fromkeys(names) if name in self.table.names]
        cells = {name: self.table.cells(name, start, stop) for name in known}
        id_column = self._id_column
        ids = self._verbatim(id_column, start, stop)
        of_fields = {name: self._verbatim(name, start, stop) for name in fields}
        positions = self._positions(cells, min(stop, len(self.table)) - start)
        for k, position in enumerate(positions):
            row = {name: values[k] for name, values in cells.items()}
            row_id = self._object_id(ids[k] if ids else None)
            try:
                if isinstance(position, RowRejected):
                    self._checked_id(start + k, row_id)
                    raise position
                values = {n: str(of[k]) for n, of in of_fields.items() if of and of[k] is not None}
                yield self._parse(start + k, row, row_id, position, values)
            except RowRejected as problem:
                yield Rejected(start + k, problem.reason, problem.message, row_id)

    @property
    def _id_column(self) -> str | None:
        return self.columns.roles.get("id", self.columns.roles.get("file"))

    def _verbatim(self, name: str | None, start: int, stop: int) -> list[Any]:
        if name is None or name not in self.table.names:
            return []
        return self.table.cells(name, start, stop, verbatim=True)

    def _positions(
        self, cells: Mapping[str, list[Any]], count: int
    ) -> list[Position | RowRejected | None]:
        roles = self.columns.roles
        ra, dec = (cells.get(roles.get(axis, ""), [None] * count) for axis in ("ra", "dec"))
        return self.positions.read_all(ra, dec)

    def _checked_id(self, number: int, object_id: str | None) -> str:
        if object_id is None and self._id_column is not None:
            raise RowRejected(
                "missing_id", f"Column {self._id_column} is empty; give each row an id."
            )
        object_id = object_id or f"row-{number}"
        if len(object_id) > _MAX_ID:
            raise RowRejected(
                "missing_id",
                f"The id has {len(object_id)} characters; at most {_MAX_ID} are allowed.",
            )
        return object_id

    def _parse(
        self,
        number: int,
        row: Mapping[str, Any],
        row_id: str | None,
        position: Position | None,
        values: Mapping[str, str],
    ) -> ParsedRow:
        object_id = self._checked_id(number, row_id)
        roles = self.columns.roles
        ra_deg, dec_deg = position or (None, None)
        request = RowRequest(
            row_number=number,
            object_id=object_id,
            ra_deg=ra_deg,
            dec_deg=dec_deg,
            values=dict(values),
            file=_text(row.get(roles.get("file", ""))),
            band_files={
                band: str(row[name])
                for band, name in self.columns.files.items()
                if row[name] is not None
            },
            stack_index=self._integer(row, "stack_index"),
        )
        candidate: dict[str, Any] = {
            "object_id": object_id,
            "ra_deg": ra_deg,
            "dec_deg": dec_deg,
            "label": self._label(row),
            "label_source": _text(row.get(roles.get("label_source", ""))),
            "label_confidence": self._fraction(row, "label_confidence"),
        }
        candidate["label_policy"] = self._policy(row, candidate["label_source"])
        magnitudes = self._by_band(row, "mag", self.columns.magnitudes)
        candidate["magnitude"] = self._number(row, "magnitude")
        if candidate["magnitude"] is None and self._reference_band:
            candidate["magnitude"] = magnitudes.get(self._reference_band)
        observation: dict[str, Any] = {
            role: self._number(row, role) for role in OBSERVATION_ROLES if role in roles
        }
        observation |= {
            "instrument": _text(row.get(roles.get("instrument", ""))),
            "magnitudes": magnitudes or None,
            "fluxes": self._by_band(row, "flux", self.columns.fluxes) or None,
            "properties": {n: guess_number(row[n]) for n in self._properties if row[n] is not None},
        }
        return ParsedRow(request, candidate, observation)

    def _object_id(self, cell: Any) -> str | None:
        """The id; a file name without folder and ending where files serve as ids unasked."""
        if isinstance(cell, float) and cell.is_integer():
            cell = int(cell)
        text = _text(cell)
        names_files = self._id_column == self.columns.roles.get("file")
        return (
            image_stem(text) if text and names_files and "id" not in self.columns.stated else text
        )

    def _number(self, row: Mapping[str, Any], role: str) -> float | None:
        """The number in a role's column; None, counted as a doubt, for text and missing codes."""
        cell = row.get(self.columns.roles.get(role, ""))
        if cell is None:
            return None
        number = to_number(cell)
        if number is None or is_missing(role, number):
            self.unclear_cells[role] += 1
            return None
        return number

    def _integer(self, row: Mapping[str, Any], role: str) -> int | None:
        number = self._number(row, role)
        return None if number is None else int(number)

    def _fraction(self, row: Mapping[str, Any], role: str) -> float | None:
        number = self._number(row, role)
        if number is not None and not 0 <= number <= 1:
            self.unclear_cells[role] += 1
            return None
        return number

    def _by_band(
        self, row: Mapping[str, Any], what: str, columns: Mapping[str, str]
    ) -> dict[str, float]:
        found: dict[str, float] = {}
        for band, name in columns.items():
            if row[name] is None:
                continue
            number = to_number(row[name])
            if number is None or (
                is_missing_flux(number) if what == "flux" else is_missing("magnitude", number)
            ):
                self.unclear_cells[f"{what}:{band}"] += 1
            else:
                found[band] = number
        return found

    def _label(self, row: Mapping[str, Any]) -> int | None:
        try:
            return self.labels.read(row.get(self.columns.roles.get("label", "")))
        except UnknownLabel:
            self.unclear_cells["label"] += 1
            return None

    def _policy(self, row: Mapping[str, Any], source: str | None) -> str | None:
        policy = _text(row.get(self.columns.roles.get("label_policy", "")))
        if policy is not None and policy not in POLICIES:
            # The strictest policy: what is not understood must not train a classifier.
            self.unclear_cells["label_policy"] += 1
            return "pretraining_only"
        if policy is None and source is not None and default_policy(source) != "all":
            return default_policy(source)
        return policy


def _text(cell: Any) -> str | None:
    return None if cell is None else str(cell)
