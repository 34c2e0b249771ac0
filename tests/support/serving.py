"""Servers in processes of their own, forked from one that has imported the program already.

Importing the pages takes seconds, forking what is imported takes none.
``tests/app/http/test_hosts.py`` starts a server as a user does.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest
from forked_workers import FORKED, share_fork_server, take_over

from lensing_core.workspace import Workspace

_FORKS = multiprocessing.get_context("forkserver")
_START_S = 120
_OF_PAGES = ".pages"  # after the name of the log, for the process of the pages
_HANDED_ON = ("SAMP_HUB", *FORKED)
_NO_HUB = "std-lockurl:file:///nonexistent/samp"  # of a user at work on this machine


class _PageProcesses:
    """Starts page processes by the fork server, in the environment of the server.

    Parameters
    ----------
    log : str
        File for what they print.
    """

    def __init__(self, log: str) -> None:
        self._log = log

    def Process(
        self, *, target: Callable[..., None], args: tuple[Any, ...], name: str
    ) -> ForkServerProcess:
        environment = {
            key: os.environ[key] for key in ("OMP_NUM_THREADS", *_HANDED_ON) if key in os.environ
        }
        given = (environment, self._log, target, args)
        return _FORKS.Process(target=_run_in, args=given, name=name)


def _run_in(
    environment: dict[str, str], log: str, target: Callable[..., None], args: tuple[Any, ...]
) -> None:
    os.environ.update(environment)
    _print_into(log)
    take_over()
    share_fork_server()
    target(*args)


def _print_into(log: str) -> None:
    """Have all output of this process in a file, after what is there."""
    with Path(log).open("ab") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)


def _serve(
    root: str,
    demo: bool,
    log: str,
    port: int,
    environment: dict[str, str],
    options: dict[str, Any],
) -> None:
    """What the process does: ``lens-triage serve`` or ``demo`` with all output in a file."""
    _print_into(log)
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ.update(environment)  # as it is now: the fork knows what was set when it began
    from lens_triage.app import cli
    from lens_triage.app.front import pages

    share_fork_server()
    pages.CONTEXT = _PageProcesses(f"{log}{_OF_PAGES}")  # type: ignore[assignment]
    (cli.demo if demo else cli.serve)(Path(root), port=port, show=False, **options)


class Server:
    """``lens-triage serve`` on a free port, or on ``port``, with further options of the command.

    Attributes
    ----------
    url : str
    """

    def __init__(
        self,
        workspace: Workspace,
        log: Path,
        *,
        demo: bool = False,
        port: int = 0,
        **options: Any,
    ) -> None:
        _FORKS.set_forkserver_preload(
            ["lens_triage.app.main", "lens_triage.app.cli", "lens_triage.app.front.main"]
        )
        handed_on = {key: os.environ[key] for key in _HANDED_ON if key in os.environ}
        self._log = log
        self._process: ForkServerProcess = _FORKS.Process(
            target=_serve,
            args=(
                *(str(workspace.root), demo, str(log), port),
                *({"SAMP_HUB": _NO_HUB} | handed_on, options),
            ),
        )
        self._process.start()
        self.url = self._await_url()

    def _await_url(self) -> str:
        end = time.monotonic() + _START_S
        while time.monotonic() < end and self._process.is_alive():
            if found := re.search(r"http://127\.0\.0\.1:\d+", self.output):
                return found.group()
            time.sleep(0.02)
        self.stop()
        pytest.fail(f"The server did not start:\n{self.output}")

    @property
    def output(self) -> str:
        """All that the process with the port has printed."""
        return self._log.read_text() if self._log.exists() else ""

    @property
    def page_output(self) -> str:
        """All that the processes of its pages have printed."""
        log = Path(f"{self._log}{_OF_PAGES}")
        return log.read_text() if log.exists() else ""

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    @property
    def pid(self) -> int:
        """Of its process."""
        assert self._process.pid is not None
        return self._process.pid

    def kill(self) -> None:
        """End the process at once, as kill -9 does."""
        self._process.kill()
        self._process.join()

    def stop(self) -> None:
        """End the process and wait for it."""
        self._process.terminate()
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
