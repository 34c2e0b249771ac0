"""Who reaches the server: this machine alone, under its own names, from the server's own pages."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from filling import fill_workspace

from lensing_core.store import open_database
from lensing_core.workspace import Workspace

ROOT = Path(__file__).parent.parent.parent.parent
COMMAND = "from lens_triage.app.cli import main; main()"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "bGVucy10cmlhZ2UtdGVzdA==",
}
PATHS = [
    "/",
    "/overview",
    "/overview/ws",
    "/tiles/cosmos/0",
    "/tiles/cosmos/0/info",
    "/static/js/bokeh.min.js",
    "/nothing",
]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Port of ``lens-triage serve`` in a process of its own."""
    workspace = Workspace.create(tmp_path_factory.mktemp("served") / "workspace")
    open_database(workspace)
    fill_workspace(workspace)
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "serve", str(workspace.root), "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    announced = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
    assert announced is not None
    yield int(announced.group(1))
    process.terminate()
    process.wait(10)


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    """Status and text of the answer, redirections not followed; ``Host`` is right unless given."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        body = b"" if answer.status == 101 else answer.read()
        return answer.status, body.decode("utf-8", "replace")
    finally:
        connection.close()


def test_it_listens_on_this_machine_alone(port):
    with socket.create_connection(("127.0.0.1", port), 5):
        pass
    for elsewhere in ("127.0.0.2", "::1"):  # answered where a server listens on every address
        with pytest.raises(OSError):  # noqa: PT011 - refused, or no such address: both are well
            socket.create_connection((elsewhere, port), 5)


@pytest.mark.parametrize("host", ["127.0.0.1:{}", "localhost:{}", "LocalHost:{}", "localhost"])
def test_its_own_names_are_served(port, host):
    own = host.format(port)
    assert ask(port, "/", Host=own)[0] == 302
    for path in ("/overview", "/tiles/cosmos/0", "/static/js/bokeh.min.js"):
        assert ask(port, path, Host=own)[0] == 200


@pytest.mark.parametrize("path", PATHS)
def test_foreign_names_are_refused_on_every_route(port, path):
    for host in (f"evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example"):
        for method in ("GET", "POST", "OPTIONS"):
            status, text = ask(port, path, method, Host=host)
            assert status == 403
            assert (
                text == "This server answers to 127.0.0.1 and localhost only; open it by that name."
            )


def test_a_websocket_is_for_its_own_pages(port):
    own = f"http://127.0.0.1:{port}"
    for origin in ("http://evil.example", f"http://evil.example:{port}", "http://127.0.0.1:1"):
        assert ask(port, "/overview/ws", **UPGRADE, Origin=origin)[0] == 403
    assert ask(port, "/overview/ws", **UPGRADE, Origin=own, Host=f"evil.example:{port}")[0] == 403
    opened, _ = ask(port, "/overview/ws", **UPGRADE, Origin=own)
    assert opened == 101
