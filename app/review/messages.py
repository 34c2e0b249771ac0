"""Forms of Review's messages: their fields and types, checked before each is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, Field, FiniteFloat, TypeAdapter
from typing_extensions import TypedDict

from lens_triage.app.http.forms import BadMessageError, Key, check_form
from lens_triage.app.http.json_bodies import LARGEST


def _cursor(pair: list[Any]) -> list[Any]:
    value, key = pair
    if not (value is None or isinstance(value, (str, int, float))) or isinstance(value, bool):
        raise ValueError("send a number, a text or null first")
    if not isinstance(key, int) or isinstance(key, bool) or not 0 <= key <= LARGEST:
        raise ValueError("send a whole number from 0 on as the second")
    return pair


def _range(parts: list[Any]) -> list[Any]:
    if not isinstance(parts[0], str):
        raise ValueError("send the name of a column first")
    return parts


Cursor = Annotated[list[Any], Field(min_length=2, max_length=2), AfterValidator(_cursor)]
Range = Annotated[
    list[str | FiniteFloat | None], Field(min_length=3, max_length=3), AfterValidator(_range)
]
Chart = Literal["uncertainty", "sky", "embedding"]
_Size = Annotated[FiniteFloat, Field(ge=0, le=1e5)]


class Query(TypedDict):
    """A :class:`lensing_core.store.ranking.RankingQuery` as the page keeps it."""

    ensemble_id: NotRequired[Key | None]
    catalog_ids: list[Key]
    sort: NotRequired[str]
    descending: NotRequired[bool]
    probability_min: FiniteFloat
    probability_max: FiniteFloat
    stages: list[str]
    label: NotRequired[str | None]
    object_id: str
    scales: list[str]
    ranges: list[Range]
    votes: NotRequired[str | None]
    grades: list[str]
    consensus: list[str]
    tags: list[str]
    all_tags: NotRequired[bool]
    note: NotRequired[str]
    flagged: NotRequired[str | None]
    cone: str | None
    match: NotRequired[str | None]
    selection: str


class _Any(TypedDict):
    pass


class _OfQuery(TypedDict):
    query: Query


class _Page(_OfQuery):
    after: NotRequired[Cursor | None]
    before: NotRequired[Cursor | None]
    candidate: NotRequired[Key | None]


class _Rank(_OfQuery):
    cursor: Cursor


class _Details(TypedDict):
    ids: list[Key]
    ensemble_id: NotRequired[Key | None]


class _OfCandidate(TypedDict):
    id: Key
    ensemble_id: NotRequired[Key | None]


class _Cone(TypedDict):
    text: str


class _Save(_OfQuery):
    name: str
    shared: bool


class _Delete(TypedDict):
    id: Key


class _OfChart(_OfQuery):
    kind: Chart


class _Draw(_OfChart):
    width: _Size
    height: _Size
    view: NotRequired[Annotated[list[FiniteFloat], Field(min_length=4, max_length=4)] | None]


class _Near(_OfChart):
    x: FiniteFloat
    y: FiniteFloat
    dx: FiniteFloat
    dy: FiniteFloat


class _Place(_OfChart):
    id: Key


class _Select(_OfChart):
    corners: list[Annotated[list[FiniteFloat], Field(min_length=2, max_length=2)]]


class _Keep(TypedDict):
    ids: Annotated[list[Key], Field(min_length=1, max_length=20_000)]


class _Sent(_OfQuery):
    id: Key


FORMS: Mapping[str, TypeAdapter[Any]] = {
    kind: TypeAdapter(form)
    for kind, form in {
        **dict.fromkeys(("ping", "facets", "samp_state", "samp_connect", "samp_disconnect"), _Any),
        "page": _Page, "count": _OfQuery, "rank": _Rank, "details": _Details, "truth": _OfCandidate,
        "score_context": _OfCandidate, "context": _OfCandidate, "history": _OfCandidate,
        "references": _OfCandidate,
        "cone": _Cone, "save_filter": _Save, "delete_filter": _Delete,
        "keep_selection": _Keep,
        "histogram": _OfQuery, "chart": _Draw, "chart_near": _Near, "chart_place": _Place,
        "chart_select": _Select,
        "samp_table": _OfQuery, "samp_image": _Sent, "samp_position": _Sent,
    }.items()
}  # fmt: skip


def check_message(message: Mapping[str, Any]) -> None:
    """Raise BadMessageError unless a message is one that the page sends."""
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in FORMS:
        raise BadMessageError(f"The page asked for {kind!r:.40}, which the server does not know.")
    check_form(FORMS[kind], message)
