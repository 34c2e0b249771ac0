"""The charts beside the list: scores, uncertainty, embeddings, sky; and what is marked on them.

The columns of a ranking are read once and kept for a short while, so that zooming, hovering and
marking answer at once.
"""

from __future__ import annotations

import base64
import math
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lens_triage.app.acting import acting
from lens_triage.app.context import AppContext
from lens_triage.app.review.finding import (
    Answer,
    selection_to_json,
)
from lensing_core.arrays import Float64Array
from lensing_core.charts import SkyProjection, bin_points, inside_polygon, nearest, sky_projection
from lensing_core.charts.sky import CELL_DEG2
from lensing_core.errors import BadInputError
from lensing_core.models.maps import embedding_map
from lensing_core.store import Session
from lensing_core.store.blinding import open_blind_sessions
from lensing_core.store.candidates import cutout_places
from lensing_core.store.catalogs import catalog_names, listed_catalogs
from lensing_core.store.chart_columns import (
    ChartColumns,
    columns_version,
    fetch_columns,
    fetch_passing,
    histogram_of,
    logit_histogram,
)
from lensing_core.store.ensembles import models_by_preference
from lensing_core.store.query_json import query_from_json
from lensing_core.store.ranking import RankingQuery
from lensing_core.store.selections import keep_selection

_KEPT_S = 120.0
_MOST_POINTS = 4000  # drawn one by one
_MOST_CELLS = 1500
_MOST_CORNERS = 2000
_BINS = 48
_TITLES = {"uncertainty": "Uncertainty", "embedding": "Embedding map", "sky": "Sky map"}

Extent = tuple[float, float, float, float]


@dataclass(frozen=True)
class _Chart:
    """Coordinates of all candidates of a chart, and what is written beside them."""

    columns: ChartColumns
    x: Float64Array
    y: Float64Array
    caption: str
    sky: SkyProjection | None = None


class _Kept:
    """The last few things made, each for a while; shared by the sessions of a server."""

    def __init__(self, most: int, seconds: float = math.inf) -> None:
        self._most, self._seconds = most, seconds
        self._made: OrderedDict[Any, tuple[float, Any]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Any, make: Any) -> Any:
        with self._lock:
            found = self._made.get(key)
        if found is not None and time.monotonic() - found[0] < self._seconds:
            return found[1]
        made = make()
        with self._lock:
            self._made[key] = (time.monotonic(), made)
            self._made.move_to_end(key)
            while len(self._made) > self._most:
                self._made.popitem(last=False)
        return made


# Whole tables stay until candidates or scores change; what filters leave changes with every grade.
_whole, _columns, _charts = _Kept(2), _Kept(3, _KEPT_S), _Kept(3, _KEPT_S)


