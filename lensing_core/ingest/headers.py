"""Pixel scale and zero point from FITS headers, with astropy as the judge.

Only the few cards that matter are kept of a header, so that the many images of one survey share
one parsed result.
"""

from __future__ import annotations

import math
import threading
import warnings
from dataclasses import dataclass
from functools import lru_cache

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.io.fits.verify import VerifyError
from astropy.wcs import WCS, FITSFixedWarning
from astropy.wcs.utils import proj_plane_pixel_scales

_WCS_CARDS = (
    *("CTYPE1", "CTYPE2", "CUNIT1", "CUNIT2", "CDELT1", "CDELT2", "CROTA1", "CROTA2"),
    *("CD1_1", "CD1_2", "CD2_1", "CD2_2", "PC1_1", "PC1_2", "PC2_1", "PC2_2"),
    *("PC001001", "PC001002", "PC002001", "PC002002"),
)
_SCALE_CARDS = ("PIXSCALE", "PIXSCAL", "PIXSCAL1", "PIXELSCL", "SECPIX", "SECPIX1", "SCALE")
_ZERO_POINT_CARDS = ("MAGZERO", "MAGZPT", "MAGZP", "MAGZEROP", "ZEROPNT", "ZEROPT", "PHOTZP")
_FLUX_CARDS = ("BUNIT", "EXPTIME", "PHOTFLAM", "PHOTPLAM", "PIXAR_SR", "BLANK")
KEYS = frozenset(
    key.ljust(8).encode() for key in (*_WCS_CARDS, *_SCALE_CARDS, *_ZERO_POINT_CARDS, *_FLUX_CARDS)
)

# Filters of warnings belong to the whole process: who changes them for a while must be alone.
WARNINGS_LOCK = threading.RLock()

_AB_FLUX_JY = 3631.0
_JY = {"jy": 1.0, "mjy": 1e-3, "ujy": 1e-6, "µjy": 1e-6, "njy": 1e-9}  # of lower-case units
_AGREE_MAG = 0.01


@dataclass(frozen=True)
class HeaderCalibration:
    """What a header says of its image. None where it is silent.

    Attributes
    ----------
    pixel_scale_arcsec, zero_point_mag : float or None
        The zero point (AB) holds for one unit of the pixels.
    pixel_scale_from, zero_point_from : str
        The keywords.
    north_deg : float or None
        Direction of north, from the y axis towards the x axis.
    is_mirrored : bool
        Whether east is to the right when north is up.
    exposure_s : float or None
    blank : int or None
        Integer that stands for "no data".
    conflicts : tuple of str
        Sentences on keywords that contradict one another.
    """

    pixel_scale_arcsec: float | None = None
    pixel_scale_from: str = ""
    zero_point_mag: float | None = None
    zero_point_from: str = ""
    north_deg: float | None = None
    is_mirrored: bool = False
    exposure_s: float | None = None
    blank: int | None = None
    conflicts: tuple[str, ...] = ()


def relevant_cards(header: bytes) -> bytes:
    """The 80-byte cards of a raw header that :func:`read_calibration` looks at."""
    starts = range(0, len(header), 80)
    return b"".join([header[k : k + 80] for k in starts if header[k : k + 8] in KEYS])


@lru_cache(maxsize=4096)
def read_calibration(cards: bytes) -> HeaderCalibration:
    """Read the cards that :func:`relevant_cards` kept."""
    header = fits.Header.fromstring(cards)
    wcs = celestial_wcs(header)
    scale, scale_from, scale_conflicts = _pixel_scale(header, wcs)
    north_deg, is_mirrored = _orientation(wcs)
    zero_point, zero_point_from, zero_point_conflicts = _zero_point(header, scale)
    blank = _number(header, "BLANK")
    return HeaderCalibration(
        pixel_scale_arcsec=scale,
        pixel_scale_from=scale_from,
        zero_point_mag=zero_point,
        zero_point_from=zero_point_from,
        north_deg=north_deg,
        is_mirrored=is_mirrored,
        exposure_s=_positive(header, "EXPTIME"),
        blank=None if blank is None else int(blank),
        conflicts=(*scale_conflicts, *zero_point_conflicts),
    )


def celestial_wcs(header: fits.Header) -> WCS | None:
    """The two-dimensional celestial WCS of a header, or None."""
    with WARNINGS_LOCK, warnings.catch_warnings():
        # astropy mends old keywords and says so; a header that it cannot mend raises instead.
        warnings.simplefilter("ignore", FITSFixedWarning)
        try:
            wcs = WCS(header, naxis=2)
        except (ValueError, KeyError, MemoryError):
            return None
    return wcs if wcs.has_celestial else None


