"""The addresses of signing in by another service.

``POST /sign-in-with`` begins: its reply is the address of the service, and a cookie ties what comes
back to this browser. ``GET /sign-in/NAME`` is where the service sends the browser back to.
"""

from __future__ import annotations

import hmac
import re
import secrets
from html import escape
from pathlib import Path
from typing import Any

from lens_triage.app.context import AppContext
from lens_triage.app.front.providers.calls import ProviderError, is_code
from lens_triage.app.front.providers.github import GitHubService
from lens_triage.app.front.providers.oidc import OidcService
from lens_triage.app.front.providers.pending import LASTS_S, Pending, PendingSignIns
from lens_triage.app.front.providers.people import admit, is_known
from lens_triage.app.http.guard import Guard, guarded
from lens_triage.app.http.identity import (
    GraderHandler,
    cookie_name,
    forget_read,
    text_in,
)
from lens_triage.app.http.pools import PROVIDERS
from lens_triage.app.http.providers import GITHUB, Account, Provider
from lens_triage.app.http.throttle import Throttle
from lensing_core.errors import PolicyError
from lensing_core.store.audit import record
from lensing_core.store.passphrases import Passphrase
from lensing_core.store.sign_ins import open_sign_in, revoke_sign_in

BACK = r"/sign-in/[a-z0-9-]+"
_PAGE = (Path(__file__).parent / "back.html").read_text(encoding="utf-8")
_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_PAGE_AND_QUERY = re.compile(r"[a-z]+(\?[!-~]{0,2000})?")
_FOREIGN = "Another site may open this address only in a sign-in that was started here."
_NOT_OPEN = "This sign-in has expired, or was started in another browser; sign in again."
_REFUSED = Throttle(free=20, longest_s=30.0)
Service = OidcService | GitHubService


class Services:
    """All services of a server, and the sign-ins that have begun."""

    def __init__(self, providers: tuple[Provider, ...]) -> None:
        self.pending = PendingSignIns()
        self._services: dict[str, Service] = {
            each.name: GitHubService(each) if each.kind == GITHUB else OidcService(each)
            for each in providers
        }

    def named(self, name: str) -> Service:
        """The service of a name; raises PolicyError where there is none."""
        found = self._services.get(name)
        if found is None:
            raise PolicyError("That service is not set up for signing in here.")
        return found


class _ServiceHandler(GraderHandler):
    """Base of the two."""

    pool = PROVIDERS

    def initialize(  # type: ignore[override]  # Tornado passes these by name
        self, context: AppContext, services: Services
    ) -> None:
        super().initialize(context)
        self.services = services

    def flow_cookie(self, state: str) -> str:
        """Name of the cookie of a sign-in that has begun: several tabs may each have one."""
        return f"{cookie_name(self.context)}-{state[:8]}"

    @property
    def back_path(self) -> str:
        return f"{self.context.reach.prefix}/sign-in/"


class BeginHandler(_ServiceHandler):
    """``POST /sign-in-with``: ``provider``, ``page`` to open then, ``invitation``."""

    async def post(self) -> None:
        """Answer with the address of the service at which the sign-in goes on."""

        def work() -> dict[str, str]:
            asked = self.body()
            name = text_in(asked, "provider")
            service = self.services.named(name)
            _REFUSED.check(self.address)
            base = f"{self.request.protocol}://{self.request.host}"
            pending = self.services.pending.begin(
                name,
                f"{base}{self.back_path}{name}",
                page_of_ours(text_in(asked, "page")),
                text_in(asked, "invitation"),
                self.address,
            )
            address = service.begin(pending)
            self.set_cookie(
                self.flow_cookie(pending.state),
                pending.browser,
                max_age=int(LASTS_S),
                httponly=True,
                samesite="Lax",  # it has to come with the browser from the other site
                secure=self.request.protocol == "https",
                path=self.back_path,
            )
            return {"address": address}

        await self.answer(work)


class BackGuard(Guard):
    """Guard of :class:`BackHandler`: another site sends the browser here, as a page."""

    def refusal(self) -> str:
        headers = self.request.headers
        is_page = headers.get("Sec-Fetch-Dest", "document") == "document"
        is_opened = headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
        return "" if is_page and is_opened else _FOREIGN


