"""The surfaces that pages are laid out on."""

from __future__ import annotations

from html import escape
from typing import Any

import panel as pn

from lens_triage.app.theme import NARROW, TOKENS_CSS
from lens_triage.app.widgets.glossary import with_terms
from lens_triage.app.widgets.skeleton import SKELETON_CSS

_TITLE_CSS = """
h2 { font-size: 14.5px; font-weight: 500; margin: 0; line-height: 1.5; }
p { margin: 1px 0 0; color: var(--lt-muted); font-size: 12.5px; line-height: 1.45; }
"""

# A Column's own button for scrolling down would count as a part, and make a gap.
_NO_SCROLL_BUTTON = ".scroll-button { display: none; }"
# Panel makes a part as wide at least as all that is fixed in it, which a phone is not.
FITS = f"{NARROW} {{ :host {{ min-width: 0 !important; }} }}"
# Panel ends a Column at the window's height: what is below would cover the rest of it.
_WHOLE = ":host { max-height: none; }"
_PLAIN = f"{_NO_SCROLL_BUTTON}\n{_WHOLE}\n{FITS}"

SURFACE = {
    "background": "var(--lt-surface)",
    "border": "1px solid var(--lt-line)",
    "border-radius": "10px",
    "padding": "12px 16px 14px",
    "box-sizing": "border-box",
    "max-height": "none",  # as below
}


def heading(title: str, note: str = "", **params: Any) -> pn.pane.HTML:
    """A section's title with a line below it."""
    below = f"<p>{with_terms(note)}</p>" if note else ""
    return html(f"<h2>{escape(title)}</h2>{below}", css=_TITLE_CSS, **params)


def html(body: str, *, css: str = "", **params: Any) -> pn.pane.HTML:
    """HTML made by us (whoever puts text into it escapes it), in the pages' type."""
    return pn.pane.HTML(
        body,
        stylesheets=[TOKENS_CSS, SKELETON_CSS, css],
        **{"margin": 0, "sizing_mode": "stretch_width", **params},
    )


def section(
    title: str,
    *objects: Any,
    note: str = "",
    aside: tuple[Any, ...] = (),
    **params: Any,
) -> pn.Column:
    """A surface with a title; ``aside`` stands at the right of the title."""
    head: Any = heading(title, note, min_width=220 if aside else None)
    if aside:
        head = pn.Row(
            head,
            *aside,
            sizing_mode="stretch_width",
            margin=0,
            styles={"align-items": "center", "gap": "8px"},
            stylesheets=[FITS, f"{NARROW} {{ :host {{ flex-wrap: wrap; }} }}"],
        )
    return pn.Column(
        head,
        *objects,
        **{
            "styles": {**SURFACE, "gap": "10px"},
            "stylesheets": [_PLAIN],
            "sizing_mode": "stretch_width",
            "margin": 0,
            **params,
        },
    )


def stack(*objects: Any, gap: int = 14, **params: Any) -> pn.Column:
    """Parts below one another, evenly spaced."""
    return pn.Column(
        *objects,
        **{
            "sizing_mode": "stretch_width",
            "margin": 0,
            "styles": {"gap": f"{gap}px"},
            "stylesheets": [_PLAIN],
            **params,
        },
    )


def row(*objects: Any, gap: int = 12) -> pn.Row:
    """Parts beside one another, in several lines where there is no room for one."""
    return pn.Row(
        *objects,
        sizing_mode="stretch_width",
        margin=0,
        styles={"align-items": "center", "gap": f"{gap}px", "flex-wrap": "wrap"},
        stylesheets=[FITS],
    )


def columns(*objects: Any, template: str, gap: int = 14, **params: Any) -> pn.Column:
    """Parts beside one another in a CSS grid, e.g. ``template='2fr 1fr'``; stacked if narrow."""
    return grid(
        *objects,
        template=template,
        gap=f"{gap}px",
        css="@media (max-width: 900px) { :host { grid-template-columns: minmax(0, 1fr); } }",
        **params,
    )


def grid(*objects: Any, template: str, gap: str, css: str = "", **params: Any) -> pn.Column:
    """Parts in a CSS grid with these columns."""
    layout = (
        f":host {{ display: grid; grid-template-columns: {template}; gap: {gap};"
        " align-items: start; }"
    )
    return pn.Column(
        *objects,
        **{
            "sizing_mode": "stretch_width",
            "margin": 0,
            "stylesheets": [_PLAIN, layout, css],
            **params,
        },
    )
