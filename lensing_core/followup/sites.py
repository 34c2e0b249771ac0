"""Observatories by name, from a table that comes with the program, or by typed coordinates."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lensing_core.errors import BadInputError

SITES = Path(__file__).parent / "data" / "sites.toml"
_HIGHEST_M = 9000.0
_LOWEST_M = -500.0


@dataclass(frozen=True)
class Site:
    """A place of observation.

    Attributes
    ----------
    key, name : str
    longitude_deg, latitude_deg : float
        WGS84, east and north positive.
    height_m : float
    source : str
        Of the coordinates.
    """

    key: str
    name: str
    longitude_deg: float
    latitude_deg: float
    height_m: float
    source: str

    def __post_init__(self) -> None:
        for name, value, low, high, unit in (
            ("longitude", self.longitude_deg, -180, 360, "degrees"),
            ("latitude", self.latitude_deg, -90, 90, "degrees"),
            ("height", self.height_m, _LOWEST_M, _HIGHEST_M, "m"),
        ):
            if not low <= value <= high:  # NaN fails too
                raise BadInputError(
                    f"Site {self.key!r}: {name} {value:g}: give {low:g} to {high:g} {unit}."
                )


@cache
def known_sites() -> Mapping[str, Site]:
    """The sites of the table, by key."""
    table = tomllib.loads(SITES.read_text("utf-8"))
    return {key: Site(key, **fields) for key, fields in table.items()}


def find_site(text: str) -> Site:
    """Return the site of a key or name, or of ``longitude, latitude, height``.

    Raises
    ------
    BadInputError
        If there is none of that name, or the numbers make no sense.
    """
    wanted = text.strip()
    known = known_sites()
    if wanted.lower() in known:
        return known[wanted.lower()]
    for site in known.values():
        if site.name.lower() == wanted.lower():
            return site
    parts = wanted.replace("\N{MINUS SIGN}", "-").split(",")
    try:
        longitude, latitude, height = (float(part) for part in parts)
    except ValueError:
        raise BadInputError(
            f"Site {wanted!r}: give one of {', '.join(known)}, or longitude, latitude (degrees, "
            "east and north positive) and height (m), such as -70.405, -24.627, 2669."
        ) from None
    return Site(wanted, wanted, longitude, latitude, height, "typed")
