"""A document as HTML: links lead to other guides of the page, pictures are in it."""

from __future__ import annotations

import posixpath
import re
from base64 import b64encode
from collections import Counter
from functools import cache
from pathlib import PurePosixPath

from markdown_it import MarkdownIt
from markdown_it.token import Token

from lens_triage.app.help.guides import guides
from lens_triage.app.widgets.documents import DOCUMENTS, read_document, source_of
from lens_triage.app.widgets.steps import address

_ELSEWHERE = ("https://", "http://", "mailto:")
_READ = MarkdownIt("commonmark", {"html": False}).enable("table")


@cache
def guide_html(name: str) -> str:
    """A guide as HTML made by us; headings have the ids that links name.

    They stand one level below the heading of the page.
    """
    tokens = _READ.parse(read_document(name))
    seen: Counter[str] = Counter()
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", _unique(section_id(tokens[at + 1].content), seen))
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 1)}"
        for child in token.children or ():
            _resolve(child, name)
        _close_in_pairs(token.children or [])
    return str(_READ.renderer.render(tokens, _READ.options, {}))


def section_id(heading: str) -> str:
    """The id of a heading, as GitHub and MyST make it."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


def _unique(section: str, seen: Counter[str]) -> str:
    seen[section] += 1
    return section if seen[section] == 1 else f"{section}-{seen[section] - 1}"


def _resolve(token: Token, name: str) -> None:
    """Let a link or a picture of a document lead to where it is here."""
    if token.type == "link_open":
        href = str(token.attrGet("href") or "")
        if href.startswith(_ELSEWHERE):
            token.attrs |= {"target": "_blank", "rel": "noopener"}
            return
        path, _, section = href.partition("#")
        guide = _beside(name, path).removesuffix(".md") if path else name
        if guide in guides():
            token.attrSet("href", address("help", guide=guide, section=section))
        else:  # what does not come with the program
            token.tag, token.attrs = "span", {}
    elif token.type == "image":
        file = DOCUMENTS / _beside(name, str(token.attrGet("src") or ""))
        picture = b64encode(file.read_bytes()).decode()
        token.attrSet("src", f"data:image/{file.suffix[1:]};base64,{picture}")
        token.attrSet("loading", "lazy")


def _close_in_pairs(tokens: list[Token]) -> None:
    """Let what was a link end as what it is now."""
    opened = [token.tag for token in tokens if token.type == "link_open"]
    for token in tokens:
        if token.type == "link_close":
            token.tag = opened.pop(0)


def _beside(name: str, path: str) -> str:
    """A path that a document names, from ``docs`` on."""
    whole = (PurePosixPath(source_of(name)).parent / path).as_posix()
    return posixpath.normpath(whole).removeprefix("../docs/")
