"""Limits of connections in number and time, so that no client takes all sockets."""

from __future__ import annotations

import resource
from collections.abc import Awaitable, Callable
from typing import Any, cast
from weakref import WeakSet

from tornado.http1connection import HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream
from tornado.web import Application

from lens_triage.app.front.forwarded import read_forwarded, without_prefix
from lens_triage.app.http.json_bodies import MOST_BYTES
from lens_triage.app.http.reach import LOCAL, Reach

MOST_CONNECTIONS = 500
_MOST_FILES = 4096
_HEAD_BYTES = 2**16
_HEAD_WITHIN_S = 60.0  # also how long a connection may wait for its next request
_BODY_WITHIN_S = 60.0
_TOO_MANY = b"Too many are connected to this server; try again soon."
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 2\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nX-Frame-Options: DENY\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_TOO_MANY), _TOO_MANY)
)


def allow_many_files() -> None:
    """Raise this process's limit of open files as far as it may, within reason."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class FrontServer(HTTPServer):
    """A server of bounded connections.

    Where too many are connected, one that has asked for nothing yet gives way to the next, so that
    connections that never send a request keep nobody out.
    """

    def initialize(self, application: Application, **bounds: Any) -> None:  # type: ignore[override]
        super().initialize(
            application,
            max_header_size=_HEAD_BYTES,
            max_body_size=2 * MOST_BYTES,
            idle_connection_timeout=bounds.pop("head_within_s", _HEAD_WITHIN_S),
            body_timeout=bounds.pop("body_within_s", _BODY_WITHIN_S),
        )
        self._most = bounds.pop("most", MOST_CONNECTIONS)
        self._reach: Reach = bounds.pop("reach", LOCAL)
        self._open: WeakSet[IOStream] = WeakSet()
        self._idle: dict[IOStream, None] = {}  # the longest idle first

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Take a connection, or say that there are too many."""
        if sum(not each.closed() for each in self._open) >= self._most:
            waiting = next(iter(self._idle), None)
            if waiting is None:
                stream.write(_FULL)
                stream.close()
                return
            del self._idle[waiting]
            waiting.close()
        self._open.add(stream)
        self._idle[stream] = None
        super().handle_stream(stream, address)

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        """Wait for a request; the connection is idle until its head is there."""
        stream = cast(HTTP1ServerConnection, server_conn).stream
        self._idle.pop(stream, None)
        self._idle[stream] = None
        delegate = super().start_request(server_conn, request_conn)
        context = cast(Any, request_conn).context
        return _Awaited(delegate, self._reach, context, lambda: self._idle.pop(stream, None))

    def on_close(self, server_conn: object) -> None:
        """Forget a connection."""
        self._idle.pop(cast(HTTP1ServerConnection, server_conn).stream, None)
        super().on_close(server_conn)


class _Awaited(HTTPMessageDelegate):
    """Delegate that notes when the head of a request has arrived, and corrects headers of a proxy.

    Parameters
    ----------
    context : object
        Of the connection: what Tornado says of who asks.
    """

    def __init__(
        self,
        delegate: HTTPMessageDelegate,
        reach: Reach,
        context: Any,
        come: Callable[[], object],
    ) -> None:
        self._delegate = delegate
        self._reach = reach
        self._context = context
        self._come = come

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self._come()
        peer = str(self._context.address[0]) if self._context.address else ""
        client = read_forwarded(self._reach, peer, headers)
        self._context.remote_ip, self._context.protocol = client.address, client.scheme
        line = without_prefix(self._reach, cast(RequestStartLine, start_line))
        return self._delegate.headers_received(line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        self._delegate.finish()

    def on_connection_close(self) -> None:
        self._delegate.on_connection_close()
