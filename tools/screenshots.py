"""Pictures of the pages for the guides, made anew when pages change.

    make screenshots                # or
    python tools/screenshots.py demo-workspace --chromium /usr/bin/chromium
    python tools/screenshots.py demo-workspace --only validate

Takes the demonstration of a workspace (built first where it is missing), copies it, lets simulated
graders play a labeling campaign on the copy (:mod:`campaign`), serves the copy, and drives Chromium
through its pages. Pictures of Validate show the made-up candidates of tests instead, which count as
observed: only such are planned. Writes WebP pictures to ``assets/help``, where the guides find
them; look at each before it is committed. Takes about three minutes.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from campaign import CLEAR_SNR, play, read_truth, view_of_organizer
from PIL import Image
from playwright.sync_api import Locator, Page, expect, sync_playwright

from lens_triage.training import runner as jobs
from lens_triage.training.bundled import make_workspace
from lens_triage.training.demo import submit_demo
from lensing_core.store.backup import backup_database
from lensing_core.workspace import Workspace

ROOT = Path(__file__).parent.parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
_QUALITY = 80
ENOUGH = 12
"""Cutouts graded before the view's picture is taken: it has something to say by then."""
GRADING_MS = 1000


class Camera:
    """A signed-in browser tab, and the folder where its pictures go."""

    def __init__(self, page: Page, url: str, folder: Path) -> None:
        self.page, self.url, self.folder = page, url, folder
        page.request.post(
            f"{url}/sign-in",
            data=json.dumps({"name": "Ana Lima"}),
            headers={"Content-Type": "application/json"},
        )

    def visit(self, address: str) -> None:
        """Open a page, and wait until its parts have come."""
        self.page.goto(f"{self.url}/{address}")
        self.page.wait_for_function(
            "() => window.Bokeh && Bokeh.documents.length > 0 && Bokeh.documents[0].is_idle"
        )
        self.page.locator("#loader").wait_for(state="hidden")
        self.settle()

    def settle(self) -> None:
        """Wait for what comes a little later: figures, pictures, fading."""
        self.page.wait_for_timeout(2500)

    def section(self, title: str) -> Locator:
        """The surface with a title."""
        heading = self.page.get_by_role("heading", name=title, exact=True)
        return self.page.locator(".bk-panel-models-layout-Column").filter(has=heading).last

    def take(self, name: str, *parts: Locator) -> None:
        """Keep a picture of the window, or of the box around some of its parts."""
        clip = None
        if parts:
            boxes = [box for part in parts if (box := part.bounding_box()) is not None]
            left, top = min(b["x"] for b in boxes), min(b["y"] for b in boxes)
            right = max(b["x"] + b["width"] for b in boxes)
            bottom = max(b["y"] + b["height"] for b in boxes)
            clip = {"x": left, "y": top, "width": right - left, "height": bottom - top}
        # Where the copy lies says nothing to a reader.
        self.page.locator(".where").evaluate("node => node.textContent = 'demo-workspace'")
        png = self.page.screenshot(clip=clip)
        path = self.folder / f"{name}.webp"
        Image.open(io.BytesIO(png)).convert("RGB").save(path, quality=_QUALITY, method=6)
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} kB")  # noqa: T201 - a script


def label_pictures(camera: Camera, workspace: Workspace, session_id: str) -> None:
    """The sessions, the view one at a time, and the mosaic."""
    page = camera.page
    camera.visit("label")
    page.get_by_role("row").filter(has_text="second night").get_by_text("closed").click()
    page.get_by_role("table", name="Graders").wait_for()
    camera.settle()
    camera.take("label-sessions")
    view, truth = view_of_organizer(workspace, session_id), read_truth(workspace)
    of_token = {cutout.token: truth[cutout.candidate_id] for cutout in view.cutouts}
    page.goto(f"{camera.url}/label?session={session_id}")
    shown = page.locator(".work-view[data-shown]")
    shown.wait_for()
    done = 0
    while done < ENOUGH or float(of_token[view.cutouts[done].token].get("arc_snr", 0)) < CLEAR_SNR:
        token = view.cutouts[done].token
        expect(shown).to_have_attribute("data-shown", token)
        page.wait_for_timeout(GRADING_MS)
        page.keyboard.press("a" if "theta_e_arcsec" in of_token[token] else "x")
        done += 1
    camera.settle()
    camera.take("label-desk")
    page.keyboard.press("y")
    page.locator(".cell").nth(19).wait_for()
    for place, cutout in enumerate(view.cutouts[done : done + 20]):
        if "theta_e_arcsec" in of_token[cutout.token]:
            page.locator(".cell").nth(place).click()
    camera.settle()
    camera.take("label-mosaic")


def team_pictures(camera: Camera) -> None:
    """The rounds of the loop, and what graders say together."""
    page = camera.page
    page.set_viewport_size({"width": 1280, "height": 2400})  # all of it, without scrolling
    camera.visit("team")
    page.get_by_text("round-3").wait_for()
    camera.take("team-loop", camera.section("The loop"))
    camera.take("team-consensus", camera.section("Consensus"))
    camera.take("team-graders", camera.section("Graders"), camera.section("Disagreements"))


