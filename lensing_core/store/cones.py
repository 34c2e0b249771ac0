"""A cone on the sky as people write it."""

from __future__ import annotations

import re

import astropy.units as u
from astropy.coordinates import Angle

from lensing_core.errors import BadInputError
from lensing_core.store.ranking import Cone

_RADIUS_UNITS = {
    "": u.deg,
    **dict.fromkeys(("d", "deg", "°"), u.deg),
    **dict.fromkeys(("m", "arcmin", "'", "′"), u.arcmin),
    **dict.fromkeys(("s", "arcsec", '"', "″"), u.arcsec),
}
_RADIUS = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(\D*)")
_EXAMPLE = "write it as 150.12 +2.20 30arcsec or 10:00:28.8 +02:12:00 0.5arcmin"


def read_cone(text: str) -> Cone:
    """The cone of right ascension, declination and radius, ICRS.

    Right ascension is in degrees, or in hours where it is sexagesimal (``10:00:28.8``,
    ``10h00m28.8s``); the radius is in degrees unless it names arcmin or arcsec.

    Raises
    ------
    BadInputError
        If the text is no cone.
    """
    parts = text.replace(",", " ").split()
    if len(parts) == 7:  # sexagesimal with blanks
        parts = [":".join(parts[:3]), ":".join(parts[3:6]), parts[6]]
    elif len(parts) == 4:  # a blank before the radius's unit
        parts = [*parts[:2], parts[2] + parts[3]]
    if len(parts) != 3:
        raise BadInputError(f"Cone {text!r}: {_EXAMPLE}.")
    match = _RADIUS.fullmatch(parts[2])
    if match is None or match[2].strip() not in _RADIUS_UNITS:
        raise BadInputError(f"Radius {parts[2]!r} of the cone: {_EXAMPLE}.")
    ra, dec = parts[:2]
    try:
        hours = re.search(r"[:hms]", ra) is not None and "d" not in ra
        ra_deg = float(Angle(ra, u.hourangle if hours else u.deg).deg)
        dec_deg = float(Angle(dec, u.deg).deg)
    except ValueError:
        raise BadInputError(f"Position {ra} {dec} of the cone: {_EXAMPLE}.") from None
    radius = float(match[1]) * _RADIUS_UNITS[match[2].strip()]
    return Cone(ra_deg, dec_deg, float(radius.to_value(u.deg)))


def cone_text(cone: Cone) -> str:
    """The cone in degrees and a radius that people read; :func:`read_cone` takes it back."""
    radius = cone.radius_deg * u.deg
    unit = u.arcsec if cone.radius_deg < 1 / 60 else u.arcmin if cone.radius_deg < 1 else u.deg
    size = f"{radius.to_value(unit):.6g}{unit.to_string()}"
    return f"{cone.ra_deg:.6f} {cone.dec_deg:+.6f} {size}"
