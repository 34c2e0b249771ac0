"""The navigation and the header of every page: which pages there are, and how both look."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from lens_triage.app.theme import NARROW, read_asset

PRODUCT = "lens-triage"
RAIL_WIDTH = 84


@dataclass(frozen=True)
class NavItem:
    """A page in the navigation; ``icon`` is the inside of a 24-unit SVG, drawn with strokes."""

    slug: str
    title: str
    icon: str
    heading: bool = True  # stands above the page
    apart: bool = False  # opens in a tab of its own, so that the page stays as it is


NAVIGATION = (
    NavItem(
        "overview",
        "Overview",
        '<path d="M4 11.5 12 5l8 6.5V20h-5.5v-5.5h-5V20H4z"/>',
    ),
    NavItem(
        "catalogs",
        "Catalogs",
        '<path d="M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z"/>',
        heading=False,
    ),
    NavItem(
        "train",
        "Train",
        '<path d="M4 20h16M4 20V4"/><path d="M7 8.5c2 7 5 8.5 12 8.5"/>',
    ),
    NavItem(
        "evaluate",
        "Evaluate",
        '<path d="M5 17a8 8 0 1 1 14 0"/><path d="M12 14.5 15.5 9"/>'
        '<circle cx="12" cy="15" r="1.4"/>',
    ),
    NavItem(
        "score",
        "Score",
        '<path d="M4 20h16"/><path d="M6.5 20v-6M11 20V9M15.5 20v-9M20 20V5"/>',
    ),
    NavItem(
        "review",
        "Review",
        '<circle cx="12" cy="12" r="2.6"/><path d="M4 14.5A8.4 8.4 0 0 1 14.5 4"/>'
        '<path d="M20 9.5A8.4 8.4 0 0 1 9.5 20"/>',
        heading=False,
    ),
    NavItem(
        "label",
        "Label",
        '<path d="M4 5.5V12l7.5 7.5 7-7L11 5z"/><circle cx="8" cy="9" r="1.2"/>'
        '<path d="M14.5 5.5l6 6-4 4"/>',
        heading=False,
    ),
    NavItem(
        "crossmatch",
        "Cross-match",
        '<circle cx="9.2" cy="12" r="5.6"/><circle cx="14.8" cy="12" r="5.6"/>',
    ),
    NavItem(
        "team",
        "Team",
        '<circle cx="8.5" cy="9" r="3"/><path d="M3 19c.4-3.6 2.4-5.4 5.5-5.4s5.1 1.8 5.5 5.4"/>'
        '<circle cx="16.5" cy="10" r="2.4"/><path d="M16.5 14.5c2.6 0 4.1 1.5 4.5 4.5"/>',
    ),
    NavItem(
        "validate",
        "Validate",
        '<path d="M4 5h16l-6 7.5V19l-4 1.5v-8z"/>',
    ),
    NavItem(
        "runs",
        "Runs",
        '<path d="M9 6h11M9 12h11M9 18h11"/>'
        '<path d="M4 4.5v3l2.2-1.5zM4 10.5v3l2.2-1.5zM4 16.5v3l2.2-1.5z"/>',
    ),
    NavItem(
        "settings",
        "Settings",
        '<path d="M4 7h9M17 7h3M4 12h3M11 12h9M4 17h11M19 17h1"/><circle cx="15" cy="7" r="2"/>'
        '<circle cx="9" cy="12" r="2"/><circle cx="17" cy="17" r="2"/>',
    ),
    NavItem(
        "help",
        "Help",
        '<circle cx="12" cy="12" r="8.5"/><path d="M9.3 9.6a2.8 2.8 0 1 1 3.9 2.5c-.8.4-1.2.9-1.2 '
        '1.8"/><path d="M12 16.8v.1"/>',
        apart=True,
    ),
)

RAIL_CSS = (
    """
nav { display: flex; flex-direction: column; gap: 2px; padding: 8px 5px; }
nav a {
  display: flex; flex-direction: column; align-items: center; gap: 3px; padding: 8px 2px 7px;
  border-radius: 8px; color: var(--lt-muted); font-size: 11.5px; line-height: 1.2;
  white-space: nowrap;
}
nav a:hover { background: color-mix(in srgb, var(--lt-accent) 8%, transparent);
  color: var(--lt-text); text-decoration: none; }
nav a[aria-current] { color: var(--lt-accent); font-weight: 500;
  background: color-mix(in srgb, var(--lt-accent) 13%, transparent); }
.bar { position: fixed; top: 48px; left: 0; right: 0; height: 2px; z-index: 9;
  background: linear-gradient(90deg, transparent, var(--lt-accent), transparent) 0 0 / 40% 100%
  no-repeat; animation: slide 1.1s ease-in-out infinite; }
.bar[hidden] { display: none; }
@keyframes slide { from { background-position: -60% 0 } to { background-position: 160% 0 } }
.icon { display: flex; }
svg { width: 22px; height: 22px; fill: none; stroke: currentColor; stroke-width: 1.7;
  stroke-linejoin: round; stroke-linecap: round; }
"""
    + NARROW
    + """ {
  :host, .rail { width: 100% !important; }
  nav { flex-direction: row; height: calc(var(--lt-rail) - 1px); padding: 3px 4px;
    box-sizing: border-box; overflow-x: auto; overscroll-behavior-x: contain;
    scrollbar-width: none; }
  nav a { flex: 1 0 auto; min-width: 64px; padding: 5px 4px; }
}
"""
)

HEADER_CSS = """
:host { color: #e8eef6; width: 100%; min-width: 0; }
.bar { display: flex; align-items: center; gap: 10px; min-width: 0; height: 48px; }
.bar svg { width: 28px; height: 28px; flex: none; display: block; }
.bar .home { display: flex; align-items: center; gap: 10px; color: inherit; font-size: 15px;
  font-weight: 500; letter-spacing: .01em; }
.bar .home:hover { text-decoration: none; }
.bar .where { margin-left: 6px; padding-left: 14px; border-left: 1px solid #31435c;
  color: #9fb0c4; font-size: 12px; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; min-width: 0; direction: rtl; text-align: left; }
@media (max-width: 560px) { .bar .where { display: none; } }
"""

HEADING_CSS = """
header { display: flex; align-items: baseline; gap: 12px; flex-wrap: wrap; }
h1 { font-size: 21px; font-weight: 500; margin: 0; line-height: 1.3; }
p { margin: 0; color: var(--lt-muted); font-size: 13px; }
"""


def link_of(item: NavItem, shown: str) -> str:
    """Return where an item leads from a page: help is that of the page."""
    return f"{item.slug}?page={shown}" if item.apart and item.slug != shown else item.slug


def header_html(root: str) -> str:
    """Return the left of the header: the product, and the path of the workspace."""
    root = escape(root)
    # &lrm; keeps the path's slashes in order while the ellipsis stands at its beginning.
    return (
        f'<div class="bar"><a class="home" href="overview">{read_asset("logo.svg")}{PRODUCT}</a>'
        f'<span class="where" title="Workspace {root}">&lrm;{root}</span></div>'
    )


def heading_html(title: str, subtitle: str = "") -> str:
    """Return a page's heading with a line beside it."""
    note = f"<p>{escape(subtitle)}</p>" if subtitle else ""
    return f"<header><h1>{escape(title)}</h1>{note}</header>"
