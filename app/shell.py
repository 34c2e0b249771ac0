"""The frame around every page: header, navigation, theme, and the place for errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote

import panel as pn
import panel_material_ui as pmui
import param
from panel.custom import JSComponent
from panel.util import edit_readonly

from lens_triage.app.acting import pages_for
from lens_triage.app.context import AppContext
from lens_triage.app.first_paint import TEMPLATE, VARIABLE, first_paint, loader_css
from lens_triage.app.http.sign_in import SignIn
from lens_triage.app.navigation import (
    HEADER_CSS,
    HEADING_CSS,
    NAVIGATION,
    PRODUCT,
    RAIL_CSS,
    RAIL_WIDTH,
    header_html,
    heading_html,
)
from lens_triage.app.preferences import stored_preferences
from lens_triage.app.run_bell import run_bell
from lens_triage.app.scripts import bundle
from lens_triage.app.theme import (
    PAGE_SX,
    ROOT_CSS,
    THEME_CONFIG,
    THEME_COOKIE,
    TOKENS_CSS,
    is_dark,
    read_asset,
)
from lens_triage.app.visits import Arguments, begin_visit, current_visit
from lens_triage.app.watch import the_watch
from lens_triage.app.widgets.format import percent
from lens_triage.app.widgets.glossary import explained_terms
from lens_triage.app.widgets.live import in_session, live_in_frame
from lens_triage.app.widgets.section import FITS
from lensing_core.store.runs import RunSummary, list_active_runs

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
@media (max-width: 560px) { a { max-width: 96px; padding: 0 10px; margin-right: 0; } }
@keyframes pulse { from { opacity: .35 } to { opacity: 1 } }
@media (prefers-reduced-motion: reduce) { i { animation: none; } }
"""
_THEME_EVENT = "lens-triage-theme"

_UNSEEN_CSS = """
:host { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
"""


class Rail(JSComponent):
    """The navigation; asks for pages and says whether the tab is in sight."""

    items = param.List(default=[], doc="Of the navigation: page, title, icon, whether apart.")
    pages = param.List(default=[], doc="All that may be asked for.")
    glossary = param.Dict(default={}, doc="What terms mean that pages explain, by term.")
    shown = param.Dict(default={}, doc="The page that stands: page, title, number asked under.")
    preferences = param.Dict(
        default=None, allow_None=True, doc="Of who is signed in; None: this browser has them."
    )
    dark = param.Boolean(default=False, doc="Whether the page came in dark colors.")
    left = param.Boolean(default=False, doc="Whether the browser told how the page was left.")

    _esm = bundle("rail")
    _stylesheets: ClassVar[list[str]] = [TOKENS_CSS, RAIL_CSS]

    def __init__(
        self, frame: PageFrame, page: str, title: str, preferences: Mapping[str, Any] | None
    ) -> None:
        self._frame = frame
        self._asked = 0
        super().__init__(
            items=[
                {"page": i.slug, "title": i.title, "icon": i.icon, "apart": i.apart}
                for i in frame.items
            ],
            glossary=explained_terms(),
            pages=frame.pages,
            shown={"page": page, "title": title, "number": 0},
            preferences=None if preferences is None else dict(preferences),
            dark=is_dark(),
            left=THEME_COOKIE in pn.state.cookies,
            margin=0,
            width=RAIL_WIDTH - 1,
        )

    def _handle_msg(self, data: dict[str, Any]) -> None:
        if data["type"] == "sight":
            self._frame.set_hidden(bool(data["hidden"]))
        elif data["type"] == "scheme":
            self._frame.page.dark_theme = bool(data["dark"])
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
    return pn.pane.HTML(
        header_html(context.title),
        stylesheets=[TOKENS_CSS, HEADER_CSS],
        margin=0,
        sizing_mode="stretch_width",
    )


