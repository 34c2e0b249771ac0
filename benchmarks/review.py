"""How fast is the next candidate in Review, and does the server's memory grow?

Fills a workspace, serves it in a process of its own and drives headless Chromium through the
ranking. Times are the page's own: from the key's event to the frame in which the large picture
(all pictures) of the next candidate stands. The baseline of the ratio is the same walk with the
browser's pictures not fetched ahead: each move is made by a jump to a candidate far away.

    python benchmarks/review.py [--candidates 2000] [--side 64]
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from lens_triage.app.review.service import PAGE_ROWS
from lensing_core.cutouts import CutoutGeometry
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.store import open_database
from lensing_core.store.tables import (
    Candidate,
    Ensemble,
    EnsembleMember,
    MemberScore,
    Model,
    Score,
    utc_now,
)
from lensing_core.workspace import Workspace

BANDS = ("g", "r", "i", "z", "y")
PAUSE_MS = 120  # between moves: a person looks, however briefly
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")


def fill(workspace: Workspace, n: int, side: int) -> None:
    """A scored catalog of ``n`` noisy galaxies in five bands."""
    rng = np.random.default_rng(0)
    geometry = CutoutGeometry("hsc", BANDS, side, 0.168, "flux", (27.0,) * 5, (0.7,) * 5)
    writer = CatalogWriter(workspace, CatalogSpec("bench", geometry, {"name": "hsc"}))
    axis = np.arange(side) - (side - 1) / 2
    galaxy = 60 * np.exp(-np.hypot(axis[:, None], axis) / (side / 14))
    for first in range(0, n, 512):
        rows = [
            NewCandidate(f"object-{k:06d}", 150 + k / n, 2.0, magnitude=20.0)
            for k in range(first, min(first + 512, n))
        ]
        flux = rng.normal(size=(len(rows), 5, side, side)).astype("f4") + galaxy.astype("f4")
        writer.append(flux, rows, rows_read=first + len(rows))
    writer.finish()
    with open_database(workspace).session() as session:
        session.add_all(Model(id=f"member-{k}", kind="lightgbm", manifest={}) for k in range(3))
        session.flush()
        ensemble = Ensemble(name="bench", fusion="mean", manifest={}, promoted_at=utc_now())
        ensemble.members = [EnsembleMember(model_id=f"member-{k}", position=k) for k in range(3)]
        session.add(ensemble)
        session.flush()
        for candidate in session.query(Candidate):
            logit = 4 - 8 * candidate.cutout_index / n
            same = {"candidate_id": candidate.id, "logit": logit}
            probability = float(1 / (1 + np.exp(-logit)))
            session.add(
                Score(
                    ensemble_id=ensemble.id,
                    catalog_id=candidate.catalog_id,
                    probability=probability,
                    epistemic=0.01,
                    aleatoric=0.1,
                    disagreement=0.2,
                    ood_distance=1.0,
                    **same,
                )
            )
            session.add_all(
                MemberScore(model_id=f"member-{k}", probability=probability, **same)
                for k in range(3)
            )


def serve(workspace: Workspace) -> tuple[subprocess.Popen[str], str]:
    """The server's process and its URL."""
    program = "from lens_triage.app.cli import main; main()"
    command = ["-c", program, "serve", str(workspace.root), "--port", "0"]
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            # Whatever it says later must not fill the pipe.
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return process, found.group()
    raise SystemExit("The server did not start.")


def memory_mib(process: subprocess.Popen[str]) -> tuple[float, float]:
    """Resident memory of the server, and the part of it that is no mapped file, MiB."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():  # no Linux
        resident = psutil.Process(process.pid).memory_info().rss / 2**20
        return resident, resident
    found = dict(re.findall(r"^(VmRSS|RssAnon):\s+(\d+) kB", status.read_text(), re.MULTILINE))
    return int(found["VmRSS"]) / 1024, int(found["RssAnon"]) / 1024


def open_page(browser: Browser, url: str) -> tuple[Page, float]:
    """A new tab with an empty cache, and the seconds from the address to the first picture."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    start = time.perf_counter()
    page.goto(f"{url}/review")
    page.wait_for_selector(".work-view[data-shown]", timeout=60_000)
    return page, time.perf_counter() - start


