"""Small FITS files of plain images, parsed from memory in one go.

Opening a file of a few cutouts through a library takes longer than reading it. Only what needs no
interpretation is read here: uncompressed images, unscaled, of whole pixels. All else is left to
fitsio and astropy, with which this agrees to the last bit.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import BoolArray, ByteArray, Float32Array
from lensing_core.ingest.hdu_names import role_of_class
from lensing_core.ingest.headers import Cards, effective_cards, is_common, is_placing

MAX_BYTES = 8 * 2**20
_BLOCK, _CARD = 2880, 80
_TYPES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
_END = b"END" + b" " * 77
_STRUCTURE = frozenset(
    key.ljust(8).encode()
    for key in (
        *("SIMPLE", "XTENSION", "BITPIX", "NAXIS", "PCOUNT", "GCOUNT", "EXTNAME"),
        *("BSCALE", "BZERO", "BLANK", "GROUPS", "ZIMAGE", "HDUCLAS2", "HDUCLAS3"),
        *(f"NAXIS{k}" for k in range(1, 5)),
    )
)
_NOT_PLAIN = tuple(k.ljust(8).encode() for k in ("BSCALE", "BZERO", "BLANK", "GROUPS", "ZIMAGE"))
_TEXT = re.compile(rb"= *'((?:[^']|'')*)'")


class NotSimpleFits(Exception):
    """The file needs a library."""


@dataclass(frozen=True)
class _Layout:
    """Keywords of a header, in their order.

    Attributes
    ----------
    structural, common, placing : tuple of int
        Where the cards stand that describe the image, and those of
        :class:`~lensing_core.ingest.headers.Cards`.
    fixed, calibration : ndarray of bool
        Of each byte up to the card END: whether it is part of a keyword or of a structural card;
        whether it is part of a common card.
    """

    structural: tuple[int, ...]
    common: tuple[int, ...]
    placing: tuple[int, ...]
    fixed: BoolArray
    calibration: BoolArray


@dataclass(frozen=True)
class SimpleFitsHdu:
    """An HDU: its name, (…, y, x) shape (empty without an image), and where its pixels are.

    Attributes
    ----------
    begin, start : int
        Where the header begins, and the pixels.
    cards : Cards
        Of its own header.
    role : str
        By HDUCLAS2 and HDUCLAS3.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    begin: int
    start: int
    cards: Cards
    layout: _Layout
    role: str = ""


@dataclass(frozen=True)
class SimpleFitsFile:
    """A file in memory."""

    content: bytes
    hdus: tuple[SimpleFitsHdu, ...]

    def read(self, index: int) -> Float32Array:
        """All pixels of an HDU: float32, as they stand in the file where they are that already."""
        hdu = self.hdus[index]
        pixels = np.frombuffer(self.content, hdu.dtype, prod(hdu.shape), hdu.start)
        return _as_float(pixels).reshape(hdu.shape)

    def cards(self, index: int) -> Cards:
        """The cards of an HDU, with those that it inherits."""
        return _effective(self, index, self.hdus[index].cards, self.hdus[0].cards)


def _effective(file: SimpleFitsFile, index: int, own: Cards, primary: Cards) -> Cards:
    if index == 0:
        return own
    return effective_cards(own, primary, primary_is_empty=not file.hdus[0].shape)


