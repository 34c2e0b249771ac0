"""The process of the pages: their routes, and the watch over jobs."""

from __future__ import annotations

import asyncio
import gc
import hmac
import logging
import signal
from collections.abc import Callable
from functools import partial
from typing import Any

import panel as pn
from panel.io.resources import LOCAL_DIST
from panel.io.server import Server
from tornado.ioloop import PeriodicCallback
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError

from lens_triage.app.acting import permit_page
from lens_triage.app.api import describing as api
from lens_triage.app.catalogs import page as catalogs
from lens_triage.app.context import AppContext
from lens_triage.app.crossmatch import page as crossmatch
from lens_triage.app.evaluate import page as evaluate
from lens_triage.app.front.inside import end_with_the_front, give_way
from lens_triage.app.front.pages import PageSettings
from lens_triage.app.help import page as help_page
from lens_triage.app.http import chart_pdf, identity
from lens_triage.app.http.allowing import refuse_what_is_not_allowed
from lens_triage.app.http.guard import OPENED_WITH
from lens_triage.app.http.hosts import refuse_foreign_hosts
from lens_triage.app.http.passed_on import refuse_all_but_the_front
from lens_triage.app.http.reach import LOCAL_NAMES
from lens_triage.app.http.routes import restrict
from lens_triage.app.label import lens_test as label_lens_test
from lens_triage.app.label import page as label
from lens_triage.app.navigation import PRODUCT
from lens_triage.app.overseer import BackupWatch, Overseer
from lens_triage.app.overview import page as overview
from lens_triage.app.review import (
    attention,
    exporting,
    lens_models,
    lens_test,
    replaying,
    wide_field,
)
from lens_triage.app.review import handlers as review_handlers
from lens_triage.app.review import page as review
from lens_triage.app.runs import page as runs
from lens_triage.app.score import page as score
from lens_triage.app.settings import page as settings
from lens_triage.app.shell import Body, PageFrame, shell
from lens_triage.app.team import page as team
from lens_triage.app.theme import is_dark
from lens_triage.app.train import page as train
from lens_triage.app.validate import exporting as plan_exporting
from lens_triage.app.validate import page as validate
from lens_triage.app.validate import reporting
from lens_triage.app.viewer import tiles
from lens_triage.app.visits import release
from lens_triage.app.watch import PERIOD_MS, start_watch
from lens_triage.app.widgets.notice import (
    UNEXPECTED,
    Notice,
)
from lensing_core.errors import LensTriageError
from lensing_core.private_files import keep_private_from_now_on
from lensing_core.store.changes import ChangeFingerprint
from lensing_core.store.failures import sentence_of
from lensing_core.store.graders import workspace_secret
from lensing_core.workspace import Workspace

_ADVANCE_EVERY_MS = 2000
_BACKUP_EVERY_MS = 60_000
NOT_BUILT = "This page could not be built; the server's log says why."
_log = logging.getLogger(__name__)

PageFunction = Callable[[AppContext], Body]
PAGES: dict[str, tuple[str, PageFunction]] = {
    "overview": ("Overview", overview.page),
    "catalogs": ("Catalogs", catalogs.page),
    "train": ("Train", train.page),
    "evaluate": ("Evaluate", evaluate.page),
    "score": ("Score", score.page),
    "review": ("Review", review.page),
    "label": ("Label", label.page),
    "crossmatch": ("Cross-match", crossmatch.page),
    "team": ("Team", team.page),
    "validate": ("Validate", validate.page),
    "runs": ("Runs", runs.page),
    "settings": ("Settings", settings.page),
    "help": ("Help", help_page.page),
}


class ClosedTabs(logging.Filter):
    """Drops what Tornado and Bokeh log when a tab closes while the server writes to it.

    Work for a tab that is gone meets assertions of theirs, that there is a session or a socket.
    """

    LOGGERS = (
        *("asyncio", "tornado.application"),
        *("bokeh.server.protocol_handler", "bokeh.server.views.ws"),
    )

    def filter(self, record: logging.LogRecord) -> bool:
        if record.msg == "Failed sending message as connection was closed":  # Bokeh's
            return False
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, AssertionError):
            return not _is_raised_in(error, ("tornado.websocket", "bokeh.server.connection"))
        return not isinstance(error, (WebSocketClosedError, StreamClosedError))


