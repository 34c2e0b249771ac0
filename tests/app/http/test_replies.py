"""What is said when a request cannot be answered, and what is kept to the log."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from endpoints import get, serve_routes

from lens_triage.app.context import AppContext
from lens_triage.app.http.json_handlers import OwnPageHandler
from lens_triage.app.http.replies import ReplyHandler
from lensing_core.errors import BadInputError, NotFoundError, PolicyError

ERRORS = {
    "policy": PolicyError("Not for you."),
    "missing": NotFoundError("There is none."),
    "bad": BadInputError("Give a number."),
    "bug": ZeroDivisionError("division by zero"),
}


class Text(ReplyHandler):
    def get(self, name: str) -> None:
        self.set_header("Etag", '"kept"')
        self.set_header("Cache-Control", "immutable")
        try:
            self.get_query_argument("q", "")
            raise ERRORS[name]
        except Exception as error:  # noqa: BLE001 - as the endpoints do
            self.refuse_for(error, "The log says why.")


class Json(OwnPageHandler):
    async def get(self, name: str) -> None:
        def work() -> None:
            raise ERRORS[name]

        await self.answer(work)


@pytest.fixture
def server(workspace) -> Iterator[str]:
    given = {"context": AppContext.of(workspace)}
    with serve_routes([("/text/(.*)", Text), ("/json/(.*)", Json, given)]) as url:
        yield url


@pytest.mark.parametrize(
    ("name", "status", "sentence"),
    [
        ("policy", 403, "Not for you."),
        ("missing", 404, "There is none."),
        ("bad", 400, "Give a number."),
        ("bad?q=%ff", 400, "The request cannot be read."),
    ],
)
def test_errors_of_ours_are_said_and_never_kept(server, name, status, sentence) -> None:
    found, headers, body = get(f"{server}/text/{name}")
    assert (found, body.decode()) == (status, sentence)
    assert headers["Content-Type"].startswith("text/plain")
    assert headers["Cache-Control"] == "no-store"
    assert "Etag" not in headers
    if "?" not in name:
        found, headers, body = get(f"{server}/json/{name}")
        assert (found, json.loads(body)) == (status, {"error": sentence})
        assert headers["Cache-Control"] == "no-store"


def test_a_bug_goes_to_the_log_with_its_traceback(server, caplog) -> None:
    with caplog.at_level(logging.ERROR):
        status, _, body = get(f"{server}/text/bug")
    assert (status, body) == (500, b"The log says why.")
    (record,) = [r for r in caplog.records if r.name == "lens_triage.app.http.replies"]
    assert record.getMessage() == "/text/bug could not be answered"
    assert record.exc_info[0] is ZeroDivisionError
