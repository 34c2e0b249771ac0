"""A server behind a real proxy with TLS and a prefix, and requests to it."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any

from nginx import NAME
from serving import Server

from lensing_core.store import open_database
from lensing_core.store.graders import add_grader
from lensing_core.store.passphrases import Passphrase
from lensing_core.workspace import Workspace

PREFIX = "/lens"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "bGVucy10cmlhZ2UtdGVzdA==",
}
ANA, BO = ("Ana", "correct horse"), ("Bo", "battery staple")


class _Connection(HTTPSConnection):
    """To an address of this machine, under the name of the certificate."""

    def connect(self) -> None:
        HTTPConnection.connect(self)
        self.sock = self._context.wrap_socket(self.sock, server_hostname=NAME)  # type: ignore[attr-defined]


@dataclass
class Proxied:
    """A server behind a proxy."""

    workspace: Workspace
    server: Server
    port: int
    trust: ssl.SSLContext

    @property
    def host(self) -> str:
        """As browsers name it."""
        return f"{NAME}:{self.port}"

    @property
    def origin(self) -> str:
        """Of its pages."""
        return f"https://{self.host}"

    def connect(self) -> ssl.SSLSocket:
        """Return a connection to the proxy on which nothing has been sent."""
        plain = socket.create_connection(("127.0.0.1", self.port), 30)
        return self.trust.wrap_socket(plain, server_hostname=NAME)

    def link(self) -> HTTPSConnection:
        """Return a connection for requests one after another."""
        return _Connection("127.0.0.1", self.port, timeout=30, context=self.trust)

    def open(self, path: str, method: str = "GET", body: Any = None, **headers: str) -> Any:
        """Send a request below the prefix; the connection stays open with the reply."""
        link = self.link()
        sent = {"Host": self.host, **headers}
        if body is not None:
            body, sent["Content-Type"] = json.dumps(body), "application/json"
        link.request(method, f"{PREFIX}{path}", body, sent)
        reply = link.getresponse()
        reply.link = link  # type: ignore[attr-defined]  # else it is closed with its reply
        return reply

    def sign_in(self, name: str, passphrase: str) -> str:
        """Return the whole cookie."""
        sent = {"name": name, "passphrase": passphrase}
        reply = self.open("/sign-in", "POST", sent, Origin=self.origin)
        assert reply.status == 200, reply.read()
        return str(reply.headers["Set-Cookie"])

    def socket_asked(self, page: str, cookie: str) -> dict[str, str]:
        """Return the headers by which a page that was opened asks for its websocket."""
        text = self.open(page, Cookie=cookie).read().decode()
        found = re.search(r'"token":"([\w.-]+)"', text)
        assert found is not None, text[:500]
        protocols = f"bokeh, {found.group(1)}"
        return {**UPGRADE, "Sec-WebSocket-Protocol": protocols, "Origin": self.origin}


@contextmanager
def serve_behind(
    proxy: Callable[[int, Path], AbstractContextManager[tuple[int, ssl.SSLContext]]],
    workspace: Workspace,
    folder: Path,
    **options: Any,
) -> Iterator[Proxied]:
    """Serve a workspace behind a proxy, with the organizer Ana and the grader Bo.

    Parameters
    ----------
    proxy : callable
        Starts it, such as :func:`nginx.nginx_in_front`; skips the test where there is none.
    folder : Path
        For logs and the certificate.
    options : Any
        Further ones of ``lens-triage serve``.
    """
    with open_database(workspace).session() as session:
        for (name, passphrase), role in ((ANA, "organizer"), (BO, "grader")):
            add_grader(session, name, role, Passphrase(passphrase))
    settings = {"allow_host": [NAME], "prefix": PREFIX, "behind_proxy": ["127.0.0.1"], **options}
    server = Server(workspace, folder / "server.log", require_sign_in=True, **settings)
    try:
        with proxy(server.port, folder) as (port, trust):
            yield Proxied(workspace, server, port, trust)
    finally:
        server.stop()
