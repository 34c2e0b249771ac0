"""The page process answers to the front process alone: each request carries the secret of a start.

The front (:mod:`lens_triage.app.front`) owns the port. Nothing else is to reach the pages, not even
another account of the machine that finds their socket, since limits and addresses are the front's.
"""

from __future__ import annotations

import hmac
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule
from tornado.web import Application, RequestHandler

from lens_triage.app.http.guard import guarded

HEADER = "X-Lens-Triage-Front"
SCHEME = "X-Lens-Triage-Scheme"
ADDRESS = "X-Lens-Triage-Address"
"""Headers by which the front passes on the browser's scheme and address, as far as known."""


class _NotPassedOn(Matcher):
    """Matches requests that did not come through the front.

    The secret is taken out of those that did: Bokeh writes a request's headers into its page.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        given = request.headers.get_list(HEADER)
        if given:
            del request.headers[HEADER]
        known = len(given) == 1 and hmac.compare_digest(given[0].encode(), self._secret)
        said = {name: request.headers.pop(name, "") if known else "" for name in (SCHEME, ADDRESS)}
        request.protocol = said[SCHEME] or "http"
        request.remote_ip = said[ADDRESS]
        return None if known else {}


class Bypassed(RequestHandler):
    """Refuses whatever is asked of it, in one sentence."""

    def prepare(self) -> None:
        """Answer before any method of the request is looked at."""
        self.set_status(403)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("This is an internal address of the server; open the address that it printed.")


def refuse_all_but_the_front(application: Application, secret: str) -> None:
    """Put a rule before all routes; see the module."""
    rule = Rule(_NotPassedOn(secret), guarded(Bypassed))
    application.default_router.rules.insert(0, rule)
