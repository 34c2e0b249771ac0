"""The route table: only what our pages use is answered, and every reply is guarded."""

from __future__ import annotations

import base64
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest
from endpoints import get, serve_application
from panel.io.server import DocHandler
from tornado.netutil import bind_unix_socket
from tornado.web import Application, RequestHandler

from lens_triage.app.context import AppContext
from lens_triage.app.front.main import front_application
from lens_triage.app.front.pages import Pages
from lens_triage.app.front.proxy import PassOn
from lens_triage.app.http import guard
from lens_triage.app.http.guard import FOREIGN, HEADERS, Guard, PageGuard, guarded, is_foreign
from lens_triage.app.http.passed_on import HEADER
from lens_triage.app.main import PAGES, make_server
from lensing_core.store import open_database
from lensing_core.workspace import Workspace

BYPASSED = b"This is an internal address of the server; open the address that it printed."
OURS = {"Sec-Fetch-Site": "same-origin"}
# What another site's page sends with an image, a frame, a form, a script, and in older browsers.
THEIRS = [
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Referer": "http://127.0.0.1:1/page"},
    {"Referer": "http://[evil"},
]
REMOVED = [
    "/components/unittest.__main__/x/css/y",
    "/components/panel.pane/HTML/_stylesheets/css/html.css",
    "/autoload.js?bokeh-autoload-element=x",
    "/overview/autoload.js?bokeh-autoload-element=x",
    "/overview/metadata",
    "/overview/static/js/bokeh.min.js",
    "/static/extensions/lightning/x",
    "/favicon.ico",
    "/admin",
    "/liveness",
    "/login",
    "/logout",
    "/_oauth/x",
    "/nothing",
]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """A workspace's pages, whose process is not started."""
    workspace = Workspace.create(tmp_path_factory.mktemp("routes") / "workspace")
    open_database(workspace)
    with TemporaryDirectory() as folder:  # not pytest's: a socket's name must be short
        yield Pages(workspace.root, 1, Path(folder))


@pytest.fixture(scope="module")
def inside(pages: Pages) -> Application:
    """What the page process answers."""
    context = AppContext.of(Workspace.open(pages.settings.root))
    return make_server(context, pages.settings)._tornado


@pytest.fixture(scope="module")
def front(pages: Pages) -> Application:
    """What the front answers, or passes on."""
    return front_application(AppContext.of(Workspace.open(pages.settings.root)), pages)


@pytest.fixture(scope="module")
def url(front: Application, inside: Application, pages: Pages) -> Iterator[str]:
    """The front's, with the page process behind it, which is a thread here."""
    sockets = [bind_unix_socket(str(pages.settings.socket))]
    with serve_application(inside, sockets), serve_application(front) as found:
        yield found


@pytest.fixture(scope="module")
def paths(front: Application, inside: Application) -> list[str]:
    """One address for each route of both."""
    return [*addresses(front), *addresses(inside)]


def table(application: Application) -> list[Any]:
    return [
        rule for rule in application.wildcard_router.rules if not issubclass(rule.target, PassOn)
    ]


def addresses(application: Application) -> list[str]:
    """One address for each route, as far as its pattern allows."""
    found = []
    for rule in table(application):
        path = (
            rule.matcher.regex.pattern.removesuffix("$").replace("/?", "").replace("(/info)?", "")
        )
        for group, word in (
            ("(.*)", "x"),
            ("([^/]*)", "1"),
            ("([^/]*?)", "1"),
            ("([a-z0-9]+)", "png"),
            ("([0-9a-f]+)", "ab"),
        ):
            path = path.replace(group, word)
        assert rule.matcher.regex.fullmatch(path), path
        found.append(path)
    return found


def test_every_route_is_guarded_and_every_page_is_there(front, inside):
    rules = [*table(front), *table(inside)]
    assert issubclass(front.wildcard_router.rules[-1].target, Guard)  # that passes all else on
    assert all(issubclass(rule.target, Guard) for rule in rules)
    pages = {rule.matcher.regex.pattern for rule in rules if issubclass(rule.target, DocHandler)}
    assert pages == {rf"/{slug}/?$" for slug in PAGES}
    theirs = {
        r.target.__name__ for r in rules if not r.target.__module__.startswith("lens_triage.app.")
    }
    assert theirs == {
        "DocHandler",
        "WSHandler",
        "StaticHandler",
        "MultiRootStaticHandler",
        "RedirectHandler",
    }


