"""Pixel scale, zero point and exposure of an image from its FITS header, with astropy as the judge.

Only the few cards that matter are kept of a header, so that the many images of one survey share
one parsed result; what differs between the images of a survey (``CRVAL``, ``CRPIX``) is kept apart
and read by :mod:`lensing_core.ingest.sky`. An extension has the cards of the primary header too
(:func:`effective_cards`).
"""

from __future__ import annotations

import math
import re
import threading
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import astropy.units as u
from astropy.io import fits
from astropy.io.fits.verify import VerifyError
from astropy.wcs import WCS, FITSFixedWarning
from astropy.wcs.utils import proj_plane_pixel_scales

from lensing_core.ingest.pixel_units import AB_FLUX, PixelUnit, read_unit

_SCALE_CARDS = ("PIXSCALE", "PIXSCAL", "PIXSCAL1", "PIXELSCL", "SECPIX", "SECPIX1", "SCALE")
_ZERO_POINT_CARDS = (
    *("MAGZERO", "MAGZPT", "MAGZP", "MAGZEROP", "ZEROPNT", "ZEROPT", "PHOTZP", "ABMAGZP"),
    *("ABZP", "ZPAB", "ZP_AB", "ZP"),
)
_SYSTEM_CARDS = ("PHOTSYS", "MAGSYS", "ZPSYS")
_EXPOSURE_CARDS = ("EXPTIME", "EXPOSURE")
_ASINH = "BSOFTEN"
FILTER_CARDS = ("FILTER", "FILTER1", "FILTER2", "FILTNAM1", "BAND")
_INHERITED = frozenset(
    (
        *_SCALE_CARDS,
        *_ZERO_POINT_CARDS,
        *_SYSTEM_CARDS,
        *_EXPOSURE_CARDS,
        *FILTER_CARDS,
        *("BUNIT", _ASINH, "PHOTFLAM", "PHOTPLAM", "PIXAR_SR", "BMAJ", "BMIN", "FLUXMAG0", "NMGY"),
    )
)
_OWN = frozenset(("BLANK", "INHERIT"))
_WCS_CARD = re.compile(
    r"(?:CTYPE|CUNIT|CDELT|CROTA)[1-4]|(?:CD|PC)[1-4]_[1-4]|PC00[1-4]00[1-4]|PV[1-4]_\d{1,2}"
    r"|[AB]P?_(?:ORDER|\d_\d)|LONPOLE|LATPOLE|EQUINOX|EPOCH|RADESYS|RADECSYS|WCSAXES"
)
_PLACING_CARD = re.compile(r"CR(?:VAL|PIX)[1-4]")

# Filters of warnings belong to the whole process: who changes them for a while must be alone.
WARNINGS_LOCK = threading.RLock()

_AGREE_MAG = 0.01
_NMGY_ZERO_POINT_MAG = 22.5


class Cards(NamedTuple):
    """The cards of a header that matter here, 80 bytes each.

    Attributes
    ----------
    common : bytes
        Those that the images of a survey share.
    placing : bytes
        ``CRVAL`` and ``CRPIX``.
    """

    common: bytes
    placing: bytes


