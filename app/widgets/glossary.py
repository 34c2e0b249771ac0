"""Terms that pages explain where they show them, read from ``docs/GLOSSARY.md``.

A page writes ``<lt-term>TPR0</lt-term>``; the browser (``term.js``) looks up what that means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from html import escape

from lens_triage.app.widgets.documents import read_document

ABBREVIATIONS = "Abbreviations"
_EXPLAINED = (ABBREVIATIONS, "Scores", "Evaluation")
_ROW = re.compile(r"^\| (.+?) \| (.+?) \| .* \|$", re.MULTILINE)


@cache
def _section(title: str) -> Mapping[str, str]:
    """Terms of a section of the glossary, with what they mean."""
    body = read_document("GLOSSARY").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = _ROW.findall(body)[1:]  # the first one is the head
    return {term: meaning for term, meaning in rows if not term.startswith("---")}


def abbreviations() -> Mapping[str, str]:
    """Meanings of the abbreviations that pages explain wherever they occur in a text."""
    return _section(ABBREVIATIONS)


def explained_terms() -> dict[str, str]:
    """All that a page may ask the meaning of."""
    return {term: meaning for title in _EXPLAINED for term, meaning in _section(title).items()}


@cache
def _pattern() -> re.Pattern[str]:
    longest_first = sorted(abbreviations(), key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])")


def with_terms(text: str) -> str:
    """Text as HTML in which each abbreviation is explained where it stands first."""
    parts, seen, end = [], set(), 0
    for found in _pattern().finditer(text):
        if found.group() in seen:
            continue
        seen.add(found.group())
        parts += [escape(text[end : found.start()]), f"<lt-term>{escape(found.group())}</lt-term>"]
        end = found.end()
    return "".join([*parts, escape(text[end:])])
