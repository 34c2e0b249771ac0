"""Requests that the server's own pages make beside Bokeh's connection: JSON in, JSON out.

A page of another site cannot make them: the sign-in cookie is not sent from there
(``SameSite=Strict``), a foreign ``Origin`` is refused, and a body must be JSON, which another site
may not send without asking first.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import urlsplit

from lens_triage.app.context import AppContext
from lens_triage.app.http.json_bodies import read_object
from lens_triage.app.http.pools import OTHER, Pool
from lens_triage.app.http.replies import ReplyHandler


class OwnPageHandler(ReplyHandler):
    """Base of the handlers that answer the server's own pages."""

    pool: ClassVar[Pool] = OTHER
    kinds: ClassVar[str] = "Send JSON."
    """What is said of a body of another kind."""

    def initialize(self, context: AppContext) -> None:
        self.context = context

    def prepare(self) -> None:
        """Refuse what another site sent."""
        origin = self.request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc.lower() != self.request.host.lower():
            self.refuse(403, "Only the pages of this server may send this request.")
        elif self.request.method == "POST" and not self.is_allowed_kind():
            self.refuse(415, self.kinds)

    def is_allowed_kind(self) -> bool:
        """Return whether the body is of a kind that no form of another site sends: JSON."""
        kind = self.request.headers.get("Content-Type", "")
        return kind.partition(";")[0].strip().lower() == "application/json"

    def words(self) -> dict[str, list[str]]:
        """Parameters of the query, each with all its values."""
        return {
            name: [value.decode("utf-8", "replace") for value in values]
            for name, values in self.request.query_arguments.items()
        }

    def body(self, *, lenient: bool = False) -> dict[str, Any]:
        """The request's JSON object; raises BadInputError (see :func:`read_object`)."""
        return read_object(self.request.body, lenient=lenient)

    async def answer(self, work: Callable[[], Any]) -> None:
        """Do ``work`` in a thread of the handler's pool and send its result, or one sentence."""
        try:
            found = await self.pool.run(work)
        except Exception as error:  # noqa: BLE001 - logged; the page gets one sentence
            self.refuse_for(error, "The server could not answer; its log says why.")
        else:
            self.send(found)

    def send(self, content: Any, status: int = 200) -> None:
        """Answer with JSON that no cache keeps."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.reply(json.dumps(content), "application/json")

    def refuse(self, status: int, message: str) -> None:
        """Answer with one sentence, as JSON."""
        self.send({"error": message}, status)
