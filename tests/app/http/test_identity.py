"""Signing in and out over HTTP: what a cookie is worth, and when it ends."""

from __future__ import annotations

import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from endpoints import serve_routes

from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import GraderHandler, routes
from lensing_core.store import open_database
from lensing_core.store.graders import named_grader, reset_passphrase, set_active


class WhoHandler(GraderHandler):
    """``GET /who``: the name of who is signed in."""

    async def get(self) -> None:
        await self.answer(lambda: {"name": self.grader().name})


class Browser:
    """Keeps a cookie, as a browser does."""

    def __init__(self, url: str, cookie: str = "") -> None:
        self.url, self.cookie = url, cookie

    def ask(self, path: str, sent: dict | None = None) -> tuple[int, dict]:
        headers = {"Content-Type": "application/json", "Cookie": self.cookie}
        data = None if sent is None else json.dumps(sent).encode()
        try:
            with urlopen(Request(f"{self.url}/{path}", data, headers)) as answer:  # noqa: S310 - ours
                if given := answer.headers.get("Set-Cookie"):
                    self.cookie = given.partition(";")[0]
                return answer.status, json.load(answer)
        except HTTPError as error:
            return error.code, json.load(error)

    def sign_in(self, name: str, passphrase: str = "") -> int:
        return self.ask("sign-in", {"name": name, "passphrase": passphrase})[0]

    @property
    def who(self) -> str:
        return self.ask("who")[1].get("name", "")


@pytest.fixture
def url(workspace):
    context = AppContext.of(workspace)
    with serve_routes([*routes(context), (r"/who", WhoHandler, {"context": context})]) as url:
        yield url


def test_signing_out_ends_every_copy_of_the_cookie(url):
    first, second = Browser(url), Browser(url)
    assert first.sign_in("Ana") == second.sign_in("Ana") == 200
    copied = Browser(url, first.cookie)
    assert (first.who, copied.who) == ("Ana", "Ana")
    assert first.ask("sign-out", {}) == (200, {})
    assert (first.who, copied.who, second.who) == ("", "", "Ana")
    assert first.ask("sign-out", {})[0] == 200


def test_signing_in_as_another_ends_the_sign_in_before(url):
    browser = Browser(url)
    browser.sign_in("Ana")
    copied = Browser(url, browser.cookie)
    browser.sign_in("Bo")
    assert (browser.who, copied.who) == ("Bo", "")


def test_a_free_name_is_not_taken_by_a_passphrase(url):
    ana, bo, mallory = Browser(url), Browser(url), Browser(url)
    ana.sign_in("Ana", "correct horse")
    bo.sign_in("Bo")
    mallory.sign_in("Bo")
    status, said = mallory.ask("passphrase", {"old": "", "new": "mallory's own"})
    assert status == 403
    assert "an organizer sets its first one" in said["error"]
    assert bo.ask("passphrase", {"old": "", "new": "battery staple"}) == (200, {"guarded": True})
    assert (bo.who, mallory.who) == ("Bo", "")
    assert mallory.sign_in("Bo") == 403
    assert bo.ask("passphrase", {"old": "battery staple", "new": ""}) == (200, {"guarded": False})
    assert bo.ask("passphrase", {"old": "", "new": "battery staple"})[0] == 200


def test_an_organizer_ends_the_sign_ins_of_a_grader(url, workspace):
    ana, bo = Browser(url), Browser(url)
    ana.sign_in("Ana")
    bo.sign_in("Bo")
    assert bo.ask("passphrase", {"old": "", "new": "battery staple"})[0] == 200
    with open_database(workspace).session() as session:
        made = reset_passphrase(session, named_grader(session, "Bo").id)
    assert bo.ask("passphrase", {"old": "battery staple", "new": ""})[0] == 401
    assert bo.sign_in("Bo", made) == 200
    with open_database(workspace).session() as session:
        set_active(session, named_grader(session, "Bo").id, active=False)
    assert bo.ask("passphrase", {"old": made, "new": ""})[0] == 401
    assert bo.sign_in("Bo", made) == 403


@pytest.mark.parametrize(
    "name", ["", "Ana\u200b", "\u0410na", "a" * 121, "\ud800", "ana", {"a": 1}]
)
def test_bad_names_get_one_sentence(url, name):
    browser = Browser(url)
    browser.sign_in("Ana")
    status, said = browser.ask("sign-in", {"name": name, "passphrase": ""})
    assert status == 400
    assert said["error"].endswith(".") or "signs like" in said["error"]
    assert browser.who == "Ana"


@pytest.mark.parametrize("cookie", ["", "x", "lens-triage-grader=1", "a=b; c=d"])
def test_a_cookie_of_ones_own_signs_nobody_in(url, cookie):
    assert Browser(url, cookie).who == ""