def _is_raised_in(error: BaseException, modules: tuple[str, ...]) -> bool:
    """Return whether the innermost frame of a traceback is one of these modules."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return at is not None and at.tb_frame.f_globals.get("__name__") in modules


def _body(context: AppContext, slug: str, title: str, page: PageFunction) -> Body:
    """The page; whatever goes wrong becomes one sentence in its place."""
    try:
        permit_page(context, slug)
        return page(context)
    except LensTriageError as error:
        message = str(error)
    except Exception as error:  # noqa: BLE001 - logged; a page never shows a traceback
        _log.exception("The page %s could not be built", title)
        message = sentence_of(error) or NOT_BUILT
    notice = Notice()
    notice.say(message)
    return shell(title, notice.__panel__(), context=context)


def _route(context: AppContext, slug: str, title: str) -> Callable[[], Any]:
    """A function that builds the page for one session; Panel wants a plain function here."""

    def build() -> pn.viewable.Viewable:
        pn.config.theme = "dark" if is_dark() else "default"  # type: ignore[misc]  # by __setattr__
        if pn.state.curdoc is not None:
            # Panel sets this when the page is sent; parts that change before take a CDN's without.
            pn.state.curdoc.template_variables["dist_url"] = LOCAL_DIST
        here = identity.page_context(context)
        pages = {each: partial(_body, here, each, *PAGES[each]) for each in PAGES}
        return PageFrame(here, slug, title, pages).page

    return build


def _unexpected(error: Exception) -> None:
    """Called for every exception that a callback of a page did not handle."""
    _log.error("A callback failed", exc_info=error)
    if pn.state.notifications is not None:
        pn.state.notifications.error(
            str(error) if isinstance(error, LensTriageError) else sentence_of(error) or UNEXPECTED,
            duration=8000,
        )


def session_key(workspace: Workspace) -> bytes:
    """Return the key that signs sessions of pages: nobody makes one up, or its cookies."""
    secret = workspace_secret(workspace).encode()
    return hmac.digest(secret, b"sessions of pages", "sha256")


def make_server(context: AppContext, settings: PageSettings) -> Server:
    """Return a server of all pages and of what they ask for, not started.

    It answers the front alone, which answers what grading needs by itself
    (:mod:`lens_triage.app.front`).
    """
    workspace = context.workspace
    source = tiles.TileSource(workspace)
    routes = {f"/{slug}": _route(context, slug, title) for slug, (title, _) in PAGES.items()}
    own = [
        *exporting.routes(context),
        *plan_exporting.routes(context),
        *reporting.routes(context),
        *review_handlers.routes(context),
        *replaying.routes(context, source),
        *attention.routes(context, source),
        *wide_field.routes(context),
        *lens_test.routes(context),
        *lens_models.routes(context),
        *label_lens_test.routes(context),
        *chart_pdf.routes(),
        *api.routes(context),
    ]
    server = pn.serve(
        routes,
        unix_socket=str(settings.socket),
        websocket_origin=[f"{host}:{settings.port}" for host in LOCAL_NAMES],
        extra_patterns=own,
        secret_key=session_key(workspace),
        sign_sessions=True,
        show=False,
        start=False,
        verbose=False,
        title={f"/{slug}": f"{title} · {PRODUCT}" for slug, (title, _) in PAGES.items()},
    )
    if not settings.reach.prefix:
        # Panel follows a page's address, and its styles, by the port that the browser names; it
        # counts the folders of the address, whose prefix only the front and the browser know.
        server._port = settings.port
    application = server._tornado  # Bokeh has no public name for its application
    restrict(application, PAGES, own)
    if settings.reach.asks:
        application.settings[OPENED_WITH] = identity.cookie_name(context)
    refuse_foreign_hosts(application, settings.reach.names)
    refuse_what_is_not_allowed(application, context)
    refuse_all_but_the_front(application, settings.secret)
    return server


def _run(server: Server) -> None:
    """Serve until SIGTERM; nothing else ends the server.

    SystemExit leaves the loop whoever raises it, a callback of a page or code that it imports.
    """
    while True:
        try:
            server.run_until_shutdown()
        except SystemExit as error:
            _log.error("A callback would have ended the server", exc_info=error)
        else:
            return


def serve_pages(settings: PageSettings) -> None:
    """Serve the pages of a workspace to the front process, as long as that lives."""
    end_with_the_front(settings.socket)
    give_way()
    keep_private_from_now_on()
    workspace = Workspace.open(settings.root)
    context = AppContext.of(workspace, settings.reach)
    for name in ClosedTabs.LOGGERS:
        logging.getLogger(name).addFilter(ClosedTabs())
    pn.state.on_session_destroyed(release)
    pn.extension(notifications=True, exception_handler=_unexpected)
    server = make_server(context, settings)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the front's, which ends this process

    overseer = Overseer(context)

    async def advance() -> None:
        try:
            await asyncio.to_thread(overseer.look)
        except Exception:  # noqa: BLE001 - logged; the watch goes on: a full disk or a locked database may pass
            _log.exception("Jobs could not be looked after")

    backups = BackupWatch(context)

    async def back_up() -> None:
        try:
            await asyncio.to_thread(backups.look)
        except Exception:  # noqa: BLE001 - logged, as above
            _log.exception("Backups could not be looked after")

    PeriodicCallback(advance, _ADVANCE_EVERY_MS).start()
    PeriodicCallback(back_up, _BACKUP_EVERY_MS).start()
    watch = start_watch(ChangeFingerprint(context.database))
    PeriodicCallback(watch.look, PERIOD_MS).start()
    # What was imported stays: the garbage collector need not look through it at each page.
    gc.collect()
    gc.freeze()
    _run(server)
