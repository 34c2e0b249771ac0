"""Formats of table files, by content where that is decisive, and a reader for each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import ascii as astropy_ascii
from astropy.table import Column, Table

from lensing_core.errors import BadInputError
from lensing_core.ingest.choices import FORMAT_OF_SUFFIX, TABLE_FORMATS
from lensing_core.ingest.delimited import Delimited, find_separator, finished, read_delimited
from lensing_core.ingest.fits_tables import read_fits_table
from lensing_core.ingest.limits import compression_of
from lensing_core.ingest.loaded import Loaded
from lensing_core.ingest.parquet_tables import read_parquet_table
from lensing_core.ingest.stated_frames import frame_of_meta, frames_of_comments
from lensing_core.ingest.text_files import decoded, read_text
from lensing_core.ingest.votables import read_votable

_HEAD = 65_536  # bytes looked at
_COMPRESSED = (".gz", ".bz2", ".xz", ".zip")
_AS_TEXT: Mapping[str, Any] = {"converters": {"*": [astropy_ascii.convert_numpy(str)]}}
_BINARY = ((b"SIMPLE  =", "fits"), (b"PAR1", "parquet"))
_REFUSED = (
    (b"\x89HDF", "an HDF5 file; write the table as Parquet or FITS"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook; save the sheet as CSV"),
    (b"\x93NUMPY", "a numpy array; give it as images, or write a table with named columns"),
)
_TEXT_KINDS = (
    (re.compile(r"#\s*%ECSV"), "ascii.ecsv"),
    (re.compile(r"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(\w+:)?VOTABLE\b", re.I | re.S), "votable"),
    (re.compile(r"(\\[^\n]*\n)*\|[^\n]*\|[ \t]*\r?\n"), "ascii.ipac"),
    (re.compile(r"#\s+1\s+\w+"), "ascii.sextractor"),
)
_MRT = re.compile(r"^Byte-by-byte Description of file", re.IGNORECASE | re.MULTILINE)
_WEB_PAGE = re.compile(r"\s*<(!doctype\s+html|html)\b", re.IGNORECASE)


def format_of(path: Path) -> str:
    """The format of a table, one of :data:`~lensing_core.ingest.choices.TABLE_FORMATS`.

    Raises
    ------
    BadInputError
        If the file is none that is read, or its format cannot be told.
    RowRejected
        If it cannot be opened.
    """
    opener = compression_of(path)
    head = b""
    if opener is not None and _is_workbook(path):
        raise BadInputError(f"Table {path} is an Excel workbook; save the sheet as CSV.")
    try:
        with (opener or open)(path, "rb") as stream:
            head = stream.read(_HEAD)
    except (OSError, EOFError):
        pass  # told where it is read
    for magic, kind in _BINARY:
        if head.startswith(magic):
            return kind
    for magic, what in _REFUSED:
        if head.startswith(magic):
            raise BadInputError(f"Table {path} is {what}.")
    of_text = _text_kind(head, path)
    if of_text:
        return of_text
    name = path.name.lower()
    for ending in _COMPRESSED:
        name = name.removesuffix(ending)
    suffix = Path(name).suffix
    if suffix not in FORMAT_OF_SUFFIX:
        raise BadInputError(
            f"Table {path}: its format is not known by the name; name it "
            f"({', '.join(TABLE_FORMATS[1:])})."
        )
    return FORMAT_OF_SUFFIX[suffix]


def _is_workbook(path: Path) -> bool:
    with path.open("rb") as stream:
        head = stream.read(4096)
    return head.startswith(b"PK") and (b"[Content_Types].xml" in head or b"xl/" in head)


def _text_kind(head: bytes, path: Path) -> str:
    """The format that text declares itself; empty where it does not."""
    try:
        text, _ = decoded(head[: len(head) // 4 * 4], path.name)
    except BadInputError:
        return ""
    text = text.lstrip()
    if _WEB_PAGE.match(text):
        raise BadInputError(
            f"Table {path} is a web page, not a table: the download may have failed; look at it in "
            "a browser."
        )
    for pattern, kind in _TEXT_KINDS:
        if pattern.match(text):
            return kind
    return "ascii.mrt" if _MRT.search(text) else ""


def load_table(path: Path, chosen: str, part: str = "") -> Loaded:
    """Read a table of a format.

    Raises
    ------
    BadInputError
        If it cannot be used, and whatever libraries raise for damaged files.
    """
    if chosen == "fits":
        loaded = read_fits_table(path, part)
    elif chosen == "votable":
        loaded = read_votable(path, part)
    elif chosen == "parquet":
        loaded = read_parquet_table(path)
    else:
        loaded = _read_text_table(path, chosen)
    if not loaded.frame:
        loaded.frame = frame_of_meta(loaded.table.meta)
    return loaded


def _read_text_table(path: Path, chosen: str) -> Loaded:
    text, notes = read_text(path)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if chosen in ("ascii.csv", "ascii.tab", "ascii"):
        loaded = _read_plain(text, chosen, path.name)
    elif chosen in ("ascii.ecsv", "ascii.mrt", "ascii.ipac"):  # whose columns say their types
        loaded = Loaded(Table.read(_lines(text), format=chosen))
    else:
        loaded = Loaded(Table.read(_lines(text), format=chosen, **_AS_TEXT))
    loaded.notes[:0] = notes
    return loaded


def _lines(text: str) -> list[str]:
    """Lines as editors count them; further line breaks of Unicode are part of a cell."""
    return text.rstrip("\n").split("\n")


def _read_plain(text: str, chosen: str, name: str) -> Loaded:
    """Columns parted by commas, semicolons, tabs or bars; else by blanks."""
    preferred = {"ascii.csv": ",", "ascii.tab": "\t"}.get(chosen, "")
    separator = find_separator(text, preferred)
    if not separator and chosen == "ascii":
        table = Table.read(_lines(text), format="ascii", fill_values=[], **_AS_TEXT)
        read = Delimited({}, notes=_names_from_comment(table))
        read.comments = [str(comment) for comment in table.meta.get("comments") or []]
        read.columns = {column: [str(c) for c in table[column]] for column in table.colnames}
        read = finished(read)
    else:
        read = read_delimited(text, separator or preferred, name)
    table = Table()
    for column, cells in read.columns.items():
        values = np.empty(len(cells), dtype=object)
        values[:] = cells
        table[column] = Column(values)
    frame, frames = frames_of_comments(read.comments, list(read.columns))
    if separator not in ("", preferred or separator):
        read.notes.append(f"Columns are parted by {separator!r} in {name}.")
    commas = frozenset(read.decimal_commas)
    return Loaded(table, read.notes, read.units, frame, frames, commas)


def _names_from_comment(table: Table) -> list[str]:
    """Take column names from a comment above a headerless table, as many catalogs have them."""
    comments = table.meta.get("comments") or []
    unnamed = [f"col{k + 1}" for k in range(len(table.colnames))]
    if not comments or table.colnames != unnamed:
        return []
    words = str(comments[-1]).split()
    names = words[: len(unnamed)]
    if len(words) < len(unnamed) or len(set(names)) < len(names):
        return []
    table.rename_columns(unnamed, names)
    return [f"Column names were taken from the comment above the table: {', '.join(names)}."]
