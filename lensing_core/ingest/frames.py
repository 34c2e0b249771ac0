"""The frame of a table's positions: what its words mean, and positions brought to ICRS."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import astropy.units as u
from astropy.coordinates import (
    FK4,
    FK5,
    ICRS,
    BarycentricMeanEcliptic,
    BaseCoordinateFrame,
    FK4NoETerms,
    Galactic,
    SkyCoord,
    Supergalactic,
)
from astropy.time import Time

from lensing_core.arrays import Float64Array
from lensing_core.errors import BadInputError
from lensing_core.ingest.choices import POSITION_FRAMES

_YEAR = r"[jbJB]?\d{4}(?:\.\d+)?"
_NAMED = re.compile(rf"\b(equinox|epoch)\s*[=:]?\s*({_YEAR})", re.IGNORECASE)
_DEFAULT_EQUINOX = {"fk5": "J2000", "fk4": "B1950", "fk4noeterms": "B1950", "ecliptic": "J2000"}
# Words of COOSYS (old and new), RADESYS and people, without punctuation.
_WORDS = {
    **dict.fromkeys(("icrs", "eqicrs", "icrf", "icrf2", "icrf3", "hipparcos", "gaia"), "icrs"),
    **dict.fromkeys(("fk5", "eqfk5", "j2000"), "fk5"),
    **dict.fromkeys(("fk4", "eqfk4", "b1950"), "fk4"),
    **dict.fromkeys(("fk4noe", "fk4noeterms"), "fk4noeterms"),
    **dict.fromkeys(("galactic", "gal", "galacticii", "glonglat"), "galactic"),
    **dict.fromkeys(("ecliptic", "eclfk5", "ecl", "elonelat"), "ecliptic"),
    **dict.fromkeys(("supergalactic", "sgal"), "supergalactic"),
}


@dataclass(frozen=True)
class SkyFrame:
    """A frame of positions.

    Attributes
    ----------
    name : str
        One of :data:`~lensing_core.ingest.choices.POSITION_FRAMES` or ``fk4noeterms``.
    equinox : str
        Such as ``B1950``; empty for frames without one.
    epoch : str
        Of observation, which FK4 needs; empty: its equinox.
    """

    name: str = "icrs"
    equinox: str = ""
    epoch: str = ""

    def __str__(self) -> str:
        title = {"icrs": "ICRS", "fk4noeterms": "FK4 without E-terms"}.get(
            self.name, self.name.upper() if self.name.startswith("fk") else self.name
        )
        return f"{title} ({self.equinox})" if self.equinox else title

    def to_icrs(
        self, lon_deg: Float64Array, lat_deg: Float64Array
    ) -> tuple[Float64Array, Float64Array]:
        """ICRS positions, degrees."""
        if self.name == "icrs" or not len(lon_deg):
            return lon_deg, lat_deg
        found = SkyCoord(lon_deg, lat_deg, unit=u.deg, frame=_astropy_frame(self)).icrs
        return found.ra.deg, found.dec.deg


def frame_of(text: str, where: str) -> SkyFrame:
    """The frame that a table's words name, as ``eq_FK4 equinox=B1950``, ``ICRS``, ``galactic``.

    Parameters
    ----------
    where : str
        For the message.

    Raises
    ------
    BadInputError
        For a frame that is not known, or an equinox that is none.
    """
    named = {key.lower(): year for key, year in _NAMED.findall(text)}
    bare = _NAMED.sub(" ", text)
    word = re.sub(r"[^a-z0-9]", "", bare.lower())
    years = re.findall(rf"(?<![\w.]){_YEAR}(?![\w.])", bare)
    if word not in _WORDS and years:  # a year beside the name, as ``eq_FK4 B1950``
        named.setdefault("equinox", years[0])
        for year in years:
            bare = bare.replace(year, " ")
        word = re.sub(r"[^a-z0-9]", "", bare.lower())
    if not word and "equinox" in named:
        word = "fk4" if _year(named["equinox"], where) < 1984.0 else "fk5"
    if word not in _WORDS:
        raise BadInputError(
            f"{where} states the frame {' '.join(text.split())!r}, which is not known; say which "
            f"it is (setting position_frame: {', '.join(POSITION_FRAMES[1:])})."
        )
    name = _WORDS[word]
    if name not in _DEFAULT_EQUINOX:
        return SkyFrame(name)
    equinox = _spelled(named.get("equinox", _DEFAULT_EQUINOX[name]), name, where)
    epoch = _spelled(named["epoch"], name, where) if "epoch" in named else ""
    return SkyFrame(name, equinox, epoch if name.startswith("fk4") else "")


def _year(text: str, where: str) -> float:
    try:
        return float(text.lstrip("jbJB"))
    except ValueError:
        raise BadInputError(f"{where} states the equinox {text!r}, which is no year.") from None


def _spelled(text: str, name: str, where: str) -> str:
    """A year with its letter: B for FK4, J for others, unless it has one."""
    year = _year(text, where)
    letter = text[0].upper() if text[0].isalpha() else ("B" if name.startswith("fk4") else "J")
    return f"{letter}{year:g}"


@lru_cache(maxsize=32)
def _astropy_frame(frame: SkyFrame) -> BaseCoordinateFrame:
    made: Any
    if frame.name in ("fk4", "fk4noeterms"):
        kind = FK4 if frame.name == "fk4" else FK4NoETerms
        equinox = Time(frame.equinox)
        made = kind(equinox=equinox, obstime=Time(frame.epoch) if frame.epoch else equinox)
    elif frame.name == "fk5":
        made = FK5(equinox=Time(frame.equinox))
    elif frame.name == "ecliptic":
        made = BarycentricMeanEcliptic(equinox=Time(frame.equinox))
    else:
        made = {"icrs": ICRS, "galactic": Galactic, "supergalactic": Supergalactic}[frame.name]()
    return made
