"""Headers and checks that all replies of the server share.

:func:`guarded` makes a handler class that refuses what another site asks, sends the headers that
keep other sites away from the reply, and survives whatever the handler raises.
"""

from __future__ import annotations

import inspect
import logging
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import RequestHandler

if TYPE_CHECKING:
    _Base = RequestHandler
else:
    _Base = object  # the handler that is guarded comes after it in the order of methods

_log = logging.getLogger(__name__)

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_NO_SCRIPTS = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# Bokeh compiles callbacks (unsafe-eval), Panel loads its components from blobs, and both write
# scripts and styles into the page; attributes such as onerror are used by neither.
_PAGE = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "script-src-attr 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self' blob: {socket}; worker-src 'self' blob:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_OWN = ("same-origin", "none")
FOREIGN = "Only the pages of this server may send this request."
OPEN_BY_HAND = "Another site may not open this page; copy its address into a new tab."
NO_SESSION = "A session cannot be chosen by an address; open the page without bokeh-… in it."
NOT_YOURS = "This page was not opened under this sign-in; open it again."
OPENED_WITH = "sign_in_cookie"
"""Setting of an application: name of the cookie that a page and its websocket must share."""
_SENTENCES = {
    400: "The request cannot be read.",
    403: "You are not allowed to send this request.",
    404: "There is nothing at this address.",
    405: "This address does not answer requests of this kind.",
    413: "The request is too long.",
}
_FAILED = "The server could not answer; its log says why."


def is_foreign(request: HTTPServerRequest) -> bool:
    """Return whether a request comes from a page of another site.

    Browsers of today say so (``Sec-Fetch-Site``); older ones name the page (``Origin``,
    ``Referer``). What names nothing is no browser, or an address that somebody typed.
    """
    headers = request.headers
    if headers.get("Sec-Fetch-Site", "none") not in _OWN:
        return True
    return any(
        name in headers and not _is_own(headers[name], request) for name in ("Origin", "Referer")
    )


def _is_own(address: str, request: HTTPServerRequest) -> bool:
    """Return whether an address is of the server, and by TLS where the request came by TLS.

    Who is on the way to a browser may show it pages of any name without TLS.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    is_safe = parts.scheme == "https" or request.protocol != "https"
    return is_safe and parts.netloc.lower() == request.host.lower()


def is_followed_link(headers: HTTPHeaders) -> bool:
    """Return whether somebody clicked on a link to here: another site asks for nothing else."""
    return (
        headers.get("Sec-Fetch-Mode") == "navigate"
        and headers.get("Sec-Fetch-Dest") == "document"
        and headers.get("Sec-Fetch-User") == "?1"
    )


class Guard(_Base):
    """Checks before a handler runs; see :func:`guarded`."""

    def set_default_headers(self) -> None:
        """Set the headers of every reply, of errors too."""
        super().set_default_headers()
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.set_header("Content-Security-Policy", self.security_policy())

    def security_policy(self) -> str:
        """Return the Content-Security-Policy of the reply."""
        return _NO_SCRIPTS

    def refusal(self) -> str:
        """Return why the request is refused; '' if it is not."""
        return FOREIGN if is_foreign(self.request) else ""

    async def prepare(self) -> None:
        """Refuse what another site asks, before any method of the handler runs."""
        why = self.refusal()
        if why:
            self.say(403, why)
            return
        if "\0" in unquote(self.request.path):  # no file and no row has it in its name
            self.say(404, _SENTENCES[404])
            return
        prepared = super().prepare()
        if inspect.isawaitable(prepared):
            await prepared

    async def _execute(self, *args: Any, **kwargs: Any) -> None:
        """Answer the request; an import or a script that ends the process ends its request only."""
        try:
            await super()._execute(*args, **kwargs)
        except SystemExit as error:
            _log.error("%s would have ended the server", self.request.path, exc_info=error)
            if not self._finished:
                self.send_error(500)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with one sentence that names no file and no line."""
        fallback = _FAILED if status_code >= 500 else _SENTENCES[400]
        self.say(status_code, _SENTENCES.get(status_code, fallback))

    def say(self, status: int, message: str) -> None:
        """Answer with one sentence, in the form that the handler gives its own."""
        refuse = getattr(self, "refuse", None)
        if refuse is not None:
            refuse(status, message)
            return
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(message)


class PageGuard(Guard):
    """Checks before a page: it may have scripts, and links of other sites may lead to it."""

    def security_policy(self) -> str:
        scheme = "wss" if self.request.protocol == "https" else "ws"
        return _PAGE.format(socket=f"{scheme}://{self.request.host}")

    def refusal(self) -> str:
        if is_foreign(self.request) and not is_followed_link(self.request.headers):
            return OPEN_BY_HAND
        named = {"bokeh-session-id", "bokeh-token"} & {*self.request.query_arguments}
        # Who gives somebody an address with a session in it would share that person's session.
        return NO_SESSION if named or "Bokeh-Session-Id" in self.request.headers else ""


class SocketGuard(Guard):
    """Checks before a page's websocket is opened."""

    def refusal(self) -> str:
        """Return also why somebody may not take over the page of another."""
        return super().refusal() or ("" if self._is_of_who_opened_it() else NOT_YOURS)

    def _is_of_who_opened_it(self) -> bool:
        """Return whether the cookie is that with which the page was opened, as its token says."""
        cookie = self.settings.get(OPENED_WITH)
        token = self.request.headers.get("Sec-WebSocket-Protocol", "").partition(",")[2].strip()
        if cookie is None or not token:
            return True
        from bokeh.util import token as tokens  # here: the front does without Bokeh

        key = self.application.secret_key  # type: ignore[attr-defined]  # it is Bokeh's
        try:
            if not tokens.check_token_signature(token, secret_key=key, signed=True):
                return False
        except (ValueError, TypeError, KeyError, AttributeError):  # it is no token
            return False
        opened = tokens.get_token_payload(token).get("cookies", {})
        return bool(opened.get(cookie) == self.get_cookie(cookie))

    def check_origin(self, origin: str) -> bool:
        """Return whether a page of this server asks: under the name that it asked for, which is one
        of the server's.
        """
        return _is_own(origin, self.request)

    async def on_message(self, message: str | bytes) -> None:
        """Pass a message on; a callback that ends the process ends nothing.

        Who sends before the page is open, which it tells, is none of our pages.
        """
        if self.receiver is None:  # type: ignore[attr-defined]  # of the websocket's handler
            self.close()  # type: ignore[attr-defined]
            return
        try:
            await super().on_message(message)  # type: ignore[misc]  # of the websocket's handler
        except SystemExit as error:
            _log.error("A message would have ended the server", exc_info=error)


class Missing(RequestHandler):
    """Answers for addresses that are none."""

    def prepare(self) -> None:
        """Answer before any method of the request is looked at."""
        self.send_error(404)


@cache
def guarded(handler: type[RequestHandler], guard: type[Guard] = Guard) -> type[RequestHandler]:
    """Return a handler class with a guard in front of it."""
    if issubclass(handler, Guard):
        return handler
    return type(handler.__name__, (guard, handler), {"__module__": handler.__module__})
