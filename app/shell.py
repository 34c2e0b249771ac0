"""The frame around every page: header, navigation, theme, and the place for errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote

import panel as pn
import panel_material_ui as pmui
import param
from panel.custom import JSComponent
from panel.util import edit_readonly

from lens_triage.app.context import AppContext
from lens_triage.app.http.sign_in import SignIn
from lens_triage.app.scripts import bundle
from lens_triage.app.theme import (
    PAGE_SX,
    ROOT_CSS,
    THEME_CONFIG,
    THEME_COOKIE,
    TOKENS_CSS,
    is_dark,
    loading_css,
    read_asset,
)
from lens_triage.app.visits import Arguments, begin_visit, current_visit
from lens_triage.app.watch import the_watch
from lens_triage.app.widgets.format import percent
from lens_triage.app.widgets.live import live_in_frame
from lensing_core.store.runs import RunSummary, list_active_runs

PRODUCT = "lens-triage"
_RAIL_WIDTH = 84


@dataclass(frozen=True)
class NavItem:
    """A page in the navigation; ``icon`` is the inside of a 24-unit SVG, drawn with strokes."""

    slug: str
    title: str
    icon: str


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
    ),
    NavItem(
        "label",
        "Label",
        '<path d="M4 5.5V12l7.5 7.5 7-7L11 5z"/><circle cx="8" cy="9" r="1.2"/>'
        '<path d="M14.5 5.5l6 6-4 4"/>',
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
        "settings",
        "Settings",
        '<path d="M4 7h9M17 7h3M4 12h3M11 12h9M4 17h11M19 17h1"/><circle cx="15" cy="7" r="2"/>'
        '<circle cx="9" cy="12" r="2"/><circle cx="17" cy="17" r="2"/>',
    ),
)

_RAIL_CSS = """
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

_HEADER_CSS = """
:host { color: #e8eef6; width: 100%; min-width: 0; }
.bar { display: flex; align-items: center; gap: 10px; min-width: 0; height: 48px; }
.bar svg { width: 28px; height: 28px; flex: none; display: block; }
.bar .home { display: flex; align-items: center; gap: 10px; color: inherit; font-size: 15px;
  font-weight: 500; letter-spacing: .01em; }
.bar .home:hover { text-decoration: none; }
.bar .where { margin-left: 6px; padding-left: 14px; border-left: 1px solid #31435c;
  color: #9fb0c4; font-size: 12px; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; min-width: 0; direction: rtl; text-align: left; }
"""

_ACTIVITY_CSS = """
:host { display: flex; align-items: center; height: 48px; }
:host([style*="display: none"]) { display: none; }
a { display: flex; align-items: center; gap: 8px; color: #c9d6e6; font-size: 12px; height: 30px;
  padding: 0 12px; border-radius: 15px; background: #1b2a40; white-space: nowrap;
  max-width: 380px; margin-right: 8px; }
a:hover { text-decoration: none; background: #24364f; }
span { overflow: hidden; text-overflow: ellipsis; }
b { font-weight: 400; color: #8fa3ba; flex: none; }
i { width: 8px; height: 8px; border-radius: 50%; background: #62b0ff; flex: none;
  animation: pulse 1.4s ease-in-out infinite alternate; }
@keyframes pulse { from { opacity: .35 } to { opacity: 1 } }
@media (prefers-reduced-motion: reduce) { i { animation: none; } }
"""

_HEADING_CSS = """
header { display: flex; align-items: baseline; gap: 12px; flex-wrap: wrap; }
h1 { font-size: 21px; font-weight: 500; margin: 0; line-height: 1.3; }
p { margin: 0; color: var(--lt-muted); font-size: 13px; }
"""


class Rail(JSComponent):
    """The navigation; asks for pages and says whether the tab is in sight."""

    items = param.List(default=[], doc="Of the navigation: page, title, icon.")
    pages = param.List(default=[], doc="All that may be asked for.")
    shown = param.Dict(default={}, doc="The page that stands: page, title, number asked under.")

    _esm = bundle("rail")
    _stylesheets: ClassVar[list[str]] = [TOKENS_CSS, _RAIL_CSS]

    def __init__(self, frame: PageFrame, page: str, title: str) -> None:
        self._frame = frame
        self._asked = 0
        super().__init__(
            items=[{"page": i.slug, "title": i.title, "icon": i.icon} for i in NAVIGATION],
            pages=frame.pages,
            shown={"page": page, "title": title, "number": 0},
            margin=0,
            width=_RAIL_WIDTH - 1,
        )

    def _handle_msg(self, data: dict[str, Any]) -> None:
        if data["type"] == "sight":
            self._frame.set_hidden(bool(data["hidden"]))
        elif data["type"] == "drawn":
            if data["number"] == self._asked:
                pn.state.execute(current_visit().draw, schedule=True)
        elif data["page"] in self.pages:
            self._send_msg({"type": "building"})
            self._asked = data["number"]
            pn.state.execute(lambda: self._show(data), schedule=True)

    def _show(self, asked: dict[str, Any]) -> None:
        if asked["number"] == self._asked:  # else another page has been asked for since
            arguments = parse_qs(str(asked["query"]), keep_blank_values=True)
            self._frame.show(asked["page"], arguments, asked["number"])


def _header(context: AppContext) -> pn.pane.HTML:
    root = escape(str(context.workspace.root))
    # &lrm; keeps the path's slashes in order while the ellipsis stands at its beginning.
    return pn.pane.HTML(
        f'<div class="bar"><a class="home" href="overview">{read_asset("logo.svg")}{PRODUCT}</a>'
        f'<span class="where" title="Workspace {root}">&lrm;{root}</span></div>',
        stylesheets=[TOKENS_CSS, _HEADER_CSS],
        margin=0,
        sizing_mode="stretch_width",
    )


