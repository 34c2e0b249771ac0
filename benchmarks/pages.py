"""How fast do pages open, and what does a server cost whose pages nobody touches?

    python benchmarks/pages.py --chromium /usr/bin/chromium [--seconds 10] [--loads 500]

Serves a filled workspace as ``lens-triage serve`` does and opens every page in headless Chromium
with an empty cache: time to the first text (the browser's first contentful paint) and until the
page is complete (Bokeh idle, the veil gone, and no message or response for half a second), then
processor time of the server (median of three windows) and messages to and from the tab while that
stays open untouched, and the time of a change from the page before, by a click in the navigation.
Beside it the processor time of the same server while no tab is open. The baseline of all ratios
is a page of one line in the same frame.

Then sessions without a browser: memory of each page's, what comes back when they end, and the
memory of the process that builds pages over many loads, each of which must end and leave nothing.
A session whose tab is gone ends after a second here; Bokeh waits 15 to 32 s for it to come back.

Takes about fifteen minutes on two cores.
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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import panel as pn
import psutil
from playwright.sync_api import Browser, BrowserContext, Page, WebSocket, sync_playwright
from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, websocket_connect

from lens_triage.app import main as server_module
from lens_triage.app.context import AppContext
from lens_triage.app.front.main import serve
from lens_triage.app.shell import Body, shell
from lens_triage.training.labeling import SessionSettings, make_session
from lensing_core.store import open_database
from lensing_core.workspace import Workspace

ROOT = Path(__file__).parent.parent
BARE = "bare"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
QUIET_S = 0.5
SETTLE_S = 4.0  # until the session of the page before has ended, too
WINDOWS = 3
LIFETIME_MS = 1000  # of a session without a tab
TOGETHER = 20  # sessions of one page, without a browser
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
    messages: float = np.nan
    held_mib: float = np.nan
    back_mib: float = np.nan


class Traffic:
    """When a page last received something, and how many messages it has exchanged."""

    def __init__(self, page: Page) -> None:
        self.last = time.perf_counter()
        self.messages = 0
        page.on("response", lambda _: self.tick())
        page.on("websocket", self._watch)

    def _watch(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda _: self._count())
        socket.on("framesent", lambda _: self._count())

    def _count(self) -> None:
        self.messages += 1
        self.tick()

    def tick(self) -> None:
        """Note that something came just now."""
        self.last = time.perf_counter()


def bare_page(context: AppContext) -> Body:
    """The baseline: one line in the frame that all pages have."""
    return shell("Bare", pn.pane.HTML("One line.", sizing_mode="stretch_width"), context=context)


# Here and not in a function: the process of the pages imports this file anew, as its main one.
server_module.PAGES[BARE] = ("Bare", bare_page)
pn.serve = partial(
    pn.serve,
    check_unused_sessions_milliseconds=LIFETIME_MS // 2,
    unused_session_lifetime_milliseconds=LIFETIME_MS,
)


def _scheduled_s(process: psutil.Process) -> float:
    """Processor time of all threads of a process, of which times by ticks miss what is short."""
    threads = Path(f"/proc/{process.pid}/task").iterdir()
    return sum(int((each / "schedstat").read_text().split()[0]) for each in threads) / 1e9


class Server:
    """The server's two processes."""

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
        front = psutil.Process(self._process.pid)
        children = front.children(recursive=True)
        self._processes = [front, *children]
        # Beside it there is only what watches over shared resources, which is small.
        self._pages = max(children, key=lambda process: process.memory_info().rss)

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
        """Processor time of all processes so far; in nanoseconds where the system tells."""
        try:
            return sum(map(_scheduled_s, self._processes))
        except OSError:
            times = [process.cpu_times() for process in self._processes]
            return float(sum(each.user + each.system for each in times))

    def memory_mib(self) -> float:
        """Memory of the pages' process: resident, without mapped files where the system tells."""
        status = Path(f"/proc/{self._pages.pid}/status")
        if status.exists():
            found = re.search(r"^RssAnon:\s+(\d+) kB", status.read_text(), re.MULTILINE)
            if found:
                return int(found.group(1)) / 1024
        return float(self._pages.memory_info().rss) / 2**20

    def stop(self) -> None:
        """End the processes."""
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
    page = context.new_page()
    traffic = Traffic(page)
    start = time.perf_counter()
    page.goto(f"{server.url}/{address}", wait_until="commit", timeout=PATIENCE_MS)
    cost = Cost(complete_s=complete(page, traffic) - start)
    cost.paint_s = page.evaluate(FIRST_PAINT) / 1000
    page.wait_for_timeout(SETTLE_S * 1000)
    messages = traffic.messages
    if seconds:
        cost.idle_cpu_s = idle_cpu_s(server, seconds, page.wait_for_timeout)
        cost.messages = traffic.messages - messages
    context.close()
    return cost


