"""Unit and frame of position columns: what the table states, else what all of its cells say.

Where that is ambiguous the table is refused; a single cell never decides for others.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import astropy.units as u
import numpy as np

from lensing_core.errors import BadInputError
from lensing_core.ingest.angles import as_number, first_field, notation_of
from lensing_core.ingest.frames import SkyFrame
from lensing_core.ingest.position_frames import frame_of_positions
from lensing_core.ingest.positions import PositionReader, TextUnit
from lensing_core.ingest.sky_names import normal
from lensing_core.ingest.tables import SourceTable
from lensing_core.ingest.units_rows import bare_unit

_BLOCK = 65_536  # rows looked at together
_MIN_ROWS_TO_DOUBT = 20
_FEW = 0.01  # of the cells: slips, whose rows are quarantined, and no evidence
_REMEDY = "Set the position unit (position_unit)."
_UNITS = {
    **dict.fromkeys(("deg", "degs", "degree", "degrees", "d", "°", "decimal degrees"), "degrees"),
    **dict.fromkeys(("hourangle", "hour", "hours", "h", "hr", "hrs", "decimal hours"), "hours"),
    **dict.fromkeys(("rad", "radian", "radians"), "radians"),
    **dict.fromkeys(("h:m:s", "hms", "hh:mm:ss", "h m s", "hour:min:sec"), "sexagesimal"),
    **dict.fromkeys(("d:m:s", "dms", "dd:mm:ss", "d m s", "deg:min:sec"), "sexagesimal"),
    **dict.fromkeys(("", "-", "--", "---", "none", "null", "unitless", "dimensionless"), ""),
}


@dataclass
class Notations:
    """Notation of a column of angles, over all of its rows.

    Attributes
    ----------
    counts : Counter
        Cells by :data:`~lensing_core.ingest.angles.Notation`.
    largest : float
        Largest absolute number.
    beyond_hours : int
        Numbers above 24.
    fields_beyond_hours : int
        Sexagesimal cells whose first field exceeds 24.
    examples : dict of str to Any
        First cell by notation.
    """

    counts: Counter[str] = field(default_factory=Counter)
    largest: float = 0.0
    beyond_hours: int = 0
    fields_beyond_hours: int = 0
    examples: dict[str, Any] = field(default_factory=dict)

    def share(self, *notations: str) -> float:
        """Share of the cells that are angles."""
        total = self.counts.total() - self.counts["other"]
        return sum(self.counts[n] for n in notations) / total if total else 0.0

    def see(self, cell: Any) -> None:
        """Count a cell."""
        notation = notation_of(cell)
        self.counts[notation] += 1
        self.examples.setdefault(notation, cell)
        if notation == "number":
            number = abs(as_number(cell) or 0.0)
            self.largest = max(self.largest, number)
            self.beyond_hours += number > 24
        elif notation == "sexagesimal":
            self.fields_beyond_hours += first_field(cell) > 24

    def see_numbers(self, numbers: np.ndarray[Any, np.dtype[np.float64]]) -> None:
        """Count finite numbers."""
        if not len(numbers):
            return
        sizes = np.abs(numbers)
        self.counts["number"] += len(sizes)
        self.examples.setdefault("number", float(numbers[0]))
        self.largest = max(self.largest, float(sizes.max()))
        self.beyond_hours += int((sizes > 24).sum())


def notations_of(table: SourceTable, name: str) -> Notations:
    """The notations of a column; a block of rows is in memory at a time."""
    found = Notations()
    for start in range(0, len(table), _BLOCK):
        numbers = table.numbers(name, start, start + _BLOCK)
        if numbers is not None:
            found.see_numbers(numbers[np.isfinite(numbers)])
            continue
        for cell in table.cells(name, start, start + _BLOCK):
            if cell is not None:
                found.see(cell)
    return found


def position_reader(
    table: SourceTable, names: tuple[str, str], unit: str = "auto", frame: str = "auto"
) -> tuple[PositionReader, list[str]]:
    """Find unit and frame of the position columns.

    Parameters
    ----------
    names : (str, str)
        The columns of longitude and latitude.
    unit : str
        One of :data:`~lensing_core.ingest.choices.POSITION_UNITS`; what the user says.
    frame : str
        One of :data:`~lensing_core.ingest.choices.POSITION_FRAMES`; what the user says.

    Returns
    -------
    PositionReader
    list of str
        Doubts, for the user.

    Raises
    ------
    BadInputError
        If what the table states is not known or contradicts itself, or its cells are ambiguous.
    """
    chosen = frame_of_positions(table, names, frame)
    warnings = []
    if chosen.name != "icrs":
        warnings.append(f"Positions ({', '.join(names)}) are {chosen}; they were brought to ICRS.")
    if unit != "auto":
        return _as_stated(unit, chosen), warnings
    ra, dec = (notations_of(table, name) for name in names)
    ra_unit, dec_unit = (stated_unit(table.unit(name), name) for name in names)
    is_equatorial = chosen.name in ("icrs", "fk5", "fk4", "fk4noeterms")
    if is_equatorial:
        reader_unit, text = _right_ascension(ra, ra_unit, names[0], warnings)
    else:
        reader_unit, text = ra_unit or "degrees", "degrees"
        if reader_unit == "sexagesimal":
            reader_unit = "degrees"
    _check_range(ra, reader_unit, names[0], 360.0)
    if dec_unit in ("", "sexagesimal"):
        is_text = dec.counts["sexagesimal"] and dec.share("number") <= _FEW
        dec_unit = "sexagesimal" if is_text else "degrees"
    _check_range(dec, dec_unit, names[1], 90.0)
    if reader_unit == "degrees" and not ra_unit and ra.counts["number"] >= _MIN_ROWS_TO_DOUBT:
        warnings += _unlikely_degrees(ra, dec, names[0])
    if text == "hours" and dec.share("hours") > _FEW:
        raise BadInputError(
            f"Column {names[1]} holds hours ({dec.examples['hours']!r}), as right ascensions; map "
            "ra and dec to the columns that hold them."
        )
    return PositionReader(reader_unit, dec_unit, text, chosen), warnings


def _as_stated(unit: str, frame: SkyFrame) -> PositionReader:
    text: TextUnit = "hours" if unit in ("hours", "sexagesimal") else ""
    return PositionReader(unit, "degrees" if unit == "hours" else unit, text, frame)


def _right_ascension(
    cells: Notations, stated: str, name: str, warnings: list[str]
) -> tuple[str, TextUnit]:
    """Unit of numbers, and that of sexagesimal text."""
    text, numbers = cells.share("sexagesimal", "hours"), cells.share("number")
    if cells.counts["sexagesimal"] and cells.fields_beyond_hours > _FEW * cells.counts.total():
        raise BadInputError(
            f"Column {name} holds sexagesimal text beyond 24 hours, such as degrees, minutes and "
            "seconds would be; convert it to decimal degrees."
        )
    if stated == "sexagesimal":
        if numbers > _FEW:
            raise BadInputError(
                f"Column {name} states sexagesimal text and holds numbers "
                f"({cells.examples['number']!r}): hours or degrees? {_REMEDY}"
            )
        return "sexagesimal", "hours"
    if stated == "hours":
        return "hours", "hours"
    if stated:
        if cells.share("sexagesimal") > _FEW:
            raise BadInputError(
                f"Column {name} states {stated} and holds sexagesimal text "
                f"({cells.examples['sexagesimal']!r}): hours or degrees? {_REMEDY}"
            )
        return stated, ""
    if text <= _FEW:
        return "degrees", "hours" if cells.beyond_hours or not numbers else ""
    if numbers <= _FEW:
        return "sexagesimal", "hours"
    example = cells.examples.get("sexagesimal", cells.examples.get("hours"))
    if not cells.beyond_hours:
        raise BadInputError(
            f"Column {name} holds numbers ({cells.examples['number']!r}) beside sexagesimal text "
            f"({example!r}), and no unit: are the numbers hours or degrees? {_REMEDY}"
        )
    warnings.append(
        f"Column {name} mixes numbers up to {cells.largest:.4g}, read as degrees, and sexagesimal "
        f"text ({example!r}), read as hours, minutes, seconds."
    )
    return "degrees", "hours"


def _check_range(cells: Notations, unit: str, name: str, most_deg: float) -> None:
    """Refuse a stated unit that cannot be true."""
    if unit not in ("hours", "radians") or not cells.counts["number"]:
        return
    most = 24.0 if unit == "hours" else math.radians(most_deg)
    n_beyond = cells.beyond_hours if unit == "hours" else int(cells.largest > most + 1e-6)
    if n_beyond > _FEW * cells.counts["number"]:
        raise BadInputError(
            f"Column {name} states {unit} and reaches {cells.largest:.6g}, more than the "
            f"{most:.4g} that there are. {_REMEDY}"
        )


def _unlikely_degrees(ra: Notations, dec: Notations, name: str) -> list[str]:
    if ra.largest <= 2 * math.pi and dec.largest <= math.pi / 2:
        return [_doubt(name, ra.largest, "radians")]
    return [_doubt(name, ra.largest, "hours")] if ra.largest < 24 else []


def _doubt(name: str, largest: float, unit: str) -> str:
    return (
        f"Column {name} never exceeds {largest:.4g} and has no unit; it was read as degrees. If it "
        f"holds {unit}, set the position unit to {unit}."
    )


def stated_unit(unit: str, name: str) -> str:
    """The unit that a column states by itself or in its name, as :class:`PositionReader` calls it.

    Raises
    ------
    BadInputError
        If it is no angle, or the two differ.
    """
    of_column, of_name = _angle_unit(unit, name), _unit_in_name(name)
    if of_column and of_name and of_column != of_name:
        if {of_column, of_name} in ({"hours", "sexagesimal"}, {"degrees", "sexagesimal"}):
            return "sexagesimal" if "degrees" in (of_column, of_name) else "hours"
        raise BadInputError(
            f"Column {name} is called as if it were in {of_name} and states {of_column}. {_REMEDY}"
        )
    return of_column or of_name


def _angle_unit(unit: str, name: str) -> str:
    text = {'"': "arcsec", "'": "arcmin"}.get(unit.strip(), bare_unit(unit))
    if text.lower() in _UNITS:
        return _UNITS[text.lower()]
    try:
        parsed = u.Unit(text)
        parsed.to(u.deg)
    except (ValueError, TypeError):
        raise BadInputError(
            f"Column {name} states the unit {unit!r}, which is no angle that is known. {_REMEDY}"
        ) from None
    return _UNITS.get(parsed.to_string().lower(), parsed.to_string())


def _unit_in_name(name: str) -> str:
    """The unit at the end of a name: ``Ra(deg)``, ``coord_ra_rad``, ``RA [h:m:s]``, ``RAdeg``."""
    match = re.search(r"[\(\[](.+?)[\)\]]?\s*$", name)
    words = [match[1]] if match else [re.split(r"[\s_.]+", name)[-1]]
    if normal(name) in ("radeg", "dedeg", "decdeg"):
        words.append("deg")
    for word in words:
        found = _UNITS.get(word.strip().lower(), "")
        if not found and word.strip().lower() in ("arcmin", "arcsec", "mas"):
            found = word.strip().lower()
        if found and (match or len(word) > 2):
            return found
    return ""
