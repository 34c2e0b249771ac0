"""Every route of both processes, as everybody: the table holds, and has a row for each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from endpoints import serve_application
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.netutil import bind_sockets
from tornado.routing import PathMatches, Rule
from tornado.web import Application, RequestHandler, create_signed_value

from lens_triage.app.context import AppContext
from lens_triage.app.front.connections import FrontServer
from lens_triage.app.front.main import front_application
from lens_triage.app.front.pages import Pages
from lens_triage.app.front.proxy import PassOn
from lens_triage.app.http.allowing import refuse_what_is_not_allowed
from lens_triage.app.http.identity import cookie_name, forget_read
from lens_triage.app.http.providers import Provider
from lens_triage.app.http.reach import Reach
from lens_triage.app.main import PAGES as MOUNTED
from lens_triage.app.main import make_server
from lens_triage.app.permissions import (
    ACTIONS,
    GRADER,
    MESSAGES,
    NOBODY,
    ORGANIZER,
    PAGES,
    READER,
    ROUTES,
    WHO,
    check_page,
    find_route,
)
from lens_triage.app.review.messages import FORMS
from lensing_core.errors import PolicyError
from lensing_core.store import open_database
from lensing_core.store.api_tokens import add_api_token, list_api_tokens, revoke_api_token
from lensing_core.store.graders import (
    add_grader,
    named_grader,
    set_active,
    set_role,
    workspace_secret,
)
from lensing_core.store.passphrases import Passphrase
from lensing_core.store.sign_ins import open_sign_in
from lensing_core.workspace import Workspace

SIGNED_IN = (READER, GRADER, ORGANIZER)
PROVIDER = Provider("oidc", "oidc", "x", "https://login.example.org", "x", "x")
# One address of each pattern of the table: what stands for a group of it.
EXAMPLES = {
    "[a-z0-9-]+": "oidc",
    "([0-9a-f]+)": "ab",
    "([^/]*)/([^/]*?)(/info)?": "none/0",
    "([^/]*)/([^/]*)/([^/]*?)(/info)?": "none/none/0",
    "([^/]*)/([^/]*)": "none/0",
    "([^/]*)/([a-z0-9]+)": "none/zip",
    "([^/]*)": "1",
    "([a-z0-9]+)": "csv",
    "(/info)?": "",
    "(.*)": "js/x.js",
    "/?": "",
}


def example(pattern: str) -> str:
    """A path that a pattern of the table matches."""
    path = pattern
    for group in sorted(EXAMPLES, key=len, reverse=True):
        path = path.replace(group, EXAMPLES[group])
    path = path or "/"
    assert re.fullmatch(pattern, path), (pattern, path)
    return path


def patterns(application: Application) -> set[str]:
    """Patterns of all addresses that handlers of an application are registered for."""

    def walk(rules: list[Rule]) -> Iterator[str]:
        for rule in rules:
            if isinstance(rule.matcher, PathMatches) and isinstance(rule.target, type):
                if not issubclass(rule.target, PassOn):
                    yield rule.matcher.regex.pattern.removesuffix("$")
            elif hasattr(rule.target, "rules"):
                yield from walk(rule.target.rules)

    found = set(walk(application.default_router.rules))
    return found | set(walk(application.wildcard_router.rules))


@dataclass
class Place:
    """A server for a team, without its pages, and what the page process answers."""

    workspace: Workspace
    url: str
    context: AppContext
    front: Application
    inside: Application

    def cookie(self, role: str) -> str:
        """Of a browser in which somebody of a role has just signed in."""
        with open_database(self.workspace).session() as session:
            token = open_sign_in(session, named_grader(session, f"A {role}"))
        name = cookie_name(self.context)
        signed = create_signed_value(workspace_secret(self.workspace), name, token)
        return f"{name}={signed.decode('ascii')}"

    def ask(self, path: str, method: str = "GET", **headers: str) -> int:
        """Status of a reply."""
        body = b"{}" if method in ("POST", "PUT", "PATCH") else None
        sent = {"Content-Type": "application/json", **headers}
        request = Request(f"{self.url}{path}", body, sent, method=method)  # noqa: S310 - ours
        try:
            with urlopen(request, timeout=20) as reply:  # noqa: S310 - our own server
                return reply.status
        except HTTPError as error:
            return error.code


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    workspace = Workspace.create(tmp_path_factory.mktemp("routes") / "workspace")
    with open_database(workspace).session() as session:
        for role in SIGNED_IN:
            add_grader(session, f"A {role}", role, Passphrase("correct horse"))
    reach = Reach(asks=True, providers=(PROVIDER,))
    context = AppContext.of(workspace, reach)
    with TemporaryDirectory() as folder:
        pages = Pages(workspace.root, 1, Path(folder), reach)
        front = front_application(context, pages)
        apart = replace(pages.settings, socket=Path(folder) / "apart")  # nothing listens there
        inside = make_server(context, apart)._tornado
        sockets = bind_sockets(0, "127.0.0.1")
        with serve_application(front, sockets, FrontServer) as url:
            yield Place(workspace, url, context, front, inside)


@pytest.fixture
def cookies(place: Place) -> dict[str, str]:
    return {NOBODY: "", **{role: place.cookie(role) for role in SIGNED_IN}}


def test_every_registered_route_has_a_row_and_every_row_a_route(place):
    registered = patterns(place.front) | patterns(place.inside)
    registered -= {".*", r"/static/extensions/(.*)"}  # the latter is a part of /static/
    rows = {route.pattern for route in ROUTES}
    assert registered - rows == set()
    # The way back and the invitation are told by their own paths; pages by theirs.
    assert rows - registered == set()
    assert find_route("/static/extensions/panel/x.js") is not None


def test_a_route_without_a_row_is_refused(place):
    class Added(RequestHandler):
        def get(self) -> None:
            self.finish("open to all")

    application = Application([(r"/added", Added)])
    with serve_application(application) as url:
        assert urlopen(f"{url}/added").read() == b"open to all"  # noqa: S310 - ours
    refuse_what_is_not_allowed(application, AppContext.of(place.workspace))
    with serve_application(application) as url, pytest.raises(HTTPError) as refused:
        urlopen(f"{url}/added")  # noqa: S310 - ours
    assert refused.value.code == 404


@pytest.mark.parametrize("who", [NOBODY, *SIGNED_IN])
def test_the_table_holds_for_every_address_and_method(place, cookies, who):
    """What is allowed gets beyond the table: no reply is one of its refusals."""
    for route in sorted(ROUTES, key=lambda route: route.pattern == "/sign-out"):  # that at the end
        path = example(route.pattern)
        for method in ("PUT", *sorted({"GET", "POST"} - {*route.methods}), *route.methods):
            status = place.ask(path, method, Cookie=cookies[who])
            told = (who, method, path, status)
            if who == NOBODY and not (route.before_sign_in and method in route.methods):
                assert status == 401, told
            elif method not in route.methods:
                assert status == 405, told
            elif who not in route.may:
                assert status == 403, told
            else:
                assert status not in (401, 404, 405) or _is_of_handler(route.pattern, status), told


def _is_of_handler(pattern: str, status: int) -> bool:
    """Whether a handler itself says so: there is no such cutout, session or invitation."""
    names_something = "(" in pattern and status == 404
    return names_something or (pattern == "/join" and status == 401)


@pytest.mark.parametrize("who", SIGNED_IN)
def test_the_page_process_asks_the_table_too(place, cookies, who):
    rule = next(
        rule
        for rule in place.inside.default_router.rules
        if type(rule.matcher).__name__ == "_NotAllowed"
    )
    name, _, value = cookies[who].partition("=")
    forget_read()
    for route in ROUTES:
        headers = HTTPHeaders({"Host": "localhost", "Cookie": f"{name}={value}"})
        line = RequestStartLine("GET", example(route.pattern), "HTTP/1.1")
        request = HTTPServerRequest(headers=headers, start_line=line)
        refused = rule.matcher.match(request)
        allowed = "GET" in route.methods and (who in route.may or route.before_sign_in)
        assert (refused is None) == allowed, (who, route.pattern)


def test_pages_within_a_connection_are_of_the_same_table():
    assert set(MOUNTED) == set(PAGES)
    for name, may in PAGES.items():
        for who in WHO:
            if who in may:
                check_page(name, who)
            else:
                with pytest.raises(PolicyError):
                    check_page(name, who)
    with pytest.raises(PolicyError):
        check_page("added", ORGANIZER)


def test_every_message_of_review_has_a_row():
    assert set(FORMS) == set(MESSAGES)
    assert {action for action in MESSAGES.values() if action} <= set(ACTIONS)


def token_of(place: Place, name: str, role: str, days: float = 1.0) -> tuple[int, dict[str, Any]]:
    with open_database(place.workspace).session() as session:
        made, text = add_api_token(session, named_grader(session, name).id, "test", role, days)
        return made.id, {"Authorization": f"Bearer {text}"}


@pytest.mark.parametrize("role", SIGNED_IN)
def test_a_token_is_good_for_the_addresses_that_the_table_names(place, cookies, role):
    _, shown = token_of(place, f"A {role}", role)
    for route in ROUTES:
        for method in route.methods:
            status = place.ask(example(route.pattern), method, **shown)
            told = (role, route.pattern, status)
            if route.pattern == "/join" and method == "GET":
                assert status == 401, told  # the page to choose a passphrase on
            elif not route.by_token or role not in route.may:
                assert status == 403, told
            else:
                assert status not in (401, 405), told


def test_a_token_has_the_role_that_its_owner_has_at_most(place, cookies):
    with open_database(place.workspace).session() as session:
        add_grader(session, "Theo", "organizer", Passphrase("correct horse"))
    _, shown = token_of(place, "Theo", "grader")
    assert place.ask("/labeling/ab/queue", **shown) == 404
    with open_database(place.workspace).session() as session:
        set_role(session, named_grader(session, "Theo").id, "reader")
        with pytest.raises(PolicyError, match="cannot be grader"):
            add_api_token(session, named_grader(session, "Theo").id, "more", "grader", 1)
    forget_read()
    assert place.ask("/labeling/ab/queue", **shown) == 403
    assert place.ask("/who", **shown) == 200
    with open_database(place.workspace).session() as session:
        set_active(session, named_grader(session, "Theo").id, active=False)
    forget_read()
    assert place.ask("/who", **shown) == 401


def test_a_token_that_is_revoked_expired_or_made_up_is_good_for_nothing(place, cookies):
    number, shown = token_of(place, "A reader", "reader")
    assert place.ask("/who", **shown) == 200
    text = shown["Authorization"].removeprefix("Bearer ")
    assert place.ask(f"/who?access_token={text}&token={text}") == 401  # never by an address
    assert place.ask("/who", Cookie=f"{cookie_name(place.context)}={shown['Authorization']}") == 401
    # With a token a cookie counts for nothing: a page cannot add rights to it.
    assert place.ask("/labeling/ab/queue", Cookie=cookies[ORGANIZER], **shown) == 403
    with open_database(place.workspace).session() as session:
        revoke_api_token(session, number)
    forget_read()
    assert place.ask("/who", **shown) == 401
    _, old = token_of(place, "A reader", "reader", days=1e-9)
    assert place.ask("/who", **old) == 401
    assert place.ask("/who", Authorization="Bearer lt.x") == 401
    assert place.ask("/who", Cookie=cookies[READER], Authorization="Basic eDp5") == 200
    with open_database(place.workspace).session() as session:
        assert all(text not in str(vars(token)) for token in list_api_tokens(session))


def test_programs_that_ask_too_often_wait(place, monkeypatch):
    from lens_triage.app.front import api_tokens
    from lens_triage.app.http.throttle import Rate, Throttle

    matcher = next(
        rule.matcher
        for rule in place.front.default_router.rules
        if type(rule.matcher).__name__ == "_NotGood"
    )
    assert api_tokens.MOST_A_MINUTE == 600
    monkeypatch.setattr(matcher, "_rate", Rate(3, clock=lambda: 0.0))
    monkeypatch.setattr(matcher, "_wrong", Throttle(free=2, clock=lambda: 0.0))
    _, shown = token_of(place, "A reader", "reader")
    assert [place.ask("/who", **shown) for _ in range(4)] == [200, 200, 200, 429]
    wrong = {"Authorization": "Bearer lt.wrong"}
    assert [place.ask("/who", **wrong) for _ in range(3)] == [401, 401, 429]
