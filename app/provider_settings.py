"""Settings of one service by which people sign in: a table ``[[provider]]`` of ``server.toml``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import param

from lens_triage.app.http.providers import GITHUB, GOOGLE, INVITED, KINDS, Provider
from lensing_core.errors import BadInputError

NEW_PEOPLE = (INVITED, "reader", "grader")
_ISSUERS = {GITHUB: "https://github.com", GOOGLE: "https://accounts.google.com"}
_TITLES = {GITHUB: "GitHub", GOOGLE: "Google"}
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class ProviderSettings(param.Parameterized):
    """Settings of one service by which people sign in."""

    kind: Any = param.Selector(
        objects=[*KINDS], doc="Kind of service: oidc is any that supports OpenID Connect."
    )
    key = param.String(
        default="",
        doc="Key of the service in addresses of this server, such as /sign-in/KEY; "
        "by default the kind.",
    )
    title = param.String(default="", doc="Title on the button “Sign in with TITLE”.")
    issuer = param.String(
        default="",
        doc="Address of the service, exactly as it states its issuer; required for kind oidc.",
    )
    client_id = param.String(default="", doc="Client id by which the service knows this server.")
    client_secret_file = param.String(
        default="", doc="File with the client secret; a relative path is below WORKSPACE."
    )
    client_secret_env = param.String(
        default="", doc="Environment variable with the secret, instead of a file."
    )
    allow_domain = param.List(
        default=[],
        item_type=str,
        doc="People with a verified e-mail address in this domain may sign in.",
    )
    allow_subject = param.List(
        default=[], item_type=str, doc="Account that may sign in, by the service's own identifier."
    )
    new_people: Any = param.Selector(
        default=INVITED,
        objects=[*NEW_PEOPLE],
        doc="Role of people admitted by the two lists; invited: people need an invitation.",
    )


def read_providers(root: Path, tables: Any) -> tuple[Provider, ...]:
    """Return the services that tables of ``server.toml`` describe.

    Parameters
    ----------
    root : Path
        Of the workspace, from which paths of secrets are taken.

    Raises
    ------
    BadInputError
        If a setting is unknown, missing or makes no sense.
    """
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise BadInputError("provider: write each as a table that begins with [[provider]].")
    found = tuple(_read(root, table) for table in tables)
    names = [each.name for each in found]
    if double := next((name for name in names if names.count(name) > 1), ""):
        raise BadInputError(f"provider {double}: there are two; give one of them another key.")
    return found


def _read(root: Path, table: Mapping[str, Any]) -> Provider:
    known = set(ProviderSettings.param) - {"name"}
    if unknown := set(table) - known:
        raise BadInputError(
            f"provider: {sorted(unknown)[0]} is no setting; known are {', '.join(sorted(known))}."
        )
    if "kind" not in table:
        raise BadInputError(f"provider: kind is missing; give one of {', '.join(KINDS)}.")
    try:
        given = ProviderSettings(**table)
    except (TypeError, ValueError) as error:
        raise BadInputError(f"provider: {error}.") from error
    name = given.key or given.kind
    provider = Provider(
        name=name,
        kind=given.kind,
        title=given.title or _TITLES.get(given.kind, name),
        issuer=given.issuer.rstrip("/") if given.kind == GITHUB else given.issuer,
        client_id=given.client_id,
        client_secret=_secret(root, given, name),
        allow_domains=frozenset(domain.lower().lstrip("@") for domain in given.allow_domain),
        allow_subjects=frozenset(given.allow_subject),
        new_people=given.new_people,
    )
    return _checked(provider)


def _checked(provider: Provider) -> Provider:
    where = f"provider {provider.name}"
    if not _NAME.fullmatch(provider.name):
        raise BadInputError(f"{where}: key: give small letters, digits and dashes.")
    if not provider.client_id:
        raise BadInputError(f"{where}: client_id is missing.")
    if provider.kind == GOOGLE and provider.issuer:
        raise BadInputError(f"{where}: issuer: that of Google is known; use kind oidc for others.")
    if wrong := next((d for d in provider.allow_domains if not _DOMAIN.fullmatch(d)), ""):
        raise BadInputError(f"{where}: allow_domain {wrong!r}: give a domain such as example.org.")
    if provider.new_people != INVITED and not (provider.allow_domains or provider.allow_subjects):
        raise BadInputError(
            f"{where}: new_people would let in whoever has an account there; give allow_domain or "
            "allow_subject too."
        )
    issuer = provider.issuer or _ISSUERS.get(provider.kind, "")
    if not is_safe_address(issuer):
        example = "https://login.example.org"
        raise BadInputError(f"{where}: issuer {issuer!r}: give an https address such as {example}.")
    return Provider(**{**vars(provider), "issuer": issuer})


def is_safe_address(address: str) -> bool:
    """Return whether an address is of https, or of this machine: secrets are sent to it."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    if parts.username or parts.password or parts.fragment or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _secret(root: Path, given: ProviderSettings, name: str) -> str:
    """The secret; no message has it."""
    file, variable = given.client_secret_file, given.client_secret_env
    if bool(file) == bool(variable):
        raise BadInputError(
            f"provider {name}: give client_secret_file or client_secret_env, one of the two."
        )
    if variable:
        found = os.environ.get(variable, "").strip()
        place = f"the variable {variable} of the environment"
    else:
        path = root / Path(file).expanduser()
        place = str(path)
        try:
            found = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise BadInputError(f"provider {name}: {path} cannot be read ({why}).") from error
    if not found:
        raise BadInputError(f"provider {name}: {place} holds no secret.")
    return found
