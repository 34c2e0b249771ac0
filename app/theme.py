"""Colors, type and spacing of the pages, light and dark; one accent, tabular numerals."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import panel as pn

THEME_COOKIE = "lens-triage-theme"
_ASSETS = Path(__file__).parent.parent / "assets"
HEADER_COLOR = "#0d1726"
NARROW = "@media (max-width: 820px)"
"""Windows of phones and of tablets held upright: the navigation stands at the bottom."""

_COMMON: dict[str, Any] = {
    "typography": {
        "fontSize": 13,
        "htmlFontSize": 16,
        "button": {"textTransform": "none", "fontWeight": 500},
        "h1": {"fontSize": "1.375rem", "fontWeight": 500, "lineHeight": 1.3},
        "h2": {"fontSize": "1.0625rem", "fontWeight": 500, "lineHeight": 1.35},
        "h3": {"fontSize": "0.9375rem", "fontWeight": 500, "lineHeight": 1.4},
    },
    "shape": {"borderRadius": 8},
    "components": {
        "MuiButtonBase": {"defaultProps": {"disableRipple": True}},
        "MuiPaper": {"styleOverrides": {"root": {"backgroundImage": "none"}}},
        "MuiTab": {"styleOverrides": {"root": {"minHeight": 40, "padding": "6px 14px"}}},
        "MuiTabs": {"styleOverrides": {"root": {"minHeight": 40}}},
        # The gap in the frame is as long as the label, also where small letters are hinted wide.
        "MuiOutlinedInput": {
            "styleOverrides": {"notchedOutline": {"& legend > span": {"paddingRight": "12px"}}}
        },
        # Titles of folds stand within headings; what a tooltip says describes, and names nothing.
        "MuiTypography": {"defaultProps": {"variantMapping": {"subtitle2": "span"}}},
        "MuiTooltip": {"defaultProps": {"describeChild": True}},
    },
}

THEME_CONFIG: dict[str, dict[str, Any]] = {
    "light": {
        **_COMMON,
        "palette": {
            "primary": {"main": "#1a62b5", "contrastText": "#ffffff"},
            "success": {"main": "#237a4b"},
            "warning": {"main": "#a8650a"},
            "error": {"main": "#b93434"},
            "info": {"main": "#1a62b5"},
            "background": {"default": "#f4f6f9", "paper": "#ffffff"},
            "text": {"primary": "#18222f", "secondary": "#586676"},
            "divider": "#dde3ea",
        },
    },
    "dark": {
        **_COMMON,
        "palette": {
            "primary": {"main": "#76b3f5", "contrastText": "#0b1420"},
            "success": {"main": "#62c48d"},
            "warning": {"main": "#e3ac55"},
            "error": {"main": "#f08a84"},
            "info": {"main": "#76b3f5"},
            "background": {"default": "#0e141c", "paper": "#161e29"},
            "text": {"primary": "#e2e8ef", "secondary": "#95a4b5"},
            "divider": "#293545",
        },
    },
}

PAGE_SX: dict[str, Any] = {
    ".MuiAppBar-root": {
        "backgroundColor": HEADER_COLOR,
        "color": "#e8eef6",
        "boxShadow": "none",
        "borderBottom": "1px solid #243248",
    },
    ".MuiAppBar-root .MuiToolbar-root": {"minHeight": "48px", "paddingLeft": "14px"},
    ".main > .MuiBox-root > .MuiToolbar-root": {"minHeight": "48px"},
    ".sidebar .MuiToolbar-root": {"minHeight": "48px"},
    ".main, .main-content": {"backgroundColor": "background.default"},
    ".sidebar": {"backgroundColor": "background.paper", "borderColor": "divider"},
    # Panel's sign of being busy is not used, and has no name; it keeps its place.
    ".MuiAppBar-root > .MuiLinearProgress-root": {"visibility": "hidden"},
    # Only keeps the place below the header, and would be a heading without words.
    ".MuiToolbar-root > .MuiTypography-h5": {"display": "none"},
    NARROW: {
        "flexDirection": "column-reverse",
        "height": "100dvh",
        ".MuiAppBar-root .MuiToolbar-root": {"paddingRight": "8px"},
        "& > nav": {"width": "100%"},
        "& > nav > .MuiDrawer-root": {"height": "auto"},
        ".sidebar.sidebar": {
            "width": "100%",
            "height": "auto",
            "borderRight": 0,
            "borderTop": "1px solid",
            "borderColor": "divider",
        },
        ".sidebar .MuiToolbar-root": {"display": "none"},
        ".main": {"minHeight": 0, "width": "100%"},
    },
}

# Custom properties of the document reach into every component's shadow root, so that plain HTML
# parts and our own JavaScript components follow the theme without knowing it. Panel's own
# properties (--panel-…) change with the theme; MUI's (--mui-…) lag behind at the first paint.
ROOT_CSS = """
:root {
  --lt-accent: var(--panel-primary-color);
  --lt-text: var(--panel-on-background-color);
  --lt-page: var(--panel-background-color);
  --lt-surface: var(--panel-surface-color);
  --lt-muted: color-mix(in srgb, var(--lt-text) 66%, var(--lt-page));
  --lt-line: var(--divider-color);
  /* Each is read as text on the page and on its surfaces, at a contrast of 4.5 or more. */
  --lt-success: color-mix(in srgb, #198754 70%, var(--lt-text));
  --lt-error: color-mix(in srgb, #dc3545 70%, var(--lt-text));
  --lt-warning: color-mix(in srgb, #c57a08 72%, var(--lt-text));
  --lt-skeleton: color-mix(in srgb, var(--lt-text) 9%, var(--lt-surface));
  --lt-no-picture: repeating-linear-gradient(45deg,
    color-mix(in srgb, var(--lt-text) 22%, var(--lt-surface)) 0 2px, var(--lt-skeleton) 0 6px);
  --lt-mono: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  --lt-rail: 58px; /* height of the navigation where it stands at the bottom */
  --lt-inset: 16px clamp(12px, 2.4vw, 20px);
}
"""

# Of every part that is not a Material component; goes into its ``stylesheets``.
TOKENS_CSS = """
:host { font-variant-numeric: tabular-nums; color: var(--lt-text); font-size: 13px; }
a { color: var(--lt-accent); text-decoration: none; }
a:hover { text-decoration: underline; }
a:focus-visible, button:focus-visible, summary:focus-visible, [tabindex]:focus-visible {
  outline: 2px solid var(--lt-accent); outline-offset: 1px; border-radius: 4px;
}
"""

# Of pictures in plain HTML: a plain ground while one loads, hatching where there is none. Only an
# image that cannot be shown has a ::before.
PICTURE_CSS = """
img { position: relative; background: var(--lt-skeleton); }
img::before { content: ""; position: absolute; inset: 0; background: var(--lt-no-picture),
  var(--lt-surface); }
"""


@cache
def read_asset(name: str) -> str:
    """The text of a bundled file, e.g. ``read_asset("logo.svg")``."""
    return (_ASSETS / name).read_text(encoding="utf-8")


def is_dark() -> bool:
    """Return whether this session's browser asked for dark pages when it was last here."""
    return bool(pn.state.cookies.get(THEME_COOKIE) == "dark")
