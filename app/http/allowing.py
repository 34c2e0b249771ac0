"""Before all handlers of either process: what the table of routes does not allow is refused."""

from __future__ import annotations

import json
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule
from tornado.web import Application

from lens_triage.app.context import AppContext
from lens_triage.app.http.guard import guarded
from lens_triage.app.http.identity import is_by_token, role_of_request
from lens_triage.app.http.replies import ReplyHandler
from lens_triage.app.permissions import Route, check_route, find_route
from lensing_core.errors import PolicyError, SignInError

NOTHING = "There is nothing at this address."
API = "/api/"
"""Beginning of the addresses for programs."""
OTHER_METHOD = "This address does not answer requests of this kind."
NO_TOKENS = "API tokens are valid only for addresses of the API; this is not one of them."


class _NotAllowed(Matcher):
    """Matches requests that no row of the table allows to who asks."""

    def __init__(self, context: AppContext) -> None:
        self._context = context

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        route = find_route(request.path)
        if route is None:
            return refusal(404, NOTHING)
        if ("GET" if request.method == "HEAD" else request.method) not in route.methods:
            return refusal(405, OTHER_METHOD)
        if is_by_token(request) and not route.by_token:
            return refusal(403, NO_TOKENS)
        return self._of_role(route, request)

    def _of_role(self, route: Route, request: HTTPServerRequest) -> dict[str, Any] | None:
        if route.before_sign_in:
            return None
        try:
            check_route(route, role_of_request(self._context, request))
        except SignInError as error:
            return refusal(401, str(error))
        except PolicyError as error:
            return refusal(403, str(error))
        return None


def refusal(status: int, sentence: str, retry_after_s: int = 0) -> dict[str, Any]:
    """Result of a matcher for :class:`Refused`."""
    refused = {"status": status, "sentence": sentence, "retry_after_s": retry_after_s}
    return {"target_kwargs": refused}


class Refused(ReplyHandler):
    """Answers with one sentence, as JSON where a script or a program asks."""

    def initialize(self, status: int, sentence: str, retry_after_s: int = 0) -> None:
        self._status = status
        self._sentence = sentence
        self._retry_after_s = retry_after_s

    def prepare(self) -> None:
        """Answer before any method of the handler is looked at."""
        if self._retry_after_s:
            self.set_header("Retry-After", str(self._retry_after_s))
        self.refuse(self._status, self._sentence)

    def refuse(self, status: int, message: str) -> None:
        """Answer with one sentence that no cache keeps."""
        refuse_in_kind(self, status, message)


def wants_json(request: HTTPServerRequest) -> bool:
    """Return whether a script or a program asks, which reads refusals as JSON."""
    scripted = request.headers.get("Sec-Fetch-Dest") == "empty" or request.method == "POST"
    return scripted or is_by_token(request) or request.path.startswith(API)


def refuse_in_kind(handler: ReplyHandler, status: int, message: str) -> None:
    """Answer with one sentence: as JSON where a script or a program asks, else as text."""
    if not wants_json(handler.request):
        ReplyHandler.refuse(handler, status, message)
        return
    handler.set_status(status)
    handler.set_header("Cache-Control", "no-store")
    handler.reply(json.dumps({"error": message}), "application/json")


def refuse_what_is_not_allowed(application: Application, context: AppContext) -> None:
    """Put a rule before all routes, after those that are there already; see the module."""
    handler = guarded(Refused)
    application.default_router.rules.insert(-1, Rule(_NotAllowed(context), handler))
