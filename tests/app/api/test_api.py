"""The API as programs ask it: each reply has the form that the description states."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
from astropy.io import fits
from endpoints import serve_routes
from filling import N_OBSERVED, fill_workspace
from people import signed_in_as
from pydantic import TypeAdapter

from lens_triage.app.api import describing
from lens_triage.app.api.endpoints import BASE, ENDPOINTS
from lens_triage.app.api.openapi import description
from lens_triage.app.context import AppContext
from lens_triage.app.http import identity
from lens_triage.app.http.reach import Reach
from lens_triage.app.permissions import ROUTES
from lensing_core.acquisition import QueueEntry
from lensing_core.cutouts import CutoutStore
from lensing_core.labeling import NewSession, create_session
from lensing_core.store import open_database
from lensing_core.store.api_tokens import add_api_token
from lensing_core.store.audit import latest_entries
from lensing_core.store.graders import add_grader
from lensing_core.store.passphrases import Passphrase
from lensing_core.workspace import Workspace

FORMS = {(e.path, e.method): e.reply for e in ENDPOINTS}
JSON = {"Content-Type": "application/json"}
ARRAY = {"Content-Type": "application/octet-stream"}


@dataclass
class Asker:
    """A program with a token of a role; without one where the role is ''."""

    url: str
    tokens: dict[str, str]
    cookie: str

    def raw(
        self, path: str, role: str = "grader", body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        """Status and body of a reply."""
        shown = {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}
        request = Request(f"{self.url}{BASE}{path}", body, {**shown, **headers})  # noqa: S310 - ours
        try:
            with urlopen(request, timeout=20) as reply:  # noqa: S310 - our own server
                return reply.status, reply.read()
        except HTTPError as error:
            return error.code, error.read()

    def get(self, path: str, role: str = "grader") -> Any:
        """A JSON reply, of the form that the table of endpoints states."""
        status, body = self.raw(path, role)
        assert status == 200, body
        return json.loads(body)

    def refused(self, path: str, role: str = "grader", **asked: Any) -> tuple[int, str]:
        """Status and sentence of a refusal."""
        status, body = self.raw(path, role, **asked)
        told = json.loads(body)
        assert list(told) == ["error"]
        return status, told["error"]

    def label(self, role: str = "grader", **event: Any) -> tuple[int, Any]:
        status, body = self.raw("/labels", role, json.dumps(event).encode(), **JSON)
        return status, json.loads(body)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> AppContext:
    workspace = Workspace.create(tmp_path_factory.mktemp("api") / "workspace")
    open_database(workspace)
    return AppContext.of(fill_workspace(workspace), Reach(asks=True))


@pytest.fixture(scope="module")
def ask(context: AppContext) -> Iterator[Asker]:
    tokens = {}
    with open_database(context.workspace).session() as session:
        for role in ("reader", "grader", "organizer"):
            person = add_grader(session, f"A {role}", role, Passphrase("correct horse"))
            tokens[role] = add_api_token(session, person.id, "test", role, 1)[1]
    with serve_routes(describing.routes(context)) as url:
        here, _ = signed_in_as(context, "Bo", "organizer")
        yield Asker(url, tokens, f"{identity.cookie_name(context)}={here.cookie}")
    identity.forget_read()


def test_the_description_has_every_route_and_every_form(ask):
    told = description("/lenses")
    assert json.loads(ask.raw("/openapi.json")[1]) == description()
    assert told["servers"] == [{"url": "/lenses"}]
    rows = {
        (route.pattern, method)
        for route in ROUTES
        for method in route.methods
        if route.pattern.startswith(f"{BASE}/") and "openapi" not in route.pattern
    }
    assert {(e.pattern, e.method) for e in ENDPOINTS} == rows
    text, schemas = json.dumps(told), told["components"]["schemas"]
    for name in {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert schemas[name]["type"] == "object", name
    assert told["paths"][f"{BASE}/score"]["post"]["x-roles"] == ["alone", "grader", "organizer"]


def test_the_page_needs_nothing_from_elsewhere(ask):
    status, body = ask.raw("")
    text = body.decode()
    assert status == 200
    assert all(f"{BASE}{e.path}" in text for e in ENDPOINTS)
    assert "<script" not in text
    assert "//" not in text.replace(ask.url, "")


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/catalogs", "/catalogs"),
        ("/ensembles", "/ensembles"),
        ("/candidates?limit=3", "/candidates"),
        ("/candidates/2?ensemble=first", "/candidates/{id}"),
        ("/candidates/2/scores", "/candidates/{id}/scores"),
        ("/candidates/2/labels", "/candidates/{id}/labels"),
        ("/labels", "/labels"),
        ("/runs?limit=2", "/runs"),
        ("/runs/20260101-121000-train-bbbbbb", "/runs/{id}"),
        ("/runs/20260101-121000-train-bbbbbb/log", "/runs/{id}/log"),
    ],
)
@pytest.mark.parametrize("role", ["reader", "organizer"])
def test_replies_have_their_forms(ask, path, form, role):
    TypeAdapter(FORMS[form, "GET"]).validate_python(ask.get(path, role), strict=True)


def test_pages_of_candidates_are_the_list_of_review(ask):
    first = ask.get("/candidates?ensemble=first&catalog=cosmos&limit=100&min=0.001")
    rows, after = first["candidates"], first["next"]
    while after:
        words = f"ensemble=first&catalog=cosmos&limit=17&min=0.001&after={after}"
        page = ask.get(f"/candidates?{words}")
        rows, after = rows + page["candidates"], page["next"]
    scores = [row["score"]["probability"] for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert len({row["id"] for row in rows}) == len(rows) <= N_OBSERVED
    assert min(scores) >= 0.001
    by_name = ask.get("/candidates?sort=object_id&order=asc&limit=5")["candidates"]
    assert [row["object_id"] for row in by_name] == [f"cosmos-{k:05d}" for k in range(5)]


def test_runs_follow_by_pages_and_say_how_far_they_are(ask):
    first = ask.get("/runs?limit=3")
    rest = ask.get(f"/runs?limit=3&after={first['next']}")
    times = [run["created_at"] for run in first["runs"] + rest["runs"]]
    assert times == sorted(times, reverse=True)
    assert (len(times), rest["next"]) == (first["total"], None)
    assert ask.get("/runs?status=failed")["runs"][0]["error"].startswith("table.csv")
    lines = ask.get("/runs/20260101-121000-train-bbbbbb/log?limit=1")["lines"]
    assert [line["message"] for line in lines] == ["Wrote ensemble first."]


def test_pixels_are_the_cutout(ask, context):
    stored = CutoutStore(context.workspace.catalog_cutouts("cosmos")).read(6)
    npy = np.load(io.BytesIO(ask.raw("/candidates/7/pixels")[1]))
    np.testing.assert_array_equal(npy, stored)
    with fits.open(io.BytesIO(ask.raw("/candidates/7/pixels?format=fits")[1])) as hdus:
        np.testing.assert_array_equal([hdu.data for hdu in hdus[1:]], stored)
        assert hdus["G"].header["MAGZERO"] == 27


def test_a_label_is_one_event_of_the_log(ask, context):
    status, told = ask.label(kind="grade", candidate=3, grade="A", ensemble="first")
    assert status == 200
    again = ask.label(kind="grade", candidate=3, grade="B", uuid=told["uuid"])
    assert again == (200, told)  # known by its UUID: nothing is written
    (vote,) = ask.get("/candidates/3/labels")["votes"]
    assert (vote["who"], vote["mine"], vote["grade"]) == ("A grader", True, "A")
    (event,) = ask.get("/labels")["events"]
    assert (event["uuid"], event["source"]) == (told["uuid"], "api")
    assert event["visible"]["page"] == "api"
    assert event["visible"]["ensemble"] == "first"
    assert ask.get("/labels", "reader")["events"] == []  # none of their own
    assert ask.get("/labels", "organizer")["events"] == [event]
    assert ask.label(kind="undo", candidate=3)[0] == 200
    page = ask.get("/labels?limit=1", "organizer")
    assert page["next"] == 1
    assert ask.get("/labels?after=1", "organizer")["next"] is None
    assert ask.get("/candidates/3")["own_grade"] is None
    with context.database.session() as session:
        entries = latest_entries(session, 10, "grades exported")
    assert entries[0].details == "by the API, by the API token test"


def test_what_is_graded_blind_is_kept_back(ask, context):
    ask.label("organizer", kind="grade", candidate=5, grade="A")
    with open_database(context.workspace).session() as session:
        queue = [QueueEntry(5, "rank 1")]
        create_session(session, NewSession("blind", queue, {"blind": True}), None)
    assert ask.get("/candidates/5/labels")["votes"] == []
    assert ask.get("/candidates/5/labels")["blind"] == ["blind"]
    assert ask.get("/candidates/5")["graded_blind"]
    assert ask.get("/candidates?votes=others&limit=9")["candidates"] == []
    assert len(ask.get("/candidates/5/labels", "organizer")["votes"]) == 1


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/candidates?sort=beauty", 400, "There is no sort"),
        ("/candidates?colour=red", 400, "is no parameter of this address"),
        ("/candidates?limit=1001", 400, "from 1 to 1000"),
        ("/candidates?after=xyz", 400, "as next"),
        ("/candidates?after=WzEsWzFdXQ", 400, "as next"),
        ("/candidates/999999", 404, "does not exist"),
        ("/candidates/..%2F..%2Fetc%2Fpasswd", 400, "give its id"),
        ("/candidates/..%2F..%2Fetc%2Fpasswd/pixels", 400, "give its id"),
        ("/candidates/1/pixels?format=pickle", 400, "choose one of npy, fits"),
        ("/runs/..%2F..%2Fsecret", 404, "There is no run"),
        ("/runs?after=WyJ4IiwieCJd", 400, "as next"),
        ("/labels?after=x", 400, "give its id"),
    ],
)
def test_what_makes_no_sense_is_said(ask, path, status, words):
    found, sentence = ask.refused(path)
    assert found == status
    assert words in sentence


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"kind": "skip", "candidate": 1}, "kind is 'skip'"),
        ({"kind": "grade"}, "candidate is missing"),
        ({"kind": "grade", "candidate": 1, "grade": "Z"}, "Z"),
        ({"kind": "grade", "candidate": 10**7, "grade": "A"}, "does not exist"),
        ({"kind": "undo", "candidate": 9}, "no grade"),
        ({"kind": "grade", "candidate": 1, "grade": "A", "uuid": "x"}, "UUID"),
        ({"kind": "grade", "candidate": 1, "grade": "A", "ensemble": "none"}, "no ensemble"),
    ],
)
def test_a_label_that_makes_no_sense_is_not_written(ask, event, words):
    before = ask.get("/labels", "organizer")["events"]
    status, told = ask.label(**event)
    assert status in (400, 404)
    assert words in told["error"]
    assert ask.get("/labels", "organizer")["events"] == before


def test_writing_needs_a_token(ask):
    """That a token of another role is refused is walked with the table of routes."""
    grade = json.dumps({"kind": "grade", "candidate": 1, "grade": "A"}).encode()
    assert ask.refused("/labels", "", body=grade, **JSON) == (401, identity.NOBODY)
    status, sentence = ask.refused("/labels", "", body=grade, Cookie=ask.cookie, **JSON)
    assert (status, "API token" in sentence) == (403, True)
    assert ask.raw("/catalogs", "", Cookie=ask.cookie)[0] == 200  # a browser reads
    assert ask.refused("/labels", "reader", body=grade, **JSON)[0] == 403
    assert ask.refused("/labels", body=grade, **{"Content-Type": "text/plain"})[0] == 415
    assert ask.refused("/score", body=b"{}", **JSON)[0] == 415


def test_a_body_beyond_the_bound_is_refused(ask):
    status, sentence = ask.refused("/score", body=bytes(8 * 2**20 + 1), **ARRAY)
    assert (status, "send up to 8,388,608" in sentence) == (413, True)
