"""Text of files in whatever encoding: UTF-8, UTF-16 and UTF-32, else Latin-1, which is told."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from lensing_core.errors import BadInputError
from lensing_core.ingest.limits import expanded
from lensing_core.ingest.rejection import RowRejected

_MARKS = (  # UTF-32 first: the mark of UTF-16 begins it
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF8, "utf-8-sig", ""),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_WINDOWS = re.compile(rb"[\x80-\x9f]")  # control characters in Latin-1, letters in Windows-1252
_LOOKED_AT = 4096


def read_text(path: Path) -> tuple[str, list[str]]:
    """Text of a file, expanded where it is compressed.

    Returns
    -------
    str
    list of str
        The encoding where it is not UTF-8, for the user.

    Raises
    ------
    BadInputError
        If it cannot be read or is no text.
    """
    try:
        content = b"".join(expanded(path, text=True))
    except RowRejected as problem:
        raise BadInputError(str(problem)) from problem
    return decoded(content, path.name)


def decoded(content: bytes, name: str) -> tuple[str, list[str]]:
    """Text of the content of a file called ``name``, and notes as of :func:`read_text`.

    Raises
    ------
    BadInputError
        If it is no text.
    """
    for mark, codec, title in _MARKS:
        if content.startswith(mark):
            notes = [f"{name} was read as {title}, by its byte order mark."] if title else []
            return _strictly(content, codec, name, title or "UTF-8"), notes
    if codec := _wide(content):
        text = _strictly(content, codec, name, "UTF-16")
        return text, [f"{name} was read as UTF-16, which has no byte order mark in it."]
    if b"\0" in content[:_LOOKED_AT]:
        raise BadInputError(f"{name} is no text: it has zero bytes. Name the format it is in.")
    try:
        return content.decode("utf-8"), []
    except UnicodeDecodeError as error:
        return _in_one_byte(content, name, error.start)


def _in_one_byte(content: bytes, name: str, at: int) -> tuple[str, list[str]]:
    line = content.count(b"\n", 0, at) + 1
    where = f"line {line} has the byte 0x{content[at]:02x}"
    codec, title = "latin-1", "Latin-1"
    if _WINDOWS.search(content):
        codec, title = "cp1252", "Windows-1252"
    try:
        text = content.decode(codec)
    except UnicodeDecodeError:
        raise BadInputError(
            f"{name} is neither UTF-8 nor Latin-1: {where}. Save it as UTF-8."
        ) from None
    return text, [
        f"{name} is not UTF-8 ({where}); it was read as {title}. If letters are wrong, save it as "
        "UTF-8."
    ]


def _wide(content: bytes) -> str:
    """The codec of UTF-16 without a mark: every other byte of its Latin letters is zero."""
    head = content[:_LOOKED_AT]
    pairs = len(head) // 2
    if pairs < 2 or len(content) % 2:
        return ""
    if head[1::2].count(0) > 0.7 * pairs and not head[0::2].count(0):
        return "utf-16-le"
    if head[0::2].count(0) > 0.7 * pairs and not head[1::2].count(0):
        return "utf-16-be"
    return ""


def _strictly(content: bytes, codec: str, name: str, title: str) -> str:
    try:
        return content.decode(codec)
    except UnicodeDecodeError as error:
        raise BadInputError(
            f"{name} says that it is {title}, and is not from byte {error.start} on; save it as "
            "UTF-8."
        ) from None
