"""The tile endpoint: cutouts as pictures, straight from the shards.

``/tiles/<catalog>/<index>`` answers with a lossless picture, ``/tiles/<catalog>/<index>/info`` with
what a viewer needs to know of the cutout, as JSON. Query parameters, all optional:

==========  =====================================================================================
``kind``    ``rgb`` (default) or ``band``
``bands``   red, green and blue, e.g. ``i,r,g``; an empty middle name is the mean of the other two
``band``    the band to draw, for ``kind=band``
``curve``   ``asinh`` (default), ``linear``, ``sqrt``, ``log`` or ``percentile``, for ``kind=band``
``stretch``  ``auto`` (default; suits the cutout) or a number, in units of sky noise
``black``   black point in units of sky noise; with a number for ``stretch``
``q``       asinh softening; with a number for ``stretch``
``size``    shrink a larger picture to this side, pixels
``format``  ``webp`` (default) or ``png``
``v``       beginning of the cutout's sha256: the answer is then immutable
``r``       any hex number; a page changes it to get past its cache when the drawing has changed
==========  =====================================================================================
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any, Literal, TypeVar, get_args
from urllib.parse import urlencode

import numpy as np
from tornado.web import RequestHandler

from lensing_core.cutouts import CutoutGeometry, CutoutStore, cutout_sha256
from lensing_core.errors import BadInputError, LensTriageError, NotFoundError
from lensing_core.imaging import (
    STRETCH_KINDS,
    AsinhStretch,
    ImageFormat,
    SkyNoise,
    StretchKind,
    auto_stretch,
    catalog_noise,
    choose_rgb_bands,
    encode,
    render_band,
    render_rgb,
    rgb_channels,
)
from lensing_core.surveys import get_survey
from lensing_core.workspace import Workspace

RENDERING = 1
"""Raised when the same parameters give another picture, so that no browser shows the old one."""

# Up to about 140 px a side, tiles take half the time on the event loop that they take in threads,
# and nobody waits long behind them; above, a thread keeps the loop free (benchmarks/tiles.py).
_THREAD_ABOVE_PIXELS = 20_000
_IMMUTABLE = "private, max-age=31536000, immutable"
_HASHES_KEPT = 20_000
_KNOWN = {"kind", "bands", "band", "curve", "stretch", "black", "q", "size", "format", "v", "r"}
_MAX_SIZE = 4096
_Name = TypeVar("_Name", bound=str)
TileKind = Literal["rgb", "band"]


@dataclass(frozen=True)
class TileRequest:
    """A validated request for one picture."""

    kind: TileKind = "rgb"
    bands: tuple[str, ...] | None = None
    band: str | None = None
    curve: StretchKind = "asinh"
    parameters: AsinhStretch | None = None
    size: int = 0
    format: ImageFormat = "webp"
    version: str = ""

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> TileRequest:
        """Read query parameters; raises BadInputError with one sentence naming the parameter."""
        for name in query:
            if name not in _KNOWN:
                raise BadInputError(f"Unknown parameter {name!r}: use {', '.join(sorted(_KNOWN))}.")
        kind: TileKind = _choice(query, "kind", get_args(TileKind))
        if (kind == "band") != bool(query.get("band")):
            raise BadInputError("band: name the band to draw with kind=band, and only there.")
        for name in ("v", "r"):
            if not re.fullmatch(r"[0-9a-f]{0,64}", query.get(name, "")):
                raise BadInputError(f"{name} {query[name]!r}: give up to 64 hexadecimal digits.")
        bands = query.get("bands")
        return cls(
            kind=kind,
            bands=tuple(bands.split(",")) if bands else None,
            band=query.get("band") or None,
            curve=_choice(query, "curve", STRETCH_KINDS),
            parameters=_parameters(query),
            size=_size(query),
            format=_choice(query, "format", get_args(ImageFormat)),
            version=query.get("v", ""),
        )

    def key(self) -> str:
        """Short hash of everything that decides the picture, but for its pixels."""
        fields = asdict(self)
        del fields["version"]
        text = json.dumps([RENDERING, fields], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


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


@dataclass(frozen=True)
class _OpenCatalog:
    store: CutoutStore
    noise: SkyNoise
    rgb_bands: tuple[str, ...] | None
    stamp: tuple[int, int]


class TileSource:
    """Draws the cutouts of a workspace.

    Catalogs stay open (their pixels are memory-mapped, not held); one that was removed and made
    anew is opened again.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._open: dict[str, _OpenCatalog] = {}
        self._hashes: OrderedDict[tuple[str, tuple[int, int], int], str] = OrderedDict()
        self._lock = Lock()

    def catalog(self, name: str, index: int) -> _OpenCatalog:
        """The catalog, open, with at least ``index`` + 1 cutouts; raises NotFoundError."""
        try:
            folder = self._workspace.catalog_cutouts(name)
            status = (folder / "catalog.json").stat()
        except (BadInputError, OSError):
            raise NotFoundError(f"There is no catalog {name!r} with cutouts.") from None
        stamp = (status.st_mtime_ns, status.st_ino)
        with self._lock:
            found = self._open.get(name)
            if found is None or found.stamp != stamp:
                store = CutoutStore(folder)
                if not len(store):
                    raise NotFoundError(f"Catalog {name!r} has no cutouts yet.")
                bands = self._survey_bands(store.geometry)
                found = _OpenCatalog(store, catalog_noise(store), bands, stamp)
                self._open[name] = found
            elif index >= len(found.store):
                found.store.refresh()
        return found

    def _survey_bands(self, geometry: CutoutGeometry) -> tuple[str, ...] | None:
        try:
            return get_survey(geometry.survey, self._workspace).rgb_bands
        except NotFoundError:
            return None  # a catalog of a survey whose definition was taken away: choose by order

    def sha256(self, name: str, index: int) -> str:
        """Hash of a cutout's pixels."""
        opened = self.catalog(name, index)
        key = (name, opened.stamp, index)
        with self._lock:
            if key in self._hashes:
                self._hashes.move_to_end(key)
                return self._hashes[key]
        digest = cutout_sha256(opened.store.read(index))
        with self._lock:
            self._hashes[key] = digest
            if len(self._hashes) > _HASHES_KEPT:
                self._hashes.popitem(last=False)
        return digest

    def draw(self, name: str, index: int, request: TileRequest) -> bytes:
        """The encoded picture."""
        opened = self.catalog(name, index)
        cutout = opened.store.read(index)
        geometry = opened.store.geometry
        if request.band is not None:
            picture = render_band(
                cutout,
                geometry,
                opened.noise,
                request.band,
                kind=request.curve,
                parameters=request.parameters,
            )
        else:
            picture = render_rgb(
                cutout,
                geometry,
                opened.noise,
                bands=request.bands or choose_rgb_bands(geometry.bands, opened.rgb_bands),
                parameters=request.parameters,
            )
        return encode(picture, request.format, request.size)

    def info(self, name: str, index: int) -> dict[str, Any]:
        """Sky noise and missing fraction by band, and the parameters that ``auto`` chooses."""
        opened = self.catalog(name, index)
        cutout, geometry = opened.store.read(index), opened.store.geometry
        known = np.isfinite(cutout).mean(axis=(1, 2))
        bands = choose_rgb_bands(geometry.bands, opened.rgb_bands)
        answer: dict[str, Any] = {
            "known_fraction": dict(zip(geometry.bands, known.round(4).tolist(), strict=True)),
            "rgb_bands": list(bands),
        }
        if geometry.pixel_kind == "flux":
            sigma = opened.noise.sigma
            answer["sky_sigma"] = {
                band: float(value) if np.isfinite(value) else None
                for band, value in zip(geometry.bands, sigma, strict=True)
            }
            channels = rgb_channels(cutout, geometry, opened.noise, bands)
            answer["auto"] = asdict(auto_stretch(channels))
        return answer

    def pixels(self, name: str, index: int) -> int:
        """Pixels of the picture."""
        return self.catalog(name, index).store.geometry.size_px ** 2

    def answer(self, name: str, index: int, request: TileRequest) -> str:
        """The ETag of a picture, once its version has been checked.

        Raises
        ------
        NotFoundError
            If there is no such cutout, or its pixels are not those of ``request.version``.
        """
        digest = self.sha256(name, index)
        if not digest.startswith(request.version):
            raise NotFoundError(
                f"Cutout {index} of {name!r} has changed since this page was loaded; reload it."
            )
        return f'"{digest[:16]}-{request.key()}"'


