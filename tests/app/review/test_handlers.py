"""Review over plain HTTP: questions, grades, and who may give them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest
from endpoints import serve_routes
from rows import add_catalog
from sqlalchemy import select

from lens_triage.app.context import AppContext
from lens_triage.app.http import identity
from lens_triage.app.http.pools import GRADING
from lens_triage.app.review import events, handlers
from lensing_core.store import open_database
from lensing_core.store.query_json import query_to_json
from lensing_core.store.ranking import RankingQuery
from lensing_core.store.tables import Candidate, Grader, LabelEvent, Remark


class Browser:
    """Posts JSON and keeps the cookie that it was given."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._cookie = ""

    def post(self, path: str, content: dict) -> tuple[int, dict]:
        headers = {"Content-Type": "application/json", "Cookie": self._cookie}
        request = Request(  # noqa: S310 - our own server
            self._url + path, json.dumps(content).encode(), headers
        )
        try:
            with urlopen(request) as answer:  # noqa: S310 - our own server
                self._cookie = (answer.headers.get("Set-Cookie") or self._cookie).partition(";")[0]
                return answer.status, json.load(answer)
        except HTTPError as error:
            return error.code, json.load(error)

    def sign_in(self, name: str) -> None:
        status, _ = self.post("/sign-in", {"name": name})
        assert status == 200


@pytest.fixture
def context(workspace) -> AppContext:
    context = AppContext.of(workspace)
    with open_database(context.workspace).session() as session:
        add_catalog(session, "mine", 3)
    return context


@pytest.fixture
def browser(context) -> Iterator[Browser]:
    with serve_routes(
        [*identity.routes(context), *handlers.routes(context), *events.routes(context)]
    ) as url:
        yield Browser(url)


def batch(context: AppContext, by: int, *keys: str, **fields) -> dict:
    at = datetime.now(UTC).isoformat()
    return {
        "grader": by,
        "workspace": events.workspace_mark(context),
        "events": [
            {"uuid": str(uuid4()), "kind": "grade", "candidate": 1, "grade": key, "given_at": at}
            for key in keys
        ],
        **fields,
    }


def grades(context: AppContext) -> list[str]:
    with open_database(context.workspace).session() as session:
        return list(session.scalars(select(LabelEvent.grade).order_by(LabelEvent.id)))


def test_grades_are_acknowledged_one_by_one(context, browser) -> None:
    browser.sign_in("Ada")
    sent = batch(context, 1, "A", "Q", "B")
    status, answer = browser.post("/review/events", sent)
    uuids = [event["uuid"] for event in sent["events"]]
    assert status == 200
    assert answer["written"] == [uuids[0], uuids[2]]
    assert list(answer["refused"]) == [uuids[1]]
    assert "Q" in answer["refused"][uuids[1]]
    assert browser.post("/review/events", sent)[1] == answer  # resent: nothing is doubled
    assert grades(context) == ["A", "B"]


def test_one_bad_event_keeps_no_other_out(context, browser) -> None:
    browser.sign_in("Ada")
    sent = batch(context, 1, "A", "B", "C", "X")
    sent["events"][0]["shown_ms"] = float("nan")
    sent["events"][1]["comment"] = "\ud800"  # half of a character
    sent["events"][2]["candidate"] = 2**64
    status, answer = browser.post("/review/events", sent)
    uuids = [event["uuid"] for event in sent["events"]]
    assert status == 200
    assert answer["written"] == uuids[3:]
    assert list(answer["refused"]) == uuids[:3]
    assert grades(context) == ["X"]


def test_what_was_selected_in_the_gallery_is_kept_as_a_selection(context, browser) -> None:
    status, answer = browser.post(
        "/review/ask", {"type": "keep_selection", "ids": [3, 1, 77], "grader": None}
    )
    assert status == 200
    assert answer["selection"]["n"] == 2  # what has gone with its catalog is left out
    key = answer["selection"]["id"]
    query = query_to_json(RankingQuery(sort="object_id", descending=False, selection=key))
    _, page = browser.post("/review/ask", {"type": "page", "query": query, "grader": None})
    assert [row["id"] for row in page["rows"]] == [1, 3]
    for ids in ([], ["1"], [2**70]):
        status, _ = browser.post(
            "/review/ask", {"type": "keep_selection", "ids": ids, "grader": None}
        )
        assert status == 400


