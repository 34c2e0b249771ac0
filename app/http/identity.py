"""Who is signed in: a signed cookie names the grader; :func:`current_grader` reads it in a page.

The cookie is signed with the workspace's secret, so that a restart of the server signs nobody out;
a changed passphrase does. Its name is the workspace's, since browsers keep cookies apart by host
and not by port.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

import panel as pn
from tornado.web import RequestHandler, create_signed_value, decode_signed_value

from app.context import AppContext
from app.http.json_handlers import OwnPageHandler
from lensing_core.errors import PolicyError
from lensing_core.store.graders import (
    find_grader,
    set_passphrase,
    sign_in,
    sign_in_mark,
    workspace_secret,
)
from lensing_core.store.tables import Grader

_DAYS = 90
_BELIEVED_S = 2.0
_read_lately: dict[tuple[str, str], tuple[float, SignedIn | None]] = {}


@dataclass(frozen=True)
class SignedIn:
    """A grader who is signed in."""

    id: int
    name: str
    role: str
    guarded: bool

    @property
    def is_organiser(self) -> bool:
        """Whether the grader may see everybody's figures, and close anybody's sessions."""
        return self.role == "organiser"


def current_grader(context: AppContext) -> SignedIn | None:
    """Who is signed in in this page's browser, or None.

    Works while a page is being built and in its callbacks.
    """
    return _read(context, pn.state.cookies.get(cookie_name(context)))


def read_grader(context: AppContext, handler: RequestHandler) -> SignedIn | None:
    """Who makes a request, or None."""
    return _read(context, handler.get_cookie(cookie_name(context)))


class GraderHandler(OwnPageHandler):
    """Base of the handlers that answer graders only."""

    def grader(self) -> SignedIn:
        """Who asks; raises PolicyError where nobody is signed in."""
        found = read_grader(self.context, self)
        if found is None:
            raise PolicyError("Nobody is signed in; sign in at the top of the page.")
        return found

    def remember(self, grader: Grader) -> None:
        """Sign in the browser that asks."""
        name = cookie_name(self.context)
        value = f"{grader.id}.{sign_in_mark(grader)}"
        signed = create_signed_value(workspace_secret(self.context.workspace), name, value)
        self.set_cookie(
            name,
            signed.decode("ascii"),
            max_age=_DAYS * 86_400,
            httponly=True,
            samesite="Strict",
            path="/",
        )


class SignInHandler(GraderHandler):
    """``POST /sign-in``: ``name``, ``passphrase``."""

    async def post(self) -> None:
        """Sign in; makes the name where there is none."""

        def work() -> dict[str, str]:
            asked = self.body()
            with self.context.database.session() as session:
                name, passphrase = asked.get("name", ""), asked.get("passphrase", "")
                grader = sign_in(session, str(name), str(passphrase))
            self.remember(grader)
            return {"name": grader.name, "role": grader.role}

        await self.answer(work)


class PassphraseHandler(GraderHandler):
    """``POST /passphrase``: ``old``, ``new``."""

    async def post(self) -> None:
        """Change the passphrase of who is signed in; other browsers are signed out."""

        def work() -> dict[str, bool]:
            asked, grader = self.body(), self.grader()
            with self.context.database.session() as session:
                old, new = str(asked.get("old", "")), str(asked.get("new", ""))
                changed = set_passphrase(session, grader.id, old, new)
            self.remember(changed)
            return {"guarded": changed.secret is not None}

        await self.answer(work)


class SignOutHandler(GraderHandler):
    """``POST /sign-out``."""

    def post(self) -> None:
        """Forget who is signed in in this browser."""
        self.clear_cookie(cookie_name(self.context))
        self.send({})


def routes(context: AppContext) -> list[tuple[str, type[OwnPageHandler], dict[str, AppContext]]]:
    """URL patterns, handlers and arguments, for the server's list of routes."""
    given = {"context": context}
    return [
        (r"/sign-in", SignInHandler, given),
        (r"/sign-out", SignOutHandler, given),
        (r"/passphrase", PassphraseHandler, given),
    ]


def cookie_name(context: AppContext) -> str:
    """Of this workspace's cookie."""
    secret = workspace_secret(context.workspace)
    return f"lens-triage-grader-{hashlib.sha256(secret.encode()).hexdigest()[:8]}"


def _read(context: AppContext, cookie: str | None) -> SignedIn | None:
    """Who a cookie names; a page of stamps asks for each of them, so the answer holds for 2 s."""
    if not cookie:
        return None
    key, now = (str(context.workspace.root), cookie), time.monotonic()
    known = _read_lately.get(key)
    if known is not None and now - known[0] < _BELIEVED_S:
        return known[1]
    found = _read_anew(context, cookie)
    if len(_read_lately) > 100:
        _read_lately.clear()
    _read_lately[key] = (now, found)
    return found


def _read_anew(context: AppContext, cookie: str) -> SignedIn | None:
    secret = workspace_secret(context.workspace)
    value = decode_signed_value(secret, cookie_name(context), cookie, max_age_days=_DAYS)
    if value is None:
        return None
    key, _, mark = value.decode("ascii").partition(".")
    with context.database.session() as session:
        grader = find_grader(session, int(key))
    if grader is None or mark != sign_in_mark(grader):
        return None
    return SignedIn(grader.id, grader.name, grader.role, grader.secret is not None)
