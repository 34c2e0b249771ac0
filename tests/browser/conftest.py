"""The real server in a process of its own, driven by Chromium; faults of any page fail its test."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import forked_workers
import pytest
from filling import fill_workspace
from nginx import NAME
from playwright.sync_api import Browser, Page, Playwright, Response, expect, sync_playwright
from serving import Server

from lens_triage.training.runner import runner
from lensing_core.store import open_database
from lensing_core.workspace import Workspace

ROOT = Path(__file__).parent.parent.parent
_PATIENCE_MS = 60_000  # the machine may have much else to do
expect.set_options(timeout=_PATIENCE_MS)
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP {NAME} 127.0.0.1",  # of a certificate in front of a server here
    # That certificate signs itself. Told to each page instead, every new connection begins again.
    "--ignore-certificate-errors",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder is a browser test."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def workers_folder() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def workers_are_forked(workers_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork the workers of runs that a test or its server starts."""
    for name, value in forked_workers.address_of(workers_folder).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(runner, "start_process", forked_workers.start_process)


def find_chromium(playwright: Playwright) -> str:
    """Path of a Chromium; fails the test with what to do where there is none."""
    named = os.environ.get("LENS_TRIAGE_CHROMIUM")
    if named:
        if not shutil.which(named):
            pytest.fail(f"LENS_TRIAGE_CHROMIUM={named}: no such program")
        return named
    for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    own = playwright.chromium.executable_path
    if not Path(own).exists():
        pytest.fail(
            "No Chromium for the browser tests: install one (Debian: apt install chromium; "
            "elsewhere: playwright install chromium), or set LENS_TRIAGE_CHROMIUM to its path."
        )
    return own


@contextmanager
def served(workspace: Workspace, log: Path, *, demo: bool = False) -> Iterator[str]:
    """The URL of a server; that it wrote no traceback is asserted when it has ended."""
    running = Server(workspace, log, demo=demo)
    yield running.url
    running.stop()
    assert "Traceback" not in running.output, running.output


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Function that serves a workspace until the test ends and returns the URL."""
    numbers = count()
    with ExitStack() as running:

        def start(workspace: Workspace, *, demo: bool = False) -> str:
            log = tmp_path / f"server-{next(numbers)}.log"
            return running.enter_context(served(workspace, log, demo=demo))

        yield start


@pytest.fixture(scope="module")
def serve_to_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """As ``serve``, until the last test of the module ends; for tests that change nothing."""
    with ExitStack() as running:

        def start(workspace: Workspace) -> str:
            log = tmp_path_factory.mktemp("serve") / "server.log"
            return running.enter_context(served(workspace, log))

        yield start


@pytest.fixture
def server(serve: Callable[..., str], workspace: Workspace) -> str:
    """URL of a server for the test's ``workspace``."""
    return serve(workspace)


@pytest.fixture(scope="session")
def filled_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server for a filled workspace; for tests that change nothing in it."""
    folder = tmp_path_factory.mktemp("filled")
    workspace = Workspace.create(folder / "workspace")
    open_database(workspace)
    with served(fill_workspace(workspace), folder / "server.log") as url:
        yield url


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(playwright), args=list(_QUIET)
        )
        yield browser
        browser.close()


class Faults(list[str]):
    """What went wrong on a page: console errors, exceptions, failed or foreign requests."""

    def __init__(self) -> None:
        super().__init__()
        self._allowed: list[str] = []

    def allow(self, pattern: str) -> None:
        """Expect faults that match a regular expression."""
        self._allowed.append(pattern)

    def watch(self, page: Page) -> None:
        """Collect the faults of ``page`` from now on."""
        page.on(
            "console",
            lambda message: self._add(f"console: {message.text}", message.type == "error"),
        )
        page.on("pageerror", lambda error: self._add(f"exception: {error}"))
        page.on("request", lambda request: self._add_foreign(request.url))
        page.on("websocket", lambda socket: self._add_foreign(socket.url))
        page.on("response", self._add_response)

    def _add(self, fault: str, is_fault: bool = True) -> None:
        if is_fault and not any(re.search(pattern, fault) for pattern in self._allowed):
            self.append(fault)

    def _add_foreign(self, url: str) -> None:
        parts = urlsplit(url)
        local = parts.scheme in ("data", "blob", "about")
        local = local or parts.hostname in ("127.0.0.1", NAME)
        self._add(f"request to another host: {url}", not local)

    def _add_response(self, response: Response) -> None:
        self._add(f"HTTP {response.status}: {response.url}", response.status >= 400)


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def page(chromium: Browser, faults: Faults) -> Iterator[Page]:
    """A fresh browser tab of 1280 x 800; the test fails for any fault that it did not allow."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(_PATIENCE_MS)
    tab = context.new_page()
    faults.watch(tab)
    yield tab
    context.close()
    assert not faults, "\n".join(faults)


@pytest.fixture
def visit(page: Page) -> Callable[[str], None]:
    """Function that opens an address and waits until the page answers to its user.

    What a user does before Bokeh calls the document idle (a veil is over the page until then)
    reaches the server, but the server's answer would be lost.
    """

    def go(url: str) -> None:
        page.goto(url)
        page.wait_for_function(
            "() => window.Bokeh && Bokeh.documents.length > 0 && Bokeh.documents[0].is_idle"
        )
        page.locator("#loader").wait_for(state="hidden")
        page.wait_for_timeout(200)

    return go


@pytest.fixture
def screenshot(page: Page, request: pytest.FixtureRequest) -> Callable[..., Path]:
    """Function that keeps a picture of the page in the folder of artifacts."""
    folder = Path(os.environ.get("LENS_TRIAGE_ARTIFACTS", ROOT / "artifacts"))
    folder.mkdir(parents=True, exist_ok=True)

    def take(name: str) -> Path:
        stem = re.sub(r"[^a-z0-9]+", "-", f"{request.node.name}-{name}".lower()).strip("-")
        path = folder / f"{stem}.png"
        page.screenshot(path=path)
        return path

    return take
