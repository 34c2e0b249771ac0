"""Sign-in by accounts of other services: OpenID Connect, and OAuth as GitHub has it.

- ``pending``: sign-ins that have begun, each to be ended once, by the browser that began it
- ``calls``: bounded requests to a service
- ``oidc``, ``github``: what is asked of either kind, and whose account it is
- ``id_tokens``: the check of an ID token
- ``people``: which name an account signs in
- ``handlers``: the addresses of it

The authorization code flow with PKCE (RFC 7636, RFC 9700). Panel's own sign-in handlers set cookies
of theirs within the process of the pages, which is behind the sign-in, and trust claims of a token
that they do not verify; so none of them is used.
"""

from __future__ import annotations

from typing import Any

from lens_triage.app.context import AppContext


def routes(context: AppContext) -> list[tuple[str, Any, dict[str, Any]]]:
    """URL patterns, handlers and arguments, for the list of routes of the front."""
    from lens_triage.app.front.providers import handlers  # here: few servers need cryptography

    return handlers.routes(context)
