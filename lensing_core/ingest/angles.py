"""Angles in cells of a table: numbers, and sexagesimal text of any spelling."""

from __future__ import annotations

import math
import re
from typing import Any, Literal

import astropy.units as u
from astropy.coordinates import Angle

Notation = Literal["number", "sexagesimal", "hours", "degrees", "other"]
_COLONS = re.compile(
    r"\s*([+\-\u2212]?)\s*(\d{1,3})(?:\s*:\s*|\s+)"
    r"(\d{1,2}|\d{1,2}\.\d*(?=\s*$))(?:(?:\s*:\s*|\s+)(\d{1,2}(?:\.\d*)?))?\s*"
)
_HOURS = re.compile(r"\s*[+-]?\d{1,3}\s*h(\s*\d|\s*$)", re.IGNORECASE)
_DEGREES = re.compile(r"\s*[+\-\u2212]?\d{1,3}\s*[d°](\s*\d|\s*$)", re.IGNORECASE)


def notation_of(cell: Any) -> Notation:
    """Return how an angle is written.

    ``sexagesimal`` text (10:00:24) does not say its unit, ``hours`` (10h00m24s) and ``degrees``
    (150d06m00s) do.
    """
    if not isinstance(cell, str):
        return "number" if isinstance(cell, int | float) and math.isfinite(cell) else "other"
    if as_number(cell) is not None:
        return "number"
    if _COLONS.fullmatch(cell):
        return "sexagesimal"
    if _HOURS.match(cell):
        return "hours"
    return "degrees" if _DEGREES.match(cell) else "other"


def as_number(cell: Any) -> float | None:
    """The finite number in a cell, or None."""
    try:
        number = float(cell)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def first_field(cell: str) -> int:
    """The hours or degrees of sexagesimal text."""
    match = _COLONS.fullmatch(cell)
    return 0 if match is None else int(match[2])


def sexagesimal(cell: str, unit: Literal["hours", "degrees"]) -> float | None:
    """An angle in degrees from sexagesimal text; None where it is none.

    Parameters
    ----------
    unit : str
        Of text that does not say its own.
    """
    match = _COLONS.fullmatch(cell)
    if match is not None:
        sign, whole = match[1], int(match[2])
        minutes, seconds = float(match[3]), float(match[4] or 0)
        if minutes >= 60 or seconds > 60:
            return None
        value = whole + minutes / 60 + seconds / 3600
        return (-value if sign in ("-", "\u2212") else value) * (15 if unit == "hours" else 1)
    if notation_of(cell) == "other":
        return None
    try:
        angle = Angle(cell.replace("\u2212", "-"), u.hourangle if unit == "hours" else u.deg)
    except (ValueError, TypeError, u.UnitsError):
        return None
    degrees = float(angle.to_value(u.deg))
    return degrees if math.isfinite(degrees) else None
