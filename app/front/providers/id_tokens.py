"""The check of an ID token (OpenID Connect Core 1.0, 3.1.3.7)."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import Any

import jwt
from jwt import PyJWK

from lens_triage.app.front.providers.calls import ProviderError
from lensing_core.errors import PolicyError

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""Signatures by a key that the service alone has: nothing that the client secret makes, or none."""
_LEEWAY_S = 60
_MOST_LETTERS = 2**14
_MOST_KEYS = 100
_GOOGLE = "https://accounts.google.com"
Key = Mapping[str, Any]
Keys = Callable[[bool], Mapping[str, Key]]
"""The keys of a service by their id; the argument asks for them anew."""


def claims_of(
    token: Any, *, title: str, issuer: str, client_id: str, nonce: str, keys: Keys
) -> dict[str, Any]:
    """Return the claims of an ID token after all checks.

    Parameters
    ----------
    title : str
        Of the service, for messages.
    issuer : str
        As the settings have it, and the claim ``iss`` must.
    client_id : str
        That ``aud`` must have.
    nonce : str
        Of the sign-in that was begun.
    keys : callable
        See :data:`Keys`.

    Raises
    ------
    PolicyError
        If a check fails.
    """
    if not isinstance(token, str) or len(token) > _MOST_LETTERS:
        raise PolicyError(f"{title} sent no ID token.")
    try:
        head = jwt.get_unverified_header(token)
        algorithm = head.get("alg")
        if algorithm not in ALGORITHMS:
            raise PolicyError(f"{title} signs its ID token by {algorithm!r}, which proves nothing.")
        claims = jwt.decode(
            token,
            _key(head, title, keys),
            algorithms=[algorithm],
            audience=client_id,
            issuer=[issuer, "accounts.google.com"] if issuer == _GOOGLE else issuer,
            leeway=_LEEWAY_S,
            options={"require": ["exp", "iat", "sub", "aud", "iss"]},
        )
    except jwt.ExpiredSignatureError:
        raise PolicyError(f"The ID token of {title} has expired; sign in again.") from None
    except jwt.InvalidAudienceError:
        raise PolicyError(f"The ID token of {title} is meant for another server.") from None
    except jwt.InvalidSignatureError:
        raise PolicyError(f"The ID token of {title} is not signed by it.") from None
    except jwt.PyJWTError as error:
        kind = type(error).__name__
        raise PolicyError(f"The ID token of {title} is invalid ({kind}).") from None
    _check_more(claims, title, client_id, nonce)
    return claims


def _check_more(claims: Mapping[str, Any], title: str, client_id: str, nonce: str) -> None:
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise PolicyError(f"The ID token of {title} belongs to another sign-in; sign in again.")
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if ("azp" in claims or several) and claims.get("azp") != client_id:
        raise PolicyError(f"The ID token of {title} was given to another server.")
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
        raise PolicyError(f"The ID token of {title} names no account.")


def _key(head: Mapping[str, Any], title: str, keys: Keys) -> PyJWK:
    """The key that a token says it is signed with; where it is new, the keys are asked for anew."""
    wanted = head.get("kid")
    for anew in (False, True):
        known = keys(anew)
        found = known.get(wanted) if isinstance(wanted, str) else None
        if wanted is None and len(known) == 1:
            found = next(iter(known.values()))
        if found is not None and found.get("alg", head["alg"]) == head["alg"]:
            return PyJWK(dict(found), head["alg"])
    raise PolicyError(f"The ID token of {title} is not signed by it.")


def read_keys(title: str, answer: Any) -> dict[str, Key]:
    """Return the keys of a JWKS that verify signatures, by their id."""
    entries = answer.get("keys") if isinstance(answer, dict) else None
    if not isinstance(entries, list):
        raise ProviderError(f"{title} sent no keys.")
    return {
        str(entry.get("kid", f"#{n}")): entry
        for n, entry in enumerate(entries[:_MOST_KEYS])
        if isinstance(entry, dict)
        and entry.get("use", "sig") == "sig"
        and entry.get("kty") in ("RSA", "EC", "OKP")
    }