def test_grades_wait_for_no_other_questions() -> None:
    assert events.ReviewEventsHandler.pool is GRADING
    assert handlers.AskHandler.pool is not GRADING


@pytest.mark.parametrize("wrong", [{"grader": 2}, {"workspace": "00000000"}, {"grader": None}])
def test_grades_of_another_person_or_workspace_are_not_taken(context, browser, wrong) -> None:
    browser.sign_in("Ada")
    status, answer = browser.post("/review/events", batch(context, 1, "A", **wrong))
    assert status in (401, 403)  # the outbox keeps them, and sends them again
    assert "another" in answer["error"]
    assert grades(context) == []


def test_who_is_signed_out_gives_no_grade_and_keeps_it(context, browser) -> None:
    assert browser.post("/review/events", batch(context, 1, "A"))[0] in (401, 403)
    browser.sign_in("Ada")
    browser.post("/sign-out", {})
    assert browser.post("/review/events", batch(context, 1, "A"))[0] in (401, 403)
    assert grades(context) == []


@pytest.mark.parametrize("events", ["A", {"uuid": 1}, [{}] * 501])
def test_what_is_no_list_of_events_is_refused(context, browser, events) -> None:
    browser.sign_in("Ada")
    status, answer = browser.post("/review/events", batch(context, 1, events=events))
    assert status == 400
    assert "events" in answer["error"]


def test_questions_are_answered_without_a_name(context, browser) -> None:
    assert browser.post("/review/ask", {"type": "ping"}) == (200, {"type": "ping"})
    status, answer = browser.post("/review/ask", {"type": "history", "id": 1})
    assert (status, answer["entries"], answer["own"]) == (200, [], None)
    status, answer = browser.post("/review/ask", {"type": "history", "id": 99})
    assert (status, answer["type"], "does not exist" in answer["message"]) == (200, "error", True)
    status, answer = browser.post("/review/ask", {"type": "nonsense"})
    assert (status, "does not know" in answer["error"]) == (400, True)


@pytest.mark.parametrize(
    "message",
    [
        {"kind": "note", "text": "an arc"},
        {"kind": "tag", "tag": "quad"},
        {"kind": "stage", "stage": "triage", "expected": "detection"},
        {"kind": "untag", "tag": "quad"},
    ],
)
def test_nothing_is_written_under_the_name_of_somebody_else(context, browser, message) -> None:
    """Ada's page is open while Vera signs in in another tab of the same browser."""
    browser.sign_in("Ada")
    browser.sign_in("Vera")
    event = {"uuid": str(uuid4()), "candidate": 1, **message}
    sent = {"workspace": events.workspace_mark(context), "events": [event]}
    status, answer = browser.post("/review/events", {**sent, "grader": 1})
    assert (status, "signed in" in answer["error"]) == (403, True)
    with open_database(context.workspace).session() as session:
        assert session.scalars(select(Remark)).all() == []
        assert session.get_one(Candidate, 1).stage == "detection"
        (vera,) = session.scalars(select(Grader.id).where(Grader.name == "Vera"))
    for _ in range(2):  # an answer that was lost
        status, answer = browser.post("/review/events", {**sent, "grader": vera})
        assert (status, answer) == (200, {"written": [event["uuid"]], "refused": {}})
    with open_database(context.workspace).session() as session:
        assert len(session.scalars(select(Remark)).all()) == (message["kind"] != "untag")
    assert "does not know" in browser.post("/review/ask", {"type": message["kind"]})[1]["error"]


def test_ones_own_grade_comes_with_the_history(context, browser) -> None:
    browser.sign_in("Ada")
    sent = batch(context, 1, "B")
    browser.post("/review/events", sent)
    answer = browser.post("/review/ask", {"type": "history", "id": 1})[1]
    assert answer["own"] == {"uuid": sent["events"][0]["uuid"], "grade": "B"}
    assert answer["votes"] == [{"who": "Ada", "mine": True, "grade": "B", "scheme": "abcx"}]
