"""The unit of pixels (BUNIT) in the spellings that archives use, read by astropy.

astropy knows the units, their prefixes and their grammar (factors, powers, products). What is added
here are words that it does not know (``nanoJansky``, ``electrons``, ``COUNTS/SEC``).
"""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import astropy.units as u

AB_FLUX = 3631.0 * u.Jy  # of magnitude 0 (Oke & Gunn 1983, ApJ 266, 713)

_WORDS = {
    **dict.fromkeys(("electron", "electrons", "elec", "elecs", "e"), "electron"),
    **dict.fromkeys(("ct", "cts", "count", "counts", "cnt", "cnts"), "ct"),
    **dict.fromkeys(("adu", "adus"), "adu"),
    **dict.fromkeys(("dn", "dns", "du"), "DN"),
    **dict.fromkeys(("ph", "photon", "photons"), "ph"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("pix", "pixel", "pixels"), "pix"),
    **dict.fromkeys(("sr", "steradian", "steradians"), "sr"),
    **dict.fromkeys(("arcsec", "arcsecs", "asec", "arcsecond", "arcseconds"), "arcsec"),
    **dict.fromkeys(("arcmin", "arcminute", "arcminutes"), "arcmin"),
    **dict.fromkeys(("beam", "beams"), "beam"),
    **dict.fromkeys(("a", "å", "ang", "angstrom", "angstroms"), "Angstrom"),  # never ampere
    **dict.fromkeys(("erg", "ergs"), "erg"),
    **dict.fromkeys(("hz", "hertz"), "Hz"),
    **dict.fromkeys(("w", "watt", "watts"), "W"),
    "cm": "cm",
    "per": "/",
}
_MAGNITUDES = re.compile(r"(?:^|[^a-z])(?:ab|st)?mags?(?:nitudes?)?(?:$|[^a-z])", re.IGNORECASE)
_PREFIXES = {
    "": "",
    "nano": "n",
    "micro": "u",
    "milli": "m",
    "kilo": "k",
    "mega": "M",
    **{letter: letter for letter in "numkM"},
    "N": "n",
    "U": "u",
    "K": "k",
}
_PREFIX = r"(?P<prefix>nano|micro|milli|kilo|mega|[numkNUKM]|)"
_JANSKY = re.compile(rf"{_PREFIX}(?:jy|jansky|janskys|janskies)", re.IGNORECASE)
_MAGGY = re.compile(rf"{_PREFIX}(?:mgys?|maggy|maggys|maggies)", re.IGNORECASE)
_TOKEN = re.compile(
    r"(?P<number>(?<![a-z])(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)|(?P<word>[^\W\d_]+)", re.IGNORECASE
)
_BARE_ELECTRON = re.compile(r"(?<![\w.])e\^?-(?!\s*\d)", re.IGNORECASE)
_APART = re.compile(r"\b(nano|micro|milli|mega)[\s-]+(?=[jm])", re.IGNORECASE)
_RUN_TOGETHER = re.compile(r"(jy|janskys?|janskies)(?=(?:sr|arcsec)(?:\b|\d|[-^*]))", re.IGNORECASE)
_COUNTS = (u.adu, u.DN, u.ct, u.electron, u.ph)


@dataclass(frozen=True)
class PixelUnit:
    """A unit of pixels.

    Attributes
    ----------
    text : str
        As the header has it.
    kind : {'none', 'flux', 'counts', 'magnitude', 'unknown'}
    unit : astropy unit or None
        Of one pixel value: anything of a pixel (``/pixel``) is left out.
    """

    text: str
    kind: Literal["none", "flux", "counts", "magnitude", "unknown"]
    unit: u.UnitBase | None = None

    @property
    def is_per_second(self) -> bool:
        """Return whether counts are a rate."""
        return self.unit is not None and u.s in self.unit.decompose().bases

    def flux_jy(
        self,
        *,
        pixel_sr: float | None = None,
        beam_sr: float | None = None,
        pivot_angstrom: float | None = None,
    ) -> float | None:
        """Flux density of one unit in a pixel; None where what it takes is not known.

        Parameters
        ----------
        pixel_sr, beam_sr : float, optional
            Solid angles; for surface brightness, and for flux a beam.
        pivot_angstrom : float, optional
            Pivot wavelength; for flux densities per wavelength.
        """
        if self.kind != "flux" or self.unit is None:
            return None
        unit = self.unit
        factor = 1.0
        if u.beam in unit.decompose().bases:
            if not beam_sr or not pixel_sr:
                return None
            unit, factor = unit * u.beam, pixel_sr / beam_sr
        if _jansky(unit * u.sr, pivot_angstrom) is not None:
            if not pixel_sr:
                return None
            unit, factor = unit * u.sr, pixel_sr
        value = _jansky(unit, pivot_angstrom)
        return None if value is None else value * factor


