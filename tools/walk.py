"""Walks through all pages of a workspace with an open log and an open browser console.

    python tools/walk.py demo-workspace --chromium CHROMIUM --pictures walk

serves the workspace, opens every page in a tab of its own in both themes, at 1280 and 1920, closes
the tabs, and ends with status 1 where the console, a request, or the server's log had a fault, or
where a page said that there is nothing while it was loading and showed something later.
``--demo`` does so in a new workspace while its demonstration is being built, as newcomers do.
``--pictures`` keeps a screenshot of each page as it loads and when it is there.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, Response, sync_playwright

from lens_triage.app.main import PAGES

_START_S, _SETTLE_MS = 120.0, 2500
_SIZES = ((1280, 800), (1920, 1080))
_LOG_FAULT = re.compile(r"Traceback|Error\b|ERROR|CRITICAL|Exception")

# Collects what is said of nothing, from the first frame on, through all shadow roots.
_WATCH = """
window.saidOfNothing = new Set()
const NOTHING = /^(No|Nothing|Nobody|None)\\\\b.*\\\\b(yet|runs|graded|taken)\\\\b/
function look(root) {
  for (const at of root.querySelectorAll("*")) {
    if (at.shadowRoot) look(at.shadowRoot)
    if (!["P", "H2", "SPAN"].includes(at.tagName) || at.offsetParent === null) continue
    const text = at.textContent.trim()
    if (NOTHING.test(text)) window.saidOfNothing.add(text)
  }
}
function watch() { if (document.body) look(document.body); requestAnimationFrame(watch) }
watch()
window.saidNow = () => { const before = window.saidOfNothing; window.saidOfNothing = new Set();
  look(document.body); const now = window.saidOfNothing;
  return [...before].filter((text) => !now.has(text)) }
""".replace("\\\\", "\\")


class Walk:
    """One pass over all pages; what was wrong stands in :attr:`faults`."""

    def __init__(self, browser: Browser, url: str, pictures: Path | None) -> None:
        self._browser, self._url, self._pictures = browser, url, pictures
        self.faults: list[str] = []

    def visit(self, slug: str, theme: str, size: tuple[int, int]) -> None:
        """Open a page in a tab of its own, wait until it is there, close the tab."""
        context = self._browser.new_context(viewport={"width": size[0], "height": size[1]})
        context.add_cookies([{"name": "lens-triage-theme", "value": theme, "url": self._url}])
        context.add_init_script(_WATCH)
        page = context.new_page()
        where = f"{slug}, {theme}, {size[0]}"
        self._listen(page, where)
        begun = time.monotonic()
        page.goto(f"{self._url}/{slug}", wait_until="commit")
        page.wait_for_timeout(700)
        self._picture(page, f"{slug}-{theme}-{size[0]}-loading")
        page.wait_for_function(
            "() => window.Bokeh && Bokeh.documents.length > 0 && Bokeh.documents[0].is_idle",
            timeout=60_000,
        )
        idle = time.monotonic() - begun
        page.wait_for_timeout(_SETTLE_MS)
        self._picture(page, f"{slug}-{theme}-{size[0]}")
        for text in page.evaluate("window.saidNow()"):
            self.faults.append(f"{where}: said while loading, and not any more: {text!r}")
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"):
            self.faults.append(f"{where}: wider than its window")
        context.close()
        print(f"{where}: there after {idle:.1f} s", flush=True)  # noqa: T201

    def _listen(self, page: Page, where: str) -> None:
        def console(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                self.faults.append(f"{where}: console {message.type}: {message.text}")

        def response(found: Response) -> None:
            if found.status >= 400:
                self.faults.append(f"{where}: HTTP {found.status}: {found.url}")

        page.on("console", console)
        page.on("response", response)
        page.on("pageerror", lambda error: self.faults.append(f"{where}: exception: {error}"))

    def _picture(self, page: Page, name: str) -> None:
        if self._pictures is not None:
            page.screenshot(path=self._pictures / f"{name}.png")


def main() -> int:
    """Serve, walk, say what was wrong."""
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("workspace", type=Path)
    arguments.add_argument("--chromium", required=True)
    arguments.add_argument("--pictures", type=Path)
    arguments.add_argument("--pages", nargs="*", default=list(PAGES))
    arguments.add_argument("--quick", action="store_true", help="One theme and size.")
    arguments.add_argument(
        "--demo", action="store_true", help="Let the demonstration be built meanwhile."
    )
    given = arguments.parse_args()
    if given.pictures is not None:
        given.pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "server.log"
        command = ["demo", "--no-browser"] if given.demo else ["serve"]
        with log.open("wb") as output:
            program = [sys.executable, "-c", "from lens_triage.app.cli import main; main()"]
            server = subprocess.Popen(  # noqa: S603 - our own program, arguments as a list
                [*program, *command, str(given.workspace), "--port", "0"],
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            faults = _walk(_address(log), given)
        finally:
            server.terminate()
            server.wait(20)
        faults += [
            f"log: {line}" for line in log.read_text().splitlines() if _LOG_FAULT.search(line)
        ]
    print("\n".join(faults) or "No fault.")  # noqa: T201
    return bool(faults)


def _walk(url: str, given: argparse.Namespace) -> list[str]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=given.chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        walk = Walk(browser, url, given.pictures)
        for theme in ("light",) if given.quick else ("light", "dark"):
            for size in _SIZES[:1] if given.quick else _SIZES:
                for slug in given.pages:
                    walk.visit(slug, theme, size)
        time.sleep(3)  # sessions of closed tabs are ended after a while, which may fail too
        browser.close()
    return walk.faults


def _address(log: Path) -> str:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            return found.group()
        time.sleep(0.1)
    raise TimeoutError(f"The server did not start: {log.read_text()}")


if __name__ == "__main__":
    sys.exit(main())
