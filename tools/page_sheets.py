"""Pages in all their states, widths and both themes, as contact sheets to look at.

    make sheets                     # or
    python tools/page_sheets.py demo-workspace --chromium /usr/bin/chromium --out build/sheets
    python tools/page_sheets.py demo-workspace --only review label --widths 390 --as-is

Takes the demonstration of a workspace (built first where it is missing), copies it and has
simulated graders play a campaign on the copy (:mod:`campaign`); ``--as-is`` serves a copy of the
workspace as it stands. Each state is opened once; the window then takes every width in both themes.
One sheet a state lies in the folder afterwards, beside the single pictures. Ends with status 1
where axe-core found something, or where a page does not fit into a narrow window.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from campaign import play
from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright
from screenshots import FLAGS, ROOT, Camera, demonstration, fresh_copy, served

from lensing_core.store import open_database
from lensing_core.store.label_sessions import all_sessions
from lensing_core.workspace import Workspace

sys.path.insert(0, str(ROOT / "tests" / "support"))
from accessibility import COLORS, overflows, violations

HEIGHTS = {390: 844, 820: 1180, 1024: 768, 1280: 800, 1920: 1080, 2560: 1440}
_NARROW = (390, 820)
_SHEET_WIDTH, _ROW_HEIGHT, _GAP = 2000, 640, 12
Prepare = Callable[[Page], None]


def _nothing(page: Page) -> None:
    """The state is what its address shows."""


def _shown(page: Page) -> Locator:
    view = page.locator(".work-view[data-shown]")
    view.wait_for()
    return view


def _gallery(page: Page) -> None:
    _shown(page)
    page.keyboard.press("G")
    page.locator(".stamp").nth(8).wait_for()
    for key in ("ArrowRight", " ", "ArrowRight", " ", "B"):
        page.keyboard.press(key)


def _compare(page: Page) -> None:
    _shown(page)
    page.keyboard.press("S")
    page.locator(".compare figure").first.wait_for()


def _pressing(*keys: str) -> Prepare:
    def press(page: Page) -> None:
        _shown(page)
        for key in keys:
            page.keyboard.press(key)

    return press


def _pressed(name: str) -> Prepare:
    """Open the first fold, menu or dialog of that name."""

    def press(page: Page) -> None:
        page.get_by_role("button", name=name).first.click()

    return press


@dataclass(frozen=True)
class State:
    """A page in one of its states: the address, and what is done after it is there."""

    name: str
    address: str
    prepare: Prepare = _nothing


STATES = (
    State("overview", "overview"),
    State("catalogs", "catalogs"),
    State("catalogs-import", "catalogs?tab=import"),
    State("catalogs-attach", "catalogs?tab=attach"),
    State("catalogs-search", "catalogs?tab=search"),
    State("catalogs-simulate", "catalogs?tab=simulate"),
    State("catalogs-inject", "catalogs?tab=inject"),
    State("train", "train"),
    State("train-retrain", "train?tab=retrain"),
    State("train-finetune", "train?tab=finetune"),
    State("train-encode", "train?tab=encode"),
    State("evaluate", "evaluate"),
    State("score", "score"),
    State("review", "review", lambda page: _shown(page) and None),
    State("review-history", "review", _pressing("y")),
    State("review-attention", "review", _pressing("e")),
    State("review-context", "review", _pressing("n")),
    State("review-keys", "review", _pressing("?")),
    State("review-charts", "review", _pressing("d")),
    State("review-references", "review", _pressing("R")),
    State("review-gallery", "review", _gallery),
    State("review-compare", "review", _compare),
    State("review-empty", "review?object=none-of-that-name"),
    State("label", "label"),
    State("label-view", "label?session={session}", lambda page: _shown(page) and None),
    State("label-mosaic", "label?session={session}", _pressing("y")),
    State("crossmatch", "crossmatch"),
    State("team", "team"),
    State("validate", "validate"),
    State("validate-follow-up", "validate?tab=follow-up"),
    State("validate-report", "validate?tab=report"),
    State("runs", "runs"),
    State("settings", "settings"),
    State("account", "overview", _pressed("Ana Lima")),
)


class Sheets:
    """Pictures of states; what was wrong with them stands in :attr:`faults`."""

    def __init__(self, camera: Camera, widths: list[int]) -> None:
        self._camera, self._widths = camera, widths
        self._theme = "light"
        self.faults: list[str] = []

    def take(self, state: State, session_id: str) -> None:
        """Open a state, and picture it in every width and theme."""
        camera, page = self._camera, self._camera.page
        page.set_viewport_size({"width": 1280, "height": 800})
        camera.visit(state.address.format(session=session_id))
        state.prepare(page)
        camera.settle()
        self._say(state, violations(page))
        for width in _NARROW:
            self._say(state, [f"{width} px: {one}" for one in overflows(page, width, 844)])
        pictures = [self._picture(state, width) for width in self._widths]
        self._toggle()
        page.set_viewport_size({"width": 1280, "height": 800})
        page.wait_for_timeout(500)
        self._say(state, violations(page, COLORS))
        pictures += [self._picture(state, width) for width in self._widths]
        sheet(pictures).save(camera.folder / f"{state.name}.png")
        self._toggle()

    def _toggle(self) -> None:
        # By script: a dialog of the page may be over the button.
        self._camera.page.get_by_role("button", name="Toggle theme").dispatch_event("click")
        self._theme = "dark" if self._theme == "light" else "light"
        self._camera.page.wait_for_timeout(600)

    def _picture(self, state: State, width: int) -> Path:
        page = self._camera.page
        page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        page.wait_for_timeout(500)
        path = self._camera.folder / f"{state.name}-{width}-{self._theme}.png"
        page.screenshot(path=path)
        return path

    def _say(self, state: State, found: list[str]) -> None:
        for one in found:
            print(f"{state.name}, {self._theme}: {one}", flush=True)  # noqa: T201 - a script
        self.faults += found


def sheet(pictures: list[Path]) -> Image.Image:
    """The pictures in rows of one height, from left to right."""
    rows: list[list[Image.Image]] = [[]]
    for path in pictures:
        picture = Image.open(path).convert("RGB")
        width = round(picture.width * _ROW_HEIGHT / picture.height)
        small = picture.resize((width, _ROW_HEIGHT), Image.Resampling.LANCZOS)
        if rows[-1] and sum(one.width + _GAP for one in rows[-1]) + small.width > _SHEET_WIDTH:
            rows.append([])
        rows[-1].append(small)
    made = Image.new("RGB", (_SHEET_WIDTH, len(rows) * (_ROW_HEIGHT + _GAP)), "#8a8a8a")
    for k, row in enumerate(rows):
        left = 0
        for small in row:
            made.paste(small, (left, k * (_ROW_HEIGHT + _GAP)))
            left += small.width + _GAP
    return made


def _any_session(workspace: Workspace) -> str:
    """A labeling session to open: the newest; '' where there is none."""
    sessions = open_database(workspace).ask(all_sessions)
    return sessions[0].id if sessions else ""


def main() -> int:
    """Make the sheets; 1 where something was wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("workspace", type=Path, help="a demonstration; it is not changed")
    parser.add_argument("--chromium", help="path of a Chromium; default: Playwright's own")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "sheets")
    parser.add_argument("--only", nargs="*", default=[], help="names that states begin with")
    parser.add_argument("--widths", nargs="*", type=int, choices=HEIGHTS, default=list(HEIGHTS))
    parser.add_argument("--as-is", action="store_true", help="play no campaign on the copy")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        source = Workspace.open(given.workspace) if given.as_is else demonstration(given.workspace)
        workspace = fresh_copy(source, Path(folder) / "workspace")
        session_id = _any_session(workspace) if given.as_is else play(workspace)
        browser = playwright.chromium.launch(executable_path=given.chromium, args=FLAGS)
        with served(workspace) as url:
            window = browser.new_context(reduced_motion="reduce")
            sheets = Sheets(Camera(window.new_page(), url, given.out), given.widths)
            for state in STATES:
                if not given.only or state.name.startswith(tuple(given.only)):
                    sheets.take(state, session_id)
        browser.close()
    return bool(sheets.faults)


if __name__ == "__main__":
    sys.exit(main())
