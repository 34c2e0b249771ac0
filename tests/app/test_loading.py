"""While a page reads, nothing on it is blank, and nothing is said to be missing."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from html import unescape
from typing import Any

import panel as pn
import pytest
from page_parts import shown

from lens_triage.app.context import AppContext
from lens_triage.app.main import PAGES
from lens_triage.app.widgets.table import Table

NOTHING = re.compile(r"\b(No|Nothing|Nobody|None)\b.*\b(yet|stored|taken|runs|recovered|missing)\b")
PLAIN = [slug for slug in PAGES if slug not in ("review", "label")]  # those two are scripts


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Callable[[], Any], Callable]]:
    """What pages would do in the background, which is not done."""
    left: list[tuple[Callable[[], Any], Callable]] = []
    for name, module in list(sys.modules.items()):
        if name.startswith("lens_triage.app.") and hasattr(module, "in_background"):
            monkeypatch.setattr(
                module, "in_background", lambda work, show, **_: left.append((work, show))
            )
    return left


def words_of(part: Any) -> str:
    """What a part says; a table that waits says nothing."""
    if isinstance(part, Table):
        return "" if part.rows or part.waiting else part.empty
    if isinstance(part, pn.pane.HTML):
        return unescape(re.sub(r"<[^>]+>", " ", part.object or "")).strip()
    return ""


def is_blank(surface: Any) -> bool:
    """Whether a surface has a heading at most."""
    parts = [part for part in shown(surface) if part is not surface]
    return all(
        isinstance(part, (pn.Column, pn.Row))
        or (isinstance(part, pn.pane.HTML) and re.sub(r"<h2>.*", "", part.object or "") == "")
        for part in parts
    )


def surfaces(page: Any) -> list[Any]:
    return [
        part
        for part in shown(page)
        if isinstance(part, pn.Column) and "background" in (part.styles or {})
    ]


def missing_by(page: Any) -> set[str]:
    """What is said to be missing."""
    return {words for part in shown(page) if NOTHING.search(words := words_of(part))}


@pytest.mark.parametrize("slug", PLAIN)
def test_a_page_that_reads_says_so_and_not_that_there_is_nothing(
    filled_workspace, waiting, slug: str
) -> None:
    page = PAGES[slug][1](AppContext.of(filled_workspace))
    blank = [surface for surface in surfaces(page) if is_blank(surface)]
    assert [words_of(surface[0]) for surface in blank] == []
    said = missing_by(page)
    while waiting:
        work, show = waiting.pop(0)
        show(work())
    assert said - missing_by(page) == set()  # none of it was known to be true