@lru_cache(maxsize=256)
def read_unit(text: str) -> PixelUnit:
    """Read the value of BUNIT."""
    plain = text.strip().strip("[]").strip()
    if not plain:
        return PixelUnit(text, "none")
    if _MAGNITUDES.search(plain):
        return PixelUnit(text, "magnitude")
    spelled = _spell(plain)
    if spelled is None:
        return PixelUnit(text, "unknown")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", u.UnitsWarning)  # of several slashes
        try:
            unit = u.Unit(spelled)
        except (ValueError, TypeError):
            return PixelUnit(text, "unknown")
    if not isinstance(unit, u.UnitBase):  # logarithms
        return PixelUnit(text, "unknown")
    unit = _without_pixel(unit)
    bases = dict(zip(unit.decompose().bases, unit.decompose().powers, strict=True))
    counts = [base for base in bases if base in _COUNTS]
    if counts and all(bases[base] == 1 for base in counts) and set(bases) <= {*counts, u.s}:
        known = len(counts) == 1 and bases.get(u.s, -1) == -1
        return PixelUnit(text, "counts" if known else "unknown", unit if known else None)
    if unit.is_equivalent(u.dimensionless_unscaled) or not _is_flux(unit):
        return PixelUnit(text, "unknown")
    return PixelUnit(text, "flux", unit)


def _spell(text: str) -> str | None:
    """A text with the words that astropy knows; None where a word may mean two things."""
    text = text.replace("µ", "u").replace("μ", "u").replace("×", "*")
    text = re.sub(r"\(s\)", "s", text)
    text = _APART.sub(r"\1", _BARE_ELECTRON.sub("electron", text))
    text = _RUN_TOGETHER.sub(r"\1 ", text)
    shouted = text.upper() == text or text.lower() == text  # the case of prefixes tells nothing
    per_angle = re.search(r"(?:/|\bper\b|[\s.*])\s*\(?(?:sr|ster|arcsec|asec)", text, re.IGNORECASE)
    parts: list[str] = []
    end = 0
    for token in _TOKEN.finditer(text):
        parts.append(text[end : token.start()])
        end = token.end()
        if token["number"]:
            follows = text[end : end + 1]
            parts.append(token["number"] + (" " if follows.isalpha() else ""))
            continue
        word = token["word"]
        prefixed = _prefixed(word)
        if prefixed is not None:
            prefix, stem = prefixed
            if shouted and stem == "Jy" and prefix in ("m", "M") and len(word) == 3:
                # 22.5 mag lie between MJy and mJy. Surface brightness comes in MJy alone.
                if word[0] == "M" and not per_angle:
                    return None
                prefix = "M" if per_angle else prefix
            parts.append(prefix + stem)
        else:
            parts.append(_WORDS.get(word.casefold(), word))
    parts.append(text[end:])
    return "".join(parts)


def _prefixed(word: str) -> tuple[str, str] | None:
    """Prefix and unit of a word for Jansky or maggies."""
    for pattern, stem in ((_JANSKY, "Jy"), (_MAGGY, "mgy")):
        if match := pattern.fullmatch(word):
            written = match["prefix"]
            return _PREFIXES[written.lower() if len(written) > 1 else written], stem
    return None


def _without_pixel(unit: u.UnitBase) -> u.UnitBase:
    powers = dict(zip(unit.decompose().bases, unit.decompose().powers, strict=True))
    return unit * u.pix if powers.get(u.pix) == -1 else unit


def _is_flux(unit: u.UnitBase) -> bool:
    """Return whether a unit is a flux density, also of a solid angle or of a beam."""
    return any(_jansky(unit * angle, 1.0) is not None for angle in (u.one, u.sr, u.beam))


def _jansky(unit: u.UnitBase, pivot_angstrom: float | None) -> float | None:
    equivalencies = list(u.zero_point_flux(AB_FLUX))
    if pivot_angstrom:
        equivalencies += u.spectral_density(pivot_angstrom * u.AA)
    try:
        value = float(unit.to(u.Jy, equivalencies=equivalencies))
    except u.UnitConversionError:
        return None
    return value if math.isfinite(value) and value > 0 else None
