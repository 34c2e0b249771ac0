"""The overview as a user sees it: an empty workspace, a filled one, and runs as they happen."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lensing_core.store import open_database
from lensing_core.store.tables import Run, utc_now
from lensing_core.workspace import Workspace

Visit = Callable[[str], None]
Screenshot = Callable[[str], Path]


@pytest.fixture
def url(serve: Callable[..., str], filled_workspace: Workspace) -> str:
    return serve(filled_workspace)


def write_run(workspace: Workspace, **columns: object) -> None:
    """A run of another machine, which the server neither starts nor gives up."""
    fields = {"host": "elsewhere", "heartbeat_at": utc_now(), "status": "running", **columns}
    with open_database(workspace).session() as session:
        run = session.get(Run, "r")
        if run is None:
            run = Run(id="r", kind="score", title="Score deep with first", settings={})
            session.add(run)
        for name, value in fields.items():
            setattr(run, name, value)


def test_an_empty_workspace_leads_to_its_first_step(
    server: str, page: Page, visit: Visit, screenshot: Screenshot
) -> None:
    visit(f"{server}/overview")
    step = page.locator("li[aria-current=step]")
    expect(step).to_contain_text("Bring in cutouts")
    expect(page.get_by_text("No catalog yet: import one.")).to_be_visible()
    screenshot("empty")
    step.get_by_role("link", name="Import").click()
    expect(page).to_have_url(re.compile("/catalogs"))
    expect(page.get_by_role("button", name="Start import")).to_be_visible()


def test_counts_of_catalogs_and_metrics_of_ensembles(
    filled_server: str, page: Page, visit: Visit, screenshot: Screenshot
) -> None:
    visit(f"{filled_server}/overview")
    total = page.get_by_role("row", name="All catalogs")
    expect(total).to_contain_text("212")
    row = page.get_by_role("table", name="Ensembles").get_by_role("row", name="first")
    expect(row).to_contain_text("0.417")
    expect(row.locator("td", has_text="0.417")).to_have_attribute(
        "title", re.compile(r"0\.417 \[0\.297, 0\.537\]")
    )
    expect(page.locator("li[aria-current=step]")).to_contain_text("Review the ranking")
    screenshot("filled")
    page.set_viewport_size({"width": 1920, "height": 1080})
    screenshot("filled-wide")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_role("button", name="Toggle theme").click()
    page.wait_for_timeout(500)
    screenshot("filled-dark")


def test_long_names_are_cut_with_the_whole_in_the_tooltip(
    filled_server: str, page: Page, visit: Visit
) -> None:
    visit(f"{filled_server}/overview")
    name = "decals-dr10-south-luminous-red-galaxies-with-blue-neighbors"
    cell = page.get_by_role("table", name="Catalogs").locator("td", has_text=name)
    expect(cell).to_have_attribute("title", name)
    overflow = cell.evaluate("element => element.scrollWidth > element.clientWidth")
    assert overflow
    page_overflows = page.evaluate("document.body.scrollWidth > window.innerWidth")
    assert not page_overflows


def test_a_run_is_followed_live_to_its_end(
    url: str, filled_workspace: Workspace, page: Page, visit: Visit, screenshot: Screenshot
) -> None:
    visit(f"{url}/overview")
    expect(page.get_by_role("table", name="Running and queued")).to_be_hidden()
    write_run(filled_workspace, done=100, total=400, started_at=utc_now())
    bar = page.get_by_role("table", name="Running and queued").get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuenow", "25")
    write_run(filled_workspace, done=300)
    expect(bar).to_have_attribute("aria-valuenow", "75")
    expect(page.get_by_role("link", name="Score deep with first 75 %")).to_be_visible()
    screenshot("running")
    write_run(filled_workspace, status="succeeded", finished_at=utc_now())
    latest = page.get_by_role("table", name="Latest runs").get_by_role("row").nth(1)
    expect(latest).to_contain_text("Score deep with first")
    expect(latest).to_contain_text("succeeded")
    expect(page.get_by_role("table", name="Running and queued")).to_be_hidden()


def test_a_run_is_cancelled_by_its_button(
    url: str, filled_workspace: Workspace, page: Page, visit: Visit
) -> None:
    write_run(filled_workspace, done=1, total=4)
    visit(f"{url}/overview")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_disabled()
    with open_database(filled_workspace).session() as session:
        assert session.get_one(Run, "r").cancel_requested


def test_pages_are_walked_with_the_keyboard(filled_server: str, page: Page, visit: Visit) -> None:
    visit(f"{filled_server}/overview")
    page.locator("nav a", has_text="Overview").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{filled_server}/catalogs")
