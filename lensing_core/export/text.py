"""Text in files that other programs interpret."""

from __future__ import annotations

import re

from lensing_core.spreadsheets import guarded

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_LATEX = {
    "\\": r"\textbackslash{}",
    **{c: "\\" + c for c in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
}


def plain_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula, in one line.

    Control characters, line breaks among them, become blanks; what could be a formula then begins
    with an apostrophe (:mod:`lensing_core.spreadsheets`).
    """
    return guarded(one_line(text))


def one_line(text: str) -> str:
    """Text with blanks for control characters."""
    return _CONTROL.sub(" ", text)


def latex(text: str) -> str:
    """Text with LaTeX's own characters escaped."""
    return "".join(_LATEX.get(c, c) for c in one_line(text))


def probability(p: float) -> str:
    """A probability in three digits that is never shown as 0 or 1 unless it is."""
    if 0 < p < 0.0005:
        return f"{p:.0e}"
    if 0.9995 < p < 1:
        return ">0.999"
    return f"{p:.3f}"


def sexagesimal(ra_deg: float, dec_deg: float) -> tuple[str, str]:
    """Right ascension in hours and declination in degrees, ICRS."""
    import astropy.units as u  # here: the formats are listed at every start
    from astropy.coordinates import Angle

    ra = Angle(ra_deg, u.deg).to_string(u.hour, sep=":", precision=2, pad=True)
    dec = Angle(dec_deg, u.deg).to_string(u.deg, sep=":", precision=1, pad=True, alwayssign=True)
    return str(ra), str(dec)
