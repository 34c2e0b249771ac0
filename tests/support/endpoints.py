"""A server with a few endpoints alone, in a thread of the test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from socket import socket
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets
from tornado.web import Application


@contextmanager
def serve_routes(routes: Sequence[Any]) -> Iterator[str]:
    """Serve on a free port of this machine until the block ends; yields the URL."""
    with serve_application(Application(list(routes))) as url:
        yield url


@contextmanager
def serve_application(
    application: Application,
    sockets: Sequence[socket] | None = None,
    server: Callable[[Application], HTTPServer] = HTTPServer,
) -> Iterator[str]:
    """As :func:`serve_routes`, with an application that is there already, sockets and a server."""
    sockets = sockets or bind_sockets(0, "127.0.0.1")
    loop = asyncio.new_event_loop()
    started = threading.Event()

    async def main() -> None:
        server(application).add_sockets(sockets)
        started.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(main())
        loop.run_forever()
        # Connections that clients left open, and the loop's own files.
        IOLoop.current().close(all_fds=True)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        assert started.wait(30)
        yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        for opened in sockets:
            opened.close()


def get(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer, whatever its status."""
    try:
        with urlopen(Request(url, headers=headers)) as answer:  # noqa: S310 - our own server
            return answer.status, dict(answer.headers), answer.read()
    except HTTPError as error:
        return error.code, dict(error.headers), error.read()
