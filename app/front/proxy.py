"""Passes requests on to the page process, and its replies back, as they come.

A reply is sent piece by piece, the next one read when the browser has taken the last. A websocket
is a tunnel: once both sides have agreed on it, bytes go to and fro unread, so that messages of any
size, compression, pings and close codes arrive as they were sent. Scripts and styles are passed on
once, and answered from memory from then on (:mod:`lens_triage.app.front.static_replies`).
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import cast

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream, StreamClosedError, UnsatisfiableReadError
from tornado.web import RequestHandler

from lens_triage.app.context import AppContext
from lens_triage.app.front.pages import BUSY, Pages, PagesAwayError
from lens_triage.app.front.static_replies import StaticReplies, StaticReply, is_static
from lens_triage.app.http.allowing import wants_json
from lens_triage.app.http.guard import Guard, is_foreign
from lens_triage.app.http.identity import is_signed_in_safely, shown_by
from lens_triage.app.http.passed_on import ADDRESS, HEADER, SCHEME

MOST_AT_ONCE = 200
_PIECE = 2**16
_OK = ResponseStartLine("HTTP/1.1", 200, "OK")
_RETRY_AFTER_S = 2
_LOOK_EVERY_S = 2.0
_CUT_OFF = "The pages did not answer; grading goes on. Try again in a few seconds."
_PARAMETERS = HTTP1ConnectionParameters(
    no_keep_alive=True, chunk_size=_PIECE, max_body_size=2**50, decompress=False
)
_OF_ONE_CONNECTION = {
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
    *("te", "trailer", "transfer-encoding", "upgrade"),
}
_log = logging.getLogger(__name__)


def end_to_end(headers: HTTPHeaders, *, upgrade: bool = False) -> HTTPHeaders:
    """Return the headers that are meant for the other end, without those of one connection.

    Parameters
    ----------
    upgrade : bool, optional
        Keep what asks for a websocket, or agrees to one.
    """
    named = ",".join(headers.get_list("Connection")).lower()
    dropped = _OF_ONE_CONNECTION | {name.strip() for name in named.split(",")}
    if upgrade:
        dropped -= {"connection", "upgrade"}
    kept = HTTPHeaders()
    for name, value in headers.get_all():
        if name.lower() not in dropped:
            kept.add(name, value)
    return kept


class PassOnGuard(Guard):
    """Guard of :class:`PassOn`: the page process itself refuses requests of other sites."""

    def refusal(self) -> str:
        """Return nothing; the guard there knows the address."""
        return ""


class PassOn(RequestHandler):
    """Answers with what the page process answers."""

    _at_once = 0

    def initialize(
        self, pages: Pages, static: StaticReplies, context: AppContext | None = None
    ) -> None:
        self._pages = pages
        self._context = context
        self._static = static
        self._stream: IOStream | None = None

    async def _pass_on(self, *_: str) -> None:
        kept = self._static.find(self.request, self._pages.pid)
        if kept is not None and not is_foreign(self.request):
            self._repeat(kept)
            return
        if PassOn._at_once >= MOST_AT_ONCE:
            self.refuse(503, BUSY)
            return
        PassOn._at_once += 1
        try:
            reply = await self._ask()
        finally:
            PassOn._at_once -= 1
        if reply is not None and reply.tunnel is not None:
            await self._tunnel(reply.tunnel)

    get = head = post = put = patch = delete = options = _pass_on

    def _repeat(self, reply: StaticReply) -> None:
        self.begin(_OK, reply.headers)
        self.finish(reply.body)

    async def _ask(self) -> _Reply | None:
        """Pass the request on, and the reply back; None where there was none."""
        try:
            self._stream = self._pages.connect()
        except PagesAwayError as error:
            self.refuse(503, str(error))
            return None
        connection = HTTP1Connection(self._stream, True, _PARAMETERS)
        reply = _Reply(self, connection)
        pid = self._pages.pid
        try:
            await self._send(connection)
            await connection.read_response(reply)
        except (StreamClosedError, UnsatisfiableReadError):
            pass  # the page process has ended, or the browser is gone
        finally:
            if reply.tunnel is None:
                connection.close()
        if reply.tunnel is None and not reply.complete:
            self._break_off()
        elif reply.kept is not None:
            self._static.keep(self.request, pid, *reply.kept)
        return reply

    async def _send(self, connection: HTTP1Connection) -> None:
        request = self.request
        headers = end_to_end(request.headers, upgrade=self._is_upgrade())
        for name in ("Expect", "Content-Length", HEADER, SCHEME, ADDRESS):
            if name in headers:
                del headers[name]
        headers[HEADER] = self._pages.secret
        headers[SCHEME] = request.protocol
        headers[ADDRESS] = str(request.remote_ip)
        if request.body or request.method not in ("GET", "HEAD", "OPTIONS"):
            headers["Content-Length"] = str(len(request.body))
        line = RequestStartLine(str(request.method), str(request.uri), "HTTP/1.1")
        sent = connection.write_headers(line, headers, request.body or None)
        connection.finish()
        await sent

    def _is_upgrade(self) -> bool:
        return self.request.headers.get("Upgrade", "").lower() == "websocket"

    def begin(self, line: ResponseStartLine, headers: HTTPHeaders) -> None:
        """Take over the head of the reply."""
        self.set_status(line.code, line.reason)
        self.clear_header("Content-Type")
        seen = set()
        for name, value in end_to_end(headers).get_all():
            (self.add_header if name in seen else self.set_header)(name, value)
            seen.add(name)

    def refuse(self, status: int, message: str) -> None:
        """Answer with one sentence, as JSON where a script asks."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Retry-After", str(_RETRY_AFTER_S))
        if wants_json(self.request):
            self.set_header("Content-Type", "application/json")
            self.finish(json.dumps({"error": message}))
        else:
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(message)

    def _break_off(self) -> None:
        """End a reply that cannot be completed so that the browser notices."""
        if not self._headers_written:
            self.refuse(503, _CUT_OFF)
            return
        self._auto_finish = False
        cast(HTTP1Connection, self.request.connection).close()

    async def _tunnel(self, reply: tuple[bytes, IOStream]) -> None:
        self._auto_finish = False
        head, inside = reply
        outside = self.detach()
        outside.set_nodelay(True)
        try:
            await outside.write(head)
        except StreamClosedError:
            inside.close()
            return
        watch = asyncio.create_task(self._close_with_sign_in(outside))
        try:
            await asyncio.gather(_pour(outside, inside), _pour(inside, outside))
        finally:
            watch.cancel()

    async def _close_with_sign_in(self, outside: IOStream) -> None:
        """Close a page's connection when its sign-in ends, where the server asks for one."""
        if self._context is None or not self._context.reach.asks:
            return
        shown = shown_by(self._context, self.request)
        while is_signed_in_safely(self._context, shown):
            await asyncio.sleep(_LOOK_EVERY_S)
        outside.close()

    def on_connection_close(self) -> None:
        """Tell the page process that nobody waits for its reply any more."""
        if self._stream is not None:
            self._stream.close()


