"""Attention of members, computed on request.

``/attention/<model>/<catalog>/<index>`` answers with a transparent picture to be laid over that of
the cutout, for members that look at pixels; ``…/info`` with JSON for every member: what the map
shows, or which features moved the score, or why there is nothing to show. ``v``, the beginning of
the cutout's sha256, makes the answer immutable, as it does for tiles; ``method`` asks for another
map than the first one of the member.
"""

from __future__ import annotations

import json
import math
import re
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from tornado.web import RequestHandler

from lens_triage.app.context import AppContext
from lens_triage.app.http.pools import OTHER, Pool
from lens_triage.app.http.replies import ReplyHandler
from lens_triage.app.viewer.tile_source import TileSource
from lensing_core.errors import BadInputError, DamagedError, NotFoundError
from lensing_core.imaging import encode
from lensing_core.models.manifest import model_folder, read_manifest
from lensing_core.store.candidates import candidate_at
from lensing_core.store.metadata import fetch_metadata

if (
    TYPE_CHECKING
):  # else imported where they are needed: torch takes seconds, and servers start at once
    from lensing_core.models.attention import AttentionMap, Method
    from lensing_core.models.explaining import CandidateExplanation
    from lensing_core.models.files import StoredMember

MOST_FEATURES = 12
_KEPT = 2000  # explanations, of some 5 kB each
_MEMBERS = 4  # networks in memory
_IMMUTABLE = "private, max-age=31536000, immutable"
_NETWORK = "network"
_METHODS: dict[Method, str] = {
    "integrated_gradients": "Integrated gradients",
    "grad_cam": "Grad-CAM",
    "rollout": "Attention rollout",
    "mil": "Weights of patches",
}

_Key = tuple[str, str, int, "Method | None", str]
"""Model, catalog, number of the cutout, method, first digits of the cutout's sha256."""


@dataclass(frozen=True)
class Explained:
    """An answer: JSON for the panel, and the picture where there is one."""

    info: dict[str, Any]
    picture: bytes | None = None


class AttentionSource:
    """Explains members of a workspace, one at a time, in a thread of its own.

    A network serves one call at a time, and two at once would only take the cores from each other.
    """

    def __init__(self, context: AppContext, tiles: TileSource) -> None:
        self._context = context
        self._tiles = tiles
        self._members: OrderedDict[str, StoredMember] = OrderedDict()
        self._kept: OrderedDict[_Key, Explained] = OrderedDict()
        self._lock = Lock()
        self._pool = Pool("explanations", 1, 16)

    async def explain(
        self, model_id: str, catalog: str, index: int, version: str, method: Method | None = None
    ) -> Explained:
        """The explanation of one cutout.

        Raises
        ------
        NotFoundError
            If there is no such model or cutout, or its pixels are not those of ``version``.
        """
        digest = await OTHER.run(lambda: self._tiles.sha256(catalog, index))
        if not digest.startswith(version):
            raise NotFoundError(
                f"Cutout {index} of {catalog!r} has changed since this page was loaded; reload it."
            )
        key = (model_id, catalog, index, method, digest[:16])
        found = self._remembered(key)
        if found is not None:
            return found
        return await self._pool.run(lambda: self._make(key))

    def _remembered(self, key: _Key) -> Explained | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def _make(self, key: _Key) -> Explained:
        found = self._remembered(key)  # asked for twice: picture and words
        if found is None:
            found = self._explain(*key[:4])
            if found.info["kind"] == "none":
                return found
            with self._lock:
                self._kept[key] = found
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return found

    def _explain(self, model_id: str, catalog: str, index: int, method: Method | None) -> Explained:
        from lensing_core.models.attention import NoAttentionError
        from lensing_core.models.explaining import explain_candidate

        workspace = self._context.workspace
        folder = model_folder(workspace, model_id)
        if not folder.is_dir():
            raise NotFoundError(f"There is no model {model_id} in the workspace.")
        try:
            if read_manifest(folder)["kind"] == _NETWORK:
                return self._map(model_id, catalog, index, method)
            found = explain_candidate(workspace, model_id, catalog, index)
            return Explained(features_to_json(found))
        except (NoAttentionError, BadInputError, NotFoundError, DamagedError) as error:
            return Explained({"kind": "none", "sentence": str(error)})

    def _map(self, model_id: str, catalog: str, index: int, method: Method | None) -> Explained:
        from lensing_core.models.attention import member_attention, member_methods, overlay

        opened = self._tiles.catalog(catalog, index).store
        geometry = opened.geometry
        stored = self._member(model_id)
        metadata = None
        if stored.member.metadata_names:
            metadata = self._metadata(catalog, index)
        found = member_attention(
            stored, opened.read(index), geometry, catalog, metadata, method=method
        )
        upside_down = geometry.pixel_kind != "rendered"
        picture = encode(overlay(found, upside_down=upside_down), "png")
        info = map_to_json(found, geometry.pixel_scale_arcsec)
        info["methods"] = [[name, _METHODS[name]] for name in member_methods(stored)]
        return Explained(info, picture)

    def _member(self, model_id: str) -> StoredMember:
        from lensing_core.models.files import load_member

        if model_id not in self._members:
            self._members[model_id] = load_member(self._context.workspace, model_id)
        self._members.move_to_end(model_id)
        while len(self._members) > _MEMBERS:
            self._members.popitem(last=False)
        return self._members[model_id]

    def _metadata(self, catalog: str, index: int) -> dict[str, list[Any]] | None:
        with self._context.database.session() as session:
            candidate_id = candidate_at(session, catalog, index)
            return None if candidate_id is None else fetch_metadata(session, [candidate_id])


