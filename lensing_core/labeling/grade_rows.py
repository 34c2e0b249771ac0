"""One grade of a file, whatever the file's form, and what all forms share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from lensing_core.store.tables import Grader


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be imported; ``row`` is its line in the file, the header's being 1."""

    row: int
    message: str


@dataclass(frozen=True)
class GradeRow:
    """One grade as the file has it.

    Attributes
    ----------
    line : int
        Of the file, from 1.
    name : str
        Of the object; '' where it is known by its position.
    ra_deg, dec_deg : float or None
    grade, grader, reason, comment : str
    at : datetime or None
        When it was given; None where the file does not say.
    key : str
        What tells the row from others of its source.
    serial : int
        Order among rows of one time: the number of a classification, else the line.
    catalog : str
        Catalog of the object, where the file names it.
    """

    line: int
    name: str
    ra_deg: float | None
    dec_deg: float | None
    grade: str
    grader: str
    reason: str
    comment: str
    at: datetime | None
    key: str
    serial: int = 0
    catalog: str = ""


@dataclass
class GradesRead:
    """Contents of a file of grades.

    Attributes
    ----------
    rows : list of GradeRow
    bad : list of BadRow
        What cannot be read, each with what is wrong.
    notes : list of str
        What was left aside or taken in another spelling, one sentence each.
    n_ungraded : int
        Rows that say that nobody has graded the object.
    """

    rows: list[GradeRow] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    n_ungraded: int = 0


class RowFault(Exception):
    """Error of a row, as a clause of a sentence."""


def degrees(text: str, name: str) -> float | None:
    """Return a coordinate in degrees; None for an empty cell."""
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise RowFault(f"{name} {text!r} is no number of degrees.")
    return value


def check_position(ra_deg: float | None, dec_deg: float | None) -> None:
    """Raise RowFault for a position that is none."""
    if dec_deg is not None and not -90 <= dec_deg <= 90:
        raise RowFault(f"declination {dec_deg:g} deg lies outside -90 to 90.")
    if ra_deg is not None and not -180 <= ra_deg <= 360:
        raise RowFault(f"right ascension {ra_deg:g} deg lies outside 0 to 360.")


def moment(text: str) -> datetime | None:
    """Return an ISO 8601 time; without an offset it is UTC."""
    if not text:
        return None
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise RowFault(f"time {text!r} is not ISO 8601.") from None
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def one_name(text: Any) -> str:
    """Return the name of a person with single blanks; raises RowFault where there is none."""
    name = " ".join(str(text).split())
    if not 0 < len(name) <= Grader.name.type.length:
        raise RowFault("no grader is named.")
    return name


def shown(value: object) -> str:
    """Return a value as a message shows it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