@dataclass(frozen=True)
class UniformFiles:
    """Files in memory that have the layout of a model: the same HDUs at the same places.

    Attributes
    ----------
    content : ndarray of shape (n, bytes), uint8
    is_uniform : ndarray of shape (n,), bool
        False for a file that cannot be read or is laid out otherwise; its bytes mean nothing.
    """

    model: SimpleFitsFile
    content: ByteArray
    is_uniform: BoolArray

    def read(self, index: int) -> Float32Array:
        """All pixels of an HDU, (n, …, y, x), as :meth:`SimpleFitsFile.read` gives them."""
        hdu = self.model.hdus[index]
        size = prod(hdu.shape) * np.dtype(hdu.dtype).itemsize
        pixels = self.content[:, hdu.start : hdu.start + size].view(hdu.dtype)
        return _as_float(pixels).reshape(len(pixels), *hdu.shape)

    def cards(self, index: int) -> list[Cards]:
        """Cards of an HDU by file, with those inherited; of no meaning for files not uniform."""
        own, primary = self._own_cards(index), self._own_cards(0) if index else []
        if not index:
            return own
        return [
            _effective(self.model, index, *of_file) for of_file in zip(own, primary, strict=True)
        ]

    def _own_cards(self, index: int) -> list[Cards]:
        hdu = self.model.hdus[index]
        headers, differ = self._header(hdu)
        common = [hdu.cards.common] * len(self.content)
        for k in np.flatnonzero(self.is_uniform & (differ & hdu.layout.calibration).any(axis=1)):
            common[k] = _select(headers[k].tobytes(), 0, hdu.layout.common)
        if not hdu.layout.placing:
            return [Cards(cards, b"") for cards in common]
        placing = np.array(hdu.layout.placing)[:, None] + np.arange(_CARD)
        texts = headers[:, placing.ravel()]
        return [Cards(cards, text.tobytes()) for cards, text in zip(common, texts, strict=True)]

    def _header(self, hdu: SimpleFitsHdu) -> tuple[ByteArray, BoolArray]:
        """The headers of an HDU, (n, bytes), and where they differ from that of the model."""
        headers = self.content[:, hdu.begin : hdu.begin + len(hdu.layout.fixed)]
        model = np.frombuffer(self.model.content, np.uint8, headers.shape[1], hdu.begin)
        return headers, headers != model

    def _check(self) -> None:
        for hdu in self.model.hdus:
            self.is_uniform[(self._header(hdu)[1] & hdu.layout.fixed).any(axis=1)] = False


def _as_float(pixels: NDArray[Any]) -> Float32Array:
    """Pixels as float32, in the byte order of the file if they are that already."""
    return pixels if pixels.dtype == ">f4" else pixels.astype(np.float32)


