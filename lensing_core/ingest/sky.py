"""Sky coordinates of an image's pixels by its WCS: any projection, axes and frame.

Positions are ICRS. What astropy and wcslib compute is not computed here; a WCS is parsed once for
all images of a survey, whose headers differ in ``CRVAL`` and ``CRPIX`` alone.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import (
    FK5,
    BaseCoordinateFrame,
    CartesianRepresentation,
    Galactic,
    SkyCoord,
)
from astropy.io import fits
from astropy.wcs import WCS
from astropy.wcs.utils import wcs_to_celestial_frame
from astropy.wcs.wcs import NoConvergence

from lensing_core.arrays import Float64Array
from lensing_core.ingest.headers import Cards, celestial_wcs

_MOST_TEMPLATES = 256
_MAX_TURN_DEG = 1.0
_REFERENCES = ("CRVAL1", "CRVAL2", "CRVAL3", "CRVAL4")
_TWO_AXES = {"CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2"}
_STEPS = np.array([[0.0, 0.0], [0.5, 0.0], [-0.5, 0.0], [0.0, 0.5], [0.0, -0.5]])
_ARCSEC = 180 * 3600 / math.pi
_Vector = tuple[float, float, float]
_ROTATED = ("fk5", "galactic")  # frames that a rotation leads to from ICRS


@dataclass(frozen=True)
class Place:
    """Pixel of a position in an image, with the orientation of the sky around it.

    Attributes
    ----------
    x, y : float
        In pixels from 0.
    ra_deg, dec_deg : float
        ICRS.
    matrix_arcsec : ((float, float), (float, float))
        East and north (rows) of a step of a pixel in x and y (columns), in the plane that touches
        the sky at the position.
    """

    x: float
    y: float
    ra_deg: float
    dec_deg: float
    matrix_arcsec: tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Shown:
    """Place and orientation of an object in an image. None where its header does not give them.

    Attributes
    ----------
    center : (y, x) or None
        Where the object lies, in pixels from 0.
    matrix_arcsec : ((float, float), (float, float)) or None
        As :attr:`Place.matrix_arcsec`.
    sky_deg : (ra, dec) or None
        ICRS position of ``center``.
    """

    center: tuple[float, float] | None = None
    matrix_arcsec: tuple[tuple[float, float], tuple[float, float]] | None = None
    sky_deg: tuple[float, float] | None = None


def orientation(
    matrix: tuple[tuple[float, float], tuple[float, float]],
) -> tuple[float, bool]:
    """Direction of north in degrees from y towards x, and whether east lies to the right of it.

    Parameters
    ----------
    matrix : ((float, float), (float, float))
        As :attr:`Place.matrix_arcsec`; not singular.
    """
    (xe, ye), (xn, yn) = matrix
    determinant = xe * yn - ye * xn
    north = -ye / determinant, xe / determinant  # what of x and y goes one arcsec to the north
    return math.degrees(math.atan2(*north)), determinant > 0


def rotation_against(
    first: tuple[tuple[float, float], tuple[float, float]],
    other: tuple[tuple[float, float], tuple[float, float]],
) -> str:
    """Return how an image is turned or mirrored against another, by their matrices; empty if it is
    not.
    """
    north_deg, is_mirrored = orientation(first)
    other_north_deg, other_is_mirrored = orientation(other)
    if is_mirrored != other_is_mirrored:
        return "mirrored"
    turned_deg = (other_north_deg - north_deg + 180) % 360 - 180
    return f"turned by {turned_deg:.1f} deg" if abs(turned_deg) > _MAX_TURN_DEG else ""


class ImageSky:
    """The celestial WCS of one image.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        Two-dimensional and celestial, in the order of the image's axes.
    frame : astropy frame
    has_reference : bool
        Whether the header says where on the sky the image lies, not only how it is turned.
    """

    def __init__(self, wcs: WCS, frame: BaseCoordinateFrame, *, has_reference: bool = True) -> None:
        self.has_reference = has_reference
        self._wcs, self._frame = wcs, frame
        self._lng, self._lat = wcs.wcs.lng, wcs.wcs.lat
        # Without distortions wcslib alone is ten times faster than what astropy puts around it.
        self._is_bare = wcs.sip is None and wcs.cpdis1 is None and wcs.det2im1 is None

    def place(self, ra_deg: float, dec_deg: float) -> Place | None:
        """Place of a position; None where the projection does not reach it."""
        (vector,) = _to_frame([_vector(ra_deg, dec_deg)], self._frame)
        lon, lat = _angles(vector)
        world = np.empty((1, 2))
        world[0, self._lng], world[0, self._lat] = math.degrees(lon), math.degrees(lat)
        pixel = self._to_pixel(world)
        return None if pixel is None else self._around(float(pixel[0, 0]), float(pixel[0, 1]))

    def shown(self, position_deg: tuple[float, float] | None, shape: tuple[int, int]) -> Shown:
        """Return what an image of shape (y, x) shows of an object; without a position that in the
        middle.

        A header that says only how the image is turned is believed in that.
        """
        height, width = shape
        middle = (width - 1) / 2, (height - 1) / 2
        if not self.has_reference:
            return Shown(matrix_arcsec=self._at_reference())
        place = self.place_of_pixel(*middle) if position_deg is None else self.place(*position_deg)
        if place is None:
            return Shown()
        sky = place.ra_deg, place.dec_deg
        return Shown((place.y, place.x), place.matrix_arcsec, sky)

    def _at_reference(self) -> tuple[tuple[float, float], tuple[float, float]] | None:
        matrix = self._wcs.pixel_scale_matrix[[self._lng, self._lat]] * 3600
        (xe, ye), (xn, yn) = matrix.tolist()
        return ((xe, ye), (xn, yn)) if xe * yn != ye * xn else None

    def place_of_pixel(self, x: float, y: float) -> Place | None:
        """The place of a pixel; None where it is not on the sky."""
        return self._around(x, y)

    def _around(self, x: float, y: float) -> Place | None:
        # Python's own floats: numpy takes ten times as long for so few numbers.
        world = self._to_world(np.add(_STEPS, (x, y)))
        if world is None:
            return None
        points = [_vector(point[self._lng], point[self._lat]) for point in world.tolist()]
        here, *around = _from_frame(points, self._frame)
        lon, lat = _angles(here)
        right, left, up, down = (_offset(vector, lon, lat) for vector in around)
        xe, xn = right[0] - left[0], right[1] - left[1]
        ye, yn = up[0] - down[0], up[1] - down[1]
        if not math.isfinite(xe + xn + ye + yn) or xe * yn == ye * xn:
            return None
        return Place(x, y, math.degrees(lon) % 360, math.degrees(lat), ((xe, ye), (xn, yn)))

    def _to_pixel(self, world: Float64Array) -> Float64Array | None:
        try:
            if self._is_bare:
                found = self._wcs.wcs.s2p(world, 0)["pixcrd"]
            else:
                found = self._wcs.all_world2pix(world, 0)
        except (ValueError, NoConvergence):  # wcslib: beyond the projection
            return None
        return found if math.isfinite(found.sum()) else None

    def _to_world(self, pixels: Float64Array) -> Float64Array | None:
        try:
            if self._is_bare:
                found = self._wcs.wcs.p2s(pixels, 0)["world"]
            else:
                found = self._wcs.all_pix2world(pixels, 0)
        except ValueError:
            return None
        return found if math.isfinite(found.sum()) else None


class _Templates(threading.local):
    """Parsed headers by their common cards; wcslib is not made for several threads."""

    def __init__(self) -> None:
        self.known: dict[tuple[bytes, bytes | None], ImageSky | None] = {}


_templates = _Templates()


def sky_of_cards(cards: Cards) -> ImageSky | None:
    """The sky of an image; None without a celestial WCS in a frame that astropy knows.

    Good until the next call in the same thread.
    """
    if b"CTYPE" not in cards.common:
        return None
    placing = _numbers(cards.placing)
    known = _templates.known
    if len(known) > _MOST_TEMPLATES:
        known.clear()
    # Axes besides those of the sky, and distortions that hang on CRPIX, are parsed with each image.
    is_template = len(placing) == 4 and set(placing) == _TWO_AXES and b"_ORDER" not in cards.common
    key = cards.common, None if is_template else cards.placing
    if key not in known:
        known[key] = sky_of_header(fits.Header.fromstring(cards.common + cards.placing))
    sky = known[key]
    if is_template and sky is not None:
        sky._wcs.wcs.crval = [placing["CRVAL1"], placing["CRVAL2"]]
        sky._wcs.wcs.crpix = [placing["CRPIX1"], placing["CRPIX2"]]
    return sky


def sky_of_header(header: fits.Header) -> ImageSky | None:
    """The sky of an image by its whole header."""
    wcs = celestial_wcs(header)
    if wcs is None:
        return None
    frame = _frame_of(wcs)
    if frame is None:
        return None
    return ImageSky(wcs, frame, has_reference=any(key in header for key in _REFERENCES))


def _frame_of(wcs: WCS) -> BaseCoordinateFrame | None:
    """The frame that CTYPE names; RADESYS and EQUINOX speak of equatorial ones alone."""
    name = wcs.wcs.ctype[wcs.wcs.lng][:4]
    if name == "GLON":
        return Galactic()
    return wcs_to_celestial_frame(wcs) if name == "RA--" else None


def _numbers(placing: bytes) -> dict[str, float]:
    """Values of ``CRVAL`` and ``CRPIX`` cards; of one that is no plain number NaN."""
    found: dict[str, float] = {}
    for k in range(0, len(placing), 80):
        card = placing[k : k + 80]
        try:
            value = float(card[10:].partition(b"/")[0].replace(b"D", b"E"))
        except ValueError:
            value = math.nan
        found.setdefault(card[:8].rstrip().decode("ascii", "replace"), value)
    return found


def _vector(lon_deg: float, lat_deg: float) -> _Vector:
    """The unit vector of a direction."""
    lon, lat = math.radians(lon_deg), math.radians(lat_deg)
    across = math.cos(lat)
    return across * math.cos(lon), across * math.sin(lon), math.sin(lat)


def _angles(vector: _Vector) -> tuple[float, float]:
    """Longitude and latitude in radians."""
    x, y, z = vector
    return math.atan2(y, x), math.atan2(z, math.hypot(x, y))


def _offset(vector: _Vector, lon: float, lat: float) -> tuple[float, float]:
    """East and north in arcsec in the plane that touches the sky at a direction."""
    x, y, z = vector
    outward = x * math.cos(lon) + y * math.sin(lon)
    depth = outward * math.cos(lat) + z * math.sin(lat)
    east = y * math.cos(lon) - x * math.sin(lon)
    north = z * math.cos(lat) - outward * math.sin(lat)
    return east / depth * _ARCSEC, north / depth * _ARCSEC


def _to_frame(vectors: Sequence[_Vector], frame: BaseCoordinateFrame) -> Sequence[_Vector]:
    """Directions in a frame, from ICRS."""
    if frame.name == "icrs":
        return vectors
    if frame.name in _ROTATED:
        rows = _rotation(_key(frame)).tolist()
        return [_rotated(rows, vector) for vector in vectors]
    return _transform(vectors, "icrs", frame)


def _from_frame(vectors: Sequence[_Vector], frame: BaseCoordinateFrame) -> Sequence[_Vector]:
    """Directions in ICRS, from a frame."""
    if frame.name == "icrs":
        return vectors
    if frame.name in _ROTATED:
        rows = _rotation(_key(frame)).T.tolist()
        return [_rotated(rows, vector) for vector in vectors]
    return _transform(vectors, frame, "icrs")


def _rotated(rows: Sequence[Sequence[float]], vector: _Vector) -> _Vector:
    x, y, z = (a * vector[0] + b * vector[1] + c * vector[2] for a, b, c in rows)
    return x, y, z


def _key(frame: BaseCoordinateFrame) -> tuple[str, float]:
    """Return what tells frames of :data:`_ROTATED` apart."""
    return frame.name, float(frame.equinox.jyear) if frame.name == "fk5" else 0.0


@lru_cache(maxsize=64)
def _rotation(key: tuple[str, float]) -> Float64Array:
    """Return what turns ICRS vectors (as columns) into those of a frame."""
    name, jyear = key
    frame: Any = name
    if name == "fk5":
        frame = FK5(equinox=f"J{jyear:.12f}")
    return np.asarray(_transform([(1, 0, 0), (0, 1, 0), (0, 0, 1)], "icrs", frame)).T


def _transform(vectors: Sequence[_Vector], start: Any, end: Any) -> list[_Vector]:
    components = CartesianRepresentation(*np.transpose(vectors), unit=u.one)
    found = SkyCoord(components, frame=start, representation_type="cartesian").transform_to(end)
    return [(x, y, z) for x, y, z in np.asarray(found.cartesian.xyz.value).T.tolist()]
