"""``lens-triage serve``: the process that owns the port.

It answers all that grading needs by itself (sign-in, queues, events, cutouts and tiles) and imports
nothing of Panel, so that building a page, in another process of lower priority, never keeps a grade
waiting. Everything else is passed on to that process (:mod:`lens_triage.app.front.proxy`), which is
started again when it ends (:mod:`lens_triage.app.front.pages`).
"""

from __future__ import annotations

import asyncio
import logging
import re
import signal
import socket
import tempfile
import webbrowser
from pathlib import Path
from typing import Any

from tornado.netutil import bind_sockets
from tornado.routing import PathMatches, Rule
from tornado.web import Application, RedirectHandler, RequestHandler

from lens_triage.app.context import AppContext
from lens_triage.app.front import providers
from lens_triage.app.front.api_tokens import check_api_tokens
from lens_triage.app.front.connections import FrontServer, allow_many_files
from lens_triage.app.front.gate import ask_for_sign_in
from lens_triage.app.front.pages import Pages
from lens_triage.app.front.proxy import PassOn, PassOnGuard
from lens_triage.app.front.static_replies import StaticReplies
from lens_triage.app.http import identity
from lens_triage.app.http.allowing import refuse_what_is_not_allowed
from lens_triage.app.http.guard import Guard, guarded
from lens_triage.app.http.hosts import refuse_foreign_hosts
from lens_triage.app.http.reach import ADDRESS, LOCAL, Reach
from lens_triage.app.label import handlers as label_handlers
from lens_triage.app.review import events as review_events
from lens_triage.app.viewer import tiles
from lensing_core.errors import PolicyError, WorkspaceError
from lensing_core.private_files import keep_private_from_now_on
from lensing_core.store.graders import has_guarded_organizer
from lensing_core.store.serving import serving
from lensing_core.workspace import Workspace

_log = logging.getLogger(__name__)


def listen(port: int, host: str = ADDRESS) -> list[socket.socket]:
    """Return sockets that listen on a port of an address, 0 for any free one.

    Raises
    ------
    WorkspaceError
        If the port is taken.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return bind_sockets(port, host, family)
    except OSError as error:
        raise WorkspaceError(
            f"Port {port} on {host} is not free ({error.strerror}); choose another with "
            "--port, or --port 0 for any free one."
        ) from error


def front_application(context: AppContext, pages: Pages) -> Application:
    """Return what answers grading, and passes all else on."""
    source = tiles.TileSource(context.workspace)
    own: list[tuple[str, type[RequestHandler], dict[str, Any]]] = [
        *identity.routes(context),
        *label_handlers.routes(context, source),
        *review_events.routes(context),
        *tiles.routes(source),
        *(providers.routes(context) if context.reach.providers else []),
        # From where it is: some proxies write their prefix before any path in a redirection.
        (r"/", RedirectHandler, {"url": "overview", "permanent": False}),
    ]
    routes = [(pattern, _guarded(handler), given) for pattern, handler, given in own]
    inside = {"pages": pages, "static": StaticReplies(), "context": context}
    passed_on = (r".*", _guarded(PassOn, PassOnGuard), inside)
    application = Application([*routes, passed_on], log_function=_log_failures)
    refuse_foreign_hosts(application, context.reach.names)
    if prefix := context.reach.prefix:
        bare = _guarded(RedirectHandler), {"url": f"{prefix}/", "permanent": False}
        application.default_router.rules.insert(-1, Rule(PathMatches(re.escape(prefix)), *bare))
    check_api_tokens(application, context)
    if context.reach.asks:
        ask_for_sign_in(application, context)
    refuse_what_is_not_allowed(application, context)
    return application


def _guarded(handler: type[RequestHandler], guard: type[Guard] = Guard) -> type[RequestHandler]:
    return guarded(handler, guard)  # type: ignore[arg-type]  # mypy takes no class as hashable


def _log_failures(handler: RequestHandler) -> None:
    """Log nothing of a request here: handlers log what fails, with the reason."""


def _address(reach: Reach, port: int) -> str:
    """Address of the pages on this machine."""
    host = f"[{reach.host}]" if ":" in reach.host else reach.host
    return f"http://{host}:{port}{reach.prefix}/"


def _open_browser(url: str) -> None:
    """Open a window; where there is no browser the address has been printed."""
    try:
        webbrowser.open(url)
    except webbrowser.Error as error:
        _log.warning("No browser could be opened (%s); open %s yourself.", error, url)


async def _serve(context: AppContext, sockets: list[socket.socket], open_browser: bool) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    port = sockets[0].getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="lens-triage-") as folder:
        reach = context.reach.without_secrets()
        pages = Pages(context.workspace.root, port, Path(folder), reach)
        server = FrontServer(front_application(context, pages), reach=context.reach)
        server.add_sockets(sockets)
        watch = asyncio.create_task(_watch(pages, _address(context.reach, port), open_browser))
        stop = asyncio.create_task(stopped.wait())
        try:
            await asyncio.wait({watch, stop}, return_when=asyncio.FIRST_COMPLETED)
            if watch.done():
                watch.result()
        finally:
            server.stop()
            watch.cancel()
            await pages.end()
            await server.close_all_connections()


async def _watch(pages: Pages, url: str, open_browser: bool) -> None:
    """Start the page process, say where the pages are, and start it again when it ends."""
    if not await pages.started():
        raise WorkspaceError("The process of the pages did not start; its output says why.")
    print(f"lens-triage: {url} (Ctrl-C stops the pages, not the runs)", flush=True)  # noqa: T201
    if open_browser:
        _open_browser(url)
    await pages.keep()


def serve(
    workspace: Workspace,
    *,
    port: int = 5006,
    open_browser: bool = False,
    demo: bool = False,
    reach: Reach = LOCAL,
) -> None:
    """Serve the pages of a workspace until interrupted, by default on this machine alone.

    Parameters
    ----------
    port : int, optional
        0 takes any free one; the address is printed.
    open_browser : bool, optional
        Open a browser window on the first page.
    demo : bool, optional
        Queue the demonstration's runs unless the workspace has them already.
    reach : Reach, optional
        How far the server is reached.

    Raises
    ------
    WorkspaceError
        If the port is taken, another server has the workspace, its database is not in order, or the
        process of the pages does not start.
    PolicyError
        If the server asks for a sign-in, and there is no organizer with a passphrase.
    """
    keep_private_from_now_on()
    sockets = listen(port, reach.host)
    with serving(workspace):
        context = AppContext.of(workspace, reach)
        if reach.asks and not context.database.ask(has_guarded_organizer):
            raise PolicyError(
                "Nobody could sign in: no organizer has a passphrase. Make one first: "
                f'lens-triage graders add {workspace.root} "YOUR NAME" --role organizer'
            )
        if demo:
            from lens_triage.training.demo import submit_demo  # here: it is needed nowhere else

            submit_demo(workspace)
        allow_many_files()
        asyncio.run(_serve(context, sockets, open_browser))
