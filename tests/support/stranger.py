"""Somebody who reaches a server through nginx: one connection, and what is no sign-in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from http.client import HTTPException, HTTPSConnection

from attacking import Attack
from odd_heads import FOREIGN, FOREIGN_NETWORK, TRUSTED_BY_OTHERS
from proxied import Proxied
from raw_http import RawReply
from tornado.web import create_signed_value

from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import cookie_name, token_of
from lensing_core.store import open_database
from lensing_core.store.graders import (
    add_grader,
    named_grader,
    set_active,
    sign_in,
    workspace_secret,
)
from lensing_core.store.passphrases import Passphrase
from lensing_core.store.sign_ins import find_sign_in, open_sign_in, revoke_sign_in

Headers = Sequence[tuple[str, str]]
REFUSED = {*range(400, 500), 501, 503, 505}
"""Statuses by which the server or nginx refuses, those for methods and versions among them."""


class Client:
    """Sends requests through nginx one after another, and looks at each reply."""

    def __init__(self, proxied: Proxied, attack: Attack) -> None:
        self._proxied = proxied
        self._attack = attack
        self._link: HTTPSConnection | None = None

    def ask(
        self, method: str, address: str, headers: Headers = (), body: bytes | None = None
    ) -> RawReply | None:
        """Return the reply; None where there was none, which is counted."""
        name = f"{method} {address[:200]} {str(headers)[:200]} {str(body or '')[:100]}"
        for may_be_stale in (self._link is not None, False):
            try:
                found = self._send(method, address, headers, body)
            except (ConnectionError, HTTPException) as error:
                self.leave()
                if not may_be_stale:  # else it was closed after its last reply
                    self._attack.crashes.append(f"{name}: {error!r}")
                    return None
            except TimeoutError:
                self.leave()
                self._attack.hangs.append(name)
                return None
            else:
                look(self._attack, name, found)
                return found
        return None

    def _send(self, method: str, address: str, headers: Headers, body: bytes | None) -> RawReply:
        link = self._link = self._link or self._proxied.link()
        link.putrequest(method, address, skip_host=True)
        if not any(name.lower() == "host" for name, _ in headers):
            link.putheader("Host", self._proxied.host)
        for each in headers:
            link.putheader(*each)
        if body is not None:
            link.putheader("Content-Length", str(len(body)))
        link.endheaders(body)
        reply = link.getresponse()
        found = RawReply(reply.status, [(n.lower(), v) for n, v in reply.getheaders()])
        if reply.status != 101:
            found.body = reply.read()
        if reply.will_close or reply.status == 101:
            self.leave()
        return found

    def leave(self) -> None:
        """Close the connection."""
        if self._link is not None:
            self._link.close()
        self._link = None


def look(attack: Attack, name: str, reply: RawReply) -> None:
    """Count what any reply may tell of the server."""
    text = reply.body[:4000].decode("utf-8", "replace")
    attack.refused += reply.status in REFUSED
    if reply.status >= 500 and reply.status not in REFUSED:
        attack.uncaught.append(f"{name}: {reply.status} {text[:200]}")
    if "Traceback" in text or 'File "' in text:
        attack.uncaught.append(f"{name}: a traceback in the reply")
    said = [text, *(value for _, value in reply.headers)]
    if any(FOREIGN in each or FOREIGN_NETWORK in each for each in said):
        attack.accepted.append(f"{name}: the reply repeats what was forged")
    for given in reply.all("set-cookie"):
        if not {"secure", "httponly", "path=/lens/"} <= set(given.lower().split("; ")):
            attack.accepted.append(f"{name}: {given}")
    if reply.all("x-frame-options") != ["DENY"] and not _is_none_of_ours(reply):
        attack.accepted.append(f"{name}: {reply.status} without the headers")


def _is_none_of_ours(reply: RawReply) -> bool:
    """Return whether nginx answered by itself, or Tornado broke off before it knew a handler.

    Ours say how their text is coded.
    """
    is_cut_off = reply.status == 400 and not reply.body
    return is_cut_off or (reply.status >= 300 and reply.all("content-type") == ["text/html"])


def credentials(proxied: Proxied, cookie: str) -> dict[str, Headers]:
    """What somebody sends who is not signed in, by name."""
    context = AppContext.of(proxied.workspace)
    secret, name = workspace_secret(proxied.workspace), cookie_name(context)
    good = cookie.partition("=")[2]
    token = token_of(context, good)

    def signed(given: str, by: str = secret) -> Headers:
        return [("Cookie", f"{name}={create_signed_value(by, name, given).decode()}")]

    with open_database(proxied.workspace).session() as session:
        leaver = add_grader(session, "Eve", "organizer", Passphrase("tall giraffes"))
        tokens = {
            each: open_sign_in(session, named_grader(session, who))
            for each, who in (("revoked", "Bo"), ("too old", "Ana"), ("deactivated", "Eve"))
        }
        tokens["without a passphrase"] = open_sign_in(session, sign_in(session, "Dora"))
        revoke_sign_in(session, tokens["revoked"])
        old = find_sign_in(session, tokens["too old"])
        assert old is not None
        old[1].created_at -= timedelta(days=91)
        set_active(session, leaver.id, active=False)
    return {
        "nothing": [],
        "no cookie of ours": [("Cookie", f"{name}=nonsense; lens-triage-grader-00000000={good}")],
        "an empty cookie": [("Cookie", f"{name}=")],
        "a cut signature": [("Cookie", f"{name}={good[:-8]}")],
        "another signature": [("Cookie", f"{name}={good[:-4]}0000")],
        "the secret of another workspace": signed(token, "0" * len(secret)),
        "a token that was made up": signed("made up"),
        "an empty token": signed(""),
        **{each: signed(given) for each, given in tokens.items()},
        "headers that others trust": [*TRUSTED_BY_OTHERS.items(), ("X-Cookie", cookie)],
        "the cookie as another header": [("Authorization", f"Bearer {good}"), ("Cookie2", cookie)],
    }