def read_uniform(paths: Sequence[Path], model: SimpleFitsFile) -> UniformFiles:
    """Read files together that are expected to have the layout of ``model``; raises nothing."""
    size = len(model.content)
    # More bytes than the model has: a longer file is noticed. A multiple of 8: pixels are aligned.
    content = np.empty((len(paths), (size // 8 + 1) * 8), dtype=np.uint8)
    sizes = [_read_into(path, buffer) for path, buffer in zip(paths, content, strict=True)]
    files = UniformFiles(model, content, np.asarray(sizes) == size)
    files._check()
    return files


def _read_into(path: Path, buffer: ByteArray) -> int | None:
    """Bytes read from the beginning of a file; None if it cannot be opened."""
    try:
        with io.FileIO(path) as stream:
            return stream.readinto(buffer.data)
    except OSError:
        return None


def read_simple_fits(path: Path) -> SimpleFitsFile:
    """Read a file whole.

    Raises
    ------
    NotSimpleFits
        If the file is large, or anything in it is other than a plain image.
    OSError
        If it cannot be opened.
    """
    with path.open("rb", buffering=0) as stream:
        size = os.fstat(stream.fileno()).st_size
        if not 0 < size <= MAX_BYTES:
            raise NotSimpleFits
        content = stream.read(size)
    return parse_simple_fits(content)


def parse_simple_fits(content: bytes) -> SimpleFitsFile:
    """A file by its content; raises NotSimpleFits as :func:`read_simple_fits` does."""
    hdus = []
    position = 0
    while position < len(content):
        hdu, position = _parse(content, position)
        hdus.append(hdu)
    return SimpleFitsFile(content, tuple(hdus))


def _parse(content: bytes, begin: int) -> tuple[SimpleFitsHdu, int]:
    """One HDU, and where the next begins."""
    end = content.find(_END, begin)
    if end < 0 or (end - begin) % _CARD:
        raise NotSimpleFits
    cards = np.frombuffer(content, np.uint8, end - begin, begin).reshape(-1, _CARD)
    layout = _layout(cards[:, :8].tobytes())
    name, role, shape, dtype, size = _interpret(_select(content, begin, layout.structural))
    start = _next_block(end + _CARD)
    if content[end + _CARD : start].strip(b" ") or start + size > len(content):
        raise NotSimpleFits
    own = Cards(*(_select(content, begin, places) for places in (layout.common, layout.placing)))
    hdu = SimpleFitsHdu(name, shape, dtype, begin, start, own, layout, role)
    return hdu, _next_block(start + size)


def _select(content: bytes, begin: int, places: Sequence[int]) -> bytes:
    """The cards at some places of a header."""
    return b"".join([content[begin + at : begin + at + _CARD] for at in places])


@lru_cache(maxsize=256)
def _layout(keywords: bytes) -> _Layout:
    """The layout of a header of these keywords, 8 bytes each."""
    keys = [keywords[at : at + 8] for at in range(0, len(keywords), 8)]
    structural = [k for k, key in enumerate(keys) if key in _STRUCTURE]
    common = [k for k, key in enumerate(keys) if is_common(key)]
    placing = [k for k, key in enumerate(keys) if is_placing(key)]
    fixed = np.zeros((len(keys) + 1, _CARD), dtype=bool)
    fixed[:, :8] = True
    fixed[[*structural, len(keys)]] = True  # the last is END
    calibration = np.zeros_like(fixed)
    calibration[common] = True
    return _Layout(
        tuple(k * _CARD for k in structural),
        tuple(k * _CARD for k in common),
        tuple(k * _CARD for k in placing),
        fixed.ravel(),
        calibration.ravel(),
    )


@lru_cache(maxsize=1024)
def _interpret(structure: bytes) -> tuple[str, str, tuple[int, ...], str, int]:
    """Name, role, (…, y, x) shape, type and bytes of the image that structural cards describe."""
    cards = [structure[at : at + _CARD] for at in range(0, len(structure), _CARD)]
    found = {card[:8]: card for card in cards}
    if len(found) < len(cards):  # said twice: the card END of a header before may be damaged
        raise NotSimpleFits
    _check_image(found)
    n_axes = _integer(found, b"NAXIS   ")
    shape = tuple(_integer(found, b"NAXIS%d  " % axis) for axis in range(n_axes, 0, -1))
    bits = _integer(found, b"BITPIX  ")
    if bits not in _TYPES or n_axes > 4 or any(n < 1 for n in shape):
        raise NotSimpleFits
    role = role_of_class(_text(found, b"HDUCLAS2"), _text(found, b"HDUCLAS3"))
    size = abs(bits) // 8 * prod(shape) if shape else 0
    return _text(found, b"EXTNAME "), role, shape, _TYPES[bits], size


def _text(found: dict[bytes, bytes], key: bytes) -> str:
    match = _TEXT.search(found.get(key, b""))
    return match.group(1).decode("ascii", "replace").strip() if match else ""


def _check_image(found: dict[bytes, bytes]) -> None:
    first = found.get(b"SIMPLE  ") or found.get(b"XTENSION", b"")
    is_simple = first[:10] == b"SIMPLE  = " and first[10:30].strip() == b"T"
    is_image = is_simple or first[8:20].startswith(b"= 'IMAGE ")
    if not is_image or any(key in found for key in _NOT_PLAIN):
        raise NotSimpleFits
    if b"PCOUNT  " in found and _integer(found, b"PCOUNT  ") != 0:
        raise NotSimpleFits
    if b"GCOUNT  " in found and _integer(found, b"GCOUNT  ") != 1:
        raise NotSimpleFits


def _integer(found: dict[bytes, bytes], key: bytes) -> int:
    try:
        return int(found[key][10:30])
    except (KeyError, ValueError):
        raise NotSimpleFits from None


def _next_block(position: int) -> int:
    return -(-position // _BLOCK) * _BLOCK
