"""Clients that send slowly, much, or nothing keep nobody else out."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from urllib.parse import urlsplit

import pytest
from endpoints import get, serve_application
from tornado.web import Application, RequestHandler

from lens_triage.app.front import connections
from lens_triage.app.front.connections import FrontServer

MOST = 5


class Hello(RequestHandler):
    def get(self) -> None:
        self.finish("hello")

    def post(self) -> None:
        self.finish(str(len(self.request.body)))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = partial(FrontServer, most=MOST, head_within_s=0.5, body_within_s=2.0)
    with serve_application(Application([("/", Hello)]), server=server) as found:
        yield found


@pytest.fixture
def connect(url: str) -> Iterator[Callable[[], socket.socket]]:
    parts = urlsplit(url)
    with ExitStack() as opened:
        yield lambda: opened.enter_context(
            socket.create_connection((str(parts.hostname), int(str(parts.port))), 10)
        )


def rest_of(link: socket.socket) -> bytes:
    """What comes until the server closes the connection."""
    found = b""
    try:
        while part := link.recv(2**16):
            found += part
    except ConnectionResetError:  # it left unread what was sent
        pass
    return found


def test_connections_that_ask_for_nothing_give_way(url, connect):
    idle = [connect() for _ in range(MOST)]
    for link in idle:
        link.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
    assert get(url)[2] == b"hello"
    assert rest_of(idle[0]) == b""


def test_a_request_that_is_under_way_gives_way_to_none(url, connect):
    busy = [connect() for _ in range(MOST)]
    for link in busy:
        link.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\n\r\na")
    for link in busy:  # until its head has been read
        link.settimeout(0.05)
        with pytest.raises(TimeoutError):
            link.recv(1)
        link.settimeout(10)
    refused = rest_of(connect())
    assert refused.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    head, _, body = refused.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    busy[0].sendall(b"bc")
    assert busy[0].recv(4096).endswith(b"\r\n\r\n3")


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: h",
        b"",
        b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\n\r\na",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000,
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 99999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_slow_and_long_requests_end(url, connect, sent):
    link = connect()
    link.sendall(sent)
    link.settimeout(5)
    answer = rest_of(link)
    assert not answer or answer.startswith(b"HTTP/1.1 400 ")
    assert get(url)[2] == b"hello"


def test_a_process_may_open_as_many_files_as_it_needs(monkeypatch):
    limits = {"given": (256, 10_000)}
    monkeypatch.setattr(connections.resource, "getrlimit", lambda _: limits["given"])
    monkeypatch.setattr(
        connections.resource, "setrlimit", lambda _, wanted: limits.update(given=wanted)
    )
    connections.allow_many_files()
    assert limits["given"] == (4096, 10_000)
    limits["given"] = (8192, 10_000)
    connections.allow_many_files()
    assert limits["given"] == (8192, 10_000)


def test_the_front_process_imports_nothing_that_builds_pages() -> None:
    program = (
        "import sys, lens_triage.app.front.main;"
        "print(*sorted({'panel', 'bokeh', 'holoviews', 'param', 'panel_material_ui', 'torch'}"
        " & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.stdout == "\n", found.stdout + found.stderr
