"""A table that the user brings, as a reference: any format that an import reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lensing_core.arrays import Float64Array
from lensing_core.crossmatch.choices import Kind
from lensing_core.crossmatch.reference import Reference
from lensing_core.errors import BadInputError
from lensing_core.ingest.columns import recognize, to_number
from lensing_core.ingest.position_units import position_reader
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.tables import SourceTable, guess_number, read_table

_BLOCK = 65_536  # rows looked at together


def read_reference_table(
    path: Path,
    kind: Kind,
    *,
    columns: Mapping[str, str] | None = None,
    position_unit: str = "auto",
    position_frame: str = "auto",
    error_column: str = "",
) -> tuple[Reference, list[str]]:
    """Read a table with positions.

    Parameters
    ----------
    kind : str
        What the table lists.
    columns : dict of str to str, optional
        Column by role (``id``, ``ra``, ``dec``), where names are not recognized.
    position_unit : str, optional
        One of :data:`lensing_core.ingest.choices.POSITION_UNITS`.
    position_frame : str, optional
        One of :data:`lensing_core.ingest.choices.POSITION_FRAMES`.
    error_column : str, optional
        Column of position errors along one axis, arcsec.

    Returns
    -------
    Reference
    list of str
        What a user should know: warnings about units, and rows whose position cannot be read.

    Raises
    ------
    BadInputError
        If the table cannot be read, or has no positions.
    """
    table = read_table(path)
    roles = recognize(table, (), columns).roles
    if "ra" not in roles or "dec" not in roles:
        raise BadInputError(
            f"Table {path} has no columns of right ascension and declination that are recognized; "
            f"name them (ra=…, dec=…). It has {', '.join(table.names)}."
        )
    ra, dec, notes = _positions(table, roles["ra"], roles["dec"], position_unit, position_frame)
    if not np.isfinite(ra).any():
        raise BadInputError(
            f"Table {path}: no row has a position that can be read in columns {roles['ra']} and "
            f"{roles['dec']}; name the right ones (ra=…, dec=…)."
        )
    names = table.cells(roles["id"], verbatim=True) if "id" in roles else [None] * len(table)
    used = {roles["ra"], roles["dec"]}
    reference = Reference(
        key=f"table:{path.name}",
        title=path.name,
        kind=kind,
        version=f"sha256 {table.sha256[:12]}",
        names=[f"row {k + 1}" if name is None else str(name) for k, name in enumerate(names)],
        ra_deg=ra,
        dec_deg=dec,
        error_arcsec=_errors(table, error_column),
        columns={
            name: [guess_number(cell) for cell in table.cells(name)]
            for name in table.names
            if name not in used
        },
    )
    return reference, [*table.notes, *notes]


def _positions(
    table: SourceTable, ra_column: str, dec_column: str, unit: str, frame: str
) -> tuple[Float64Array, Float64Array, list[str]]:
    reader, notes = position_reader(table, (ra_column, dec_column), unit, frame)
    positions = np.full((2, len(table)), np.nan)
    rejected: list[str] = []
    for start in range(0, len(table), _BLOCK):
        stop = min(start + _BLOCK, len(table))
        ra, dec = (table.cells(name, start, stop) for name in (ra_column, dec_column))
        for k, position in enumerate(reader.read_all(ra, dec), start=start):
            if isinstance(position, RowRejected):
                rejected.append(f"row {k + 1}: {position}")
            elif position is not None:
                positions[:, k] = position
    if rejected:
        notes.append(
            f"{table.path.name}: {len(rejected):,} rows have no position that can be read, such "
            f"as {rejected[0]}"
        )
    return positions[0], positions[1], notes


def _errors(table: SourceTable, column: str) -> Float64Array:
    if not column:
        return np.full(len(table), np.nan)
    if column not in table.names:
        raise BadInputError(
            f"Table {table.path} has no column {column!r} of position errors; it has "
            f"{', '.join(table.names)}."
        )
    numbers = [to_number(cell) for cell in table.cells(column)]
    return np.array([np.nan if number is None else number for number in numbers])