def idle_cpu_s(server: Server, seconds: float, wait_ms: Callable[[float], object]) -> float:
    """Processor time of the server in 10 s: the median of several windows.

    Now and then a window holds what is done once: the end of a session, a first import.
    """
    spent = []
    for _ in range(WINDOWS):
        before, begun = server.cpu_s(), time.perf_counter()
        wait_ms(seconds * 1000)
        spent.append((server.cpu_s() - before) * 10 / (time.perf_counter() - begun))
    return float(np.median(spent))


def change_pages(browser: Browser, server: Server, slugs: Sequence[str]) -> dict[str, float]:
    """Seconds from a click in the navigation until the page is complete."""
    context = fresh(browser, server.url)
    page = context.new_page()
    traffic = Traffic(page)
    page.goto(f"{server.url}/{slugs[-1]}", timeout=PATIENCE_MS)
    complete(page, traffic)
    times = {}
    for slug in slugs:
        page.wait_for_timeout(500)
        start = time.perf_counter()
        traffic.tick()
        page.locator(f'nav a[href="{slug}"]').click()
        bar = page.locator(".bar:has(+ nav)")
        bar.wait_for(state="visible", timeout=PATIENCE_MS)
        bar.wait_for(state="hidden", timeout=PATIENCE_MS)  # the page is sent and drawn
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
        """Close the tab that there is none of."""
        self._connection.close()


async def sign_in(url: str) -> str:
    """The cookie of somebody who is signed in."""
    answer = await AsyncHTTPClient().fetch(
        f"{url}/sign-in",
        method="POST",
        headers={"Content-Type": "application/json"},
        body=json.dumps({"name": "Ana"}),
    )
    return answer.headers["Set-Cookie"].partition(";")[0]


async def measure_sessions(
    server: Server, costs: dict[str, Cost], loads: int
) -> list[tuple[int, float]]:
    """Fill in what sessions of each page hold; return (loads, MiB of the process) as it goes."""
    cookie = await sign_in(server.url)
    marks, done = [], 0

    async def load(address: str, n: int) -> list[Session]:
        nonlocal done
        done += n
        return [await Session.open(server.url, address, cookie) for _ in range(n)]

    async def end(sessions: list[Session]) -> float:
        for session in sessions:
            session.close()
        await asyncio.sleep(3 * LIFETIME_MS / 1000)
        return server.memory_mib()

    # The first sessions of each page load what all share.
    left = await end([each for address in costs for each in await load(address, 2)])
    for address, cost in costs.items():
        before = left
        sessions = await load(address, TOGETHER)
        held = server.memory_mib()
        left = await end(sessions)
        cost.held_mib, cost.back_mib = (held - before) / TOGETHER, (held - left) / TOGETHER
    marks.append((done, left))
    while done < loads:
        for _ in range(2):
            left = await end([each for address in costs for each in await load(address, 2)])
        marks.append((done, left))
    return marks


def measure(chromium: str | None, seconds: float, loads: int) -> None:
    """Print the table."""
    folder = Path(tempfile.mkdtemp())
    workspace, session_id = build(folder)
    server = Server(workspace)
    try:
        slugs = [slug for slug in server_module.PAGES if slug != BARE]
        costs = {address: Cost() for address in [BARE, *slugs, f"label?session={session_id}"]}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            open_page(browser, server, BARE, 0)  # what the server loads once
            time.sleep(SETTLE_S)
            at_rest = idle_cpu_s(server, seconds, lambda ms: time.sleep(ms / 1000))
            for address in costs:
                costs[address] = open_page(browser, server, address, seconds)
            for slug, change_s in change_pages(browser, server, slugs).items():
                costs[slug].change_s = change_s
            browser.close()
        # Beyond Playwright, which has an event loop of its own.
        marks = asyncio.run(measure_sessions(server, costs, loads)) if loads else []
    finally:
        server.stop()
        shutil.rmtree(folder)
    tell(costs)
    print(f"10 s without any tab: {at_rest:.3f} CPU s")
    for done, mib in marks:
        print(f"memory of the pages' process after {done:4d} loads: {mib:.0f} MiB")
    tracebacks = sum("Traceback" in line for line in server.said)
    print(f"tracebacks in the server's log: {tracebacks}")


def tell(costs: dict[str, Cost]) -> None:
    """Print the pages."""
    base = costs[BARE]
    print(f"load (1-minute average) {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print("                   first      complete        by a     10 s untouched    MiB a session")
    print("page               paint      (x bare)        click    CPU s  messages   held    back")
    for address, cost in costs.items():
        print(
            f"{address.partition('=')[0]:16s}{cost.paint_s:6.2f} s {cost.complete_s:6.2f} s "
            f"({cost.complete_s / base.complete_s:4.1f}) {cost.change_s:8.2f} s "
            f"{cost.idle_cpu_s:8.3f} {cost.messages:9.0f} "
            f"{cost.held_mib:6.2f}  {cost.back_mib:6.2f}"
        )


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    parser.add_argument("--seconds", type=float, default=10, help="each page is left alone")
    parser.add_argument("--loads", type=int, default=500, help="without a browser; 0: none")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(Workspace.open(options.serve), port=0)
    else:
        measure(options.chromium, options.seconds, options.loads)


if __name__ == "__main__":
    main()