class TileHandler(RequestHandler):
    """Answers one picture, or one sentence saying what is wrong with the request."""

    def initialize(self, source: TileSource) -> None:
        self._source = source

    async def get(self, catalog: str, index: str, info: str | None) -> None:
        """Serve ``/tiles/<catalog>/<index>`` and ``…/info``."""
        try:
            if not re.fullmatch(r"\d{1,9}", index):
                raise BadInputError(f"Cutout {index!r}: give its number in the catalog, from 0.")
            if info:
                self._send(json.dumps(self._source.info(catalog, int(index))), "application/json")
            else:
                await self._picture(catalog, int(index))
        except NotFoundError as error:
            self._refuse(404, error)
        except LensTriageError as error:
            self._refuse(400, error)

    async def _picture(self, catalog: str, index: int) -> None:
        repeated = [name for name, values in self.request.query_arguments.items() if values[1:]]
        if repeated:
            raise BadInputError(f"{repeated[0]}: give it once.")
        request = TileRequest.parse(
            {name: self.get_query_argument(name) for name in self.request.query_arguments}
        )
        tag = self._source.answer(catalog, index, request)
        self.set_header("Etag", tag)
        self.set_header("Cache-Control", _IMMUTABLE if len(request.version) >= 8 else "no-cache")
        if self.check_etag_header():
            self.set_status(304)
            return
        if self._source.pixels(catalog, index) > _THREAD_ABOVE_PIXELS:
            picture = await asyncio.to_thread(self._source.draw, catalog, index, request)
        else:
            picture = self._source.draw(catalog, index, request)
        self._send(picture, f"image/{request.format}")

    def _send(self, body: str | bytes, kind: str) -> None:
        self.set_header("Content-Type", kind)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish(body)

    def _refuse(self, status: int, error: LensTriageError) -> None:
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.clear_header("Etag")
        self._send(str(error), "text/plain; charset=utf-8")


def routes(workspace: Workspace) -> list[tuple[str, type[RequestHandler], dict[str, Any]]]:
    """The endpoint's URL pattern, handler and arguments, for the server's list of routes."""
    source = TileSource(workspace)
    return [(r"/tiles/([^/]*)/([^/]*?)(/info)?", TileHandler, {"source": source})]


def tile_url(catalog: str, index: int, sha256: str, **parameters: str | int | float) -> str:
    """Relative URL of a picture that never changes, e.g. ``tile_url("demo", 3, sha, size=96)``."""
    query = {"v": sha256[:12], "r": f"{RENDERING:x}", **parameters}
    return f"tiles/{catalog}/{index}?{urlencode(query)}"
