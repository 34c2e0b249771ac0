"""OpenID Connect: what a service says of itself, and whose account a code is of."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from lens_triage.app.front.providers.calls import ProviderError, ask
from lens_triage.app.front.providers.id_tokens import Key, claims_of, read_keys
from lens_triage.app.front.providers.pending import Pending
from lens_triage.app.http.providers import GOOGLE, Account, Provider
from lens_triage.app.provider_settings import is_safe_address
from lensing_core.errors import PolicyError

_KEPT_S = 3600.0
_KEYS_AT_MOST_EVERY_S = 30.0
_PUBLIC = "gmail.com"


class OidcService:
    """A service that speaks OpenID Connect; what it says of itself holds for an hour.

    Parameters
    ----------
    provider : Provider
    """

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._lock = threading.Lock()
        self._said: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, dict[str, Key]] | None = None

    def begin(self, pending: Pending) -> str:
        """Return the address of the service at which a sign-in goes on."""
        asked = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": pending.redirect_uri,
            "scope": "openid profile email",
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": pending.challenge,
            "code_challenge_method": "S256",
        }
        address = self._address("authorization_endpoint")
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"

    def account(self, pending: Pending, code: str) -> Account:
        """Return whose account it is, by the code that the browser brought back."""
        provider = self.provider
        answer = self._exchange(pending, code)
        claims = claims_of(
            answer.get("id_token"),
            title=provider.title,
            issuer=provider.issuer,
            client_id=provider.client_id,
            nonce=pending.nonce,
            keys=self._known_keys,
        )
        more = claims if "email" in claims else {**self._user_info(answer, claims), **claims}
        return Account(
            provider.issuer, claims["sub"], _names(more), _emails(more, provider.kind == GOOGLE)
        )

    def _exchange(self, pending: Pending, code: str) -> dict[str, Any]:
        provider = self.provider
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": pending.redirect_uri,
            "code_verifier": pending.verifier,
        }
        methods = self._metadata().get("token_endpoint_auth_methods_supported")
        basic = None
        if isinstance(methods, list) and "client_secret_basic" not in methods:
            form |= {"client_id": provider.client_id, "client_secret": provider.client_secret}
        else:  # RFC 6749, 2.3.1
            basic = (quote(provider.client_id, safe=""), quote(provider.client_secret, safe=""))
        answer = ask(provider.title, self._address("token_endpoint"), form=form, basic=basic)
        if not isinstance(answer, dict):
            raise ProviderError(f"{provider.title} sent an answer without tokens.")
        return answer

    def _user_info(self, answer: Mapping[str, Any], claims: Mapping[str, Any]) -> dict[str, Any]:
        """User info from the service; it must be that of the ID token's account."""
        token = answer.get("access_token")
        if "userinfo_endpoint" not in self._metadata() or not is_token(token):
            return {}
        bearer = {"Authorization": f"Bearer {token}"}
        title = self.provider.title
        found = ask(title, self._address("userinfo_endpoint"), headers=bearer)
        if not isinstance(found, dict) or found.get("sub") != claims["sub"]:
            raise PolicyError(f"{title} told of another account than signed in.")
        return found

    def _address(self, name: str) -> str:
        found = self._metadata().get(name)
        if not isinstance(found, str) or not is_safe_address(found):
            raise ProviderError(f"{self.provider.title} names no {name} of https.")
        return found

    def _metadata(self) -> dict[str, Any]:
        """Metadata of the service (OpenID Connect Discovery 1.0, 4)."""
        with self._lock:
            if self._said is None or time.monotonic() - self._said[0] > _KEPT_S:
                title, issuer = self.provider.title, self.provider.issuer
                found = ask(title, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
                if not isinstance(found, dict) or found.get("issuer") != issuer:
                    raise ProviderError(f"{title} does not call itself {issuer}; see its issuer.")
                self._said = (time.monotonic(), found)
            return self._said[1]

    def _known_keys(self, anew: bool) -> Mapping[str, Key]:
        address = self._address("jwks_uri")
        with self._lock:
            kept_s = _KEYS_AT_MOST_EVERY_S if anew else _KEPT_S
            if self._keys is None or time.monotonic() - self._keys[0] > kept_s:
                title = self.provider.title
                self._keys = (time.monotonic(), read_keys(title, ask(title, address)))
            return self._keys[1]


def is_token(text: Any) -> bool:
    """Return whether it can be sent as a bearer token: it is nothing else than a word."""
    return isinstance(text, str) and text.isascii() and text.isprintable() and " " not in text


def _names(claims: Mapping[str, Any]) -> tuple[str, ...]:
    email = str(claims.get("email", "")).partition("@")[0]
    wanted = (claims.get("name"), claims.get("preferred_username"), email, "Colleague")
    return tuple(name for name in wanted if isinstance(name, str) and name)


def _emails(claims: Mapping[str, Any], is_google: bool) -> tuple[str, ...]:
    """The address, if the service vouches for it.

    Of Google that is so for its own addresses and for those of the organization (``hd``) that
    manages the account: an address of any other domain may have changed hands since
    (https://developers.google.com/identity/gsi/web/guides/verify-google-id-token).
    """
    email = claims.get("email")
    if not isinstance(email, str) or claims.get("email_verified") is not True:
        return ()
    email = email.strip().lower()
    domain = email.rpartition("@")[2]
    if is_google and domain != _PUBLIC and domain != str(claims.get("hd", "")).lower():
        return ()
    return (email,)
