"""Identity: a signed cookie names the grader; :func:`current_grader` reads it in a page.

A program shows an API token in its place (``Authorization: Bearer``), never in an address.

The cookie holds a token that the database knows (:mod:`lensing_core.store.sign_ins`), signed with
the workspace's secret. A restart of the server signs nobody out; signing out, a changed passphrase
and an organizer do, in all tabs and for every copy of the cookie. The cookie's name is the
workspace's, since browsers keep cookies apart by host and not by port.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler, create_signed_value, decode_signed_value

from lens_triage.app import permissions
from lens_triage.app.context import AppContext
from lens_triage.app.http.json_handlers import OwnPageHandler
from lens_triage.app.http.pools import SIGNING
from lens_triage.app.http.throttle import Throttle
from lens_triage.app.permissions import ALONE
from lensing_core.errors import BadInputError, PolicyError, SignInError
from lensing_core.store import Database, Session, open_database
from lensing_core.store.api_tokens import START, find_api_token
from lensing_core.store.audit import record
from lensing_core.store.graders import (
    secret_of,
    set_passphrase,
    sign_in,
    works_alone,
    workspace_secret,
)
from lensing_core.store.invitations import accept
from lensing_core.store.labels import find_named
from lensing_core.store.passphrases import Passphrase
from lensing_core.store.sign_ins import (
    LASTS,
    find_sign_in,
    open_sign_in,
    renew_sign_in,
    revoke_sign_in,
)

NO_MATCH = "The name or the passphrase is wrong."
"""Said of names that are unknown, too: who asks from afar is told of none."""
NOBODY = "Nobody is signed in; sign in at the top of the page."
_BELIEVED_S = 2.0
_BY_NAME = Throttle()
# All who come through a tunnel share one address, so that nobody waits long for others' faults.
_BY_ADDRESS = Throttle(free=50, longest_s=1.0)
_BEARER = "Bearer "
_alone_lately: dict[str, tuple[float, bool]] = {}
_read_lately: dict[tuple[str, str], tuple[float, SignedIn | None]] = {}


@dataclass(frozen=True)
class SignedIn:
    """Somebody who is signed in.

    Attributes
    ----------
    id : int
    name, role : str
    guarded : bool
        Whether with a secret.
    token_label : str
        Of the API token by which a program acts for them; '' where they are here themselves.
    """

    id: int
    name: str
    role: str
    guarded: bool
    token_label: str = ""

    @property
    def is_organizer(self) -> bool:
        """Return whether the grader may see everybody's figures, and close anybody's sessions."""
        return self.role == "organizer"


def current_grader(context: AppContext) -> SignedIn | None:
    """Person signed in in the browser of this page, or None; decides what the page shows."""
    return _read(context, context.cookie)


def is_still_here(context: AppContext, grader: SignedIn) -> bool:
    """Return whether who opened this page is signed in still, in the role of then; asks the
    database.
    """
    with context.database.session() as session:
        now = signed_in_by(session, token_of(context, context.cookie))
    return now is not None and (now.id, now.role) == (grader.id, grader.role)


def read_grader(context: AppContext, handler: RequestHandler) -> SignedIn | None:
    """Person who makes a request, or None."""
    return _read(context, shown_by(context, handler.request))


def read_grader_of_picture(context: AppContext, handler: RequestHandler) -> SignedIn | None:
    """Person who requests a picture, or None; cached for 2 s, as a page requests hundreds."""
    return read_shown(context, shown_by(context, handler.request))


def read_shown(context: AppContext, cookie: str | None) -> SignedIn | None:
    """Person named by a cookie or token (:func:`shown_by`), or None; cached for 2 s."""
    key, now = (str(context.workspace.root), cookie or ""), time.monotonic()
    known = _read_lately.get(key)
    if known is not None and now - known[0] < _BELIEVED_S:
        return known[1]
    found = _read(context, cookie)
    if len(_read_lately) > 100:
        _read_lately.clear()
    _read_lately[key] = (now, found)
    return found


def shown_by(context: AppContext, request: HTTPServerRequest) -> str:
    """Credential of a request: an API token with ``Bearer`` before it, else its cookie;
    '' where it shows nothing.
    """
    if is_by_token(request):
        return _BEARER + request.headers["Authorization"][len(_BEARER) :].strip()
    cookie = request.cookies.get(cookie_name(context))
    return "" if cookie is None or cookie.value.startswith(_BEARER) else cookie.value


def is_by_token(request: HTTPServerRequest) -> bool:
    """Return whether a program asks, by an API token: its cookies, if any, count for nothing."""
    return request.headers.get("Authorization", "")[: len(_BEARER)].lower() == _BEARER.lower()


def role_of_request(context: AppContext, request: HTTPServerRequest) -> str:
    """Role of who asks, a key of :data:`~lens_triage.app.permissions.WHO`; holds for 2 s."""
    found = read_shown(context, shown_by(context, request))
    if found is not None:
        return found.role
    key, now = str(context.workspace.root), time.monotonic()
    known = _alone_lately.get(key)
    if known is None or now - known[0] >= _BELIEVED_S:
        with context.database.session() as session:
            known = _alone_lately[key] = (now, works_alone(session))
    return ALONE if known[1] else permissions.NOBODY


def is_signed_in_safely(context: AppContext, cookie: str | None) -> bool:
    """Return whether a cookie is of somebody who signed in with a secret; holds for 2 s."""
    found = read_shown(context, cookie)
    return found is not None and found.guarded


class GraderHandler(OwnPageHandler):
    """Base of the handlers that answer graders only."""

    @property
    def here(self) -> AppContext:
        """The context of the browser that asks."""
        return self.context.seen_by(shown_by(self.context, self.request))

    @property
    def writable(self) -> Database:
        """The database, for signing in and out: everybody may."""
        return open_database(self.context.workspace)

    def grader(self) -> SignedIn:
        """Person who makes the request; raises SignInError where nobody is signed in."""
        found = read_grader(self.context, self)
        if found is None:
            raise SignInError(NOBODY)
        return found

    @property
    def address(self) -> str:
        """IP address of the browser that asks, as far as it is known."""
        return str(self.request.remote_ip)

    def token(self) -> str:
        """The token of the browser that asks; '' where it has none."""
        return token_of(self.context, shown_by(self.context, self.request))

    def remember(self, token: str) -> None:
        """Sign in the browser that asks."""
        name = cookie_name(self.context)
        signed = create_signed_value(workspace_secret(self.context.workspace), name, token)
        self.set_cookie(
            name,
            signed.decode("ascii"),
            max_age=int(LASTS.total_seconds()),
            httponly=True,
            samesite="Lax" if self.context.reach.asks else "Strict",
            secure=self.request.protocol == "https",
            path=f"{self.context.reach.prefix}/",
        )


class _PassphraseHandler(GraderHandler):
    """Base of the handlers that compare passphrases: slow, so apart from all else, and counted."""

    pool = SIGNING

    def work_out(self, name: str, passphrase: Passphrase, stored: str | None) -> None:
        """Compare a passphrase outside of any transaction; raises BusyError after many wrong ones.

        A name is counted together with the address, and the address alone with more patience.
        """
        if stored is None:
            passphrase.work_out(None)
            return
        address = self.address
        keys = ((_BY_NAME, f"{address} {_folded(name)}"), (_BY_ADDRESS, address))
        for throttle, key in keys:
            throttle.check(key)
        if passphrase.opens(stored):
            _BY_NAME.succeeded(keys[0][1])
            return
        with self.writable.session() as session:
            known = find_named(session, name)
            if known is not None:  # else somebody could fill the log
                record(session, "wrong passphrase", "", f"for {known.name}", address)
        for throttle, key in keys:
            throttle.failed(key)


class SignInHandler(_PassphraseHandler):
    """``POST /sign-in``: ``name``, ``passphrase``."""

    async def post(self) -> None:
        """Sign in; makes the name where there is none, and ends the sign-in from before."""

        def work() -> dict[str, str]:
            asked = self.body()
            name, passphrase = text_in(asked, "name"), Passphrase(text_in(asked, "passphrase"))
            with self.writable.session() as session:
                stored = secret_of(session, name)
            asks = self.context.reach.asks
            self.work_out(name, passphrase, stored or (_decoy() if asks else None))
            if asks and (stored is None or not passphrase.opens(stored)):
                raise PolicyError(NO_MATCH)
            with self.writable.session() as session:
                if asks and secret_of(session, name) is None:
                    raise PolicyError(NO_MATCH)
                grader = sign_in(session, name, passphrase)
                revoke_sign_in(session, self.token())
                token = open_sign_in(session, grader)
                record(session, "sign-in", grader.name, grader.role, self.address)
            forget_read()
            self.remember(token)
            return {"name": grader.name, "role": grader.role}

        await self.answer(work)


class JoinHandler(_PassphraseHandler):
    """``POST /join``: ``token`` of an invitation, and the ``passphrase`` that is chosen."""

    async def post(self) -> None:
        """Make the name of an invitation, and sign in with it."""

        def work() -> dict[str, str]:
            asked = self.body()
            token, passphrase = text_in(asked, "token"), Passphrase(text_in(asked, "passphrase"))
            _BY_ADDRESS.check(self.address)
            passphrase.hashed()
            try:
                with self.writable.session() as session:
                    grader = accept(session, token, passphrase)
                    record(session, "invitation", grader.name, "accepted", self.address)
                    given = open_sign_in(session, grader)
            except PolicyError:
                _BY_ADDRESS.failed(self.address)
                raise
            self.remember(given)
            return {"name": grader.name, "role": grader.role}

        await self.answer(work)


class PassphraseHandler(_PassphraseHandler):
    """``POST /passphrase``: ``old``, ``new``."""

    async def post(self) -> None:
        """Change the passphrase of who is signed in; other browsers are signed out."""

        def work() -> dict[str, bool]:
            asked = self.body()
            with self.writable.session() as session:
                found = find_sign_in(session, self.token())
                if found is None:
                    raise SignInError(NOBODY)
            old, new = (Passphrase(text_in(asked, name)) for name in ("old", "new"))
            self.work_out(found[0].name, old, found[0].secret)
            if new:
                new.hashed()
            elif self.context.reach.asks:
                raise BadInputError("Every name on this server needs a passphrase: give a new one.")
            with self.writable.session() as session:
                found = find_sign_in(session, self.token())
                if found is None:
                    raise SignInError(NOBODY)
                changed = set_passphrase(session, found[0].id, old, new, here=found[1])
                token = renew_sign_in(session, found[1])
                record(session, "passphrase", changed.name, "of their own", self.address)
            forget_read()
            self.remember(token)
            return {"guarded": changed.secret is not None}

        await self.answer(work)


class SignOutHandler(GraderHandler):
    """``POST /sign-out``."""

    async def post(self) -> None:
        """End the sign-in of this browser: in all its tabs, and for every copy of its cookie."""

        def work() -> dict[str, str]:
            with self.writable.session() as session:
                found = find_sign_in(session, self.token())
                if found is not None:
                    record(session, "sign-out", found[0].name, "", self.address)
                revoke_sign_in(session, self.token())
            forget_read()
            self.clear_cookie(cookie_name(self.context), path=f"{self.context.reach.prefix}/")
            return {}

        await self.answer(work)


class WhoHandler(GraderHandler):
    """``GET /who``: under which name and role a browser or program acts, and in which workspace."""

    async def get(self) -> None:
        """``grader`` and ``workspace`` are what events have to name."""

        def work() -> dict[str, Any]:
            person = self.grader()
            mark = cookie_name(self.context).rpartition("-")[2]
            return {
                "grader": person.id,
                "name": person.name,
                "role": person.role,
                "workspace": mark,
            }

        await self.answer(work)


@cache
def _decoy() -> str:
    """Hash that is checked for an unknown name, so that the reply takes as long."""
    return Passphrase.random().hashed()


def page_context(context: AppContext) -> AppContext:
    """The context of the browser for which a page is being built."""
    import panel as pn  # here: the process that serves grading has no pages, and starts at once

    cookie = pn.state.cookies.get(cookie_name(context)) or ""
    return context.seen_by("" if cookie.startswith(_BEARER) else cookie)


def routes(context: AppContext) -> list[tuple[str, type[OwnPageHandler], dict[str, AppContext]]]:
    """URL patterns, handlers and arguments, for the server's list of routes."""
    given = {"context": context}
    return [
        (r"/sign-in", SignInHandler, given),
        (r"/sign-out", SignOutHandler, given),
        (r"/passphrase", PassphraseHandler, given),
        (r"/join", JoinHandler, given),
        (r"/who", WhoHandler, given),
    ]


