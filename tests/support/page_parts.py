"""The parts of a page, as a test without a browser sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def shown(part: Any) -> Iterator[Any]:
    """A part of a page and all parts within it, as far as they can be seen."""
    if not getattr(part, "visible", True):
        return
    yield part
    for child in getattr(part, "objects", None) or getattr(part, "main", None) or []:
        yield from shown(child)
