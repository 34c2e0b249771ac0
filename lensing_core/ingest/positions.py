"""Sky positions from cells: any unit of angles, sexagesimal text, any frame; ICRS comes out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import astropy.units as u
import numpy as np

from lensing_core.ingest.angles import as_number, sexagesimal
from lensing_core.ingest.frames import SkyFrame
from lensing_core.ingest.rejection import RowRejected

Position = tuple[float, float]
TextUnit = Literal["hours", "degrees", ""]
_TURN_TOLERANCE = 1e-9


@dataclass(frozen=True)
class PositionReader:
    """Reads longitudes and latitudes, usually right ascensions and declinations.

    Attributes
    ----------
    ra_unit, dec_unit : str
        Of numbers: "degrees", "hours", "radians" or another angle by its name in astropy;
        "sexagesimal" where numbers are refused.
    ra_text : {'hours', 'degrees', ''}
        Of sexagesimal text that does not say its unit itself; empty: such text is refused.
    frame : SkyFrame
    """

    ra_unit: str = "degrees"
    dec_unit: str = "degrees"
    ra_text: TextUnit = "hours"
    frame: SkyFrame = field(default_factory=SkyFrame)

    @property
    def names(self) -> tuple[str, str]:
        """Return what the two angles are called."""
        if self.frame.name in ("icrs", "fk5", "fk4", "fk4noeterms"):
            return "right ascension", "declination"
        return f"{self.frame.name} longitude", f"{self.frame.name} latitude"

    def read(self, ra: Any, dec: Any) -> Position | None:
        """ICRS degrees, 0 <= ra < 360; None where the row has no position.

        Raises
        ------
        RowRejected
            bad_coordinates.
        """
        (found,) = self.read_all([ra], [dec])
        if isinstance(found, RowRejected):
            raise found
        return found

    def read_all(
        self, ra_cells: Sequence[Any], dec_cells: Sequence[Any]
    ) -> list[Position | RowRejected | None]:
        """Positions of many rows as of :meth:`read`; what is wrong with a row instead of it."""
        found: list[Position | RowRejected | None] = []
        for ra, dec in zip(ra_cells, dec_cells, strict=True):
            try:
                found.append(self._angles(ra, dec))
            except RowRejected as problem:
                found.append(problem)
        if self.frame.name == "icrs":
            return found
        rows = [k for k, one in enumerate(found) if isinstance(one, tuple)]
        angles = np.array([found[k] for k in rows], dtype=np.float64).reshape(-1, 2)
        turned = self.frame.to_icrs(angles[:, 0], angles[:, 1])
        for k, ra_deg, dec_deg in zip(rows, turned[0].tolist(), turned[1].tolist(), strict=True):
            found[k] = (ra_deg % 360, dec_deg)
        return found

    def _angles(self, ra: Any, dec: Any) -> Position | None:
        """Degrees in the table's own frame."""
        if ra is None and dec is None:
            return None
        if ra is None or dec is None:
            raise RowRejected(
                "bad_coordinates", f"The {self.names[0 if ra is None else 1]} is missing."
            )
        ra_deg = _degrees(ra, self.ra_unit, self.ra_text, self.names[0])
        dec_deg = _degrees(dec, self.dec_unit, "degrees", self.names[1])
        if not (-180 <= ra_deg <= 360 + _TURN_TOLERANCE and -90 <= dec_deg <= 90):
            raise RowRejected(
                "bad_coordinates",
                f"Position {ra} {dec} is out of range: {self.names[0]} must be 0 to 360 degrees, "
                f"{self.names[1]} -90 to 90.",
            )
        return ra_deg % 360, dec_deg


@lru_cache(maxsize=64)
def degrees_per(unit: str) -> float:
    """Degrees in a unit of :attr:`PositionReader.ra_unit`."""
    known = {"degrees": 1.0, "hours": 15.0, "radians": 180 / math.pi}
    return known[unit] if unit in known else float(u.Unit(unit).to(u.deg))


def _degrees(cell: Any, unit: str, text_unit: TextUnit, what: str) -> float:
    number = as_number(cell)
    if number is not None:
        if unit == "sexagesimal":
            raise RowRejected(
                "bad_coordinates",
                f"The {what} is {cell!r}, a number where the column holds sexagesimal text.",
            )
        return number * degrees_per(unit)
    if not isinstance(cell, str):
        raise RowRejected("bad_coordinates", f"The {what} is {cell!r}, not a number.")
    # Text that says its unit is read in any case; other text where its unit is known.
    found = sexagesimal(cell, text_unit or "hours")
    if found is None:
        raise RowRejected(
            "bad_coordinates",
            f"The {what} is {cell!r}, which is neither a number nor sexagesimal.",
        )
    if not text_unit and sexagesimal(cell, "degrees") != found:
        raise RowRejected(
            "bad_coordinates",
            f"The {what} is {cell!r}, sexagesimal text in a column of {unit}: hours or degrees?",
        )
    return found
