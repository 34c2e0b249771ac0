"""Guides in their order, and the guide of each page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from lens_triage.app.widgets.documents import DOCUMENTS, read_document
from lensing_core.errors import NotFoundError

FIRST = "your-first-catalog"
GLOSSARY = "GLOSSARY"
OF_PAGES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "overview": (FIRST, ""),
        "catalogs": (FIRST, "2-import"),
        "train": ("train-and-measure", ""),
        "evaluate": ("train-and-measure", "measure"),
        "score": ("train-and-measure", "score"),
        "review": ("review", ""),
        "label": ("labeling-campaign", ""),
        "crossmatch": ("method/crossmatch", ""),
        "team": ("labeling-campaign", "6-consensus-of-the-team"),
        "validate": ("validate-a-candidate", ""),
        "runs": ("train-and-measure", "runs"),
        "settings": ("databases", "backups"),
    }
)
"""Guide and section of each page."""
_TREE = re.compile(r"```\{toctree\}\n:caption: (.+?)\n(.*?)```", re.DOTALL)
_SHOWN = ("Guides", "Method", "Results and design")
_NOT_BUNDLED = re.compile(r"(developing|notebooks|api)/")


@dataclass(frozen=True)
class Guide:
    """A document: its name below ``docs``, its title, and the group that it stands in."""

    name: str
    title: str
    group: str


@cache
def guides() -> Mapping[str, Guide]:
    """All documents that come with the program, by name, in the order of the site's index."""
    found: dict[str, Guide] = {}
    for group, body in _TREE.findall(read_document("index")):
        if group not in _SHOWN:
            continue
        for line in filter(None, map(str.strip, body.splitlines())):
            if line.startswith(":") or _NOT_BUNDLED.match(line):
                continue
            for name in _names(line):
                found[name] = Guide(name, _title(name), group)
    return found


def find_guide(name: str) -> Guide:
    """Return a document by its name; raises NotFoundError."""
    try:
        return guides()[name]
    except KeyError:
        raise NotFoundError(f"There is no guide {name!r}; choose one from the list.") from None


def _names(line: str) -> list[str]:
    """The documents of a line of the index, which may end in a star."""
    if not line.endswith("*"):
        return [line]
    paths = sorted(DOCUMENTS.glob(f"{line}.md"))
    return [path.relative_to(DOCUMENTS).with_suffix("").as_posix() for path in paths]


def _title(name: str) -> str:
    heading = re.search(r"^# (.+)$", read_document(name), re.MULTILINE)
    return heading.group(1).replace("`", "") if heading else name
