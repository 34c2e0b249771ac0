"""The server behind a real Caddy, with TLS and a prefix, by the file of ``deploy/``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from caddy import caddy_in_front
from proxied import ANA, Proxied, serve_behind

from lensing_core.store import open_database
from lensing_core.store.audit import latest_entries
from lensing_core.workspace import Workspace


@pytest.fixture(scope="module")
def proxied(
    tmp_path_factory: pytest.TempPathFactory, filled_on_sqlite: Workspace
) -> Iterator[Proxied]:
    folder = tmp_path_factory.mktemp("caddy")
    shutil.copytree(filled_on_sqlite.root, folder / "workspace")
    with serve_behind(caddy_in_front, Workspace(folder / "workspace"), folder) as running:
        yield running


def test_all_comes_through_caddy_for_who_is_signed_in_alone(proxied):
    paths = ("/overview", "/static/js/bokeh.min.js", "/tiles/cosmos/0", "/export/csv")
    for path in paths:
        assert proxied.open(path).status == 401
    given = proxied.sign_in(*ANA)
    assert {"httponly", "secure", "path=/lens/"} <= set(given.lower().split("; "))
    cookie = given.partition(";")[0]
    for path in paths:
        reply = proxied.open(path, Cookie=cookie)
        assert (reply.status, len(reply.read()) > 100) == (200, True), path
    asked = {**proxied.socket_asked("/overview", cookie), "Cookie": cookie}
    reply = proxied.open("/overview/ws", **asked)
    assert reply.status == 101
    assert b"ACK" in reply.link.sock.recv(65536)
    foreign = {**asked, "Origin": "https://evil.example"}
    assert proxied.open("/overview/ws", **foreign).status == 403
    assert proxied.open("").headers["Location"] == "/lens/"


def test_what_a_browser_forwards_is_replaced_by_caddy(proxied):
    lies = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-For": "203.0.113.66",
        "Forwarded": "for=203.0.113.66;proto=http",
    }
    sent = {"name": ANA[0], "passphrase": ANA[1]}
    given = proxied.open("/sign-in", "POST", sent, **lies).headers["Set-Cookie"]
    assert "Secure" in given
    assert proxied.open("/overview", Host="evil.example").read() == b""  # Caddy has no such site
    with open_database(proxied.workspace).session() as session:
        assert {each.address for each in latest_entries(session, 9)} <= {"127.0.0.1", ""}
