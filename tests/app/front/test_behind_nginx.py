"""The server behind a real nginx, with TLS and a prefix: nothing is answered before a sign-in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from socket import create_connection

import pytest
from nginx import NAME, nginx_in_front
from proxied import ANA, BO, UPGRADE, Proxied, serve_behind
from raw_http import exchange
from waiting import until

from lensing_core.store import open_database
from lensing_core.store.graders import named_grader, reset_passphrase
from lensing_core.store.invitations import invite
from lensing_core.workspace import Workspace

OPENS = {"Accept": "text/html"}
ANSWERED = [
    "/overview",
    "/static/js/bokeh.min.js",
    "/tiles/cosmos/0",
    "/tiles/cosmos/0/info",
    "/export/csv",
]


@pytest.fixture(scope="module")
def proxied(
    tmp_path_factory: pytest.TempPathFactory, filled_on_sqlite: Workspace
) -> Iterator[Proxied]:
    folder = tmp_path_factory.mktemp("proxied")
    shutil.copytree(filled_on_sqlite.root, folder / "workspace")
    with serve_behind(nginx_in_front, Workspace(folder / "workspace"), folder) as running:
        yield running


@pytest.fixture(scope="module")
def cookie(proxied: Proxied) -> str:
    return proxied.sign_in(*ANA).partition(";")[0]


def test_a_sign_in_cookie_is_sent_by_tls_to_the_prefix_alone(proxied):
    given = proxied.sign_in(*ANA).lower()
    assert {"httponly", "secure", "samesite=lax", "path=/lens/"} <= set(given.split("; "))


def test_pages_scripts_tiles_and_downloads_come_through(proxied, cookie):
    for path in ANSWERED:
        reply = proxied.open(path, Cookie=cookie)
        assert (reply.status, len(reply.read()) > 100) == (200, True), path
    policy = proxied.open("/overview", Cookie=cookie).headers["Content-Security-Policy"]
    assert f"wss://{NAME}:{proxied.port}" in policy
    assert proxied.open("/", Cookie=cookie).headers["Location"] == "overview"


def test_its_prefix_alone_leads_to_its_pages_without_nginx_too(proxied):
    for connect in (proxied.connect, lambda: create_connection(("127.0.0.1", proxied.server.port))):
        sent = f"GET /lens HTTP/1.1\r\nHost: {proxied.host}\r\nConnection: close\r\n\r\n"
        (reply,) = exchange(connect(), sent.encode())
        assert (reply.status // 100, reply.all("location")[0][-6:]) == (3, "/lens/")


@pytest.mark.parametrize("path", ["/", *ANSWERED, "/overview/ws", "/nothing", "/review/ask"])
def test_nothing_is_answered_before_a_sign_in(proxied, path):
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
        assert proxied.open(path, method).status == 401, method
    forged = {"Cookie": "lens-triage-grader-00000000=2|1:0|x"}
    assert proxied.open(path, **(UPGRADE if path.endswith("ws") else {}), **forged).status == 401


def test_a_browser_gets_the_sign_in_page_in_place_of_a_page(proxied):
    reply = proxied.open("/review", **OPENS)
    text = reply.read().decode()
    assert reply.status == 401
    assert "passphrase" in text
    assert "Ana" not in text
    assert "unsafe" not in reply.headers["Content-Security-Policy"]


def test_a_stranger_learns_no_names(proxied):
    def told(name: str) -> tuple[int, str]:
        sent = {"name": name, "passphrase": "wrong wrong"}
        reply = proxied.open("/sign-in", "POST", sent)
        return reply.status, reply.read().decode()

    assert told("Ana") == told("Nobody of that name") != ""
    assert told("Ana")[0] == 403
    assert open_database(proxied.workspace).ask(lambda s: named_grader(s, "Ana")).name == "Ana"


def test_a_websocket_is_for_pages_under_an_allowed_name(proxied, cookie):
    asked = {**UPGRADE, "Cookie": cookie}
    assert proxied.open("/overview/ws", **asked, Origin=proxied.origin).status == 101
    for origin in ("https://evil.example", f"https://{NAME}", "null"):
        assert proxied.open("/overview/ws", **asked, Origin=origin).status == 403
    foreign = {"Host": "evil.example", "Origin": "https://evil.example"}
    assert proxied.open("/overview/ws", **asked, **foreign).status == 403


def test_what_a_browser_forwards_is_replaced_by_nginx(proxied, cookie):
    lies = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "Cookie": cookie}
    assert proxied.open("/", **lies).status == 302
    sent = {"name": "Ana", "passphrase": "correct horse"}
    given = proxied.open("/sign-in", "POST", sent, **{**lies, "Cookie": ""}).headers["Set-Cookie"]
    assert "Secure" in given


def test_a_websocket_ends_with_its_sign_in(proxied):
    mine = proxied.sign_in(*BO).partition(";")[0]
    asked = proxied.socket_asked("/overview", mine)
    reply = proxied.open("/overview/ws", **asked, Cookie=mine)
    assert reply.status == 101
    assert b"ACK" in reply.link.sock.recv(65536)
    with open_database(proxied.workspace).session() as session:
        reset_passphrase(session, named_grader(session, "Bo").id)
    reply.link.sock.settimeout(15)
    until(lambda: reply.link.sock.recv(65536) == b"", 15)
    assert proxied.open("/overview", Cookie=mine).status == 401


def test_an_invitation_signs_in_whoever_has_its_link(proxied):
    with open_database(proxied.workspace).session() as session:
        token = invite(session, "Cleo")
    assert b"You are invited" in proxied.open("/join", **OPENS).read()
    for sent, status in (
        ({"token": "x", "passphrase": "tall giraffes"}, 403),
        ({"token": token, "passphrase": "short"}, 400),
        ({"token": token, "passphrase": "tall giraffes"}, 200),
        ({"token": token, "passphrase": "other giraffes"}, 403),
    ):
        reply = proxied.open("/join", "POST", sent, Origin=proxied.origin)
        assert reply.status == status, reply.read()
        if status == 200:
            mine = reply.headers["Set-Cookie"].partition(";")[0]
    assert proxied.open("/tiles/cosmos/0", Cookie=mine).status == 200
    proxied.sign_in("Cleo", "tall giraffes")
    foreign = {"Origin": "https://evil.example"}
    assert proxied.open("/join", "POST", {"token": token}, **foreign).status == 403