@dataclass(frozen=True)
class HeaderCalibration:
    """Header values of an image. None where it has none.

    Attributes
    ----------
    pixel_scale_arcsec, zero_point_mag : float or None
        The zero point (AB) holds for one unit of the pixels.
    pixel_scale_from, zero_point_from : str
        The keywords.
    no_zero_point : str
        Why what the header says gives no zero point; empty where it is silent.
    not_flux : str
        Why pixels cannot be used as fluxes; mostly empty.
    filters : tuple of str
        Values of the keywords of filters.
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
    no_zero_point: str = ""
    not_flux: str = ""
    filters: tuple[str, ...] = ()
    exposure_s: float | None = None
    blank: int | None = None
    conflicts: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def is_common(key: bytes) -> bool:
    """Return whether a card of this keyword (8 bytes) belongs to :attr:`Cards.common`."""
    name = key.rstrip().decode("ascii", "replace")
    return name in _INHERITED or name in _OWN or _WCS_CARD.fullmatch(name) is not None


@lru_cache(maxsize=4096)
def is_placing(key: bytes) -> bool:
    """Return whether a card of this keyword (8 bytes) belongs to :attr:`Cards.placing`."""
    return _PLACING_CARD.fullmatch(key.rstrip().decode("ascii", "replace")) is not None


def relevant_cards(header: bytes) -> Cards:
    """The cards of a raw header that this module and :mod:`~lensing_core.ingest.sky` look at."""
    common, placing = [], []
    for k in range(0, len(header), 80):
        key = header[k : k + 8]
        if is_common(key):
            common.append(header[k : k + 80])
        elif is_placing(key):
            placing.append(header[k : k + 80])
    return Cards(b"".join(common), b"".join(placing))


def effective_cards(own: Cards, primary: Cards, *, primary_is_empty: bool) -> Cards:
    """The cards of an extension with those that it inherits from the primary header.

    The convention of inheritance (registered with the IAU FITS Working Group): ``INHERIT = T`` and
    ``F`` decide; where an extension is silent, the header of a primary HDU without pixels is taken
    for that of the file. Own keywords win. A WCS is inherited whole, from a primary HDU without
    pixels, by an extension without one.
    """
    common, has_own_wcs, inherits = _inherited(own.common, primary.common, primary_is_empty)
    if has_own_wcs or own.placing or not inherits or not primary_is_empty:
        return Cards(common, own.placing)
    return Cards(common, primary.placing)


@lru_cache(maxsize=4096)
def _inherited(own: bytes, primary: bytes, primary_is_empty: bool) -> tuple[bytes, bool, bool]:
    """Cards with those inherited; whether there is an own WCS; whether anything is inherited."""
    cards = _by_key(own)
    has_wcs = any(_WCS_CARD.fullmatch(key) for key in cards)
    stated = cards.get("INHERIT", b"")[10:30].strip()
    inherits = primary_is_empty if stated not in (b"T", b"F") else stated == b"T"
    if not inherits:
        return own, has_wcs, False
    takes_wcs = primary_is_empty and not has_wcs
    more = [
        card
        for key, card in _by_key(primary).items()
        if key not in cards and (key in _INHERITED or (takes_wcs and _WCS_CARD.fullmatch(key)))
    ]
    return own + b"".join(more), has_wcs, True


def _by_key(cards: bytes) -> dict[str, bytes]:
    """Cards by keyword, the first of each."""
    found: dict[str, bytes] = {}
    for k in range(0, len(cards), 80):
        found.setdefault(cards[k : k + 8].rstrip().decode("ascii", "replace"), cards[k : k + 80])
    return found


@lru_cache(maxsize=4096)
def read_calibration(cards: bytes) -> HeaderCalibration:
    """Read :attr:`Cards.common`."""
    header = fits.Header.fromstring(cards)
    scale, scale_from, scale_conflicts = _pixel_scale(header, celestial_wcs(header))
    unit = read_unit(_text(header, "BUNIT"))
    zero_points = _ZeroPoints(header, unit, scale)
    blank = _number(header, "BLANK")
    return HeaderCalibration(
        pixel_scale_arcsec=scale,
        pixel_scale_from=scale_from,
        zero_point_mag=zero_points.value,
        zero_point_from=zero_points.name,
        no_zero_point="" if zero_points.value is not None else zero_points.why_not,
        not_flux=_not_flux(header, unit),
        filters=tuple(filter(None, (_text(header, key) for key in FILTER_CARDS))),
        exposure_s=_exposure(header),
        blank=None if blank is None else int(blank),
        conflicts=(*scale_conflicts, *zero_points.conflicts),
    )


def celestial_wcs(header: fits.Header) -> WCS | None:
    """The two-dimensional celestial WCS of a header, or None; axes keep their order."""
    with WARNINGS_LOCK, warnings.catch_warnings():
        # astropy mends old keywords and says so; a header that it cannot mend raises instead.
        warnings.simplefilter("ignore", FITSFixedWarning)
        try:
            wcs = WCS(header)
            return wcs.celestial if wcs.has_celestial else None
        except (ValueError, KeyError, MemoryError):
            return None


def _not_flux(header: fits.Header, unit: PixelUnit) -> str:
    if _ASINH in header:  # Waters et al. 2020, ApJS 251, 4: how Pan-STARRS packs stacked images
        return (
            f"pixels are asinh-packed ({_ASINH}), which are not linear flux; unpack them first: "
            f"BOFFSET + 2 {_ASINH} sinh(pixel / 1.0857362)"
        )
    if unit.kind != "magnitude":
        return ""
    return f"pixels are magnitudes (BUNIT {unit.text}), which are not fluxes; convert them first"


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


class _ZeroPoints:
    """The zero points that a header gives, the first of which counts, and why others do not."""

    def __init__(self, header: fits.Header, unit: PixelUnit, scale_arcsec: float | None) -> None:
        self._header, self._unit = header, unit
        self._found: list[tuple[str, float]] = []
        self.why_not = ""
        self._from_keywords()
        self._from_sensitivity()
        self._from_unit(scale_arcsec)

    @property
    def value(self) -> float | None:
        return self._found[0][1] if self._found else None

    @property
    def name(self) -> str:
        return self._found[0][0] if self._found else ""

    @property
    def conflicts(self) -> list[str]:
        return [
            f"{self.name} gives a zero point of {self._found[0][1]:.3f}, {other} gives "
            f"{differs:.3f}; {self.name} was taken"
            for other, differs in self._found[1:]
            if abs(differs - self._found[0][1]) > _AGREE_MAG
        ]

    def _from_keywords(self) -> None:
        header = self._header
        # A zero point of 0 is what pipelines write before they have measured one.
        stated = [(key, value) for key in _ZERO_POINT_CARDS if (value := _number(header, key))]
        # HSC and LSST: counts of a source of magnitude 0 (Bosch et al. 2018, PASJ 70, S5).
        if of_magnitude_0 := _positive(header, "FLUXMAG0"):
            stated.append(("FLUXMAG0", 2.5 * math.log10(of_magnitude_0)))
        # SDSS frames: nanomaggies of one count; of pixels in nanomaggies it is history.
        if self._unit.kind == "counts" and (nmgy := _positive(header, "NMGY")):
            stated.append(("NMGY", _NMGY_ZERO_POINT_MAG - 2.5 * math.log10(nmgy)))
        system = next((text for key in _SYSTEM_CARDS if (text := _text(header, key))), "")
        if stated and "VEGA" in system.upper():  # as the ESO science data products name it
            self.why_not = f"{stated[0][0]} is a Vega zero point, not an AB one"
            return
        self._found += stated

    def _from_sensitivity(self) -> None:
        header, unit = self._header, self._unit
        photflam, photplam = _positive(header, "PHOTFLAM"), _positive(header, "PHOTPLAM")
        if not photflam or not photplam or unit.kind not in ("none", "counts"):
            return
        # ACS Data Handbook: ABMAG_ZPT = -2.5 log10 PHOTFLAM - 5 log10 PHOTPLAM - 2.408, for one
        # electron (or count) a second.
        value = -2.5 * math.log10(photflam) - 5 * math.log10(photplam) - 2.408
        if unit.kind == "counts" and not unit.is_per_second:
            exposure = _exposure(header)
            if exposure is None:
                self.why_not = (
                    f"BUNIT {unit.text} is no rate and there is no EXPTIME, without which PHOTFLAM "
                    "gives none"
                )
                return
            value += 2.5 * math.log10(exposure)
        self._found.append(("PHOTFLAM and PHOTPLAM", value))

    def _from_unit(self, scale_arcsec: float | None) -> None:
        header, unit = self._header, self._unit
        if unit.kind == "flux":
            pixel_sr = _positive(header, "PIXAR_SR")
            if pixel_sr is None and scale_arcsec:
                pixel_sr = float((scale_arcsec * u.arcsec).to_value(u.rad)) ** 2
            value = unit.flux_jy(
                pixel_sr=pixel_sr,
                beam_sr=_beam_sr(header),
                pivot_angstrom=_positive(header, "PHOTPLAM"),
            )
            if value is not None:
                zero_point = -2.5 * math.log10(value / AB_FLUX.to_value(u.Jy))
                self._found.append((f"BUNIT {unit.text}", zero_point))
                return
            self.why_not = self.why_not or (
                f"BUNIT {unit.text} needs the solid angle of a pixel or of the beam, or the pivot "
                "wavelength, which the header lacks"
            )
        elif unit.kind == "unknown":
            self.why_not = self.why_not or f"BUNIT {unit.text!r} is not a known unit"
        elif unit.kind == "counts":
            self.why_not = self.why_not or f"pixels are counts (BUNIT {unit.text})"


def _beam_sr(header: fits.Header) -> float | None:
    """Solid angle of an elliptical Gaussian beam of FWHM BMAJ and BMIN, in degrees."""
    major, minor = _positive(header, "BMAJ"), _positive(header, "BMIN")
    if major is None or minor is None:
        return None
    return math.pi / (4 * math.log(2)) * math.radians(major) * math.radians(minor)


def _exposure(header: fits.Header) -> float | None:
    return next((v for key in _EXPOSURE_CARDS if (v := _positive(header, key))), None)


def _text(header: fits.Header, key: str) -> str:
    try:
        value = header.get(key)
    except VerifyError:
        return ""
    return value.strip() if isinstance(value, str) else ""


def _number(header: fits.Header, key: str) -> float | None:
    try:
        value = header.get(key)
    except VerifyError:
        return None
    if isinstance(value, str):  # as some archives write numbers
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _positive(header: fits.Header, key: str) -> float | None:
    value = _number(header, key)
    return value if value is not None and value > 0 else None
