"""The process that builds the pages, as the front sees it: started, watched, started again."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import secrets
import socket
import sys
import time
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from tornado.iostream import IOStream

from lens_triage.app.http.reach import LOCAL, Reach
from lensing_core.errors import LensTriageError

CONTEXT: SpawnContext | ForkServerContext = multiprocessing.get_context("spawn")
"""Way to start the process. Never a fork of this one, which has threads."""

AWAY = "The pages are being started; grading goes on. Try again in a few seconds."
BUSY = "The server is busy with other pages; try again soon."
_LOOK_EVERY_S = 0.1
_END_WITHIN_S = 5.0
_STEADY_S = 10.0  # one that lives so long has not failed at its start
_LONGEST_PAUSE_S = 30.0
_log = logging.getLogger(__name__)


class PagesAwayError(LensTriageError):
    """Thrown when the page process does not take a request, for the moment."""


@dataclass(frozen=True)
class PageSettings:
    """Settings that the page process gets at its start.

    Attributes
    ----------
    root : Path
        Of the workspace.
    port : int
        Of the front, which browsers name.
    socket : Path
        Where to listen, in a folder that only this account may enter.
    secret : str
        What each request of the front carries.
    reach : Reach
        How far the server is reached.
    """

    root: Path
    port: int
    socket: Path
    secret: str = field(repr=False)
    reach: Reach = LOCAL


def _run(settings: PageSettings) -> None:
    """Return what the process does."""
    from lens_triage.app.main import serve_pages  # here, so that the front need not import Panel

    serve_pages(settings)


async def _ended(process: BaseProcess) -> None:
    """Wait until a process has ended, without looking again and again."""
    if sys.platform == "win32":  # its event loops watch no handles of processes
        await asyncio.to_thread(wait, [process.sentinel])
    else:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(process.sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(process.sentinel)
    process.join()


class Pages:
    """The page process.

    Parameters
    ----------
    root : Path
        Of the workspace.
    port : int
        Of the front.
    folder : Path
        For the socket between the two; only this account may enter it.
    reach : Reach, optional
        How far the server is reached.
    """

    def __init__(self, root: Path, port: int, folder: Path, reach: Reach = LOCAL) -> None:
        secret = secrets.token_urlsafe(32)
        self.settings = PageSettings(root, port, folder / "pages", secret, reach)
        self._process: BaseProcess | None = None

    @property
    def secret(self) -> str:
        """Return what each request to the process carries."""
        return self.settings.secret

    @property
    def pid(self) -> int | None:
        """Process id of the running process of pages."""
        return self._process.pid if self._process else None

    def connect(self) -> IOStream:
        """Return a connection to the process; raises PagesAwayError where it takes none."""
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        opened.setblocking(False)
        try:
            opened.connect(str(self.settings.socket))
        except OSError as error:
            opened.close()
            full = isinstance(error, BlockingIOError)  # the queue of its socket
            raise PagesAwayError(BUSY if full else AWAY) from error
        return IOStream(opened)

    async def started(self) -> bool:
        """Start the process and wait until it listens; returns whether it does."""
        self.settings.socket.unlink(missing_ok=True)
        process = CONTEXT.Process(target=_run, args=(self.settings,), name="pages")
        process.start()
        self._process = process
        while process.is_alive():
            try:
                self.connect().close()
            except PagesAwayError:
                await asyncio.sleep(_LOOK_EVERY_S)
            else:
                return True
        return False

    async def keep(self) -> None:
        """Start the process again whenever it has ended; it runs when this is called."""
        pause, begun = 0.0, time.monotonic()
        while True:
            if self._process is not None:
                await _ended(self._process)
            steady = time.monotonic() - begun > _STEADY_S
            pause = 0.0 if steady else min(max(1.0, 2 * pause), _LONGEST_PAUSE_S)
            code = self._process.exitcode if self._process else None
            _log.error("The page process has ended (%s); it is started again.", code)
            await asyncio.sleep(pause)
            begun = time.monotonic()
            await self.started()

    async def end(self) -> None:
        """End the process, at once where it does not end by itself."""
        process = self._process
        if process is None:
            return
        process.terminate()
        until = time.monotonic() + _END_WITHIN_S
        while process.is_alive() and time.monotonic() < until:
            await asyncio.sleep(_LOOK_EVERY_S)
        if process.is_alive():
            process.kill()
        await asyncio.to_thread(process.join)
