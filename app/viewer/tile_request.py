"""Requests for tiles and pixels, checked; one sentence for each bad one."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, TypeVar, get_args

from lensing_core.errors import BadInputError
from lensing_core.imaging import (
    LAYERS,
    LOOKS,
    STRETCH_KINDS,
    AsinhStretch,
    ImageFormat,
    Layer,
    Look,
    StretchKind,
)

RENDERING = 2
"""Raised when the same parameters give another picture, so that no browser shows the old one."""

_KNOWN = {
    *("kind", "bands", "band", "layer", "look", "curve", "stretch", "black", "q"),
    *("size", "format", "v", "r"),
}
_KNOWN_OF_PIXELS = {"layer", "v", "r"}
_MAX_SIZE = 4096
_Name = TypeVar("_Name", bound=str)
TileKind = Literal["rgb", "band"]


@dataclass(frozen=True)
class TileRequest:
    """A validated request for one picture."""

    kind: TileKind = "rgb"
    bands: tuple[str, ...] | None = None
    band: str | None = None
    layer: Layer = "image"
    look: Look = "detail"
    curve: StretchKind = "asinh"
    parameters: AsinhStretch | None = None
    size: int = 0
    format: ImageFormat = "webp"
    version: str = ""

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> TileRequest:
        """Read query parameters; raises BadInputError with one sentence naming the parameter."""
        _check_names(query, _KNOWN)
        kind: TileKind = _choice(query, "kind", get_args(TileKind))
        if (kind == "band") != bool(query.get("band")):
            raise BadInputError("band: name the band to draw with kind=band, and only there.")
        bands = query.get("bands")
        return cls(
            kind=kind,
            bands=tuple(bands.split(",")) if bands else None,
            band=query.get("band") or None,
            layer=_choice(query, "layer", LAYERS),
            look=_choice(query, "look", LOOKS),
            curve=_choice(query, "curve", STRETCH_KINDS),
            parameters=_parameters(query),
            size=_size(query),
            format=_choice(query, "format", get_args(ImageFormat)),
            version=query.get("v", ""),
        )

    def key(self) -> str:
        """Short hash of everything that decides the picture, but for its pixels."""
        return _key(self)


@dataclass(frozen=True)
class PixelRequest:
    """A validated request for the pixel values of one cutout."""

    layer: Layer = "image"
    version: str = ""

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> PixelRequest:
        """Read query parameters; raises BadInputError with one sentence naming the parameter."""
        _check_names(query, _KNOWN_OF_PIXELS)
        return cls(layer=_choice(query, "layer", LAYERS), version=query.get("v", ""))

    def key(self) -> str:
        """Short hash of what decides the values, but for the cutout."""
        return _key(self)


def _key(request: TileRequest | PixelRequest) -> str:
    fields = asdict(request)
    del fields["version"]
    text = json.dumps([RENDERING, type(request).__name__, fields], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _check_names(query: Mapping[str, str], known: set[str]) -> None:
    for name in query:
        if name not in known:
            raise BadInputError(f"Unknown parameter {name!r}: use {', '.join(sorted(known))}.")
    for name in ("v", "r"):
        if not re.fullmatch(r"[0-9a-f]{0,64}", query.get(name, "")):
            raise BadInputError(f"{name} {query[name]!r}: give up to 64 hexadecimal digits.")


def _choice(query: Mapping[str, str], name: str, choices: tuple[_Name, ...]) -> _Name:
    value = query.get(name, choices[0])
    for choice in choices:
        if choice == value:
            return choice
    raise BadInputError(f"{name} {value!r}: choose one of {', '.join(choices)}.")


def _parameters(query: Mapping[str, str]) -> AsinhStretch | None:
    if query.get("stretch", "auto") == "auto":
        return None
    values = {}
    for name in ("stretch", "black", "q"):
        if name in query:
            try:
                values[name] = float(query[name])
            except ValueError:
                raise BadInputError(f"{name} {query[name]!r}: give a number.") from None
    return AsinhStretch(**values)


def _size(query: Mapping[str, str]) -> int:
    text = query.get("size", "0")
    if not re.fullmatch(r"\d{1,4}", text) or not (text == "0" or 8 <= int(text) <= _MAX_SIZE):
        raise BadInputError(f"size {text!r}: give a whole number of pixels from 8 to {_MAX_SIZE}.")
    return int(text)
