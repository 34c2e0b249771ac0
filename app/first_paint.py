"""First paint of a page, before its scripts have come: the frame, and bars in its middle.

Plain HTML and CSS, which need no script; the page takes their place when it is drawn. Panel's
scripts stand behind them in the document, so that a browser paints before it fetches those.
"""

from __future__ import annotations

from collections.abc import Sequence

from lens_triage.app.navigation import (
    HEADER_CSS,
    HEADING_CSS,
    NAVIGATION,
    RAIL_CSS,
    RAIL_WIDTH,
    NavItem,
    header_html,
    heading_html,
    link_of,
)
from lens_triage.app.theme import HEADER_COLOR, NARROW, ROOT_CSS, THEME_CONFIG, TOKENS_CSS
from lens_triage.app.widgets.skeleton import SKELETON_CSS, skeleton

VARIABLE = "first_paint"
"""Name of the variable of the template that holds what :func:`first_paint` returns."""

TEMPLATE = (
    """{% extends "base.html" %}
{% block js_resources %}{% endblock %}
{% block postamble %}
{% for css in resources.css.values() %}
<link rel="stylesheet" href="{{ css }}">
{% endfor %}
{% for raw_css in resources.raw_css %}
<style>{{ raw_css }}</style>
{% endfor %}
{% endblock %}
{% block loader %}
<div id="loader">
{{ """
    + VARIABLE
    + """ }}
<div class="spinner"></div>
<div id="loader-error" role="alert"></div>
</div>
{{ bokeh_js if bokeh_js }}
{% for src in resources.js.values() %}
<script src="{{ src }}"></script>
{% endfor %}
{% for src in resources.js_modules.values() %}
<script src="{{ src }}" type="module"></script>
{% endfor %}
{% endblock %}
"""
)
"""The document of every page, on Panel's own; its loader is the first paint."""

_BODY_CSS = """
:host { display: block; padding: var(--lt-inset); overflow: hidden; }
header { margin-bottom: 12px; }
section { background: var(--lt-surface); border: 1px solid var(--lt-line); border-radius: 10px;
  padding: 12px 16px 14px; margin-bottom: 14px; }
"""
_SECTIONS = (3, 9)


def loader_css(dark: bool) -> str:
    """Return the colors of a page until its parts bring theirs, and the places of the frame."""
    palette = THEME_CONFIG["dark" if dark else "light"]["palette"]
    background, accent = palette["background"], palette["primary"]["main"]
    tokens = ROOT_CSS.partition("{")[2].rpartition("}")[0]
    return f"""
html:root {{ background-color: var(--mui-palette-background-default, {background["default"]}); }}
#loader {{
  --panel-primary-color: {accent};
  --panel-on-background-color: {palette["text"]["primary"]};
  --panel-background-color: {background["default"]};
  --panel-surface-color: {background["paper"]};
  --divider-color: {palette["divider"]};
  {tokens}
  position: fixed; inset: 0; z-index: 9999; overflow: hidden; background: {background["default"]};
  font: 400 13px/1.5 Roboto, Helvetica, Arial, sans-serif;
}}
#loader .first-header {{ position: absolute; inset: 0 0 auto; height: 53px; padding: 0 24px 0 14px;
  background: {HEADER_COLOR}; border-bottom: 1px solid #243248; box-sizing: border-box; }}
#loader .first-rail {{ position: absolute; inset: 53px auto 0 0; width: {RAIL_WIDTH}px;
  background: {background["paper"]}; border-right: 1px solid {palette["divider"]};
  box-sizing: border-box; padding-top: 3px; }}
#loader .first-body {{ position: absolute; inset: 56px 0 0 {RAIL_WIDTH}px; }}
#loader .spinner {{ display: none; }}
#loader #loader-error {{ display: none; position: absolute;
  inset: 64px 20px auto {RAIL_WIDTH + 20}px; padding: 10px 16px;
  border: 1px solid var(--lt-error); border-radius: 8px;
  background: var(--lt-surface); color: var(--lt-error); }}
{NARROW} {{
  #loader .first-rail {{ inset: auto 0 0; width: auto; height: var(--lt-rail); padding: 0;
    border-right: 0; border-top: 1px solid {palette["divider"]}; }}
  #loader .first-body {{ inset: 56px 0 var(--lt-rail); }}
  #loader #loader-error {{ inset: 64px 12px auto; }}
}}
"""


def first_paint(slug: str, title: str, root: str, items: Sequence[NavItem] = NAVIGATION) -> str:
    """Return the frame of a page of a workspace, with bars where the page will stand.

    Parameters
    ----------
    items : sequence of NavItem, optional
        Pages that who looks may open.
    """
    links = "".join(
        f'<a href="{link_of(item, slug)}"{" target=_blank" if item.apart else ""}'
        f"{' aria-current=page' if item.slug == slug else ''}>"
        f'<span class="icon"><svg viewBox="0 0 24 24" aria-hidden="true">{item.icon}</svg></span>'
        f"{item.title}</a>"
        for item in items
    )
    has_heading = next((item.heading for item in NAVIGATION if item.slug == slug), True)
    sections = "".join(f"<section>{skeleton(lines)}</section>" for lines in _SECTIONS)
    body = (heading_html(title) if has_heading else "") + sections
    parts = (
        ("header", HEADER_CSS, header_html(root)),
        ("rail", RAIL_CSS, f'<nav aria-label="Pages">{links}</nav>'),
        ("body", HEADING_CSS + SKELETON_CSS + _BODY_CSS, body),
    )
    return "".join(_closed(*part) for part in parts)


def _closed(name: str, css: str, html: str) -> str:
    """A part with styles of its own, which reach no other part and meet none."""
    return (
        f'<div class="first-{name}"><template shadowrootmode="closed">'
        f"<style>{TOKENS_CSS}{css}</style>{html}</template></div>"
    )
