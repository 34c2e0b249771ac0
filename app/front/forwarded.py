"""Forwarding headers of proxies: trusted from those that are named, removed from all others.

The head of each request is rewritten before anything reads it: the path loses the prefix, ``Host``
is what the browser asked for, and no ``X-Forwarded-`` header is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from tornado.httputil import HTTPHeaders, RequestStartLine

from lens_triage.app.http.reach import Reach

_HEADERS = ("forwarded", "x-real-ip", "x-scheme", "x-proxycontextpath")


@dataclass(frozen=True)
class Client:
    """Sender of a request, as far as it is known.

    Attributes
    ----------
    address : str
        IP address of the browser, or of whoever is in front of it.
    scheme : str
        ``http`` or ``https``, as the browser has it.
    """

    address: str
    scheme: str


def read_forwarded(reach: Reach, peer: str, headers: HTTPHeaders) -> Client:
    """Return who asks; the headers are changed as the module says.

    Parameters
    ----------
    peer : str
        Address that the connection comes from.
    """
    is_proxy = _plain(peer) in reach.proxies
    passed, schemes, hosts = (
        headers.get(f"X-Forwarded-{name}", "").split(",") if is_proxy else [""]
        for name in ("For", "Proto", "Host")
    )
    named = [name for name in headers if name.lower() in _HEADERS or _is_forwarded(name)]
    for name in named:
        del headers[name]
    if hosts[-1].strip():
        headers["Host"] = hosts[-1].strip()
    address, at = peer, -1
    for at in range(-1, -len(passed) - 1, -1):
        found = _plain(passed[at])
        address = found or address
        if found not in reach.proxies:  # what stands before it, anybody may have written
            break
    # Each proxy of a chain adds an address and a scheme: that of the browser's own connection
    # stands where its address does.
    scheme = schemes[at if len(schemes) == len(passed) else -1].strip().lower()
    return Client(address, "https" if scheme == "https" else "http")


def without_prefix(reach: Reach, line: RequestStartLine) -> RequestStartLine:
    """Return the first line of a request without the prefix, which some proxies remove already."""
    if not reach.prefix or not line.path.startswith(reach.prefix + "/"):
        return line
    return line._replace(path=line.path[len(reach.prefix) :])


def _is_forwarded(name: str) -> bool:
    return name.lower().startswith("x-forwarded-")


def _plain(address: str) -> str:
    """An address in its one spelling; '' where it is none."""
    try:
        found = ip_address(address.strip())
    except ValueError:
        return ""
    return str(getattr(found, "ipv4_mapped", None) or found)
