"""Messages with fields that no page sends: status 400 and one sentence, whatever the address."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
from endpoints import serve_routes

from lens_triage.app.context import AppContext
from lens_triage.app.http import identity
from lens_triage.app.label import handlers as label_handlers
from lens_triage.app.review import charts, events, finding, handlers, inspection, samp
from lens_triage.app.review.messages import FORMS, check_message
from lens_triage.app.viewer.tiles import TileSource
from lensing_core.acquisition import QueueEntry
from lensing_core.labeling import NewSession, create_session
from lensing_core.store import open_database
from lensing_core.store.query_json import query_to_json
from lensing_core.store.ranking_query import RankingQuery

HUGE, BROKEN = 2**63, "half \ud800"
DEEP: Any = 1
for _ in range(40):
    DEEP = [DEEP]
ODD = [None, True, -1, 0.5, HUGE, 10**400, "x", "1", BROKEN, [], [None], {}, {"a": 1}, DEEP]
ODD += [float("nan"), float("inf"), 1e400]
BAD: dict[str, list[Any]] = {
    "key": ODD,
    "key or null": [v for v in ODD if v is not None],
    "keys": [v for v in ODD if v != []] + [[True], ["1"], [-1], [HUGE], [[1]], [0.5]],
    "number": [v for v in ODD if v not in (-1, 0.5)],
    "text": [v for v in ODD if v not in ("x", "1")],
    "text or null": [v for v in ODD if v not in (None, "x", "1")],
    "texts": [v for v in ODD if v != []] + [[1], [BROKEN]],
    "flag": [v for v in ODD if v is not True],
    "cursor": [v for v in ODD if v is not None] + [[1], [1, "1"], [1, -1], [{}, 1], [1, 2, 3]],
    "places": [*ODD, [1, 2], [["a", "b"]], [[1]], [[1, 2, 3]]],
}
BAD["places"].remove([])
QUERY = query_to_json(RankingQuery(1))
OF_QUERY = {
    "ensemble_id": "key or null", "catalog_ids": "keys", "stages": "texts", "object_id": "text",
    "probability_min": "number", "scales": "texts", "grades": "texts", "consensus": "texts",
    "tags": "texts", "cone": "text or null", "votes": "text or null", "selection": "text",
    "descending": "flag", "ranges": "places",
}  # fmt: skip
MESSAGES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "page": ({"query": QUERY}, {"candidate": "key or null", "after": "cursor", "before": "cursor"}),
    "count": ({"query": QUERY}, {}),
    "rank": ({"query": QUERY, "cursor": [1.0, 1]}, {"cursor": "cursor"}),
    "details": ({"ids": [1]}, {"ids": "keys", "ensemble_id": "key or null"}),
    "truth": ({"id": 1}, {"id": "key"}),
    "score_context": ({"id": 1}, {"id": "key", "ensemble_id": "key or null"}),
    "context": ({"id": 1}, {"id": "key", "ensemble_id": "key or null"}),
    "history": ({"id": 1}, {"id": "key"}),
    "references": ({"id": 1}, {"id": "key"}),
    "keep_selection": ({"ids": [1]}, {"ids": "keys"}),
    "cone": ({"text": "1 2 3"}, {"text": "text"}),
    "save_filter": (
        {"query": QUERY, "name": "a", "shared": True},
        {"name": "text", "shared": "flag"},
    ),
    "delete_filter": ({"id": 1}, {"id": "key"}),
    "histogram": ({"query": QUERY}, {}),
    "chart": (
        {"query": QUERY, "kind": "sky", "width": 300, "height": 200, "view": None},
        {"kind": "text", "width": "number", "height": "number"},
    ),
    "chart_near": (
        {"query": QUERY, "kind": "sky", "x": 0.0, "y": 1.0, "dx": 1.0, "dy": 1.0},
        dict.fromkeys(("x", "y", "dx", "dy"), "number"),
    ),
    "chart_place": ({"query": QUERY, "kind": "sky", "id": 1}, {"id": "key"}),
    "chart_select": (
        {"query": QUERY, "kind": "sky", "corners": [[0, 0], [1, 0], [1, 1]]},
        {"corners": "places"},
    ),
    "samp_table": ({"query": QUERY}, {}),
    "samp_image": ({"query": QUERY, "id": 1}, {"id": "key"}),
    "samp_position": ({"query": QUERY, "id": 1}, {"id": "key"}),
}
EMPTY = {"ping", "facets", "samp_state", "samp_connect", "samp_disconnect"}


class Client:
    """One connection of a grader who is signed in."""

    def __init__(self, url: str) -> None:
        self._link = HTTPConnection(url.removeprefix("http://"), timeout=60)
        self._cookie = ""
        self._cookie = self.ask("POST", "/sign-in", {"name": "Ana"})[2].partition(";")[0]

    def ask(self, method: str, path: str, content: Any = None) -> tuple[int, str, str]:
        headers = {"Content-Type": "application/json", "Cookie": self._cookie}
        body = None if content is None else json.dumps(content)
        self._link.request(method, path, body, headers)
        reply = self._link.getresponse()
        return reply.status, reply.read().decode(), reply.getheader("Set-Cookie") or ""


@pytest.fixture
def context(filled_workspace) -> AppContext:
    return AppContext.of(filled_workspace)


@pytest.fixture
def client(context: AppContext) -> Iterator[Client]:
    routes = [
        *identity.routes(context),
        *label_handlers.routes(context, TileSource(context.workspace)),
        *handlers.routes(context),
        *events.routes(context),
    ]
    with serve_routes(routes) as url:
        yield Client(url)


def is_sentence(status: int, said: str) -> bool:
    return status == 400 and json.loads(said)["error"].endswith(".")


def test_all_messages_of_review_have_a_form_and_stand_here(context: AppContext) -> None:
    answered = {
        "ping", "page", "count", "rank", "details", "truth",
        *finding.ReviewFinding(None).answers,
        *inspection.Inspector(context, None).answers(),
        *charts.ReviewCharts(context, None).answers(),
        *samp.ReviewSamp(context, None).answers(),
    }  # fmt: skip
    assert set(FORMS) == answered == set(MESSAGES) | EMPTY
    for kind, (message, _) in MESSAGES.items():
        check_message({"type": kind, **message})


@pytest.mark.parametrize("kind", MESSAGES)
def test_fields_of_messages(client: Client, kind: str) -> None:
    message, fields = MESSAGES[kind]
    tries = [{**message, name: value} for name, bad in fields.items() for value in BAD[bad]]
    tries += [{k: v for k, v in message.items() if k != name} for name in message if name != "view"]
    if "query" in message:
        tries += [{**message, "query": value} for value in ODD]
    for sent in tries:
        status, said, _ = client.ask("POST", "/review/ask", {"type": kind, "grader": 1, **sent})
        assert is_sentence(status, said), (sent, status, said)


def test_fields_of_the_ranking(client: Client) -> None:
    for name, bad in OF_QUERY.items():
        for value in BAD[bad]:
            query = {**QUERY, name: value}
            asked = {"type": "count", "grader": 1, "query": query}
            status, said, _ = client.ask("POST", "/review/ask", asked)
            assert is_sentence(status, said), (name, value, status, said)


@pytest.mark.parametrize("body", ODD)
def test_no_kind_and_no_list_of_events(client: Client, context: AppContext, body: Any) -> None:
    with open_database(context.workspace).session() as session:
        made = create_session(session, NewSession("one", [QueueEntry(1, "rank 1")], {}), None).id
    whose = {"grader": 1, "workspace": events.workspace_mark(context)}
    asks = [("/review/ask", {"type": body, "grader": 1})]
    if not isinstance(body, list):
        asks += [(path, {**whose, "events": body})
                 for path in ("/review/events", f"/labeling/{made}/events")]  # fmt: skip
    for path, content in asks:
        status, said, _ = client.ask("POST", path, content)
        assert is_sentence(status, said), (path, status, said)
    for path in ("/review/events", f"/labeling/{made}/events"):  # one bad event, a word on it
        if body is not DEEP:
            status, said, _ = client.ask("POST", path, {**whose, "events": [body]})
            assert status in (200, 400), (path, status, said)
            assert status == 400 or json.loads(said)["written"] == []


@pytest.mark.parametrize("after", ["x", "1.5", "", "nan", "9" * 400, "1e3", "%ed%a0%80", "-", "[]"])
def test_numbers_in_addresses(client: Client, context: AppContext, after: str) -> None:
    with open_database(context.workspace).session() as session:
        made = create_session(session, NewSession("one", [QueueEntry(1, "rank 1")], {}), None).id
    status, said, _ = client.ask("GET", f"/labeling/{made}/queue?after={after}")
    assert status == 400, said
