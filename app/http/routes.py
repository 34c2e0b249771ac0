"""The addresses that the server answers: an allow-list of what its own pages use.

Panel and Bokeh mount more than that: components of any module by its name in the address, which
imports it; scripts that put a page into other sites; descriptions of sessions. Only what is listed
here is kept, each behind a guard; all else is 404 before any code of theirs runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bokeh.server.views.multi_root_static_handler import MultiRootStaticHandler
from bokeh.server.views.static_handler import StaticHandler
from panel.io.server import DocHandler, WSHandler
from tornado.routing import PathMatches, Rule
from tornado.web import Application, RequestHandler, URLSpec

from lens_triage.app.http.guard import Guard, Missing, PageGuard, SocketGuard, guarded

_EXTENSIONS = ("panel", "panel-material-ui")

Route = tuple[str, type[RequestHandler], dict[str, Any]]


def third_party(slugs: Iterable[str]) -> dict[tuple[str, type[RequestHandler]], type[Guard]]:
    """Return the routes of Panel and Bokeh that our pages use: pattern and handler, to guard."""
    allowed: dict[tuple[str, type[RequestHandler]], type[Guard]] = {
        (r"/static/(.*)$", StaticHandler): Guard,
        (r"/static/extensions/(.*)$", MultiRootStaticHandler): Guard,
    }
    for slug in slugs:
        allowed[rf"/{slug}/?$", DocHandler] = PageGuard
        allowed[rf"/{slug}/ws$", WSHandler] = SocketGuard
    return allowed


def restrict(application: Application, slugs: Iterable[str], own: Sequence[Route]) -> None:
    """Replace the routes of an application by those that are allowed, each behind its guard.

    Parameters
    ----------
    application : Application
        Of Bokeh's server, before it answers anything.
    slugs : iterable of str
        Names of the pages.
    own : sequence of tuple
        Pattern, handler and arguments of each route that is our own.
    """
    allowed = third_party(slugs)
    for pattern, handler, _ in own:
        allowed[f"{pattern}$", handler] = Guard
    kept = []
    for rule in application.wildcard_router.rules:
        guard = allowed.get((_pattern(rule), rule.target))
        if guard is not None:
            arguments = rule.target_kwargs
            if rule.target is MultiRootStaticHandler:
                arguments = {"root": {name: arguments["root"][name] for name in _EXTENSIONS}}
            kept.append(URLSpec(_pattern(rule), _guarded(rule, guard), arguments))
    application.wildcard_router.rules[:] = kept
    application.settings["default_handler_class"] = guarded(Missing)


def _guarded(rule: Rule, guard: type[Guard]) -> type[RequestHandler]:
    return guarded(rule.target, guard)  # type: ignore[arg-type]  # mypy takes no class as hashable


def _pattern(rule: Rule) -> str:
    matcher = rule.matcher
    return matcher.regex.pattern if isinstance(matcher, PathMatches) else ""
