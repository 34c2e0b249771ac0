"""Answers over HTTP: a body of one type, or one sentence saying what is wrong."""

from __future__ import annotations

import logging
from pathlib import Path

from tornado.web import HTTPError, RequestHandler

from lens_triage.app.http.pools import BusyError
from lensing_core.errors import LensTriageError, NotFoundError, PolicyError, SignInError

_BLOCK = 2**18
_log = logging.getLogger(__name__)
# The first that fits: an error may be of several kinds.
_STATUSES = (
    (SignInError, 401),
    (PolicyError, 403),
    (NotFoundError, 404),
    (LensTriageError, 400),
)


class ReplyHandler(RequestHandler):
    """Base of the server's endpoints."""

    def reply(self, body: str | bytes, kind: str) -> None:
        """Send a body of a media type."""
        self.set_header("Content-Type", kind)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish(body)

    async def send_file(self, path: Path) -> None:
        """Write a file that no cache keeps, in blocks, at the pace of who reads it.

        The caller sets the type of the content before, and finishes the reply.
        """
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Length", str(path.stat().st_size))
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                self.write(block)
                await self.flush()

    def refuse(self, status: int, message: str) -> None:
        """Answer with one sentence that no cache keeps."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.clear_header("Etag")
        self.reply(message, "text/plain; charset=utf-8")

    def refuse_for(self, error: Exception, sentence: str) -> None:
        """Answer with what an error of ours says; any other is logged, and ``sentence`` is said."""
        if isinstance(error, BusyError):
            self.set_header("Retry-After", str(error.retry_after_s))
            self.refuse(error.status, str(error))
            return
        for kind, status in _STATUSES:
            if isinstance(error, kind):
                self.refuse(status, str(error))
                return
        if isinstance(error, HTTPError):  # text that is not UTF-8 and the like
            self.refuse(error.status_code, "The request cannot be read.")
            return
        _log.error("%s could not be answered", self.request.path, exc_info=error)
        self.refuse(500, sentence)