def metrics(page: Page) -> tuple[float, float]:
    """The two times of the latest move, ms."""
    view = page.locator(".work-view")
    latency, panels = (view.get_attribute(f"data-{name}-ms") for name in ("latency", "panels"))
    return float(latency or "nan"), float(panels or "nan")


def walk(page: Page, keys: list[str]) -> np.ndarray:
    """Times of moves, (move, 2): the large picture, all pictures; ms."""
    times = []
    for key in keys:
        was = page.locator(".work-view").get_attribute("data-settled")
        page.keyboard.press(key)
        page.locator(f".work-view:not([data-settled='{was}'])").wait_for(state="attached")
        times.append(metrics(page))
        page.wait_for_timeout(PAUSE_MS)
    return np.array(times)


def tell(name: str, times: np.ndarray) -> None:
    """Print the percentiles of a walk."""
    p50, p95 = np.percentile(times, [50, 95], axis=0)
    print(
        f"{name:42s} picture p50 {p50[0]:6.1f}  p95 {p95[0]:6.1f} ms   "
        f"all panels p50 {p50[1]:6.1f}  p95 {p95[1]:6.1f} ms   ({len(times)} moves)"
    )


def main() -> None:
    """Print the metrics."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=2000, help="to be viewed")
    parser.add_argument("--moves", type=int, default=200, help="timed moves of each walk")
    parser.add_argument("--side", type=int, default=64, help="of the cutouts, pixels")
    options = parser.parse_args()
    chromium = os.environ.get("LENS_TRIAGE_CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        workspace = Workspace.create(Path(folder) / "workspace")
        open_database(workspace)
        fill(workspace, options.candidates + 400, options.side)
        process, url = serve(workspace)
        try:
            browser = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
            measure(browser, process, url, options)
            browser.close()
        finally:
            process.terminate()
            process.wait(20)


def measure(
    browser: Browser, process: subprocess.Popen[str], url: str, options: argparse.Namespace
) -> None:
    """All metrics, on one server."""
    loads = []
    for _ in range(5):
        page, seconds = open_page(browser, url)
        loads.append(seconds)
        if len(loads) < 5:
            page.context.close()
    print(f"load (1-minute average) {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(
        f"first page load, empty cache: first {loads[0]:.2f} s, "
        f"then median {np.median(loads[1:]):.2f}, worst {max(loads[1:]):.2f} s"
    )
    moves = options.moves
    walk(page, ["j"] * 5)
    ahead = walk(page, ["j"] * moves)
    tell("next candidate by key", ahead)
    pages_left = (options.candidates - moves) // PAGE_ROWS
    cold = walk(page, ["]"] * min(moves // 10, pages_left))
    tell("a page further: nothing was fetched ahead", cold)
    print(f"ratio of the medians: {np.median(cold[:, 0]) / np.median(ahead[:, 0]):.1f}")
    page.keyboard.press("Home")
    page.wait_for_timeout(1000)
    page.keyboard.press("t")
    tell("next, all bands side by side", walk(page, ["j"] * (moves // 2)))
    page.keyboard.press("t")
    page.keyboard.press("l")
    page.wait_for_timeout(3000)
    tell("next, galaxy subtracted", walk(page, ["j"] * (moves // 4)))
    page.keyboard.press("r")
    page.keyboard.press("Home")
    page.wait_for_timeout(1000)
    marks = []
    for viewed in range(options.candidates):
        if viewed in (options.candidates // 10, options.candidates // 2):
            marks.append((viewed, *memory_mib(process)))
        was = page.locator(".work-view").get_attribute("data-shown")
        page.keyboard.press("j")
        page.locator(f".work-view:not([data-shown='{was}'])").wait_for(state="attached")
    marks.append((options.candidates, *memory_mib(process)))
    place = page.locator("tr[aria-selected=true] .rank").inner_text()
    print(f"rank at the end of the walk: {place}")
    for viewed, resident, anonymous in marks:
        print(f"server after {viewed:5d} viewed: {resident:.0f} MiB, {anonymous:.0f} MiB its own")


if __name__ == "__main__":
    main()
