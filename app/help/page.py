"""Help: one guide beside the list of all."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import ClassVar

import param
from panel.custom import JSComponent

from lens_triage.app.context import AppContext
from lens_triage.app.help.guides import FIRST, OF_PAGES, find_guide, guides
from lens_triage.app.help.rendering import guide_html
from lens_triage.app.scripts import bundle, styles
from lens_triage.app.shell import Body, argument, shell
from lens_triage.app.theme import TOKENS_CSS
from lens_triage.app.widgets.section import SURFACE, columns, html
from lens_triage.app.widgets.steps import address

_LIST_CSS = """
h2 { font-size: 12px; font-weight: 500; margin: 12px 0 2px; color: var(--lt-muted); }
h2:first-child { margin-top: 0; }
ul { list-style: none; margin: 0; padding: 0; }
a { display: block; padding: 4px 0; line-height: 1.35; }
a[aria-current] { font-weight: 500; color: var(--lt-text); }
"""


class Article(JSComponent):
    """A document, shown from one of its sections on."""

    body = param.String(default="", doc="HTML made by us.")
    section = param.String(default="", doc="Id of a heading; '' for the beginning.")

    _esm = bundle("article")
    _stylesheets: ClassVar[list[str]] = [TOKENS_CSS, styles("help/article.css")]


def page(context: AppContext) -> Body:
    """The page; ``?guide=`` and ``section=`` name what is shown, or ``page=`` whose guide it is."""
    name, section = argument("guide"), argument("section")
    if not name:
        name, section = OF_PAGES.get(argument("page"), (FIRST, ""))
    shown = find_guide(name)
    body = columns(
        html(list_html(shown.name), css=_LIST_CSS, styles=SURFACE),
        Article(
            body=guide_html(shown.name),
            section=section,
            margin=0,
            sizing_mode="stretch_width",
            styles={**SURFACE, "padding": "6px 26px 26px"},
        ),
        template="minmax(180px, 250px) minmax(0, 1fr)",
    )
    return shell("Help", body, context=context)


def list_html(shown: str) -> str:
    """All guides in their groups; which one is shown is marked."""
    parts = []
    for group, members in groupby(guides().values(), key=lambda guide: guide.group):
        links = "".join(
            f'<li><a href="{escape(address("help", guide=guide.name))}"'
            f"{' aria-current=page' if guide.name == shown else ''}>{escape(guide.title)}</a></li>"
            for guide in members
        )
        parts.append(f"<h2>{escape(group)}</h2><ul>{links}</ul>")
    return f'<nav aria-label="Guides">{"".join(parts)}</nav>'
