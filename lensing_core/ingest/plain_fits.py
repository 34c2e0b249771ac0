"""Small FITS files of plain images, parsed from memory in one go.

Opening a file of a few cutouts through a library takes longer than reading it. Only what needs no
interpretation is read here: uncompressed images, unscaled, of whole pixels. All else is left to
fitsio and astropy, with which this agrees to the last bit.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lensing_core.ingest.headers import KEYS

MAX_BYTES = 8 * 2**20
_BLOCK, _CARD = 2880, 80
_TYPES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
_END = b"END" + b" " * 77
_STRUCTURE = frozenset(
    key.ljust(8).encode()
    for key in (
        *("SIMPLE", "XTENSION", "BITPIX", "NAXIS", "PCOUNT", "GCOUNT", "EXTNAME"),
        *("BSCALE", "BZERO", "BLANK", "GROUPS", "ZIMAGE"),
        *(f"NAXIS{k}" for k in range(1, 5)),
    )
)
_NOT_PLAIN = tuple(k.ljust(8).encode() for k in ("BSCALE", "BZERO", "BLANK", "GROUPS", "ZIMAGE"))
_TEXT = re.compile(rb"= *'((?:[^']|'')*)'")


class NotPlain(Exception):
    """The file needs a library."""


@dataclass(frozen=True)
class PlainHdu:
    """An HDU: its name, (…, y, x) shape (empty without an image), and where its pixels are.

    Attributes
    ----------
    cards : bytes
        Those of the header that :func:`~lensing_core.ingest.headers.read_calibration` looks at.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    start: int
    cards: bytes


@dataclass(frozen=True)
class PlainFile:
    """A file in memory."""

    content: bytes
    hdus: tuple[PlainHdu, ...]

    def read(self, index: int) -> NDArray[np.float32]:
        """All pixels of an HDU: float32, as they stand in the file where they are that already."""
        hdu = self.hdus[index]
        pixels = np.frombuffer(self.content, hdu.dtype, prod(hdu.shape), hdu.start)
        return pixels.reshape(hdu.shape).astype(
            pixels.dtype if hdu.dtype == ">f4" else "f4", copy=False
        )


def read_plain(path: Path) -> PlainFile:
    """Read a file whole.

    Raises
    ------
    NotPlain
        If the file is large, or anything in it is other than a plain image.
    OSError
        If it cannot be opened.
    """
    with path.open("rb", buffering=0) as stream:
        size = os.fstat(stream.fileno()).st_size
        if not 0 < size <= MAX_BYTES:
            raise NotPlain
        content = stream.read(size)
    hdus = []
    position = 0
    while position < len(content):
        hdu, position = _parse(content, position)
        hdus.append(hdu)
    return PlainFile(content, tuple(hdus))


def _parse(content: bytes, begin: int) -> tuple[PlainHdu, int]:
    """One HDU, and where the next begins."""
    end = content.find(_END, begin)
    if end < 0 or (end - begin) % _CARD:
        raise NotPlain
    cards = np.frombuffer(content, np.uint8, end - begin, begin).reshape(-1, _CARD)
    structural, calibrating = _layout(cards[:, :8].tobytes())
    structure = b"".join([content[begin + at : begin + at + _CARD] for at in structural])
    calibration = b"".join([content[begin + at : begin + at + _CARD] for at in calibrating])
    name, shape, dtype, size = _interpret(structure)
    start = _next_block(end + _CARD)
    if start + size > len(content):
        raise NotPlain
    return PlainHdu(name, shape, dtype, start, calibration), _next_block(start + size)


@lru_cache(maxsize=256)
def _layout(keywords: bytes) -> tuple[list[int], list[int]]:
    """Where the structural cards stand in a header, and those of the calibration."""
    keys = [keywords[at : at + 8] for at in range(0, len(keywords), 8)]
    return (
        [k * _CARD for k, key in enumerate(keys) if key in _STRUCTURE],
        [k * _CARD for k, key in enumerate(keys) if key in KEYS],
    )


@lru_cache(maxsize=1024)
def _interpret(structure: bytes) -> tuple[str, tuple[int, ...], str, int]:
    """Name, (…, y, x) shape, type and bytes of the image that structural cards describe."""
    cards = [structure[at : at + _CARD] for at in range(0, len(structure), _CARD)]
    found = {card[:8]: card for card in cards}
    _check_image(found)
    n_axes = _integer(found, b"NAXIS   ")
    shape = tuple(_integer(found, b"NAXIS%d  " % axis) for axis in range(n_axes, 0, -1))
    bits = _integer(found, b"BITPIX  ")
    if bits not in _TYPES or n_axes > 4 or any(n < 1 for n in shape):
        raise NotPlain
    name = _TEXT.search(found.get(b"EXTNAME ", b""))
    text = name.group(1).decode("ascii", "replace").strip() if name else ""
    return text, shape, _TYPES[bits], abs(bits) // 8 * prod(shape) if shape else 0


def _check_image(found: dict[bytes, bytes]) -> None:
    first = found.get(b"SIMPLE  ") or found.get(b"XTENSION", b"")
    is_image = first[:8] == b"SIMPLE  " or first[10:20].startswith(b"'IMAGE ")
    if not is_image or any(key in found for key in _NOT_PLAIN):
        raise NotPlain
    if b"PCOUNT  " in found and _integer(found, b"PCOUNT  ") != 0:
        raise NotPlain
    if b"GCOUNT  " in found and _integer(found, b"GCOUNT  ") != 1:
        raise NotPlain


def _integer(found: dict[bytes, bytes], key: bytes) -> int:
    try:
        return int(found[key][10:30])
    except (KeyError, ValueError):
        raise NotPlain from None


def _next_block(position: int) -> int:
    return -(-position // _BLOCK) * _BLOCK
