"""Columns of positions by their names: pairs of one frame, and the parts of CDS tables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_UNIT_ENDING = re.compile(
    r"[\s_.]+(deg|degs|degree|degrees|rad|radian|radians|hour|hours|hr|hms|dms|hourangle|arcmin"
    r"|arcsec)$",
    re.IGNORECASE,
)
# Names without case and punctuation, the likelier first.
_EQUATORIAL = (
    *(("ra", "dec"), ("ra", "de"), ("radeg", "decdeg"), ("radeg", "dedeg")),
    *(("raj2000", "dej2000"), ("raj2000", "decj2000"), ("alphaj2000", "deltaj2000")),
    *(("raicrs", "deicrs"), ("raicrs", "decicrs"), ("alpha", "delta")),
    *(("rightascension", "declination"), ("targetra", "targetdec"), ("meanra", "meandec")),
    *(("rastack", "decstack"), ("ramean", "decmean"), ("rafk5", "decfk5"), ("rafk5", "defk5")),
    *(("ra2000", "dec2000"), ("ra2000", "de2000"), ("alphasky", "deltasky")),
    *(("coordra", "coorddec"), ("skycoordra", "skycoorddec")),
)
_FK4 = (
    *(("rab1950", "deb1950"), ("rab1950", "decb1950"), ("ra1950", "dec1950"), ("ra1950", "de1950")),
    *(("rafk4", "decfk4"), ("rafk4", "defk4"), ("alphab1950", "deltab1950")),
)
_GALACTIC = (
    *(("glon", "glat"), ("gallon", "gallat"), ("gall", "galb"), ("lii", "bii"), ("l", "b")),
    ("galacticlongitude", "galacticlatitude"),
)
_ECLIPTIC = (
    *(("elon", "elat"), ("ecllon", "ecllat"), ("eclon", "eclat"), ("ecllambda", "eclbeta")),
    ("eclipticlongitude", "eclipticlatitude"),
)
_SUPERGALACTIC = (("sglon", "sglat"), ("sgl", "sgb"))
PAIRS: tuple[tuple[str, str, str], ...] = (
    *((*pair, "") for pair in _EQUATORIAL),
    *((*pair, "FK4") for pair in _FK4),
    *((*pair, "galactic") for pair in _GALACTIC),
    *((*pair, "ecliptic") for pair in _ECLIPTIC),
    *((*pair, "supergalactic") for pair in _SUPERGALACTIC),
)
_PARTS = {
    "ra": (("rah",), ("ram",), ("ras",)),
    "dec": (("ded", "decd"), ("dem", "decm"), ("des", "decs")),
}


@dataclass(frozen=True)
class Parts:
    """An angle in parts: columns of hours or degrees, minutes, seconds and sign ('' if none)."""

    whole: str
    minutes: str
    seconds: str
    sign: str = ""
    degrees_per_whole: int = 1

    @property
    def columns(self) -> list[str]:
        """Those that there are."""
        return [name for name in (self.sign, self.whole, self.minutes, self.seconds) if name]

    def degrees(self, cells: Sequence[Sequence[Any]]) -> list[Any]:
        """Degrees of some rows, from the cells of :attr:`columns`; None where nothing is given.

        What is no angle comes as its text, which no reader of positions takes.
        """
        return [
            self._angle(dict(zip(self.columns, row, strict=True)))
            for row in zip(*cells, strict=True)
        ]

    def _angle(self, row: Mapping[str, Any]) -> Any:
        parts = [row.get(name) for name in (self.whole, self.minutes, self.seconds)]
        if all(part is None for part in parts):
            return None
        try:
            whole, minutes, seconds = (0.0 if part is None else float(part) for part in parts)
        except (TypeError, ValueError):
            return self._cells_in_words(row)
        sign = self._sign(row, parts)
        is_angle = parts[0] is not None and 0 <= abs(minutes) < 60 and 0 <= abs(seconds) <= 60
        if not sign or not is_angle:
            return self._cells_in_words(row)
        size = abs(whole) + abs(minutes) / 60 + abs(seconds) / 3600
        return sign * size * self.degrees_per_whole

    def _sign(self, row: Mapping[str, Any], parts: Sequence[Any]) -> int:
        """1, -1, or 0 where it cannot be known: -0 degrees are 0 where they are a number."""
        if self.sign:
            said = row.get(self.sign)
            if said in (None, "+", 1):
                return -1 if said is None and _is_negative(parts[0]) else 1
            return -1 if str(said) in ("-", "\u2212", "-1") else 0
        if any(_is_negative(part) for part in parts):
            return -1
        is_lost = self.degrees_per_whole == 1 and parts[0] == 0 and not isinstance(parts[0], str)
        return 0 if is_lost else 1

    def _cells_in_words(self, row: Mapping[str, Any]) -> str:
        return " ".join(f"{name}={row.get(name)}" for name in self.columns)


def _is_negative(part: Any) -> bool:
    return str(part).lstrip().startswith(("-", "\u2212"))


def normal(name: str) -> str:
    """A column name without case, punctuation and a trailing unit in brackets."""
    bare = re.sub(r"[\(\[].*?[\)\]]?$", "", name) or name
    return re.sub(r"[^a-z0-9]", "", bare.lower())


def by_normal_name(names: Sequence[str]) -> dict[str, str]:
    """Columns by normal name; the first of several, and no column of signs."""
    found: dict[str, str] = {}
    for name in names:
        if is_sign(name):
            continue
        found.setdefault(normal(name), name)
    for name in names:
        if not is_sign(name):
            found.setdefault(normal(_UNIT_ENDING.sub("", name)), name)
    return found


def is_sign(name: str) -> bool:
    """Return whether a column is called as that of the sign of a declination (``DE-``)."""
    return re.fullmatch(r"_?dec?(_?sign|[-±_])", name.strip().lower()) is not None


def position_pairs(names: Sequence[str]) -> list[tuple[str, str, str]]:
    """Pairs of columns that may be longitude and latitude, with their frame ('' for ICRS)."""
    known = by_normal_name(names)
    return [
        (known[lon], known[lat], frame)
        for lon, lat, frame in PAIRS
        if lon in known and lat in known
    ]


def angle_parts(names: Sequence[str]) -> dict[str, Parts]:
    """``ra`` and ``dec`` in parts (RAh, RAm, RAs; DE-, DEd, DEm, DEs), where both are there."""
    known = by_normal_name(names)
    sign = next((name for name in names if is_sign(name)), "")
    found: dict[str, Parts] = {}
    for axis, spellings in _PARTS.items():
        whole, minutes, seconds = (
            next((known[s] for s in spelling if s in known), "") for spelling in spellings
        )
        if whole and minutes:
            found[axis] = (
                Parts(whole, minutes, seconds, sign)
                if axis == "dec"
                else Parts(whole, minutes, seconds, degrees_per_whole=15)
            )
    return found if len(found) == 2 else {}


def frame_in_name(name: str) -> str:
    """The frame that a column of longitudes is named after; empty where it says none."""
    bare = normal(name)
    bare_of_unit = normal(_UNIT_ENDING.sub("", name))
    for lon, _, frame in PAIRS:
        if lon in (bare, bare_of_unit) and frame:
            return frame
    for word, frame in (("icrs", "ICRS"), ("2000", "J2000"), ("fk5", "FK5"), ("1950", "FK4")):
        if word in bare:
            return frame
    return "FK4" if "fk4" in bare else ""
