"""Checks of a table before a library reads it: links to files, entities, endless text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pyarrow import parquet

from lensing_core.errors import BadInputError
from lensing_core.ingest.limits import compression_of, expanded, limits
from lensing_core.ingest.rejection import RowRejected

_OVERLAP = 64 * 1024  # of chunks, so that no element is cut in two
_ELSEWHERE = re.compile(rb"<(?:[\w.-]+:)?STREAM\b[^>]*?\bhref\s*=", re.IGNORECASE)
_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)


def check_table(path: Path, table_format: str) -> None:
    """Look through a table before it is read.

    Raises
    ------
    BadInputError
        If it is a VOTable with entities or with data in other files, a compressed file that
        expands to more than the limits allow, or larger than the memory that it is read into.
    """
    try:
        _check_size(path, table_format)
        if table_format == "votable":
            _check_xml(path)
        elif compression_of(path) is not None:
            for _ in expanded(path, text=table_format != "fits"):
                pass
    except RowRejected as problem:
        raise BadInputError(f"Table {problem}") from problem


def _check_size(path: Path, table_format: str) -> None:
    """A table that is read whole needs its own size in memory at the least."""
    if table_format == "fits":  # whose rows stay in the file
        return
    n_bytes = path.stat().st_size
    if table_format == "parquet":
        about = parquet.read_metadata(path)
        n_bytes = sum(about.row_group(k).total_byte_size for k in range(about.num_row_groups))
    if n_bytes > limits().memory_bytes:
        raise BadInputError(
            f"Table {path} needs {n_bytes / 2**30:,.1f} GiB of memory or more; at most "
            f"{limits().memory_gb:g} are allowed. Raise the setting memory_gb, leave columns out, "
            "or give a FITS table, whose rows are read one after another."
        )


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
