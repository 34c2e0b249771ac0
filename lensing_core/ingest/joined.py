"""Columns of positions that a table holds as coordinates of astropy, or in parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from astropy.coordinates import ConvertError, SkyCoord
from astropy.table import Table

from lensing_core.errors import BadInputError
from lensing_core.ingest.sky_names import Parts, angle_parts


@dataclass(frozen=True)
class SkyAxis:
    """One axis of a column of coordinates."""

    column: str
    axis: Literal["ra", "dec"]

    def degrees(self, coordinates: SkyCoord) -> list[float]:
        """ICRS degrees of some rows.

        Raises
        ------
        BadInputError
            If their frame has no way to ICRS without a place on Earth or the like.
        """
        try:
            angle = getattr(coordinates.icrs, self.axis)
        except (ConvertError, ValueError) as error:
            raise BadInputError(
                f"Column {self.column} holds coordinates of the frame {coordinates.frame.name}, "
                "which cannot be brought to ICRS; give right ascension and declination."
            ) from error
        degrees = angle.to_value("deg")
        if hasattr(degrees, "mask"):
            degrees = np.where(degrees.mask, np.nan, degrees.unmasked)
        return [float(v) for v in np.asarray(degrees, dtype=np.float64).reshape(-1)]


def joined_columns(table: Table) -> dict[str, SkyAxis | Parts]:
    """Columns to be made of others, right ascension and declination of each pair in turn."""
    found: dict[str, Any] = {}
    for name in table.colnames:
        if isinstance(table[name], SkyCoord) and table[name].ndim == 1:
            found[f"{name}.ra"] = SkyAxis(name, "ra")
            found[f"{name}.dec"] = SkyAxis(name, "dec")
    for axis, parts in angle_parts([n for n in table.colnames if n not in found]).items():
        found[f"{axis} ({', '.join(parts.columns)})"] = parts
    return found