def cookie_name(context: AppContext) -> str:
    """Name of this workspace's cookie."""
    secret = workspace_secret(context.workspace)
    return f"lens-triage-grader-{hashlib.sha256(secret.encode()).hexdigest()[:8]}"


def _folded(name: str) -> str:
    """A name as it is counted: that of one grader in all spellings that open it."""
    return " ".join(name.split()).casefold()[:200]


def text_in(asked: Mapping[str, Any], name: str) -> str:
    """A text of a request, '' where it is missing; raises BadInputError where it is none."""
    value = asked.get(name, "")
    if not isinstance(value, str) or (not value.isascii() and any(map(_is_half, value))):
        raise BadInputError(f"{name}: give a text.")
    return value


def _is_half(letter: str) -> bool:
    """Return whether it is half of a character, which JSON can send and no database stores."""
    return "\ud800" <= letter <= "\udfff"


def forget_read() -> None:
    """Look up anew who is signed in, since that has changed."""
    _read_lately.clear()
    _alone_lately.clear()


def token_of(context: AppContext, cookie: str | None) -> str:
    """The token that a cookie of this workspace holds, or that a program shows; '' if none."""
    if cookie is not None and cookie.startswith(_BEARER):
        token = cookie[len(_BEARER) :]
        return token if token.startswith(START) else ""
    secret = workspace_secret(context.workspace)
    value = decode_signed_value(secret, cookie_name(context), cookie or "", max_age_days=LASTS.days)
    return "" if value is None else value.decode("ascii", "replace")


def signed_in_by(session: Session, token: str) -> SignedIn | None:
    """Person signed in by a token now, or None."""
    if token.startswith(START):
        by_token = find_api_token(session, token)
        if by_token is None:
            return None
        owner, shown, role = by_token
        return SignedIn(owner.id, owner.name, role, True, shown.label)
    found = find_sign_in(session, token)
    if found is None:
        return None
    grader = found[0]
    return SignedIn(grader.id, grader.name, grader.role, grader.secret is not None)


def _read(context: AppContext, cookie: str | None) -> SignedIn | None:
    """Person named by a cookie now, which another process may have changed."""
    token = token_of(context, cookie)
    if not token:
        return None
    with context.database.session() as session:
        return signed_in_by(session, token)
