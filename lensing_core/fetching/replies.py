"""Checks of replies: a reply's content, not its name, decides if it is the image asked for.

Replies are looked at without a library: a header's cards, and the bytes of one plain image.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import unescape
from math import prod

import numpy as np
from numpy.typing import NDArray

from lensing_core.errors import LensTriageError
from lensing_core.fetching.services import Order

_BLOCK, _CARD = 2880, 80
_TYPES = {8: ">u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
_MAX_HEADER = 400 * _BLOCK
_OF_THE_CUBE = re.compile(rb"NAXIS3? |(?:CTYPE|CRVAL|CRPIX|CDELT|CUNIT)3 |BANDS? |BAND\d+ ")


class Refused(LensTriageError):
    """Reply without an image of the object, or without one that can be used.

    Parameters
    ----------
    message : str
    is_absent : bool
        Whether the service has none there, so that asking again soon is of no use.
    status : int
        Of HTTP, where that is what says so; else 0.
    """

    def __init__(self, message: str, *, is_absent: bool = False, status: int = 0) -> None:
        super().__init__(message)
        self.is_absent = is_absent
        self.status = status


def most_bytes(order: Order) -> int:
    """The largest reply that is taken: twice the image in 64 bits, and a long header."""
    planes = len(order.bands) if order.service.is_cube else 1
    return 16 * planes * order.size_px**2 + _MAX_HEADER


def planes_of(content: bytes, order: Order, bands: tuple[str, ...]) -> dict[str, bytes]:
    """Files by band: the reply itself, or, where it holds several bands, one made of each.

    A band of a cube without data is left out.

    Raises
    ------
    Refused
        If the reply is no FITS image of the size and bands that were asked for, or is blank.
    """
    image = _read(content)
    shape: tuple[int, ...] = (order.size_px, order.size_px)
    if len(bands) > 1:
        shape = (len(bands), *shape)
    if image.shape != shape and image.shape != (1, *shape):
        raise Refused(
            f"an image of {_shown(image.shape)} px came instead of {_shown(shape)}, which was "
            "asked for"
        )
    if b"BSOFTEN" in image.cards:
        raise Refused("pixels are asinh magnitudes (BSOFTEN), which are not linear flux")
    stated = _text(image.cards.get(b"BANDS", b""))
    if order.service.is_cube and stated and stated.replace(",", "") != "".join(bands):
        raise Refused(f"bands {stated} came instead of {''.join(bands)}")
    planes = image.pixels.reshape(len(bands), *shape[-2:])
    seen = [k for k in range(len(bands)) if not image.is_blank(planes[k])]
    if not seen:
        raise Refused(
            "the image has no data: the position lies outside of the survey", is_absent=True
        )
    if len(bands) == 1:
        return {bands[0]: content}
    return {bands[k]: image.with_pixels(planes[k]) for k in seen}


@dataclass(frozen=True)
class _Image:
    """The first HDU of a file: its cards in order, the same by keyword, and its stored pixels."""

    ordered: list[bytes]
    cards: dict[bytes, bytes]
    pixels: NDArray[np.generic]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.pixels.shape

    def is_blank(self, plane: NDArray[np.generic]) -> bool:
        """Return whether a plane is empty, or has the same value everywhere."""
        if plane.dtype.kind == "f":
            plane = plane[np.isfinite(plane)]
        return plane.size == 0 or bool(plane.min() == plane.max())

    def with_pixels(self, plane: NDArray[np.generic]) -> bytes:
        """A file of one plane, with the cards that hold for it."""
        axes = f"NAXIS   = {2:>20}".encode().ljust(_CARD)
        kept = [card for card in self.ordered if not _OF_THE_CUBE.match(card)]
        header = b"".join([*kept[:2], axes, *kept[2:], b"END".ljust(_CARD)])
        data = plane.tobytes()
        return _padded(header, b" ") + _padded(data, b"\0")


def _padded(content: bytes, fill: bytes) -> bytes:
    return content + fill * (-len(content) % _BLOCK)


def _read(content: bytes) -> _Image:
    if not content.startswith(b"SIMPLE  ="):
        raise Refused(f"the reply is no FITS file but {what_is(content)}")
    ordered, start = _header(content)
    cards: dict[bytes, bytes] = {}
    for card in ordered:
        cards.setdefault(card[:8].rstrip(), card)
    axes = _integer(cards, b"NAXIS")
    if not 2 <= axes <= 4:
        raise Refused(f"the first HDU of the reply has {axes} axes and is no image")
    shape = tuple(_integer(cards, b"NAXIS%d" % axis) for axis in range(axes, 0, -1))
    kind = _TYPES.get(_integer(cards, b"BITPIX"))
    if kind is None or min(shape) < 1:
        raise Refused("the header of the reply is damaged")
    size = prod(shape) * np.dtype(kind).itemsize
    if start + size > len(content):
        raise Refused(f"half a file came: {len(content):,} of {start + size:,} bytes")
    pixels = np.frombuffer(content, kind, prod(shape), start).reshape(shape)
    return _Image(ordered, cards, pixels)


def _header(content: bytes) -> tuple[list[bytes], int]:
    """Cards up to END, and where the pixels begin."""
    for at in range(0, min(len(content), _MAX_HEADER), _CARD):
        if content[at : at + _CARD].rstrip() == b"END":
            cards = [content[k : k + _CARD] for k in range(0, at, _CARD)]
            return cards, -(-(at + _CARD) // _BLOCK) * _BLOCK
    raise Refused(f"half a file came: {len(content):,} bytes, with no end of its header")


def _integer(cards: dict[bytes, bytes], key: bytes) -> int:
    try:
        return int(cards[key][10:30])
    except (KeyError, ValueError):
        raise Refused(f"the header of the reply has no {key.decode()}") from None


def _text(card: bytes) -> str:
    match = re.search(rb"= *'((?:[^']|'')*)'", card)
    return match.group(1).decode("ascii", "replace").strip() if match else ""


def _shown(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, reversed(shape)))


def what_is(content: bytes) -> str:
    """A reply that is no image, in a few words: the title of a page, or how it begins."""
    if not content.strip():
        return "empty"
    text = content[:20_000].decode("utf-8", "replace")
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if isinstance(document, dict):
        said = [str(document[key]) for key in ("title", "description") if document.get(key)]
        return f"a message: {_line(': '.join(said) or text)}"
    if re.search(r"<\s*(!doctype|html|head|body)", text, re.IGNORECASE):
        title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        body = re.sub(r"<(script|style).*?</\1\s*>|<[^>]*>", " ", text, flags=re.I | re.S)
        return f"a web page: {_line(unescape(title.group(1) if title else body))}"
    if "\0" in text or "\ufffd" in text:
        return "data of another kind"
    return f"text: {_line(text)}"


def _line(text: str) -> str:
    shown = "".join(c if c.isprintable() else " " for c in text)
    shown = " ".join(shown.split())
    return shown if len(shown) <= 120 else shown[:119] + "…"