@pytest.mark.parametrize("path", REMOVED)
def test_what_no_page_uses_is_not_found_and_imports_nothing(path, url, monkeypatch):
    def never(name: str, package: str | None = None) -> None:
        raise AssertionError(f"{name} was imported")

    monkeypatch.setattr(importlib, "import_module", never)
    status, headers, body = get(url + path)
    assert (status, body) == (404, b"There is nothing at this address.")
    assert HEADERS.items() <= headers.items()
    assert "unittest.__main__" not in sys.modules


def test_every_reply_of_every_route_carries_the_headers(paths, url):
    """Of each route and each kind of method, whether it is answered, missing or refused."""
    for path in paths:
        for headers in (OURS, THEIRS[0]):
            status, found, _ = get(url + path, **headers)
            assert HEADERS.items() <= found.items(), path
            assert "frame-ancestors 'none'" in found["Content-Security-Policy"], path
            assert status < 500, path


def test_no_route_answers_another_site(paths, url):
    for path in paths:
        for headers in THEIRS:
            status, _, body = get(url + path, **headers)
            assert status == 403, (path, headers)
            assert b"another site" in body.lower() or FOREIGN.encode() in body, path


def test_a_link_that_somebody_followed_leads_to_a_page_and_to_nothing_else(paths, url):
    followed = {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
        "Sec-Fetch-User": "?1",
    }
    for path in paths:
        status, _, _ = get(url + path, **followed)
        page = path.lstrip("/") in PAGES
        assert (status == 200) if page else (status in (302, 403)), path


def test_a_page_may_not_be_asked_for_with_a_session_of_somebody_else(url):
    for question, headers in (
        ("?bokeh-session-id=mine", {}),
        ("?bokeh-token=mine", {}),
        ("", {"Bokeh-Session-Id": "mine"}),
    ):
        status, _, body = get(f"{url}/overview{question}", **headers)
        assert (status, body.decode()) == (403, guard.NO_SESSION)


class Ends(RequestHandler):
    """What an import of a script, or a signal's default, does to a handler."""

    def get(self) -> None:
        raise SystemExit(3)


def test_a_handler_cannot_end_the_server(caplog):
    with serve_application(Application([("/end", guarded(Ends))])) as url:
        for _ in range(2):
            status, headers, body = get(f"{url}/end")
            assert (status, body) == (500, b"The server could not answer; its log says why.")
            assert HEADERS.items() <= headers.items()
    assert "/end would have ended the server" in caplog.text


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ({}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "http://HERE:1"}, False),
        ({"Referer": "http://here:1/overview"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://there"}, True),
        ({"Sec-Fetch-Site": "same-origin,cross-site"}, True),
        ({"Referer": "http://here:12/overview"}, True),
    ],
)
def test_who_asks(headers, foreign):
    request = SimpleNamespace(headers=headers, host="here:1", protocol="http")
    assert is_foreign(request) is foreign


def test_who_asks_by_tls_is_of_a_page_by_tls():
    for origin, foreign in (("http://here", True), ("https://here", False)):
        request = SimpleNamespace(headers={"Origin": origin}, host="here", protocol="https")
        assert is_foreign(request) is foreign


def test_a_page_names_its_own_websocket_alone(url):
    _, headers, _ = get(f"{url}/overview")
    assert (
        f"connect-src 'self' blob: ws://{url.partition('//')[2]};"
        in (headers["Content-Security-Policy"])
    )
    assert issubclass(guarded(DocHandler, PageGuard), DocHandler)


def test_the_page_process_answers_the_front_alone_and_keeps_its_secret(inside, pages, url):
    with serve_application(inside) as own:
        for path in ("/overview", "/static/js/bokeh.min.js", "/nothing"):
            for headers in ({}, {HEADER: "guessed"}, {HEADER: ""}):
                status, _, body = get(own + path, **headers)
                assert (status, body) == (403, BYPASSED), path
        assert get(f"{own}/overview", **{HEADER: pages.secret})[0] == 200
    status, headers, body = get(f"{url}/overview", **{HEADER: "of a browser"})
    assert status == 200
    # Bokeh writes the headers of a request into the token that a page opens its websocket with.
    (token,) = re.findall(rb'"token":"([^".]+)', body)
    told = base64.urlsafe_b64decode(token + b"=" * (-len(token) % 4))
    assert b"session_id" in told
    for text in (pages.secret.encode(), HEADER.encode()):
        assert text.lower() not in (told + body + repr(headers).encode()).lower()
