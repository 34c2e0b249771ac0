"""Rows of the table as candidates: id, position, label, observed properties, further columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lensing_core.ingest.catalog_writer import Rejected
from lensing_core.ingest.columns import OBSERVATION_ROLES, ColumnMap, to_number
from lensing_core.ingest.images import RowRequest
from lensing_core.ingest.labels import LabelRule, UnknownLabel
from lensing_core.ingest.positions import PositionReader
from lensing_core.ingest.provenance import POLICIES, default_policy
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.tables import SourceTable, guess_number, image_stem

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
    doubts : Counter
        Cells that could not be understood and were left empty, by what they should have been.
    """

    table: SourceTable
    columns: ColumnMap
    positions: PositionReader
    labels: LabelRule
    fields: frozenset[str] = frozenset()
    doubts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        used = self.columns.used
        if self.labels.is_grade:  # a grade says more than the label made of it
            used.discard(self.columns.roles.get("label", ""))
        self._properties = [n for n in self.table.names if n not in used]
        reference = (b for b in _REFERENCE_BANDS if b in self.columns.magnitudes)
        self._reference_band = next(reference, next(iter(self.columns.magnitudes), None))

    def read(self, start: int, stop: int) -> Iterator[ParsedRow | Rejected]:
        """Rows ``start`` to ``stop``; memory goes with their number."""
        names = [*self.columns.used, *self._properties, *(self.fields - {"id", "band"})]
        known = [name for name in dict.fromkeys(names) if name in self.table.names]
        cells = {name: self.table.cells(name, start, stop) for name in known}
        for k in range(min(stop, len(self.table)) - start):
            row = {name: values[k] for name, values in cells.items()}
            try:
                yield self._parse(start + k, row)
            except RowRejected as problem:
                object_id = self._object_id(row)
                yield Rejected(start + k, problem.reason, problem.message, object_id)

    def _parse(self, number: int, row: Mapping[str, Any]) -> ParsedRow:
        object_id = self._object_id(row)
        if object_id is None and ("id" in self.columns.roles or "file" in self.columns.roles):
            name = self.columns.roles.get("id") or self.columns.roles["file"]
            raise RowRejected("missing_id", f"Column {name} is empty; give each row an id.")
        object_id = object_id or f"row-{number}"
        if len(object_id) > _MAX_ID:
            raise RowRejected(
                "missing_id",
                f"The id has {len(object_id)} characters; at most {_MAX_ID} are allowed.",
            )
        roles = self.columns.roles
        ra, dec = (row.get(roles.get(axis, "")) for axis in ("ra", "dec"))
        position = self.positions.read(ra, dec) or (None, None)
        request = RowRequest(
            row_number=number,
            object_id=object_id,
            ra_deg=position[0],
            dec_deg=position[1],
            values={n: str(row[n]) for n in self.fields if row.get(n) is not None},
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
            "ra_deg": position[0],
            "dec_deg": position[1],
            "label": self._label(row),
            "label_source": _text(row.get(roles.get("label_source", ""))),
            "label_confidence": self._fraction(row, "label_confidence"),
        }
        candidate["label_policy"] = self._policy(row, candidate["label_source"])
        magnitudes = self._by_band(row, self.columns.magnitudes)
        candidate["magnitude"] = self._number(row, "magnitude")
        if candidate["magnitude"] is None and self._reference_band:
            candidate["magnitude"] = magnitudes.get(self._reference_band)
        observation: dict[str, Any] = {
            role: self._number(row, role) for role in OBSERVATION_ROLES if role in roles
        }
        observation |= {
            "instrument": _text(row.get(roles.get("instrument", ""))),
            "magnitudes": magnitudes or None,
            "fluxes": self._by_band(row, self.columns.fluxes) or None,
            "properties": {n: guess_number(row[n]) for n in self._properties if row[n] is not None},
        }
        return ParsedRow(request, candidate, observation)

    def _object_id(self, row: Mapping[str, Any]) -> str | None:
        """The id; a file name without folder and ending where files serve as ids."""
        roles = self.columns.roles
        name = roles.get("id", roles.get("file"))
        cell = None if name is None else row.get(name)
        if isinstance(cell, float) and cell.is_integer():
            cell = int(cell)
        text = _text(cell)
        return image_stem(text) if text and name == roles.get("file") else text

    def _number(self, row: Mapping[str, Any], role: str) -> float | None:
        cell = row.get(self.columns.roles.get(role, ""))
        if cell is None:
            return None
        number = to_number(cell)
        if number is None:
            self.doubts[role] += 1
        return number

    def _integer(self, row: Mapping[str, Any], role: str) -> int | None:
        number = self._number(row, role)
        return None if number is None else int(number)

    def _fraction(self, row: Mapping[str, Any], role: str) -> float | None:
        number = self._number(row, role)
        if number is not None and not 0 <= number <= 1:
            self.doubts[role] += 1
            return None
        return number

    def _by_band(self, row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, float]:
        found = {band: to_number(row[name]) for band, name in columns.items()}
        return {band: number for band, number in found.items() if number is not None}

    def _label(self, row: Mapping[str, Any]) -> int | None:
        try:
            return self.labels.read(row.get(self.columns.roles.get("label", "")))
        except UnknownLabel:
            self.doubts["label"] += 1
            return None

    def _policy(self, row: Mapping[str, Any], source: str | None) -> str | None:
        policy = _text(row.get(self.columns.roles.get("label_policy", "")))
        if policy is not None and policy not in POLICIES:
            # The strictest policy: what is not understood must not train a classifier.
            self.doubts["label_policy"] += 1
            return "pretraining_only"
        if policy is None and source is not None and default_policy(source) != "all":
            return default_policy(source)
        return policy


def _text(cell: Any) -> str | None:
    return None if cell is None else str(cell)
