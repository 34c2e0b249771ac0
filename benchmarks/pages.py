"""How fast do pages open, and what does a server cost whose pages nobody touches?

    python benchmarks/pages.py --chromium /usr/bin/chromium [--seconds 10] [--loads 500]

Serves a filled workspace in a process of its own and opens every page in headless Chromium with an
empty cache: time to the first text (the browser's first contentful paint) and until the page is
complete (Bokeh idle, the veil gone, and no message or response for half a second), processor time
of the server while the tab stays open, and the time of a change from the page before, by a click
in the navigation. The baseline of all ratios is a page of one line in the same frame.

Then sessions without a browser: memory of each, what comes back when they end, and the server's
memory over many loads of all pages, each of which must end and leave nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import panel as pn
import psutil
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, websocket_connect

from lens_triage.app import main as server_module
from lens_triage.app.context import AppContext
from lens_triage.app.shell import shell
from lens_triage.training.labeling import SessionSettings, make_session
from lensing_core.store import open_database
from lensing_core.workspace import Workspace

ROOT = Path(__file__).parent.parent
BARE = "bare"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
QUIET_S = 0.5
SETTLE_S = 35.0  # until the session of the page before has ended, too
PATIENCE_MS = 90_000
IDLE = "() => window.Bokeh && Bokeh.documents.length > 0 && Bokeh.documents[0].is_idle"
FIRST_PAINT = """() => performance.getEntriesByType("paint")
  .find(entry => entry.name === "first-contentful-paint")?.startTime ?? NaN"""


@dataclass
class Cost:
    """What one page costs; nan where it was not measured."""

    paint_s: float = np.nan
    complete_s: float = np.nan
    change_s: float = np.nan
    idle_cpu_s: float = np.nan


@dataclass
class Traffic:
    """When a page last received something."""

    last: float = field(default_factory=time.perf_counter)

    def watch(self, page: Page) -> None:
        page.on("response", lambda _: self.tick())
        page.on("websocket", lambda ws: ws.on("framereceived", lambda _: self.tick()))

    def tick(self) -> None:
        self.last = time.perf_counter()


def bare_page(context: AppContext) -> pn.viewable.Viewable:
    """The baseline: one line in the frame that all pages have."""
    return shell("Bare", pn.pane.HTML("One line.", sizing_mode="stretch_width"), context=context)


def serve_here(root: Path) -> None:
    """Serve the pages and the baseline until interrupted."""
    server_module.PAGES[BARE] = ("Bare", bare_page)
    server_module.serve(Workspace.open(root), port=0)


class Server:
    """The server's process."""

    def __init__(self, workspace: Workspace) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, __file__, "--serve", str(workspace.root)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[str] = []
        self.url = self._await_url()
        self.usage = psutil.Process(self._process.pid)

    def _await_url(self) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                threading.Thread(target=self._listen, daemon=True).start()
                return found.group()
        raise SystemExit("The server did not start:\n" + "".join(self.said))

    def _listen(self) -> None:
        assert self._process.stdout is not None
        self.said.extend(self._process.stdout)

    def cpu_s(self) -> float:
        """Processor time so far."""
        times = self.usage.cpu_times()
        return float(times.user + times.system)

    def memory_mib(self) -> float:
        """Memory of its own: resident, without mapped files where the system tells."""
        status = Path(f"/proc/{self._process.pid}/status")
        if status.exists():
            found = re.search(r"^RssAnon:\s+(\d+) kB", status.read_text(), re.MULTILINE)
            if found:
                return int(found.group(1)) / 1024
        return float(self.usage.memory_info().rss) / 2**20

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait(30)


def build(folder: Path) -> tuple[Workspace, str]:
    """A workspace like the demonstration's, and the id of a session of grading in it."""
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    from filling import fill_workspace

    workspace = Workspace.create(folder / "workspace")
    open_database(workspace)
    fill_workspace(workspace)
    settings = SessionSettings(
        session="round-1", strategy="random", n=40, gold_fraction=0, repeat_fraction=0
    )
    return workspace, make_session(workspace, settings, None)


def complete(page: Page, traffic: Traffic) -> float:
    """Wait until the page is complete, and return when it was."""
    page.wait_for_function(IDLE, timeout=PATIENCE_MS)
    page.locator("#loader").wait_for(state="hidden", timeout=PATIENCE_MS)
    page.locator("nav a").first.wait_for(timeout=PATIENCE_MS)
    drawn = time.perf_counter()
    while time.perf_counter() - traffic.last < QUIET_S and time.perf_counter() - drawn < 30:
        page.wait_for_timeout(20)
    return max(drawn, traffic.last)


