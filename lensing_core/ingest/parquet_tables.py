"""Tables of Parquet files with all types of columns that Arrow has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from astropy.table import Column, MaskedColumn, Table
from pyarrow import parquet

from lensing_core.ingest.loaded import Loaded

_ASTROPY = b"table_meta_yaml"  # astropy's own note of units and mixin columns
_INDEX = "__index_level_"  # the rows' numbers of a data frame of pandas


def read_parquet_table(path: Path) -> Loaded:
    """The table of a Parquet file.

    Categories become their words, decimals and times text, structures one column a member
    (``shape.sersic``); numbers that may be missing stay whole numbers. What has no such form is
    left out, which is told.
    """
    if _ASTROPY in (parquet.read_schema(path).metadata or {}):
        return Loaded(Table.read(path, format="parquet"))
    arrow = parquet.read_table(path)
    while any(pa.types.is_struct(one.type) for one in arrow.schema):
        arrow = arrow.flatten()
    table, units, left_out = Table(), {}, []
    for one, cells in zip(arrow.schema, arrow.columns, strict=True):
        if one.name.startswith(_INDEX) or one.name in table.colnames:
            continue
        try:
            table[one.name] = _column(cells)
        except (pa.ArrowException, NotImplementedError, ValueError, TypeError):
            left_out.append(f"{one.name} ({one.type})")
            continue
        if unit := (one.metadata or {}).get(b"unit", b""):
            units[one.name] = unit.decode("utf-8", "replace")
    notes = []
    if left_out:
        notes.append(f"Columns of a type that is not read were left out: {', '.join(left_out)}.")
    return Loaded(table, notes, units)


def _column(cells: pa.ChunkedArray) -> Column:
    kind = cells.type
    if isinstance(kind, pa.BaseExtensionType):
        cells = pa.chunked_array([c.storage for c in cells.chunks], kind.storage_type)
        kind = cells.type
    if pa.types.is_dictionary(kind):
        cells, kind = cells.cast(kind.value_type), kind.value_type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return _numbers(cells)
    if not (_is_listed(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        cells = cells.cast(pa.large_string())  # decimals, dates, times, views
    values = np.empty(len(cells), dtype=object)
    for k, value in enumerate(cells.to_pylist()):  # numpy would take lists for rows of cells
        values[k] = value
    return Column(values)


def _is_listed(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def _numbers(cells: pa.ChunkedArray) -> Column:
    """Numbers, masked where they are missing; whole numbers stay whole."""
    if not cells.null_count:
        return Column(cells.to_numpy())
    missing = cells.is_null().to_numpy()
    filler = pa.scalar(0).cast(cells.type) if not pa.types.is_boolean(cells.type) else False
    return MaskedColumn(cells.fill_null(filler).to_numpy(), mask=missing)
