"""What is passed on arrives as it was sent, and is given back as it was answered."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar
from urllib.parse import urlsplit

import pytest
from endpoints import get, serve_application
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.netutil import bind_unix_socket
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketClientConnection, WebSocketHandler, websocket_connect

from lens_triage.app.front.pages import AWAY, Pages
from lens_triage.app.front.proxy import PassOn, PassOnGuard, end_to_end
from lens_triage.app.front.static_replies import StaticReplies, is_static
from lens_triage.app.http.guard import HEADERS, guarded
from lens_triage.app.http.passed_on import HEADER, refuse_all_but_the_front

PIECE = bytes(range(256)) * 256
N_PIECES = 1000


class Told(RequestHandler):
    """Tells what was asked, with headers of all kinds."""

    def answer(self) -> None:
        self.set_status(418, "Short and stout")
        self.set_header("Connection", "X-Hop")
        self.set_header("X-Hop", "of this connection")
        self.set_header("Keep-Alive", "timeout=5")
        self.add_header("Set-Cookie", "one=1")
        self.add_header("Set-Cookie", "two=2")
        self.set_header("X-Kept", "näive")
        asked = {"headers": dict(self.request.headers), "uri": self.request.uri}
        body = self.request.body.decode("latin-1")
        self.finish(json.dumps({**asked, "method": self.request.method, "body": body}))

    get = post = put = patch = delete = options = answer


class Long(RequestHandler):
    """More than any buffer holds."""

    sent = 0
    left = threading.Event()

    async def get(self) -> None:
        type(self).sent = 0
        self.left.clear()
        for _ in range(N_PIECES):
            self.write(PIECE)
            await self.flush()
            type(self).sent += 1

    def on_connection_close(self) -> None:
        self.left.set()


class Short(RequestHandler):
    """Less than it said."""

    async def get(self) -> None:
        self.set_header("Content-Length", "1000")
        self.write(b"a part")
        await self.flush()
        self.request.connection.close()


class Plain(RequestHandler):
    """With a validator, so that it may answer 304."""

    def get(self) -> None:
        self.finish("plain")

    def head(self) -> None:
        self.set_header("Content-Length", "5")

    def delete(self) -> None:
        self.set_status(204)


class Script(RequestHandler):
    """A file that all pages load."""

    asked: ClassVar[list[str]] = []

    def get(self) -> None:
        self.asked.append(str(self.request.uri))
        self.set_status(404 if "missing" in self.request.path else 200)
        self.set_header("Content-Type", "text/javascript")
        self.finish(f"// {self.request.uri}")


class Echo(WebSocketHandler):
    """Sends back what it is sent, and closes when told so."""

    pings: ClassVar[list[bytes]] = []

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return "bokeh" if "bokeh" in subprotocols else None

    def get_compression_options(self) -> dict[str, int]:
        return {}

    def on_ping(self, data: bytes) -> None:
        self.pings.append(data)

    async def on_message(self, message: str | bytes) -> None:
        if message == "close":
            self.close(4321, "as told")
        else:
            await self.write_message(message, binary=isinstance(message, bytes))


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    with TemporaryDirectory() as folder:
        yield Pages(Path(folder), 1, Path(folder))


def _front(pages: Pages) -> Application:
    given = {"pages": pages, "static": StaticReplies()}
    return Application([(r".*", guarded(PassOn, PassOnGuard), given)])


@pytest.fixture(scope="module")
def front(pages: Pages) -> Application:
    return Application(
        [(r".*", guarded(PassOn, PassOnGuard), {"pages": pages, "static": StaticReplies()})]
    )


@pytest.fixture(scope="module")
def url(front: Application, pages: Pages) -> Iterator[str]:
    inside = Application(
        [
            (r"/told.*", Told),
            (r"/long", Long),
            (r"/short", Short),
            (r"/plain", Plain),
            (r"/static/.*", Script),
            (r"/ws", Echo),
        ],
        websocket_max_message_size=2**26,
    )
    refuse_all_but_the_front(inside, pages.secret)
    sockets = [bind_unix_socket(str(pages.settings.socket))]
    with serve_application(inside, sockets), serve_application(front) as found:
        yield found


def link_to(url: str) -> HTTPConnection:
    return HTTPConnection(str(urlsplit(url).hostname), urlsplit(url).port, timeout=20)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_request_and_its_reply_are_kept(url, method):
    link = link_to(url)
    sent = {
        "Host": "localhost:1", "Origin": "http://localhost:1", "Cookie": "a=b", "X-Own": "nä",
        "Connection": "keep-alive, X-Mine", "X-Mine": "of this connection", "TE": "trailers",
        HEADER: "guessed",
    }  # fmt: skip
    body = None if method == "GET" else b"\x00\xffbody"
    link.request(method, "/told/%2e%2e/%ff?q=%00&q=2", body, sent)
    answer = link.getresponse()
    asked = json.loads(answer.read())
    assert (answer.status, answer.reason) == (418, "Short and stout")
    assert asked["uri"] == "/told/%2e%2e/%ff?q=%00&q=2"
    assert (asked["method"], asked["body"]) == (method, (body or b"").decode("latin-1"))
    kept = {name: asked["headers"].get(name) for name in ("Host", "Origin", "Cookie", "X-Own")}
    assert kept == {name: sent[name] for name in kept}
    assert not {"X-Mine", "Te", "Connection", HEADER} & set(asked["headers"])
    assert answer.headers.get_all("Set-Cookie") == ["one=1", "two=2"]
    assert answer.getheader("X-Kept") == "näive"
    assert answer.getheader("X-Hop") is None
    assert answer.getheader("Keep-Alive") is None
    assert HEADERS.items() <= dict(answer.headers).items()
    link.request("GET", "/plain")  # the connection goes on
    assert link.getresponse().read() == b"plain"


def test_replies_without_a_body(url):
    link = link_to(url)
    link.request("GET", "/plain")
    whole = link.getresponse()
    whole.read()
    for method, headers, status, length in (
        ("HEAD", {}, 200, "5"),
        ("GET", {"If-None-Match": whole.getheader("Etag")}, 304, None),
        ("DELETE", {}, 204, None),
    ):
        link.request(method, "/plain", headers=headers)
        answer = link.getresponse()
        assert (answer.read(), answer.status) == (b"", status)
        assert answer.getheader("Content-Length") == length


def test_a_long_reply_waits_for_who_reads_it(url):
    link = link_to(url)
    link.connect()
    link.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
    link.request("GET", "/long")
    answer = link.getresponse()
    first = answer.read(len(PIECE))
    assert first == PIECE
    before = -1
    while before != Long.sent:  # until it is held up
        before = Long.sent
        threading.Event().wait(0.2)
    assert Long.sent < N_PIECES / 2
    assert len(first) + len(answer.read()) == N_PIECES * len(PIECE)


def test_who_leaves_ends_what_was_made_for_them(url):
    link = link_to(url)
    link.request("GET", "/long")
    link.getresponse().read(10)
    link.close()
    assert Long.left.wait(10)
    assert Long.sent < N_PIECES


def test_a_reply_that_is_cut_off_is_no_whole_one(url):
    link = link_to(url)
    link.request("GET", "/short")
    with pytest.raises(IncompleteRead):
        link.getresponse().read()


def test_a_script_is_asked_for_once(url):
    Script.asked.clear()
    first, again = (get(f"{url}/static/a.js?v=1") for _ in range(2))
    assert first[0] == again[0] == 200
    assert first[2] == again[2] == b"// /static/a.js?v=1"
    for name in ("Content-Type", "Etag"):
        assert first[1][name] == again[1][name]
    assert HEADERS.items() <= again[1].items()
    get(f"{url}/static/a.js?v=2")
    assert Script.asked == ["/static/a.js?v=1", "/static/a.js?v=2"]


def test_a_script_that_failed_or_a_part_of_one_is_asked_for_each_time(url):
    Script.asked.clear()
    for _ in range(2):
        assert get(f"{url}/static/missing.js")[0] == 404
        get(f"{url}/static/b.js", Range="bytes=0-3")
    assert len(Script.asked) == 4


def test_another_site_is_not_answered_from_memory(url):
    get(f"{url}/static/c.js")
    Script.asked.clear()
    get(f"{url}/static/c.js", **{"Sec-Fetch-Site": "cross-site"})
    assert Script.asked == ["/static/c.js"]  # the page process refuses it


def test_scripts_are_forgotten_with_the_process_that_gave_them_and_bounded():
    def request(uri, method="GET"):
        line = RequestStartLine(method, uri, "HTTP/1.1")
        return HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": "here"}))

    kept = StaticReplies(most_bytes=10, most_replies=2)
    kept.keep(request("/static/a"), 1, HTTPHeaders(), [b"1234", b"5678"])
    kept.keep(request("/static/b"), 1, HTTPHeaders(), [b"123"])  # no room
    assert kept.find(request("/static/a"), 1).body == b"12345678"
    assert kept.find(request("/static/b"), 1) is None
    assert kept.find(request("/static/a"), 2) is None
    assert kept.find(request("/static/a"), 1) is None
    for name in "abc":
        kept.keep(request(f"/static/{name}"), 1, HTTPHeaders(), [b"1"])
    assert [kept.find(request(f"/static/{name}"), 1) is None for name in "abc"] == [0, 0, 1]
    assert not is_static(request("/static/a", "HEAD"))
    assert not is_static(request("/tiles/static/a"))


def test_no_page_process_is_one_sentence(front, pages, tmp_path):
    away = Pages(tmp_path, 1, Path("/nonexistent"))
    application = Application(
        [(r".*", guarded(PassOn, PassOnGuard), {"pages": away, "static": StaticReplies()})]
    )
    with serve_application(application) as url:
        status, headers, body = get(f"{url}/overview")
        assert (status, body.decode()) == (503, AWAY)
        assert headers["Retry-After"] == "2"
        assert HEADERS.items() <= headers.items()
        status, _, body = get(f"{url}/review/ask", **{"Sec-Fetch-Dest": "empty"})
        assert (status, json.loads(body)) == (503, {"error": AWAY})


def test_headers_of_a_websocket_are_kept_where_it_is_asked_for():
    headers = HTTPHeaders({"Connection": "Upgrade, X-A", "Upgrade": "websocket", "X-A": "1"})
    assert not list(end_to_end(headers).get_all())
    assert {name for name, _ in end_to_end(headers, upgrade=True).get_all()} == {
        "Connection",
        "Upgrade",
    }


def in_websocket(url: str, talk, **options) -> None:
    async def run() -> None:
        link = await websocket_connect(
            url.replace("http", "ws") + "/ws", max_message_size=2**26, **options
        )
        await asyncio.wait_for(talk(link), 30)

    asyncio.run(run())


@pytest.mark.parametrize("compressed", [False, True])
def test_messages_of_a_websocket_are_kept(url, compressed):
    rng = random.Random(3)  # noqa: S311 - any bytes
    messages = ["text ✓", b"\x00\xff", "", b"", rng.randbytes(3_000_000), "a" * 5_000_000]

    async def talk(link: WebSocketClientConnection) -> None:
        assert link.selected_subprotocol == "bokeh"
        extensions = link.headers.get("Sec-WebSocket-Extensions", "")
        assert ("permessage-deflate" in extensions) is compressed
        for message in messages:
            await link.write_message(message, binary=isinstance(message, bytes))
            assert await link.read_message() == message
        link.ping(b"are you there")
        await link.write_message("close")
        assert await link.read_message() is None
        assert (link.close_code, link.close_reason) == (4321, "as told")

    compression = {} if compressed else None
    in_websocket(url, talk, subprotocols=["bokeh", "token"], compression_options=compression)
    assert b"are you there" in Echo.pings


def test_a_websocket_that_is_refused_is_refused_through_the_front(url):
    link = link_to(url)
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Origin": "http://evil.example"}
    key = {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "bGVucy10cmlhZ2UtdGVzdA=="}
    link.request("GET", "/ws", headers={**upgrade, **key})
    assert link.getresponse().status == 403


@pytest.mark.parametrize("seed", range(20))
def test_no_bytes_in_a_websocket_stop_it_for_others(url, seed):
    rng = random.Random(seed)  # noqa: S311 - likewise
    parts = urlsplit(url)
    with socket.create_connection((str(parts.hostname), int(str(parts.port))), 10) as raw:
        raw.sendall(
            f"GET /ws HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: bGVucy10cmlhZ2UtdGVzdA==\r\n\r\n".encode()
        )
        assert raw.recv(4096).startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
        opcode = rng.choice([0x81, 0x82, 0x80, 0x01, 0x88, 0x89, 0x8A, 0xF1, 0xC1, 0x83])
        length = rng.choice([b"\x80", b"\xfe\xff\xff", b"\xff" + b"\xff" * 8, b"\x05", b"\xfd"])
        raw.sendall(bytes([opcode]) + length + rng.randbytes(rng.randrange(300)))

    async def talk(link: WebSocketClientConnection) -> None:
        await link.write_message("still there")
        assert await link.read_message() == "still there"

    in_websocket(url, talk)