def fresh(browser: Browser, url: str) -> BrowserContext:
    """A browser with nothing cached, signed in."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.request.post(
        f"{url}/sign-in",
        data=json.dumps({"name": "Ana"}),
        headers={"Content-Type": "application/json"},
    )
    return context


def open_page(browser: Browser, server: Server, address: str, seconds: float) -> Cost:
    """Open a page with an empty cache and leave it alone."""
    context = fresh(browser, server.url)
    page, traffic = context.new_page(), Traffic()
    traffic.watch(page)
    start = time.perf_counter()
    page.goto(f"{server.url}/{address}", wait_until="commit", timeout=PATIENCE_MS)
    cost = Cost(complete_s=complete(page, traffic) - start)
    cost.paint_s = page.evaluate(FIRST_PAINT) / 1000
    page.wait_for_timeout(SETTLE_S * 1000)
    before, begun = server.cpu_s(), time.perf_counter()
    page.wait_for_timeout(seconds * 1000)
    spent = server.cpu_s() - before
    cost.idle_cpu_s = spent * 10 / (time.perf_counter() - begun)
    context.close()
    return cost


def change_pages(browser: Browser, server: Server, slugs: Sequence[str]) -> dict[str, float]:
    """Seconds from a click in the navigation until the page is complete."""
    context = fresh(browser, server.url)
    page, traffic = context.new_page(), Traffic()
    traffic.watch(page)
    page.goto(f"{server.url}/{slugs[-1]}", timeout=PATIENCE_MS)
    complete(page, traffic)
    times = {}
    for slug in slugs:
        page.wait_for_timeout(500)
        start = time.perf_counter()
        traffic.tick()
        page.locator(f'nav a[href="{slug}"]').click()
        page.locator(".bar").wait_for(state="visible", timeout=PATIENCE_MS)
        page.locator(".bar").wait_for(state="hidden", timeout=PATIENCE_MS)  # sent and drawn
        times[slug] = complete(page, traffic) - start
    context.close()
    return times


class Session:
    """A session without a browser: the page is fetched and its connection opened."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, url: str, address: str, cookie: str) -> Session:
        client = AsyncHTTPClient()
        answer = await client.fetch(
            f"{url}/{address}", headers={"Cookie": cookie}, request_timeout=60
        )
        found = re.search(r'"token":"([^"]+)"', answer.body.decode())
        if found is None:
            raise SystemExit(f"{address}: the page has no token")
        slug = address.partition("?")[0]
        socket = url.replace("http", "ws") + f"/{slug}/ws"
        connection = await websocket_connect(socket, subprotocols=["bokeh", found.group(1)])
        await connection.read_message()  # ACK: the server has the session
        return cls(connection)

    def close(self) -> None:
        self._connection.close()


async def measure_sessions(
    server: Server, addresses: Sequence[str], loads: int, each: int = 20
) -> tuple[float, float, list[tuple[int, float]]]:
    """Return MiB a session, MiB a session given back, and (loads, MiB of the server) as it goes."""
    answer = await AsyncHTTPClient().fetch(
        f"{server.url}/sign-in",
        method="POST",
        headers={"Content-Type": "application/json"},
        body=json.dumps({"name": "Ana"}),
    )
    cookie = answer.headers["Set-Cookie"].partition(";")[0]

    async def load(n: int) -> list[Session]:
        wanted = islice(cycle(addresses), n)
        return [await Session.open(server.url, address, cookie) for address in wanted]

    async def end(sessions: list[Session]) -> None:
        for session in sessions:
            session.close()
        await asyncio.sleep(40)  # a session ends when it has been unused for a while

    await end(await load(each))  # what is loaded once for all is no session's
    before = server.memory_mib()
    sessions = await load(each)
    held = server.memory_mib()
    await end(sessions)
    left = server.memory_mib()
    marks = [(0, left)]
    for done in range(each * 5, loads + 1, each * 5):
        for _ in range(5):
            for session in await load(each):
                session.close()
        await asyncio.sleep(40)
        marks.append((done, server.memory_mib()))
    return (held - before) / each, (held - left) / each, marks


def measure(chromium: str | None, seconds: float, loads: int) -> None:
    """Print the table."""
    folder = Path(tempfile.mkdtemp())
    workspace, session_id = build(folder)
    server = Server(workspace)
    with sync_playwright() as playwright:
        try:
            slugs = [slug for slug in server_module.PAGES if slug != BARE]
            addresses = [BARE, *slugs, f"label?session={session_id}"]
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            open_page(browser, server, BARE, 0)  # what the server loads once
            costs = {address: open_page(browser, server, address, seconds) for address in addresses}
            for slug, change_s in change_pages(browser, server, slugs).items():
                costs[slug].change_s = change_s
            browser.close()
            tell(costs)
        except BaseException:
            server.stop()
            raise
    try:  # beyond Playwright, which has an event loop of its own
        if loads:
            tell_memory(*asyncio.run(measure_sessions(server, addresses, loads)))
    finally:
        server.stop()
        shutil.rmtree(folder)
    tracebacks = sum("Traceback" in line for line in server.said)
    print(f"tracebacks in the server's log: {tracebacks}")


def tell(costs: dict[str, Cost]) -> None:
    """Print the pages."""
    base = costs[BARE]
    print(f"load (1-minute average) {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print("page            first paint   complete (x bare)   by a click   CPU s in 10 s")
    for address, cost in costs.items():
        print(
            f"{address.partition('=')[0]:16s}{cost.paint_s:9.2f} s {cost.complete_s:9.2f} s "
            f"({cost.complete_s / base.complete_s:4.1f}) {cost.change_s:10.2f} s "
            f"{cost.idle_cpu_s:12.3f}"
        )


def tell_memory(held: float, back: float, marks: list[tuple[int, float]]) -> None:
    """Print what sessions hold."""
    print(f"memory of a session {held:.2f} MiB, given back at its end {back:.2f} MiB")
    for loads, mib in marks:
        print(f"server after {loads:4d} further loads: {mib:.0f} MiB")


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    parser.add_argument("--seconds", type=float, default=10, help="each page is left alone")
    parser.add_argument("--loads", type=int, default=500, help="without a browser; 0: none")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve_here(options.serve)
    else:
        measure(options.chromium, options.seconds, options.loads)


if __name__ == "__main__":
    main()