class BackHandler(_ServiceHandler):
    """``GET /sign-in/NAME``: ``code`` and ``state``, or ``error`` and ``state``."""

    def prepare(self) -> None:
        """Ask for no JSON: a browser opens it as a page."""

    async def get(self) -> None:
        """Sign in, and open the page that was asked for; or say in one sentence why not."""
        state = self._argument("state")
        pending = self.services.pending.take(state)
        self.clear_cookie(self.flow_cookie(state), path=self.back_path)
        try:
            token, page = await self.pool.run(lambda: self._sign_in(pending, state))
        except Exception as error:  # noqa: BLE001 - logged; the page gets one sentence
            if isinstance(error, ProviderError):
                self.refuse(502, str(error))
            else:
                self.refuse_for(error, "The server could not sign you in; its log says why.")
            return
        forget_read()
        self.remember(token)
        self._send(200, page, "You are signed in.", "Go on")

    def refuse(self, status: int, message: str) -> None:
        """Answer with a page that has one sentence."""
        self._send(status, "overview", message, "Back to the sign-in")

    def _sign_in(self, pending: Pending | None, state: str) -> tuple[str, str]:
        """Return the token of a new sign-in and the page to open; raises PolicyError and
        ProviderError.
        """
        here = self.get_cookie(self.flow_cookie(state)) or ""
        _REFUSED.check(self.address)
        is_own = pending is not None and hmac.compare_digest(
            here.encode("utf-8", "replace"), pending.browser.encode()
        )
        if pending is None or not is_own or pending.provider != self._name:
            raise PolicyError(_NOT_OPEN)
        service = self.services.named(pending.provider)
        provider = service.provider
        error, code = self._argument("error"), self._argument("code")
        issuer = self._argument("iss")
        if issuer and issuer != provider.issuer:  # RFC 9207
            raise PolicyError(f"{provider.title} did not send you here.")
        if error or not code:
            why = f" ({error})" if is_code(error) else ""
            raise PolicyError(f"{provider.title} did not sign you in{why}.")
        account = service.account(pending, code)
        return self._open(provider, account, pending.invitation), pending.page

    def _open(self, provider: Provider, account: Account, invitation: str) -> str:
        nobodys = Passphrase.random()
        with self.writable.session() as session:
            known = is_known(session, account)
        if not known:
            nobodys.hashed()  # slow: before the database is locked
        try:
            with self.writable.session() as session:
                grader = admit(session, provider, account, invitation, nobodys, self.address)
                revoke_sign_in(session, self.token())
                token = open_sign_in(session, grader)
                details = f"{grader.role}, by {provider.title}"
                record(session, "sign-in", grader.name, details, self.address)
                return token
        except PolicyError:
            _REFUSED.failed(self.address)
            with self.writable.session() as session:
                details = f"{provider.title}: {account.subject} {' '.join(account.emails[:1])}"
                record(session, "refused sign-in", "", details, self.address)
            raise

    @property
    def _name(self) -> str:
        return self.request.path.rpartition("/")[2]

    def _argument(self, name: str) -> str:
        """An argument that is there once; else ''."""
        found = self.get_arguments(name)
        return found[0] if len(found) == 1 and len(found[0]) <= 4096 else ""

    def _send(self, status: int, page: str, sentence: str, label: str) -> None:
        """A page that leads on by itself where all went well.

        It is no redirect: browsers count one as an address that the other site has opened.
        """
        nonce = secrets.token_urlsafe(16)
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Security-Policy", _POLICY.format(nonce=nonce))
        values = {
            "nonce": nonce,
            "address": escape(f"{self.context.reach.prefix}/{page}"),
            "sentence": escape(sentence),
            "label": escape(label),
            "leads": "on" if status == 200 else "off",
        }
        text = re.sub(r"\{\{(\w+)\}\}", lambda found: values[found.group(1)], _PAGE)
        self.reply(text, "text/html; charset=utf-8")


def page_of_ours(text: str) -> str:
    """Return the name of a page with its query; ``overview`` for whatever is none.

    It is put behind the prefix of this server, and holds no slash, backslash or colon before the
    query, so that it leads nowhere else.
    """
    return text if _PAGE_AND_QUERY.fullmatch(text) else "overview"


def routes(context: AppContext) -> list[tuple[str, Any, dict[str, Any]]]:
    """URL patterns, handlers and arguments, for the list of routes of the front."""
    given = {"context": context, "services": Services(context.reach.providers)}
    return [
        (r"/sign-in-with", BeginHandler, given),
        (BACK, guarded(BackHandler, BackGuard), given),
    ]