_SCALE_STEPS = 9


def scale_to_json(found: AttentionMap) -> dict[str, Any] | None:
    """Return colors of the scale bar and what its ends stand for; None where nothing is drawn."""
    from lensing_core.models.attention import IN_LOG_ODDS, scale_colors

    end = found.end_of_scale()
    if end is None:
        return None
    strengths = [k / (_SCALE_STEPS - 1) for k in range(_SCALE_STEPS)]
    colors = [bytes(color).hex() for color in scale_colors(strengths)]
    if found.method in IN_LOG_ODDS:
        place = "pixel" if found.method == "integrated_gradients" else "cell"
        ends = {"low": "0", "high": f"{end:+.2g}", "unit": f"log-odds for a lens, a {place}"}
    else:
        ends = {"low": "1", "high": f"{end:.1f}", "unit": "times an even share"}
    return {"colors": [f"#{color}" for color in colors], **ends}


def map_to_json(found: AttentionMap, pixel_scale_arcsec: float) -> dict[str, Any]:
    """Return what a map shows, in words."""
    cell = f"{found.cell_px:.0f} px ({found.cell_px * pixel_scale_arcsec:.1f}″)"
    if found.method in ("integrated_gradients", "grad_cam"):
        about = "" if found.exact else "about "
        sentence = f"The marked pixels add {about}{found.total:+.1f} log-odds for a lens"
        if found.empty is not None:
            others = found.logit - found.empty - found.total
            sentence += f" to the {found.empty:+.1f} of an empty sky; the rest adds {others:+.1f}"
        sentence += f". Nothing finer than {cell} is resolved."
        if found.total < 1:
            sentence = (
                f"There is little evidence for a lens: {found.total:+.2f} log-odds in total, so "
                f"the map is faint. Nothing finer than {cell} is resolved."
            )
    else:
        place = "patch" if found.method == "mil" else "place"
        sentence = (
            f"The strongest {place} has {found.total:.1f} times its share in a uniform map. "
            f"A {place} is {cell} wide."
        )
    return {
        "kind": "map",
        "method": found.method,
        "title": _METHODS[found.method],
        "sentence": sentence.replace(" -", " −"),
        "logit": found.logit,
        "scale": scale_to_json(found),
    }


def features_to_json(found: CandidateExplanation) -> dict[str, Any]:
    """The strongest features, and the sum of all others."""
    strongest, rest = found.strongest(MOST_FEATURES)
    return {
        "kind": "features",
        "logit": found.logit,
        "base": found.base,
        "rest": rest,
        "n_rest": max(0, len(found.contributions) - MOST_FEATURES),
        "rows": [
            {
                "name": c.name,
                "unit": c.unit,
                "value": c.value if math.isfinite(c.value) else None,
                "log_odds": c.log_odds,
            }
            for c in strongest
        ],
    }


class AttentionHandler(ReplyHandler):
    """Answers one picture or one JSON object, or one sentence saying what is wrong."""

    def initialize(self, source: AttentionSource) -> None:
        self._source = source

    async def get(self, model: str, catalog: str, index: str, info: str | None) -> None:
        """Serve ``/attention/<model>/<catalog>/<index>`` and ``…/info``."""
        try:
            if not re.fullmatch(r"\d{1,9}", index):
                raise BadInputError(f"Cutout {index!r}: give its number in the catalog, from 0.")
            version = self.get_query_argument("v", "")
            if not re.fullmatch(r"[0-9a-f]{0,64}", version):
                raise BadInputError(f"v {version!r}: give up to 64 hexadecimal digits.")
            method = self.get_query_argument("method", "") or None
            if method is not None and method not in _METHODS:
                raise BadInputError(f"method {method!r}: give one of {', '.join(_METHODS)}.")
            found = await self._source.explain(model, catalog, int(index), version, method)
            body: str | bytes | None = json.dumps(found.info) if info else found.picture
            if body is None:
                raise NotFoundError(str(found.info.get("sentence", "This member has no map.")))
        except Exception as error:  # noqa: BLE001 - logged; the page gets one sentence
            self.refuse_for(error, "The server could not explain this score; its log says why.")
        else:
            # What is missing today (outputs that are not stored yet) may be there tomorrow.
            lasting = len(version) >= 8 and found.info["kind"] != "none"
            self.set_header("Cache-Control", _IMMUTABLE if lasting else "no-cache")
            self.reply(body, "application/json" if info else "image/png")


Routes = list[tuple[str, type[RequestHandler], dict[str, Any]]]


def routes(context: AppContext, tiles: TileSource) -> Routes:
    """URL pattern, handler and arguments, for the server's list of routes."""
    pattern = r"/attention/([^/]*)/([^/]*)/([^/]*?)(/info)?"
    return [(pattern, AttentionHandler, {"source": AttentionSource(context, tiles)})]
