"""Cells that spreadsheets leave alone: a guard against formulas, and its removal.

Spreadsheets run a cell that begins with ``=``, ``+``, ``-`` or ``@`` as a formula (CWE-1236). Such
text is exported with an apostrophe in front, and what begins with apostrophes before such a sign
gets one more, so that :func:`unguarded` gives every text back as it was. Numbers are no formulas
and stay as they are.
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*(?:\s*[=+\-@]|[\t\r])")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def guarded(text: str) -> str:
    """Text that no spreadsheet runs: what could be a formula begins with an apostrophe."""
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def unguarded(text: str) -> str:
    """Text without the apostrophe that :func:`guarded` put in front."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
