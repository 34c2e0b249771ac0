"""Gate before every handler: without a sign-in only the sign-in page, if the server requires one.

It stands before all routes, those that are passed on to the pages among them, so that a route that
somebody adds is behind it too.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule
from tornado.web import Application

from lens_triage.app.context import AppContext
from lens_triage.app.http.allowing import refuse_in_kind
from lens_triage.app.http.guard import Guard, guarded, is_followed_link, is_foreign
from lens_triage.app.http.identity import NOBODY, is_signed_in_safely, shown_by
from lens_triage.app.http.providers import Provider
from lens_triage.app.http.replies import ReplyHandler
from lens_triage.app.permissions import find_route

JOIN = "/join"
"""Address of invitations: ``/join#TOKEN``. Browsers do not send the token, so no log has it."""
_PAGE = (Path(__file__).parent / "sign_in.html").read_text(encoding="utf-8")
_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
    "connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


class _NotSignedIn(Matcher):
    """Matches requests of nobody who has shown a secret."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._back = {f"/sign-in/{each.name}" for each in context.reach.providers}

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        if request.path == JOIN and request.method == "GET":
            return {}
        route = find_route(request.path)
        is_open = route is not None and route.before_sign_in and request.method in route.methods
        if is_open and (request.method == "POST" or request.path in self._back):
            return None
        known = is_signed_in_safely(self._context, shown_by(self._context, request))
        return None if known else {}


class _GateGuard(Guard):
    """A link of another site may lead to the sign-in page."""

    def refusal(self) -> str:
        return "" if is_followed_link(self.request.headers) else super().refusal()


class SignInFirst(ReplyHandler):
    """Answers with the sign-in page where a browser opens one, else with one sentence (401)."""

    def initialize(self, providers: tuple[Provider, ...], prefix: str) -> None:
        self._providers = providers
        self._prefix = prefix

    def prepare(self) -> None:
        """Answer before any method of the request is looked at."""
        request = self.request
        opens = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
        if opens and request.path.count("/") == 1 and not self.is_foreign():
            self._send_page()
        else:
            self.refuse(401, NOBODY)

    def is_foreign(self) -> bool:
        """Return whether another site asks for it, but by a link that somebody followed."""
        return is_foreign(self.request) and not is_followed_link(self.request.headers)

    def refuse(self, status: int, message: str) -> None:
        """Answer with one sentence, as JSON where a script or a program asks."""
        refuse_in_kind(self, status, message)

    def _send_page(self) -> None:
        nonce = secrets.token_urlsafe(16)
        self.set_status(401)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Security-Policy", _POLICY.format(nonce=nonce))
        page = sign_in_page(self._providers, self._prefix, nonce)
        self.reply(page, "text/html; charset=utf-8")


def sign_in_page(providers: Sequence[Provider], prefix: str, nonce: str) -> str:
    """Return the page that asks who somebody is, or what passphrase an invited one chooses."""
    buttons = "".join(
        f'<button type="button" class="by" data-provider="{escape(each.name)}">'
        f"Sign in with {escape(each.title)}</button>"
        for each in providers
    )
    page = _PAGE.replace("{{nonce}}", nonce).replace("{{buttons}}", buttons)
    return page.replace("{{prefix}}", prefix)


def ask_for_sign_in(application: Application, context: AppContext) -> None:
    """Put a rule before all routes, after those that are there already; see the module."""
    reach, handler = context.reach, guarded(SignInFirst, _GateGuard)
    given = {"providers": reach.providers, "prefix": reach.prefix}
    application.default_router.rules.insert(-1, Rule(_NotSignedIn(context), handler, given))