class ReviewCharts:
    """Answers the messages of the charts for one grader."""

    def __init__(
        self, context: AppContext, grader_id: int | None, hides_blind: bool = False
    ) -> None:
        self._context = context
        self._grader_id = grader_id
        self._hides_blind = hides_blind

    def answers(self) -> dict[str, Answer]:
        """Answers by type of message."""
        return {
            "histogram": self._histogram,
            "chart": self._draw,
            "chart_near": self._near,
            "chart_place": self._place,
            "chart_select": self._select,
        }

    def _query(self, message: Mapping[str, Any]) -> RankingQuery:
        query = query_from_json(message["query"], self._grader_id, hides_blind=self._hides_blind)
        # the order does not matter here, but that by grades leaves candidates out
        return query if query.by_vote else replace(query, sort="object_id", descending=False)

    def _key(self, session: Session, *parts: Any) -> tuple[Any, ...]:
        blind = open_blind_sessions(session) if self._hides_blind else ()
        return (self._context.workspace.root, columns_version(session), blind, *parts)

    def _read(self, session: Session, query: RankingQuery) -> ChartColumns:
        def make() -> ChartColumns:
            whole: ChartColumns = _whole.get(
                self._key(session, query.ensemble_id),
                lambda: fetch_columns(session, query.ensemble_id),
            )
            listed = listed_catalogs(session, query.catalog_ids)
            return whole.take(fetch_passing(session, query), listed)

        found: ChartColumns = _columns.get(self._key(session, query), make)
        return found

    def _histogram(self, session: Session, message: Mapping[str, Any]) -> dict[str, Any]:
        query = self._query(message)
        found = logit_histogram(session, query, _BINS)
        if found is None:
            found = histogram_of(self._read(session, query), _BINS)
        if found is None:
            return {"counts": [], "edges": [], "n": 0}
        return {
            "counts": found.counts.tolist(),
            "edges": found.edges.tolist(),
            "probabilities": found.probabilities.tolist(),
            "n": int(found.counts.sum()),
        }

    def _chart(self, session: Session, message: Mapping[str, Any]) -> _Chart:
        kind, query = message["kind"], self._query(message)
        if kind not in _TITLES:
            raise BadInputError(f"The page asked for a chart {kind!r}, which there is not.")
        key = self._key(session, kind, query)
        found: _Chart = _charts.get(key, lambda: self._make(session, kind, query))
        return found

    def _make(self, session: Session, kind: str, query: RankingQuery) -> _Chart:
        columns = self._read(session, query)
        if kind == "uncertainty":
            return _Chart(columns, columns.logit, columns.epistemic, "")
        if kind == "sky":
            placed = np.isfinite(columns.ra_deg) & np.isfinite(columns.dec_deg)
            if not placed.any():
                raise BadInputError("None of these candidates has a position.")
            sky = sky_projection(columns.ra_deg[placed], columns.dec_deg[placed])
            cells = len(np.unique(columns.healpix[columns.healpix >= 0]))
            area = f"{cells * CELL_DEG2:,.0f} deg² of HEALPix cells (NSIDE 64) hold candidates"
            return _Chart(columns, *sky(columns.ra_deg, columns.dec_deg), area, sky)
        names = catalog_names(session)
        made = embedding_map(
            self._context.workspace,
            models_by_preference(session, query.ensemble_id),
            [name for key, name in names.items() if key in (query.catalog_ids or names)],
        )
        place = np.full((len(columns), 2), np.nan)
        for catalog_id in np.unique(columns.catalog_id).tolist():
            stored = made.places.get(names.get(catalog_id, ""))
            if stored is not None:
                mine = np.flatnonzero(columns.catalog_id == catalog_id)
                mine = mine[columns.cutout_index[mine] < len(stored)]
                place[mine] = stored[columns.cutout_index[mine]]
        caption = (
            f"First two principal components of {made.model}: {made.explained:.0%} of the variance"
        )
        return _Chart(columns, place[:, 0], place[:, 1], caption)

    def _draw(self, session: Session, message: Mapping[str, Any]) -> dict[str, Any]:
        chart = self._chart(session, message)
        known = np.isfinite(chart.x) & np.isfinite(chart.y)
        aspect = float(message["width"]) / max(float(message["height"]), 1)
        if chart.sky is not None and chart.sky.whole:
            corners = (np.array([-180.0, 180.0]), np.array([-90.0, 90.0]))
            whole = _extent(*corners, aspect)
        else:
            like = None if message["kind"] == "uncertainty" else aspect
            whole = _extent(chart.x[known], chart.y[known], like)
        view = message.get("view")
        extent: Extent = whole if view is None else _checked(view)
        answer: dict[str, Any] = {
            "kind": message["kind"],
            "whole": whole,
            "extent": extent,
            "n": int(known.sum()),
            "n_left_out": int((~known).sum()),
            "caption": chart.caption,
        }
        if chart.sky is not None:
            answer["whole_sky"] = chart.sky.whole
            answer["lines"] = [
                {"along": along, "text": text, "points": line.round(4).tolist()}
                for along, text, line in chart.sky.graticule(extent)
            ]
            pixels = np.unique(chart.columns.healpix[chart.columns.healpix >= 0])
            if len(pixels) <= _MOST_CELLS:
                answer["cells"] = chart.sky.cells(pixels).round(4).tolist()
        left, right, bottom, top = extent
        inside = np.flatnonzero(
            known & (chart.x >= left) & (chart.x <= right) & (chart.y >= bottom) & (chart.y <= top)
        )
        if len(inside) <= _MOST_POINTS:
            answer["points"] = {
                "x": _packed(chart.x[inside], "<f4"),
                "y": _packed(chart.y[inside], "<f4"),
                "p": _packed(np.nan_to_num(chart.columns.probability[inside]), "<f4"),
            }
            if chart.sky is not None:  # for files: the map itself is drawn from x and y
                for name in ("ra_deg", "dec_deg"):
                    answer["points"][name] = _packed(getattr(chart.columns, name)[inside], "<f8")
        else:
            shape = tuple(max(20, min(400, int(message[side]))) for side in ("height", "width"))
            counts = bin_points(chart.x, chart.y, extent, (shape[0], shape[1]))
            answer["grid"] = {
                "counts": _packed(np.minimum(counts, 65535), "<u2"),
                "shape": shape,
                "most": int(counts.max()),
            }
        return answer

    def _near(self, session: Session, message: Mapping[str, Any]) -> dict[str, Any]:
        chart = self._chart(session, message)
        reach = (abs(float(message["dx"])) or 1e-9, abs(float(message["dy"])) or 1e-9)
        k = nearest(chart.x, chart.y, (float(message["x"]), float(message["y"])), reach)
        if k is None:
            return {"candidate": None}
        candidate_id = int(chart.columns.candidate_id[k])
        place = cutout_places(session, [candidate_id]).get(candidate_id)
        if place is None:
            return {"candidate": None}
        p = float(chart.columns.probability[k])
        return {
            "candidate": {
                "id": candidate_id,
                "object_id": place.object_id,
                "catalog_id": place.catalog_id,
                "index": place.cutout_index,
                "version": place.cutout_sha256[:12],
                "probability": p if np.isfinite(p) else None,
                "x": float(chart.x[k]),
                "y": float(chart.y[k]),
            }
        }

    def _place(self, session: Session, message: Mapping[str, Any]) -> dict[str, Any]:
        chart = self._chart(session, message)
        found = np.flatnonzero(chart.columns.candidate_id == int(message["id"]))
        if not len(found) or not np.isfinite(chart.x[found[0]] + chart.y[found[0]]):
            return {"place": None}
        return {"place": [float(chart.x[found[0]]), float(chart.y[found[0]])]}

    def _select(self, session: Session, message: Mapping[str, Any]) -> dict[str, Any]:
        corners = np.asarray(message["corners"], dtype=np.float64)
        if corners.ndim != 2 or corners.shape[1] != 2 or not 3 <= len(corners) <= _MOST_CORNERS:
            raise BadInputError("Draw a line around some candidates.")
        chart = self._chart(session, message)
        inside = inside_polygon(chart.x, chart.y, corners)
        ids = chart.columns.candidate_id[inside].tolist()
        with acting(self._context, "keep_selection") as (writing, _):
            kept = keep_selection(writing, ids, _TITLES[message["kind"]])
        return {"selection": selection_to_json(kept)}


def _extent(x: Float64Array, y: Float64Array, aspect: float | None) -> Extent:
    """The range of points with a margin; one unit as long on either axis of a width / height."""
    if not len(x):
        return (0.0, 1.0, 0.0, 1.0)
    left, right, bottom, top = (float(v) for v in (x.min(), x.max(), y.min(), y.max()))
    width, height = max(right - left, 1e-6), max(top - bottom, 1e-6)
    if aspect is not None:
        width, height = max(width, height * aspect), max(height, width / aspect)
    middle = ((left + right) / 2, (bottom + top) / 2)
    return (
        middle[0] - 0.53 * width,
        middle[0] + 0.53 * width,
        middle[1] - 0.53 * height,
        middle[1] + 0.53 * height,
    )


def _checked(view: Any) -> Extent:
    left, right, bottom, top = (float(v) for v in view)
    if not (left < right and bottom < top and np.isfinite([left, right, bottom, top]).all()):
        raise BadInputError("The page asked for a chart of no extent.")
    return left, right, bottom, top


def _packed(values: NDArray[Any], dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values.astype(dtype)).tobytes()).decode()
