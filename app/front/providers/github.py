"""GitHub, which signs no ID tokens: it is asked whose account it is (OAuth 2 with PKCE)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from lens_triage.app.front.providers.calls import ProviderError, ask
from lens_triage.app.front.providers.oidc import is_token
from lens_triage.app.front.providers.pending import Pending
from lens_triage.app.http.providers import Account, Provider
from lensing_core.errors import PolicyError

_PUBLIC = "https://github.com"
_VERSION = {"X-GitHub-Api-Version": "2022-11-28", "Accept": "application/vnd.github+json"}


class GitHubService:
    """GitHub, or a GitHub Enterprise Server at another address.

    Addresses are those of "Authorizing OAuth apps" and of the REST API, version 2022-11-28
    (https://docs.github.com).

    Parameters
    ----------
    provider : Provider
    """

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        issuer = provider.issuer
        self._api = "https://api.github.com" if issuer == _PUBLIC else f"{issuer}/api/v3"

    def begin(self, pending: Pending) -> str:
        """Return the address of GitHub at which a sign-in goes on."""
        asked = {
            "client_id": self.provider.client_id,
            "redirect_uri": pending.redirect_uri,
            "scope": "read:user user:email",
            "state": pending.state,
            "code_challenge": pending.challenge,
            "code_challenge_method": "S256",
        }
        return f"{self.provider.issuer}/login/oauth/authorize?{urlencode(asked)}"

    def account(self, pending: Pending, code: str) -> Account:
        """Return whose account it is, by the code that the browser brought back."""
        provider, title = self.provider, self.provider.title
        form = {
            "client_id": provider.client_id,
            "client_secret": provider.client_secret,
            "code": code,
            "redirect_uri": pending.redirect_uri,
            "code_verifier": pending.verifier,
        }
        answer = ask(title, f"{provider.issuer}/login/oauth/access_token", form=form)
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not is_token(token):  # GitHub says so with status 200
            raise PolicyError(f"{title} does not take this sign-in; sign in again.")
        headers = {**_VERSION, "Authorization": f"Bearer {token}"}
        user = ask(title, f"{self._api}/user", headers=headers)
        emails = ask(title, f"{self._api}/user/emails", headers=headers)
        # The number of an account: names of GitHub can be given up and taken by others.
        number = user.get("id") if isinstance(user, dict) else None
        if not isinstance(number, int) or isinstance(number, bool):
            raise ProviderError(f"{title} names no account.")
        names = (user.get("name"), user.get("login"), "Colleague")
        known = tuple(name for name in names if isinstance(name, str) and name)
        return Account(provider.issuer, str(number), known, _verified(emails))


def _verified(answer: Any) -> tuple[str, ...]:
    """Addresses that GitHub has verified, the primary one first."""
    if not isinstance(answer, list):
        return ()
    entries = [
        entry
        for entry in answer
        if isinstance(entry, dict)
        and entry.get("verified") is True
        and isinstance(entry.get("email"), str)
    ]
    entries.sort(key=lambda entry: entry.get("primary") is not True)
    return tuple(entry["email"].strip().lower() for entry in entries)
