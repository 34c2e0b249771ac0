"""Sky positions from cells: degrees, hours, radians or sexagesimal text."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import astropy.units as u
from astropy.coordinates import Angle

from lensing_core.ingest.rejection import RowRejected

_MIN_ROWS_TO_DOUBT = 20


@dataclass(frozen=True)
class PositionReader:
    """Reads right ascension and declination.

    Attributes
    ----------
    ra_unit, dec_unit : str
        "degrees", "hours", "radians" or "sexagesimal" (right ascension in hours).
    """

    ra_unit: str = "degrees"
    dec_unit: str = "degrees"

    def read(self, ra: Any, dec: Any) -> tuple[float, float] | None:
        """ICRS degrees, 0 <= ra < 360; None where the row has no position.

        Raises
        ------
        RowRejected
            bad_coordinates.
        """
        if ra is None and dec is None:
            return None
        if ra is None or dec is None:
            which = "right ascension" if ra is None else "declination"
            raise RowRejected("bad_coordinates", f"The {which} is missing.")
        ra_deg = _degrees(ra, self.ra_unit, u.hourangle, "right ascension")
        dec_deg = _degrees(dec, self.dec_unit, u.deg, "declination")
        if not (-180 <= ra_deg <= 360 and -90 <= dec_deg <= 90):
            raise RowRejected(
                "bad_coordinates",
                f"Position {ra} {dec} is out of range: right ascension must be 0 to 360 degrees, "
                "declination -90 to 90.",
            )
        return ra_deg % 360, dec_deg


def position_reader(
    ra_cells: Sequence[Any], ra_unit: str, dec_unit: str, stated: str, names: tuple[str, str]
) -> tuple[PositionReader, list[str]]:
    """Find the unit of the position columns.

    Parameters
    ----------
    ra_cells : sequence
        First cells of right ascension.
    ra_unit, dec_unit : str
        Units that the table states, or empty.
    stated : str
        One of :data:`~lensing_core.ingest.choices.POSITION_UNITS`.
    names : (str, str)
        The columns.

    Returns
    -------
    PositionReader
    list of str
        Doubts, for the user.
    """
    if stated != "auto":
        return PositionReader(stated, "degrees" if stated == "hours" else stated), []
    reader = PositionReader(_unit(ra_unit, names[0]), _unit(dec_unit, names[1]))
    given = [c for c in ra_cells if c is not None]
    if any(isinstance(c, str) and not _is_number(c) for c in given[:1]):
        return PositionReader("sexagesimal", "sexagesimal"), []
    doubts = []
    numbers = [float(c) for c in given if _is_number(c)]
    if reader.ra_unit == "degrees" and not ra_unit and len(numbers) >= _MIN_ROWS_TO_DOUBT:
        largest = max(abs(n) for n in numbers)
        if largest <= 2 * math.pi:
            doubts.append(_doubt(names[0], largest, "radians"))
        elif largest < 24:
            doubts.append(_doubt(names[0], largest, "hours"))
    return reader, doubts


def _doubt(name: str, largest: float, unit: str) -> str:
    return (
        f"Column {name} never exceeds {largest:.4g} and has no unit; it was read as degrees. If it "
        f"holds {unit}, set the position unit to {unit}."
    )


def _unit(unit: str, name: str) -> str:
    text = f"{unit} {name}".lower()
    if re.search(r"\b(hourangle|hours?|hr|h:m:s|hms)\b", text) or "_hms" in text:
        return "sexagesimal" if "hms" in text or "h:m:s" in text else "hours"
    if re.search(r"\b(rad|radians?)\b", text) or name.lower().endswith(("_rad", "_radian")):
        return "radians"
    if "d:m:s" in text or "dms" in text:
        return "sexagesimal"
    return "degrees"


def _is_number(cell: Any) -> bool:
    try:
        float(cell)
    except (TypeError, ValueError):
        return False
    return True


def _degrees(cell: Any, unit: str, sexagesimal: u.UnitBase, what: str) -> float:
    if unit != "sexagesimal" or (_is_number(cell) and not isinstance(cell, str)):
        try:
            value = float(cell)
        except (TypeError, ValueError):
            value = _angle(cell, sexagesimal, what)
            unit = "degrees"
        if not math.isfinite(value):
            raise RowRejected("bad_coordinates", f"The {what} is {cell!r}, not a number.")
        return {"hours": 15.0, "radians": 180 / math.pi}.get(unit, 1.0) * value
    return _angle(cell, sexagesimal, what)


def _angle(cell: Any, unit: u.UnitBase, what: str) -> float:
    try:
        return float(Angle(str(cell), unit).to_value(u.deg))
    except (ValueError, TypeError, u.UnitsError) as error:
        raise RowRejected(
            "bad_coordinates",
            f"The {what} is {cell!r}, which is neither a number nor sexagesimal.",
        ) from error
