"""How fast is the labeling view, and does it lose a grade?

    python benchmarks/labeling.py --chromium /usr/bin/chromium

In a real browser, warm, on a real server: from a key to the next cutout painted, one at a time,
with the time of a picture that was not fetched ahead as the baseline; pages of 100 cutouts; a
scripted grader over 2,000 grades while the server is killed (kill -9) three times and the
connection drops once; at last four graders at once. Ends with the log of events: each grade is
there once, and the chain is unbroken.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from http.client import HTTPConnection
from pathlib import Path
from uuid import uuid4

import numpy as np
import sqlalchemy as sa
from playwright.sync_api import Page, sync_playwright

from lens_triage.training.labeling import SessionSettings, make_session
from lensing_core.cutouts import CutoutGeometry
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.store import open_database
from lensing_core.store.labels import grader_named, verify
from lensing_core.store.tables import LabelEvent, utc_now
from lensing_core.surveys import get_survey
from lensing_core.workspace import Workspace

ROOT = Path(__file__).parent.parent
JSON = {"Content-Type": "application/json"}
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
WATCH = """view => {
  window.latencies = []
  new MutationObserver(() => window.latencies.push(Number(view.dataset.latencyMs)))
    .observe(view, {attributes: true, attributeFilter: ["data-latency-ms"]})
}"""
COLD = """async urls => {
  const times = []
  for (const url of urls) {
    const begun = performance.now()
    const image = new Image()
    image.src = url
    await image.decode()
    times.push(performance.now() - begun)
  }
  return times
}"""


class Server:
    """``lens-triage serve`` in a process that can be killed and started again on its port."""

    def __init__(self, workspace: Workspace) -> None:
        self._root = str(workspace.root)
        self.port = 0
        self.start()

    def start(self) -> None:
        command = "from lens_triage.app.cli import main; main()"
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", command, "serve", self._root, "--port", str(self.port)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found.group(1))
                break
        threading.Thread(target=self._process.stdout.read, daemon=True).start()

    def kill(self) -> None:
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def fill(workspace: Workspace, n: int) -> None:
    """A catalog of ``n`` noisy galaxies of 3 x 64 x 64 pixels."""
    rng = np.random.default_rng(0)
    geometry = CutoutGeometry(
        "hsc", ("g", "r", "i"), 64, 0.168, "flux", (27.0,) * 3, (0.8, 0.7, 0.6)
    )
    spec = CatalogSpec("field", geometry, get_survey("hsc").to_json(), origin="observed")
    writer = CatalogWriter(workspace, spec)
    y, x = np.mgrid[:64, :64] - 31.5
    for first in range(0, n, 500):
        size = min(500, n - first)
        width = rng.uniform(2, 8, (size, 1, 1, 1))
        flux = 60 * np.exp(-np.hypot(x, y) / width) + rng.normal(size=(size, 3, 64, 64))
        rows = [NewCandidate(f"object-{first + k:06d}", None, None) for k in range(size)]
        writer.append(flux.astype(np.float32), rows, rows_read=first + size)
    writer.finish()


def session_of(workspace: Workspace, name: str, n: int) -> str:
    """A session of ``n`` objects by chance; its id."""
    settings = SessionSettings(
        session=name, strategy="random", n=n, gold_fraction=0, repeat_fraction=0, keep_graded=True
    )
    return make_session(workspace, settings, None)


def open_grader_view(page: Page, server: Server, session_id: str, **preferences: object) -> None:
    """Sign in, open the view and watch how long cutouts take."""
    page.request.post(f"{server.url}/sign-in", data=json.dumps({"name": "Ana"}), headers=JSON)
    kept = json.dumps({"label": preferences})
    page.request.post(f"{server.url}/labeling/preferences", data=kept, headers=JSON)
    page.goto(f"{server.url}/label?session={session_id}")
    page.wait_for_selector(".work-view[data-shown]", timeout=120_000)
    page.wait_for_timeout(3000)
    page.locator(".work-view").evaluate(WATCH)


def painted(page: Page, key: str) -> None:
    """Press a key, and wait until what it leads to has been painted."""
    before = page.evaluate("latencies.length")
    page.keyboard.press(key)
    page.wait_for_function("n => latencies.length > n", arg=before, timeout=120_000)


def told(times_ms: list[float]) -> str:
    p50, p95 = np.percentile(times_ms, (50, 95))
    return f"p50 {p50:.1f} ms, p95 {p95:.1f} ms, n = {len(times_ms)}"


def one_at_a_time(page: Page, server: Server, workspace: Workspace, n: int) -> None:
    """Key to the next cutout painted, against pictures that were not fetched ahead."""
    session_id = session_of(workspace, "one at a time", n + 200)
    open_grader_view(page, server, session_id)
    items = page.request.get(f"{server.url}/labeling/{session_id}/queue?after={n}").json()["items"]
    for _ in range(n):
        painted(page, "x")
        page.wait_for_timeout(100)
    page.wait_for_selector(".work-view[data-unsent='0']", timeout=60_000)
    warm = page.evaluate("latencies")
    urls = [f"tiles/~{session_id}/{item['token']}?bands=i,r,g&q=7" for item in items[-60:]]
    cold = page.evaluate(COLD, urls)
    ratio = np.median(cold) / np.median(warm)
    print(f"key to next cutout painted: {told(warm)} (50 wanted)")
    print(f"  a picture not fetched ahead: {told(cold)}, ratio of medians {ratio:.1f}")


def mosaic(page: Page, server: Server, workspace: Workspace, pages: int) -> None:
    """Pages of 100 cutouts, each set in one stroke."""
    session_id = session_of(workspace, "mosaic", 100 * (pages + 1))
    open_grader_view(page, server, session_id, mosaic=True, layout=[10, 10])
    for _ in range(pages):
        painted(page, "Enter")
        page.wait_for_timeout(2500)
    page.wait_for_selector(".work-view[data-unsent='0']", timeout=60_000)
    print(f"page of 100 cutouts painted: {told(page.evaluate('latencies'))} (1000 wanted)")


def survive(page: Page, server: Server, workspace: Workspace, n: int) -> None:
    """Grade ``n`` cutouts while the server is killed three times and the connection drops once."""
    session_id = session_of(workspace, "storm", n)
    open_grader_view(page, server, session_id)
    kills = {n // 4, n // 2, 3 * n // 4}
    starting: threading.Thread | None = None
    begun = time.perf_counter()
    for k in range(n):
        if k in kills:
            if starting is not None:
                starting.join()
            server.kill()
            starting = threading.Thread(target=server.start)
            starting.start()
        if k == n * 7 // 8:
            page.context.set_offline(True)
        if k == n * 7 // 8 + 20:
            page.context.set_offline(False)
        shown = page.locator(".work-view").get_attribute("data-shown")
        page.keyboard.press("xxxxb"[k % 5])
        # A grader waits for a cutout: none is graded unseen, and there is none while the server is
        # away for longer than the cutouts that were fetched ahead last.
        while k < n - 1 and page.locator(".work-view").get_attribute("data-shown") in (shown, None):
            page.wait_for_timeout(20)
    page.wait_for_selector(".work-view[data-unsent='0']", timeout=120_000)
    took = time.perf_counter() - begun
    with open_database(workspace).session() as session:
        events = session.scalars(
            sa.select(LabelEvent).where(LabelEvent.session_id == session_id)
        ).all()
        verify(session)
    counts = Counter(event.candidate_id for event in events)
    lost = n - len(counts)
    doubled = len(events) - len(counts)
    print(
        f"{n} grades over three kills and a dropped connection: {lost} lost, {doubled} doubled, "
        f"{3600 * n / took:.0f} an hour (2,500 wanted)"
    )
    assert (lost, doubled) == (0, 0)


def four_graders(server: Server, workspace: Workspace, each: int) -> None:
    """Four graders send one grade after the other, at once."""
    session_id = session_of(workspace, "four", each)
    times: list[float] = []
    failures: list[str] = []

    def grade(name: str) -> None:
        link = HTTPConnection("127.0.0.1", server.port, timeout=60)

        def ask(method: str, path: str, body: object = None, **headers: str) -> dict:
            link.request(method, path, json.dumps(body), {**JSON, **headers})
            answer = link.getresponse()
            found = {"cookie": answer.getheader("Set-Cookie"), **json.loads(answer.read())}
            if answer.status != 200:
                failures.append(f"{answer.status} {found}")
            return found

        cookie = ask("POST", "/sign-in", {"name": name})["cookie"].partition(";")[0]
        path = f"/labeling/{session_id}"
        after = -1
        while items := ask("GET", f"{path}/queue?after={after}", Cookie=cookie)["items"]:
            for item in items:
                event = {
                    "uuid": str(uuid4()),
                    "kind": "grade",
                    "grade": "X",
                    "token": item["token"],
                    "given_at": utc_now().isoformat(),
                }
                body = {"grader": graders[name], "events": [event]}
                begun = time.perf_counter()
                ask("POST", f"{path}/events", body, Cookie=cookie)
                times.append(1e3 * (time.perf_counter() - begun))
            after = items[-1]["number"]

    names = ("Ana", "Bo", "Cy", "Dee")
    with open_database(workspace).session() as session:
        graders = {name: grader_named(session, name).id for name in names}
    threads = [threading.Thread(target=grade, args=(name,)) for name in names]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begun
    print(
        f"four graders at once: {len(times)} grades, {len(failures)} failures, acknowledged in "
        f"{told(times)}, {len(times) / took:.0f}/s"
    )
    assert not failures, failures[:3]
    assert len(times) == 4 * each


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--keys", type=int, default=300)
    parser.add_argument("--pages", type=int, default=10)
    parser.add_argument("--grades", type=int, default=2000)
    parser.add_argument("--each", type=int, default=250)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        workspace = Workspace.create(Path(folder) / "workspace")
        open_database(workspace)
        fill(workspace, max(options.grades, 100 * (options.pages + 1), options.keys + 200))
        server = Server(workspace)
        browser = playwright.chromium.launch(executable_path=options.chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        try:
            one_at_a_time(page, server, workspace, options.keys)
            mosaic(page, server, workspace, options.pages)
            four_graders(server, workspace, options.each)
            survive(page, server, workspace, options.grades)
        finally:
            browser.close()
            server.kill()
        with open_database(workspace).session() as session:
            report = verify(session)
    print(f"the log: {report.n_events} events, unbroken; load {os.getloadavg()[0]:.0f}")


if __name__ == "__main__":
    main()
