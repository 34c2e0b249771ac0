"""Settings of ``lens-triage serve`` and of ``server.toml`` in the workspace.

By default this machine alone reaches the server. Every way further (another address to listen on,
another name to answer to, a proxy in front) needs a sign-in with a secret, which then every request
needs.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import param

from lens_triage.app.http.reach import ADDRESS, LOCAL_NAMES, Reach
from lens_triage.app.provider_settings import read_providers
from lensing_core.errors import BadInputError, PolicyError
from lensing_core.workspace import Workspace

SETTINGS = "server.toml"
PROVIDER = "provider"
"""Tables of it, one for each service by which people sign in."""
_ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:]+")
_PREFIX = re.compile(r"(/[A-Za-z0-9._~@-]+)*")


class ServerSettings(param.Parameterized):
    """Settings of the server; each is an option of ``lens-triage serve`` too, which goes first."""

    host = param.String(default=ADDRESS, doc="Address to listen on.")
    allow_host = param.List(
        default=[],
        item_type=str,
        doc="Host name in the browser's address, without scheme or port, as in the proxy's "
        "settings.",
    )
    prefix = param.String(
        default="", doc="Path below which the proxy serves the pages, such as /lens."
    )
    behind_proxy = param.List(
        default=[],
        item_type=str,
        doc="Address of a proxy whose X-Forwarded headers are trusted.",
    )
    require_sign_in = param.Boolean(
        default=False,
        doc="Require a sign-in with a passphrase for every page, picture, download and request.",
    )
    root = param.List(
        default=[],
        item_type=str,
        doc="Folder of this machine from which organizers may import files; without one they "
        "cannot import any. If no sign-in is required, all folders are allowed.",
    )


def read_reach(workspace: Workspace, given: Mapping[str, Any]) -> Reach:
    """Return what ``server.toml`` and the options of the command say, options first.

    Parameters
    ----------
    given : Mapping
        Options by the name of their setting; None and empty ones were not given.

    Raises
    ------
    BadInputError
        If a setting is unknown or makes no sense.
    PolicyError
        If others would reach the server without a sign-in.
    """
    path = workspace.confine(SETTINGS)
    try:
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        stored = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path} is no TOML: {error}.") from error
    providers = read_providers(workspace.root, stored.pop(PROVIDER, []))
    known = set(ServerSettings.param) - {"name"}
    if unknown := set(stored) - known:
        raise BadInputError(
            f"{path}: {sorted(unknown)[0]} is no setting; known are "
            f"{', '.join(sorted({*known, PROVIDER}))}."
        )
    options = {name: value for name, value in given.items() if value not in (None, [], ())}
    try:
        settings = ServerSettings(**{**stored, **options})
    except (TypeError, ValueError) as error:
        raise BadInputError(f"{path} or an option of serve: {error}.") from error
    if providers and not settings.require_sign_in:
        raise PolicyError(
            f"{path}: a provider signs people in where everybody has to sign in: set "
            "require_sign_in = true."
        )
    return replace(checked(settings), providers=providers)


def checked(settings: ServerSettings) -> Reach:
    """Return what settings come to; raises as :func:`read_reach` does."""
    host = settings.host.lower()
    _check_address("host", ADDRESS if host == "localhost" else host)
    names = [name.lower() for name in settings.allow_host]
    for name in names:
        if not _NAME.fullmatch(name):
            raise BadInputError(f"allow_host {name!r}: give a name such as lenses.example.org.")
    for proxy in settings.behind_proxy:
        _check_address("behind_proxy", proxy)
    prefix = settings.prefix.rstrip("/")
    if not _PREFIX.fullmatch(prefix) or "/.." in prefix:
        raise BadInputError(f"prefix {settings.prefix!r}: give a path such as /lens.")
    is_far = not _is_loopback(host) or bool(settings.behind_proxy)
    is_far = is_far or any(not _is_loopback(name) for name in names)
    if is_far and not settings.require_sign_in:
        raise PolicyError(
            "Others would reach this server without signing in: give --require-sign-in (or "
            f"require_sign_in = true in {SETTINGS}), or serve on {ADDRESS} alone."
        )
    own = () if host in _ANY_ADDRESS else (host,)
    roots = tuple(Path(root).expanduser().resolve() for root in settings.root)
    for root in roots:
        if not root.is_dir():
            raise BadInputError(f"root {root}: there is no such folder.")
    return Reach(
        host=ADDRESS if host == "localhost" else host,
        names=tuple(dict.fromkeys((*LOCAL_NAMES, *own, *names))),
        prefix=prefix,
        proxies=frozenset(str(ip_address(proxy)) for proxy in settings.behind_proxy),
        asks=settings.require_sign_in,
        roots=roots,
    )


def _check_address(setting: str, text: str) -> None:
    try:
        ip_address(text)
    except ValueError:
        raise BadInputError(f"{setting} {text!r}: give an IP address such as {ADDRESS}.") from None


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
