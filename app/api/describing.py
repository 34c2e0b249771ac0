"""``/api/v1`` and ``/api/v1/openapi.json``: the API described, for people and for programs."""

from __future__ import annotations

import secrets
from html import escape
from typing import Any

from lens_triage.app.api.base import ApiHandler
from lens_triage.app.api.endpoints import (
    BASE,
    ENDPOINTS,
    Endpoint,
    Parameter,
    addresses,
    parameters_by_method,
)
from lens_triage.app.api.openapi import description, roles_of
from lens_triage.app.context import AppContext
from lens_triage.app.permissions import ALONE, GRADER, NOBODY, ORGANIZER, READER, WHO

_POLICY = (
    "default-src 'none'; style-src 'nonce-{nonce}'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'"
)
_STYLE = """
:root { color-scheme: light dark; --line: #8886; --muted: #666; --code: #8882; }
@media (prefers-color-scheme: dark) { :root { --muted: #aaa; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.05rem; margin: 0 0 .3rem; }
section { border-top: 1px solid var(--line); padding: 1rem 0; } h1 + p { margin-bottom: 1rem; }
code, pre { font: 13px/1.45 ui-monospace, monospace; background: var(--code); border-radius: 4px; }
code { padding: 1px 4px; } pre { padding: .7rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; color: var(--muted); }
th, td { text-align: left; vertical-align: top; padding: 3px 12px 3px 0; font-weight: 400; }
th { white-space: nowrap; } p { margin: .3rem 0; } .who { color: var(--muted); }
"""
_PEOPLE = {
    ALONE: "who works alone",
    NOBODY: "who is not signed in",
    READER: "readers",
    GRADER: "graders",
    ORGANIZER: "organizers",
}
_EXAMPLES = {
    ("/candidates", "GET"): "'{url}/candidates?ensemble=NAME&min=0.9&limit=50'",
    ("/candidates/{id}/pixels", "GET"): "-o cutout.npy '{url}/candidates/1/pixels'",
    ("/labels", "POST"): (
        "-H 'Content-Type: application/json' "
        '-d \'{{"kind": "grade", "candidate": 1, "grade": "A"}}\' {url}/labels'
    ),
    ("/score", "POST"): (
        "-H 'Content-Type: application/octet-stream' --data-binary @cutouts.npy "
        "'{url}/score?survey=ps1&bands=g,r,i'"
    ),
}


class OpenApiHandler(ApiHandler):
    """``GET /api/v1/openapi.json``."""

    async def get(self) -> None:
        """Send the description."""
        self.send(description(self.context.reach.prefix))


class ApiPageHandler(ApiHandler):
    """``GET /api/v1``: a page without scripts, which needs nothing from elsewhere."""

    async def get(self) -> None:
        """Send the page."""
        nonce = secrets.token_urlsafe(16)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Security-Policy", _POLICY.format(nonce=nonce))
        url = f"{self.request.protocol}://{self.request.host}{self.context.reach.prefix}{BASE}"
        self.reply(api_page(nonce, url), "text/html; charset=utf-8")


def api_page(nonce: str, url: str) -> str:
    """Return the page; ``url`` is where the API is, for examples."""
    parts = "".join(_section(endpoint, url) for endpoint in ENDPOINTS)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        "<title>API · lens-triage</title>"
        f'<meta name="viewport" content="width=device-width">'
        f'<style nonce="{nonce}">{_STYLE}</style></head><body><main><h1>API of lens-triage</h1>'
        f"<p>Programs ask with an API token, made in <b>Settings</b> or by "
        f"<code>lens-triage tokens add</code>, as the header "
        f"<code>Authorization: Bearer TOKEN</code>; never in an address. Replies are JSON; a "
        f"refusal is <code>{escape('{')}&quot;error&quot;: a sentence{escape('}')}</code>. The "
        f'same as <a href="v1/openapi.json">OpenAPI 3.1</a>.</p>{parts}</main></body></html>'
    )


def _section(endpoint: Endpoint, url: str) -> str:
    example = _EXAMPLES.get((endpoint.path, endpoint.method))
    shown = ""
    if example is not None:
        command = f"curl -H 'Authorization: Bearer TOKEN' {example.format(url=url)}"
        shown = f"<pre>{escape(command)}</pre>"
    about = f"<p>{escape(endpoint.description)}</p>" if endpoint.description else ""
    roles = roles_of(endpoint)
    who = "everybody" if len(roles) == len(WHO) else ", ".join(_PEOPLE[role] for role in roles)
    return (
        f"<section><h2><code>{endpoint.method} {escape(BASE + endpoint.path)}</code></h2>"
        f'<p>{escape(endpoint.summary)} <span class="who">({escape(who)})</span></p>{about}'
        f"{_table('Parameters', endpoint.parameters)}{shown}</section>"
    )


def _table(caption: str, parameters: tuple[Parameter, ...]) -> str:
    if not parameters:
        return ""
    rows = "".join(
        f"<tr><th scope=row><code>{escape(one.name)}</code></th><td>{escape(_told(one))}</td></tr>"
        for one in parameters
    )
    return f"<table><caption>{caption}</caption>{rows}</table>"


def _told(parameter: Parameter) -> str:
    several = len(parameter.choices) > 1
    choices = f" One of {', '.join(parameter.choices)}." if several else ""
    many = " May be given several times." if parameter.many else ""
    return f"{parameter.description}{choices}{many}"


def routes(context: AppContext) -> list[tuple[str, type[ApiHandler], dict[str, AppContext]]]:
    """Return URL patterns, handlers and arguments, for the server's list of routes."""
    given: dict[str, Any] = {"context": context}
    own: list[tuple[str, type[ApiHandler], dict[str, AppContext]]] = [
        (BASE, ApiPageHandler, given),
        (f"{BASE}/openapi.json", OpenApiHandler, given),
    ]
    for pattern, handler in addresses().items():
        handler.parameters = parameters_by_method(handler, pattern)
        own.append((pattern, handler, given))
    return own