def _orientation(wcs: WCS | None) -> tuple[float | None, bool]:
    """Direction of north and handedness of a WCS."""
    if wcs is None:
        return None, False
    matrix = wcs.pixel_scale_matrix  # (east, north) of (x, y)
    determinant = float(np.linalg.det(matrix))
    if not math.isfinite(determinant) or determinant == 0:
        return None, False
    x, y = np.linalg.solve(matrix, [0.0, 1.0])
    return math.degrees(math.atan2(x, y)), determinant > 0


def _pixel_scale(header: fits.Header, wcs: WCS | None) -> tuple[float | None, str, list[str]]:
    found: list[tuple[str, float]] = []
    conflicts: list[str] = []
    if wcs is not None:
        # astropy gives axis order (x, y), in degrees.
        x, y = (abs(s) for s in (proj_plane_pixel_scales(wcs) * u.deg).to_value(u.arcsec))
        if math.isfinite(x * y) and x * y > 0:
            found.append(("WCS", math.sqrt(x * y)))
            if abs(x / y - 1) > 0.01:
                conflicts.append(f"pixels are not square: {x:.4f} by {y:.4f} arcsec")
    for key in _SCALE_CARDS:
        value = _positive(header, key)
        if value is not None:
            found.append((key, value))
            break
    if not found:
        return None, "", conflicts
    if len(found) == 2 and abs(found[0][1] / found[1][1] - 1) > 0.01:
        conflicts.append(
            f"the WCS says {found[0][1]:.4f} arcsec a pixel, {found[1][0]} says "
            f"{found[1][1]:.4f}; the WCS was taken"
        )
    return found[0][1], found[0][0], conflicts


def _zero_point(
    header: fits.Header, pixel_scale_arcsec: float | None
) -> tuple[float | None, str, list[str]]:
    # A zero point of 0 is what pipelines write before they have measured one.
    found = [(key, value) for key in _ZERO_POINT_CARDS if (value := _number(header, key))]
    photflam, photplam = _positive(header, "PHOTFLAM"), _positive(header, "PHOTPLAM")
    unit = str(header.get("BUNIT", "")).strip().lower().replace(" ", "")
    if photflam and photplam:
        # ACS Data Handbook: ABMAG_ZPT = -2.5 log10 PHOTFLAM - 5 log10 PHOTPLAM - 2.408, for one
        # electron (or count) a second.
        value = -2.5 * math.log10(photflam) - 5 * math.log10(photplam) - 2.408
        exposure = _positive(header, "EXPTIME")
        if unit in ("electrons", "electron", "counts", "count", "e-", "dn") and exposure:
            value += 2.5 * math.log10(exposure)
        found.append(("PHOTFLAM and PHOTPLAM", value))
    from_unit = _zero_point_of_unit(unit, header, pixel_scale_arcsec)
    if from_unit is not None:
        found.append((f"BUNIT {header['BUNIT']}", from_unit))
    if not found:
        return None, "", []
    name, value = found[0]
    conflicts = [
        f"{name} gives a zero point of {value:.3f}, {other} gives {differs:.3f}; {name} was taken"
        for other, differs in found[1:]
        if abs(differs - value) > _AGREE_MAG
    ]
    return value, name, conflicts


def _zero_point_of_unit(
    unit: str, header: fits.Header, pixel_scale_arcsec: float | None
) -> float | None:
    if unit in ("mjy/sr", "mjy.sr-1", "mjysr-1"):  # megajansky here, as JWST writes it
        pixel_sr = _positive(header, "PIXAR_SR")
        if pixel_sr is None and pixel_scale_arcsec:
            pixel_sr = float((pixel_scale_arcsec * u.arcsec).to_value(u.rad)) ** 2
        return -2.5 * math.log10(1e6 * pixel_sr / _AB_FLUX_JY) if pixel_sr else None
    if unit in ("nanomaggy", "nanomaggies", "nmgy"):
        return 22.5
    if unit in _JY:
        return -2.5 * math.log10(_JY[unit] / _AB_FLUX_JY)
    return None


def _number(header: fits.Header, key: str) -> float | None:
    try:
        value = header.get(key)
    except VerifyError:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _positive(header: fits.Header, key: str) -> float | None:
    value = _number(header, key)
    return value if value is not None and value > 0 else None
