"""The tile endpoint: cutouts as pictures and as numbers, straight from the shards.

``/tiles/<catalog>/<index>`` answers with a lossless picture, ``/tiles/<catalog>/<index>/info`` with
what a viewer needs to know of the cutout and its color picture, as JSON, and
``/pixels/<catalog>/<index>`` with its pixels, little-endian float32 in the order (band, y, x), the
first row at the bottom of a flux image. Query parameters, all optional:

==========  =====================================================================================
``kind``    ``rgb`` (default) or ``band``
``bands``   red, green and blue, e.g. ``i,r,g``; an empty middle name is the mean of the other two
``band``    the band to draw, for ``kind=band``
``layer``   ``image`` (default), ``residual`` (without the light of the galaxy), ``snr``,
            ``residual-snr``; also for pixels
``look``    ``detail`` (default: brightness of the sharpest bands, color where there is light
            enough to tell it), ``lupton``, ``legacy`` or ``hsc`` (as those viewers draw;
            ``stretch``, ``black`` and ``q`` do not apply), for ``kind=rgb``
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

import json
import re
from typing import Any
from urllib.parse import urlencode

from tornado.web import RequestHandler

from lens_triage.app.http.pools import TILES
from lens_triage.app.http.replies import ReplyHandler
from lens_triage.app.viewer.tile_request import (
    RENDERING,
    PixelRequest,
    TileRequest,
)
from lens_triage.app.viewer.tile_source import TileSource
from lensing_core.errors import BadInputError

__all__ = ["RENDERING", "TileRequest", "TileSource", "routes", "tile_url"]

# Small tiles take half the time on the event loop that they take in threads, and nobody waits long
# behind them; above some 100 px a side, a thread keeps the loop free (benchmarks/tiles.py).
_THREAD_ABOVE_PIXELS = 10_000
IMMUTABLE = "private, max-age=31536000, immutable"


class CutoutHandler(ReplyHandler):
    """Answers for one cutout, or with one sentence saying what is wrong with the request."""

    def initialize(self, source: TileSource) -> None:
        self._source = source

    async def get(self, catalog: str, index: str, part: str | None = None) -> None:
        """Serve ``/tiles/<catalog>/<index>`` and the like."""
        try:
            await self._answer(*self.find(catalog, index), part)
        except Exception as error:  # noqa: BLE001 - logged; the page gets one sentence
            self.refuse_for(error, "The server could not read this cutout; its log says why.")

    def find(self, catalog: str, index: str) -> tuple[str, int]:
        """Catalog and index of the cutout that an address names; raises BadInputError."""
        if not re.fullmatch(r"\d{1,9}", index):
            raise BadInputError(f"Cutout {index!r}: give its number in the catalog, from 0.")
        return catalog, int(index)

    async def _answer(self, catalog: str, index: int, part: str | None) -> None:
        raise NotImplementedError

    def _query(self) -> dict[str, str]:
        arguments = self.request.query_arguments
        for name in (name for name, values in arguments.items() if values[1:]):
            raise BadInputError(f"{name}: give it once.")
        return {name: self.get_query_argument(name) for name in arguments}

    def _is_known(self, catalog: str, index: int, request: TileRequest | PixelRequest) -> bool:
        """Set the headers of an answer that can be kept; whether the browser has it already."""
        self.set_header("Etag", self._source.answer(catalog, index, request))
        self.set_header("Cache-Control", IMMUTABLE if len(request.version) >= 8 else "no-cache")
        if self.check_etag_header():
            self.set_status(304)
            return True
        return False

    def _is_slow(self, catalog: str, index: int, request: TileRequest | PixelRequest) -> bool:
        return "residual" in request.layer or (
            self._source.size(catalog, index) > _THREAD_ABOVE_PIXELS
        )


class TileHandler(CutoutHandler):
    """A picture, or what a viewer needs to know of the cutout."""

    def describe(self, info: dict[str, Any]) -> dict[str, Any]:
        """Return what is told of a cutout."""
        return info

    async def _answer(self, catalog: str, index: int, part: str | None) -> None:
        if part:
            request = TileRequest.parse(self._query())
            info = await TILES.run(lambda: self._source.info(catalog, index, request))
            self.reply(json.dumps(self.describe(info)), "application/json")
            return
        request = TileRequest.parse(self._query())
        if self._is_known(catalog, index, request):
            return
        if self._is_slow(catalog, index, request):
            picture = await TILES.run(lambda: self._source.draw(catalog, index, request))
        else:
            picture = self._source.draw(catalog, index, request)
        self.reply(picture, f"image/{request.format}")


class PixelHandler(CutoutHandler):
    """Pixel values, for the readout under the cursor."""

    async def _answer(self, catalog: str, index: int, part: str | None) -> None:
        request = PixelRequest.parse(self._query())
        if self._is_known(catalog, index, request):
            return
        values = await TILES.run(lambda: self._source.values(catalog, index, request))
        self.reply(values, "application/octet-stream")


def routes(source: TileSource) -> list[tuple[str, type[RequestHandler], dict[str, Any]]]:
    """URL pattern, handler and arguments of the endpoints, for the server's list of routes."""
    given = {"source": source}
    return [
        (r"/tiles/([^/]*)/([^/]*?)(/info)?", TileHandler, given),
        (r"/pixels/([^/]*)/([^/]*)", PixelHandler, given),
    ]


def tile_url(catalog: str, index: int, sha256: str, **parameters: str | int | float) -> str:
    """Relative URL of a picture that never changes, e.g. ``tile_url("demo", 3, sha, size=96)``."""
    query = {"v": sha256[:12], "r": f"{RENDERING:x}", **parameters}
    return f"tiles/{catalog}/{index}?{urlencode(query)}"