def review_pictures(camera: Camera) -> None:
    """Review as a table, as a gallery with a question, side by side, and with references."""
    page = camera.page
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{camera.url}/review")
    page.locator(".work-view[data-shown]").wait_for()
    camera.settle()
    camera.take("review")
    page.keyboard.press("R")
    page.locator(".references img").first.wait_for()
    camera.settle()
    camera.take("review-references")
    page.keyboard.press("R")
    page.keyboard.press("G")
    page.locator(".stamp").nth(20).wait_for()
    for key in ("ArrowRight", " ", "ArrowRight", " ", "ArrowDown", " ", "B"):
        page.keyboard.press(key)
    camera.settle()
    camera.take("review-gallery")
    page.keyboard.press("Escape")
    page.keyboard.press("S")
    page.locator(".compare figure").first.wait_for()
    camera.settle()
    camera.take("review-side-by-side")


def validate_pictures(camera: Camera) -> None:
    """A move by rule, a candidate with its checklist, and a plan of nights."""
    page = camera.page
    page.set_viewport_size({"width": 1280, "height": 2400})
    camera.visit("validate?stage=detection")
    page.get_by_role("button", name="Move by rule").click()
    page.get_by_role("table", name="Moves by rule").wait_for()
    page.get_by_role("table", name="Stages").locator("tbody tr").filter(has_text="Triage").click()
    camera.settle()
    camera.take("validate-funnel", *map(camera.section, ("Stages", "Move by rule", "Candidates")))
    camera.visit("validate?stage=triage&candidate=62")
    page.get_by_role("button", name="Measure colors").click()
    camera.settle()
    camera.take("validate-candidate", *map(camera.section, ("Checklist", "Observations")))
    words = "stages=triage&site=ctio&first_night=2026-03-14&nights=3&most=10"
    camera.visit(f"validate?tab=follow-up&{words}")
    page.get_by_role("button", name="Plan", exact=True).click()
    page.get_by_role("table", name="Targets").wait_for()
    camera.settle()
    camera.take("validate-plan", *map(camera.section, ("Plan", "Targets")))


def made_up(folder: Path) -> Workspace:
    """The workspace that tests of pages are made with: candidates with positions and scores."""
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    from filling import fill_workspace

    workspace = Workspace.create(folder)
    fill_workspace(workspace)
    return workspace


def fresh_copy(source: Workspace, folder: Path) -> Workspace:
    """A workspace with the files and the database of another."""
    left_out = shutil.ignore_patterns("triage.sqlite*", "cache", "backups")
    shutil.copytree(source.root, folder, ignore=left_out)
    taken = backup_database(source)
    shutil.move(taken.path, folder / source.database.name)
    return Workspace.create(folder)


@contextmanager
def served(workspace: Workspace) -> Iterator[str]:
    """The URL of a server of its own."""
    command = [sys.executable, "-c", "from lens_triage.app.cli import main; main()", "serve"]
    process = subprocess.Popen(  # noqa: S603 - our own program
        [*command, str(workspace.root), "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        if found is None:
            raise SystemExit(f"The server did not start: {line}")
        yield found.group()
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description="Pictures of the pages for the guides.")
    parser.add_argument("workspace", type=Path, help="a demonstration; it is not changed")
    parser.add_argument("--chromium", help="path of a Chromium; default: Playwright's own")
    parser.add_argument("--out", type=Path, default=ROOT / "assets" / "help")
    parser.add_argument(
        "--only", choices=("campaign", "review", "validate"), help="default: all of them"
    )
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=given.chromium, args=FLAGS)

        @contextmanager
        def camera_on(workspace: Workspace) -> Iterator[Camera]:
            with served(workspace) as url:
                window = browser.new_context(viewport={"width": 1280, "height": 800})
                yield Camera(window.new_page(), url, given.out)

        if given.only != "validate":
            workspace = fresh_copy(demonstration(given.workspace), Path(folder) / "workspace")
            session_id = play(workspace)
            with camera_on(workspace) as camera:
                if given.only != "review":
                    label_pictures(camera, workspace, session_id)
                    team_pictures(camera)
                if given.only != "campaign":
                    review_pictures(camera)
        if given.only in (None, "validate"):
            with camera_on(made_up(Path(folder) / "made-up")) as camera:
                validate_pictures(camera)
        browser.close()


def demonstration(root: Path) -> Workspace:
    """The demonstration of a workspace, built where it is missing."""
    workspace = make_workspace(root)
    for run_id in submit_demo(workspace).run_ids:
        run = jobs.wait(workspace, run_id)
        if run.status != "succeeded":
            raise SystemExit(f"{run.title}: {run.error or run.status}")
    return workspace


if __name__ == "__main__":
    main()
