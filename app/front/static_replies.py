"""Scripts, styles and fonts of the pages, as the page process answered them once.

They are the same as long as that process lives. The front keeps them, so that a browser has its
scripts while the page that it asked for is still being built.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tornado.httputil import HTTPHeaders, HTTPServerRequest

PREFIX = "/static/"
MOST_BYTES = 64 * 2**20
"""Of all bodies together; what comes later is passed on each time."""
MOST_REPLIES = 512
_CONDITIONS = ("Range", "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since")


@dataclass(frozen=True)
class StaticReply:
    """A whole reply with status 200."""

    headers: HTTPHeaders
    body: bytes


@dataclass
class StaticReplies:
    """Replies by address, bounded in number and in bytes.

    Attributes
    ----------
    most_bytes, most_replies : int
    """

    most_bytes: int = MOST_BYTES
    most_replies: int = MOST_REPLIES
    _pid: int | None = None
    _bytes: int = 0
    _replies: dict[tuple[str, str], StaticReply] = field(default_factory=dict)

    def find(self, request: HTTPServerRequest, pid: int | None) -> StaticReply | None:
        """Return the reply to a request; none where it is not kept, or another process gave it.

        Parameters
        ----------
        pid : int or None
            Of the page process that runs at present.
        """
        self._follow(pid)
        return self._replies.get(_key(request)) if is_static(request) else None

    def keep(
        self,
        request: HTTPServerRequest,
        pid: int | None,
        headers: HTTPHeaders,
        pieces: Sequence[bytes],
    ) -> None:
        """Keep a whole reply, if there is room."""
        self._follow(pid)
        size = sum(map(len, pieces))
        full = len(self._replies) >= self.most_replies or self._bytes + size > self.most_bytes
        if full or _key(request) in self._replies:
            return
        self._replies[_key(request)] = StaticReply(headers, b"".join(pieces))
        self._bytes += size

    def _follow(self, pid: int | None) -> None:
        if pid != self._pid:
            self._replies.clear()
            self._pid, self._bytes = pid, 0


def is_static(request: HTTPServerRequest) -> bool:
    """Return whether a whole file that is the same for everybody is requested."""
    return (
        request.method == "GET"
        and request.path.startswith(PREFIX)
        and not any(name in request.headers for name in _CONDITIONS)
    )


def _key(request: HTTPServerRequest) -> tuple[str, str]:
    return str(request.uri), request.headers.get("Accept-Encoding", "")