def _activity(context: AppContext) -> pn.pane.HTML:
    """What runs now, on every page; hidden while nothing does."""
    pane = pn.pane.HTML("", stylesheets=[TOKENS_CSS, _ACTIVITY_CSS], margin=0, visible=False)

    def refresh() -> None:
        active = context.database.ask(list_active_runs)
        if active:
            text = activity_html(active)
            if text != pane.object:
                pane.object = text
        pane.visible = bool(active)

    live_in_frame(refresh)
    return pane


class Body(pn.Column):
    """What a page puts into the frame, and the page's title."""

    def __init__(self, title: str, *parts: pn.viewable.Viewable, **params: Any) -> None:
        super().__init__(*parts, **params)
        self.page_title = title


def shell(
    title: str,
    body: pn.viewable.Viewable,
    *,
    context: AppContext,
    subtitle: str = "",
    heading: bool = True,
) -> Body:
    """Return a page's body as it stands in the frame.

    Parameters
    ----------
    title : str
        Of the page; decides which navigation item is marked.
    body : Viewable
        With ``sizing_mode='stretch_width'`` (scrolls with the page) or ``'stretch_both'`` (fills
        the window and scrolls inside).
    context : AppContext
    subtitle : str, optional
        One line beside the heading.
    heading : bool, optional
        False leaves the heading out, for pages that need all the height.
    """
    parts: list[pn.viewable.Viewable] = []
    if heading:
        note = f"<p>{escape(subtitle)}</p>" if subtitle else ""
        parts.append(
            pn.pane.HTML(
                f"<header><h1>{escape(title)}</h1>{note}</header>",
                stylesheets=[TOKENS_CSS, _HEADING_CSS],
                margin=(0, 0, 12, 0),
                sizing_mode="stretch_width",
            )
        )
    fills = body.sizing_mode == "stretch_both"
    return Body(
        title,
        *parts,
        body,
        sizing_mode="stretch_both" if fills else "stretch_width",
        margin=0,
        styles={"padding": "16px 20px", "box-sizing": "border-box"},
    )


class _NeverBusy(param.Parameterized):
    busy = param.Boolean(default=False)


class PageFrame:
    """The frame of one session: header and navigation stay, the page inside changes.

    Parameters
    ----------
    context : AppContext
    body : Body
        Of the page that was asked for first.
    pages : Mapping
        Functions that make the body of a page, by the last part of its address.

    Attributes
    ----------
    page : pmui.Page
        To be served.
    """

    def __init__(
        self, context: AppContext, body: Body, pages: Mapping[str, Callable[[], Body]]
    ) -> None:
        self._pages = pages
        title = body.page_title
        slug = next((item.slug for item in NAVIGATION if item.title == title), "")
        self._rail = Rail(self, slug, _tab_title(title))
        self.page = pmui.Page(
            title="",
            meta_title=_tab_title(title),
            header=[_header(context), _activity(context), SignIn(context)],
            sidebar=[self._rail],
            main=[body],
            sidebar_variant="permanent",
            sidebar_width=_RAIL_WIDTH,
            sidebar_resizable=False,
            theme_config=THEME_CONFIG,
            dark_theme=is_dark(),
            busy_indicator=None,
            favicon="data:image/svg+xml," + quote(read_asset("logo.svg")),
            sx=PAGE_SX,
            raw_css=[ROOT_CSS, loading_css(is_dark())],
        )
        with edit_readonly(self.page):
            # A page of pmui follows Panel's "busy", which changes twice at each callback of any
            # session: every open tab would be sent every change, and Panel would keep every page.
            # Another reference, which never changes, takes that one's place.
            self.page.busy = _NeverBusy().param.busy
        # Kept in a cookie, so that the next page comes in the right colors at once.
        self.page.jscallback(
            dark_theme=f"document.cookie = '{THEME_COOKIE}=' + (cb_obj.dark_theme ? 'dark' : "
            "'light') + '; path=/; max-age=31536000; SameSite=Strict'",
        )

    @property
    def pages(self) -> list[str]:
        """All pages that can be asked for."""
        return list(self._pages)

    def show(self, page: str, arguments: Arguments, number: int = 0) -> None:
        """Leave the page that stands and put another into the frame."""
        begin_visit(arguments)
        body = self._pages[page]()
        self.page.main = [body]
        self._rail.shown = {
            "page": page,
            "title": _tab_title(body.page_title),
            "number": number,
        }

    @staticmethod
    def set_hidden(hidden: bool) -> None:
        """Say whether the session's tab is out of sight: then it is not kept up to date."""
        watch, document = the_watch(), pn.state.curdoc
        if watch is not None and document is not None:
            watch.set_hidden(document, hidden)


def _tab_title(title: str) -> str:
    return f"{title} · {PRODUCT}"


def activity_html(active: list[RunSummary]) -> str:
    """The first active run with its progress, and how many wait."""
    run = active[0]
    waiting = len(active) - 1
    progress = f" {percent(run.share)}" if run.share is not None else ""
    more = f" · {waiting} waiting" if waiting else ""
    state = "" if run.status == "running" else "waiting: "
    return (
        f'<a href="overview" title="{escape(run.title)}"><i></i>'
        f"<span>{state}{escape(run.title)}</span><b>{progress}{more}</b></a>"
    )


def argument(name: str) -> str:
    """A part of the query string of this page's address; '' where it is not there."""
    values = current_visit().arguments.get(name, [])
    return values[0] if values else ""
