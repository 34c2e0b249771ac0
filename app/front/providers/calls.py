"""Bounded requests to a service by which people sign in."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import requests

from lens_triage.app.provider_settings import is_safe_address
from lensing_core.errors import LensTriageError

_WITHIN_S = 10.0
_MOST_BYTES = 2**20
_CHUNK = 2**14


class ProviderError(LensTriageError):
    """A service does not answer, or not as it has to."""


def ask(
    title: str,
    address: str,
    *,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    basic: tuple[str, str] | None = None,
) -> Any:
    """Return the JSON that an address answers; no redirect is followed.

    Parameters
    ----------
    title : str
        Of the service, for messages; they name nothing that was sent.
    form : mapping, optional
        To post; else it is a GET.
    basic : tuple of str, optional
        User and password of HTTP Basic.

    Raises
    ------
    ProviderError
        If the answer is none, late, too long, of an error, or no JSON.
    """
    if not is_safe_address(address):
        raise ProviderError(f"{title} names an address that is not of https.")
    sent = {"Accept": "application/json", "User-Agent": "lens-triage", **(headers or {})}
    until = time.monotonic() + _WITHIN_S
    with requests.Session() as session:
        session.auth = basic or _no_password
        try:
            with session.request(
                "GET" if form is None else "POST",
                address,
                data=form,
                headers=sent,
                timeout=_WITHIN_S,
                allow_redirects=False,
                stream=True,
            ) as response:
                body = _read(title, response, until)
                status = response.status_code
        except requests.RequestException as error:
            raise ProviderError(
                f"{title} does not answer ({type(error).__name__}); try again later."
            ) from None
    return _json(title, status, body)


def _read(title: str, response: requests.Response, until: float) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > _MOST_BYTES or time.monotonic() > until:
            raise ProviderError(f"{title} sends too large or too slow an answer; try again later.")
    return bytes(body)


def _json(title: str, status: int, body: bytes) -> Any:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if status != requests.codes.ok:
        raise ProviderError(f"{title} refused this ({status}{_code(found)}).")
    if found is None:
        raise ProviderError(f"{title} sent an answer that is not JSON.")
    return found


def _code(found: Any) -> str:
    """The code of an error (RFC 6749, 5.2), as far as it is one."""
    code = found.get("error") if isinstance(found, dict) else None
    return f", {code}" if is_code(code) else ""


def is_code(text: Any) -> bool:
    """Return whether it is the code of an error, which may be shown to people."""
    return isinstance(text, str) and 0 < len(text) <= 40 and text.replace("_", "").isalnum()


def _no_password(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Send none of the passwords that a .netrc has."""
    return request
