"""Checks before every handler: invalid API tokens, and programs that send too many requests."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule
from tornado.web import Application

from lens_triage.app.context import AppContext
from lens_triage.app.http.allowing import Refused, refusal
from lens_triage.app.http.guard import guarded
from lens_triage.app.http.identity import is_by_token, read_shown, shown_by, token_of
from lens_triage.app.http.pools import OTHER, BusyError
from lens_triage.app.http.throttle import Rate, Throttle
from lensing_core.errors import LensTriageError
from lensing_core.store import open_database
from lensing_core.store.api_tokens import note_api_token_use

MOST_A_MINUTE = 600
NOT_GOOD = "This API token is unknown, expired or revoked."
_NOTED_EVERY_S = 60.0
_MOST_NOTED = 1000
_log = logging.getLogger(__name__)


class _NotGood(Matcher):
    """Matches requests by a token that is good no more, or that come too often."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._wrong = Throttle(free=20, longest_s=60.0, what="wrong API tokens")
        self._rate = Rate(MOST_A_MINUTE)
        self._noted: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        if not is_by_token(request):
            return None
        address, shown = str(request.remote_ip), shown_by(self._context, request)
        try:
            if read_shown(self._context, shown) is None:  # others at the address may go on
                self._wrong.check(address)
                self._wrong.failed(address)
                return refusal(401, NOT_GOOD)
            self._rate.check(shown)
        except BusyError as error:
            return refusal(error.status, str(error), error.retry_after_s)
        self._note(token_of(self._context, shown))
        return None

    def _note(self, token: str) -> None:
        """Have it noted that a token was used, beside the request, once a minute."""
        now = time.monotonic()
        if now - self._noted.get(token, -_NOTED_EVERY_S) < _NOTED_EVERY_S:
            return
        if len(self._noted) >= _MOST_NOTED:
            self._noted.clear()
        self._noted[token] = now
        task = asyncio.get_running_loop().create_task(self._write(token))
        self._tasks.add(task)  # else nobody holds it
        task.add_done_callback(self._tasks.discard)

    async def _write(self, token: str) -> None:
        def work() -> None:
            with open_database(self._context.workspace).session() as session:
                note_api_token_use(session, token)

        try:
            await OTHER.run(work)
        except LensTriageError as error:
            _log.warning("The use of an API token could not be recorded: %s", error)


def check_api_tokens(application: Application, context: AppContext) -> None:
    """Put a rule before all routes, after those that are there already; see the module."""
    application.default_router.rules.insert(-1, Rule(_NotGood(context), guarded(Refused)))