def _activity(context: AppContext) -> pn.pane.HTML:
    """Return what runs now, on every page; hidden while nothing does."""
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
    """Contents and title of a page."""

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
        False leaves the heading to screen readers, for pages that need all the height.
    """
    above = pn.pane.HTML(
        heading_html(title, subtitle),
        stylesheets=[TOKENS_CSS, HEADING_CSS if heading else _UNSEEN_CSS],
        margin=(0, 0, 12, 0) if heading else 0,
        sizing_mode="stretch_width" if heading else None,
    )
    fills = body.sizing_mode == "stretch_both"
    return Body(
        title,
        above,
        body,
        sizing_mode="stretch_both" if fills else "stretch_width",
        margin=0,
        styles={"padding": "var(--lt-inset)", "box-sizing": "border-box"},
        stylesheets=[FITS],
    )


class _NeverBusy(param.Parameterized):
    busy = param.Boolean(default=False)


class PageFrame:
    """The frame of one session: header and navigation stay, the page inside changes.

    The first page is built when the frame has been sent: the browser shows the frame and fetches
    scripts meanwhile, and hears of both when it asks for the document.

    Parameters
    ----------
    context : AppContext
    slug, title : str
        Of the page that was asked for first.
    pages : Mapping
        Functions that make the body of a page, by the last part of its address.

    Attributes
    ----------
    page : pmui.Page
        To be served.
    items : list of NavItem
        Pages that who looks may open.
    """

    def __init__(
        self, context: AppContext, slug: str, title: str, pages: Mapping[str, Callable[[], Body]]
    ) -> None:
        self._pages = pages
        allowed = pages_for(context)
        self.items = [item for item in NAVIGATION if item.slug in allowed]
        kept = stored_preferences(context)
        preferences = None if kept is None else kept["general"]
        self._rail = Rail(self, slug, _tab_title(title), preferences)
        self.page = pmui.Page(
            title="",
            meta_title=_tab_title(title),
            header=[
                _header(context),
                _activity(context),
                run_bell(context, preferences),
                SignIn(context),
            ],
            sidebar=[self._rail],
            main=[],
            template=TEMPLATE,
            sidebar_variant="permanent",
            sidebar_width=RAIL_WIDTH,
            sidebar_resizable=False,
            theme_config=THEME_CONFIG,
            dark_theme=is_dark(),
            busy_indicator=None,
            favicon="data:image/svg+xml," + quote(read_asset("logo.svg")),
            sx=PAGE_SX,
            raw_css=[ROOT_CSS, loader_css(is_dark())],
        )
        with edit_readonly(self.page):
            # A page of pmui follows Panel's "busy", which changes twice at each callback of any
            # session: every open tab would be sent every change, and Panel would keep every page.
            # Another reference, which never changes, takes that one's place.
            self.page.busy = _NeverBusy().param.busy
        # Kept in a cookie, so that the next page comes in the right colors at once.
        self.page.jscallback(
            dark_theme=f"document.cookie = '{THEME_COOKIE}=' + (cb_obj.dark_theme ? 'dark' : "
            "'light') + '; path=/; max-age=31536000; SameSite=Strict'; "
            f"document.dispatchEvent(new CustomEvent('{_THEME_EVENT}', "
            "{detail: cb_obj.dark_theme}))",
        )
        document = pn.state.curdoc
        if in_session() and document is not None:
            document.template_variables[VARIABLE] = first_paint(
                slug, title, context.title, self.items
            )
            # Done at the next tick, the page is there before the browser has its scripts.
            document.add_next_tick_callback(lambda: self._fill(slug))
        else:
            self._fill(slug)

    def _fill(self, slug: str) -> None:
        self.page.main = [self._pages[slug]()]

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
        f'<a href="runs?run={escape(run.id)}" title="{escape(run.title)}"><i></i>'
        f"<span>{state}{escape(run.title)}</span><b>{progress}{more}</b></a>"
    )


def argument(name: str) -> str:
    """A part of the query string of this page's address; '' where it is not there."""
    values = current_visit().arguments.get(name, [])
    return values[0] if values else ""
