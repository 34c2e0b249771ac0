"""Bytes sent to a server as they are, and what it replies until it closes or says no more."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field


@dataclass
class RawReply:
    """One reply.

    Attributes
    ----------
    status : int
    headers : list of tuple of str
        Name in lower case, and value.
    body : bytes
        What came of it.
    """

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        """Return all values of a header."""
        return [value for each, value in self.headers if each == name]


def exchange(link: socket.socket, sent: bytes, *, patience_s: float = 5.0) -> list[RawReply]:
    """Send bytes and return the replies until the server closes, or is silent for a while.

    Parameters
    ----------
    link : socket
        Is closed in the end.
    """
    link.settimeout(patience_s)
    came = b""
    try:
        with link:
            link.sendall(sent)
            while part := link.recv(2**16):
                came += part
    except (TimeoutError, ConnectionError, OSError):  # it left unread what was sent, or waits
        pass
    return list(_replies(came))


def _replies(came: bytes) -> list[RawReply]:
    found = []
    while came.startswith(b"HTTP/"):
        head, _, rest = came.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = [line.partition(":")[::2] for line in lines]
        reply = RawReply(int(first.split()[1]), [(n.lower(), v.strip()) for n, v in pairs])
        if reply.all("transfer-encoding"):
            reply.body, came = _chunks(rest)
        else:
            n = int((reply.all("content-length") or [str(len(rest))])[0])
            n = 0 if reply.status in (101, 204, 304) else n
            reply.body, came = rest[:n], rest[n:]
        found.append(reply)
    return found


def _chunks(rest: bytes) -> tuple[bytes, bytes]:
    """Return the body of chunks, and what comes after it."""
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        n = int(size, 16)
        if n == 0:
            return body, rest.partition(b"\r\n")[2]
        body, rest = body + rest[:n], rest[n + 2 :]
    return body, b""
