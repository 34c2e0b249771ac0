"""What is refused of a table before a library reads it: other files, entities, endless text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lensing_core.errors import BadInputError
from lensing_core.ingest.limits import compression_of, expanded
from lensing_core.ingest.rejection import RowRejected

_OVERLAP = 64 * 1024  # of chunks, so that no element is cut in two
_ELSEWHERE = re.compile(rb"<(?:[\w.-]+:)?STREAM\b[^>]*?\bhref\s*=", re.IGNORECASE)
_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)


def check_table(path: Path, table_format: str) -> None:
    """Look through a table before it is read.

    Raises
    ------
    BadInputError
        If it is a VOTable with entities or with data in other files, or a compressed file that
        expands to more than the limits allow.
    """
    try:
        if table_format == "votable":
            _check_xml(path)
        elif compression_of(path) is not None:
            for _ in expanded(path, text=table_format != "fits"):
                pass
    except RowRejected as problem:
        raise BadInputError(f"Table {problem}") from problem


def _check_xml(path: Path) -> None:
    for text in _pieces(path):
        if _ENTITY.search(text):
            raise BadInputError(
                f"Table {path} defines XML entities, which are not read; write it without them."
            )
        if _ELSEWHERE.search(text):
            raise BadInputError(
                f"Table {path} has its data in another file or on the network (STREAM href), which "
                "is not read; save it with the data inside (for instance as TABLEDATA)."
            )


def _pieces(path: Path) -> Iterator[bytes]:
    """The text of a file in pieces that overlap, without the zeros of UTF-16."""
    before = b""
    for chunk in expanded(path, text=True):
        text = before + chunk.replace(b"\0", b"")
        yield text
        before = text[-_OVERLAP:]