class _Reply(HTTPMessageDelegate):
    """Hands a reply on while it comes.

    Attributes
    ----------
    complete : bool
    tunnel : tuple of bytes and IOStream, or None
        Where the reply agrees to a websocket: its head, and the connection from then on.
    kept : tuple of HTTPHeaders and list of bytes, or None
        Headers and pieces of a static file that was sent whole.
    """

    def __init__(self, handler: PassOn, connection: HTTP1Connection) -> None:
        self._handler = handler
        self._connection = connection
        self.complete = False
        self.tunnel: tuple[bytes, IOStream] | None = None
        self.kept: tuple[HTTPHeaders, list[bytes]] | None = None

    async def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        line = cast(ResponseStartLine, start_line)
        if line.code == 101:
            self.tunnel = (_head(line, headers), self._connection.detach())
        elif line.code >= 200:
            if line.code == 200 and is_static(self._handler.request):
                self.kept = (headers, [])
            self._handler.begin(line, headers)
            await self._flush()

    async def data_received(self, chunk: bytes) -> None:
        if self.kept is not None:
            self.kept[1].append(chunk)
        self._handler.write(chunk)
        await self._flush()

    async def _flush(self) -> None:
        try:
            await self._handler.flush()
        except StreamClosedError:  # the browser is gone
            self._connection.close()

    def finish(self) -> None:
        self.complete = True

    def on_connection_close(self) -> None:
        """End the reply; ``complete`` stays as it is."""


def _head(line: ResponseStartLine, headers: HTTPHeaders) -> bytes:
    kept = end_to_end(headers, upgrade=True)
    lines = [f"HTTP/1.1 {line.code} {line.reason}", *(f"{n}: {v}" for n, v in kept.get_all())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def _pour(source: IOStream, sink: IOStream) -> None:
    """Write to one connection what comes from another, until either is closed."""
    try:
        while True:
            await sink.write(await source.read_bytes(_PIECE, partial=True))
    except StreamClosedError:
        pass
    finally:
        sink.close()
