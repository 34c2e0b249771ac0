"""The documentation as it comes with the program: ``docs/`` and its pictures."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

DOCUMENTS = Path(__file__).parent.parent.parent / "docs"
_INCLUDE = re.compile(r"\A```\{include\} (\S+)\.md\n")


@cache
def read_document(name: str) -> str:
    """The text of a document by its name below ``docs``, without ``.md``."""
    return (DOCUMENTS / f"{source_of(name)}.md").read_text(encoding="utf-8")


@cache
def source_of(name: str) -> str:
    """The document that another one is made of, which it includes as a whole; or its own name.

    Links of a document lead from its source.
    """
    text = (DOCUMENTS / f"{name}.md").read_text(encoding="utf-8")
    included = _INCLUDE.match(text)
    return included.group(1) if included else name
