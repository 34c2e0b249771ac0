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
    """Right ascension in hours to 0.01 s, and declination in degrees to 0.1″, ICRS.

    Rounded once, so that seconds carry into minutes: never 60 s, and never 24 h.
    """
    ra = round(ra_deg / 15 * 3600 * 100) % (24 * 3600 * 100)
    dec = round(abs(dec_deg) * 3600 * 10)
    sign = "-" if dec_deg < 0 and dec else "+"
    return _parts(ra, 100), sign + _parts(dec, 10)


def _parts(count: int, a_second: int) -> str:
    """Hours or degrees, minutes and seconds of a number of parts of a second."""
    seconds, part = divmod(count, a_second)
    minutes, second = divmod(seconds, 60)
    digits = len(str(a_second)) - 1
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}.{part:0{digits}d}"
