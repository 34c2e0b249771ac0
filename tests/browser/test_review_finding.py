"""Review: filters, charts and what leaves the program, on a workspace with grades and tags."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filling import N_OBSERVED
from finding_data import GRADED, RINGS, fill_for_finding
from low_files import low_files
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from pypdf import PdfReader
from pyvo.samp import SAMPHubServer, SAMPIntegratedClient
from waiting import until

from lensing_core.workspace import Workspace


def count_is(page: Page, n: int) -> None:
    expect(page.locator(".count")).to_have_text(re.compile(rf"^{n} candidates?$"), timeout=30_000)


def open_grader_view(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector(".work-view[data-shown]", timeout=60_000)


@pytest.fixture
def url(workspace: Workspace, serve: Callable[..., str]) -> str:
    return f"{serve(fill_for_finding(workspace))}/review"


def test_filters_are_found_kept_and_shared_by_address(url, page, screenshot) -> None:
    open_grader_view(page, url)
    count_is(page, N_OBSERVED)
    more = page.locator("details.more summary")
    more.click()
    panel = page.get_by_role("group", name="Further filters")
    panel.get_by_label("ring").check()
    count_is(page, len(RINGS))
    panel.get_by_label("Magnitude, smallest").fill("0")
    panel.get_by_label("Magnitude, smallest").press("Enter")
    expect(page.locator(".filter-chips .chip")).to_have_count(2)
    expect(panel.get_by_text("not measured").first).to_be_visible()
    assert (
        panel.get_by_label("Graded by").locator("option[value=mine]").is_disabled()
    )  # nobody is signed in
    screenshot("panel-1280-light")

    cone = panel.get_by_label("Cone on the sky")
    cone.fill("somewhere near")
    cone.press("Enter")
    expect(panel.get_by_text("write it as")).to_be_visible()
    cone.fill("10:00:00 +02:00:00 30deg")
    cone.press("Enter")
    expect(page.locator(".filter-chips")).to_contain_text("Within 150.000000 +2.000000 30deg")
    count_is(page, len(RINGS))
    panel.get_by_label("Name of this filter").fill("Rings")
    panel.get_by_role("button", name="Save for everybody").click()
    expect(panel.get_by_role("button", name="Rings", exact=True)).to_be_visible()
    panel.get_by_label("Name of this filter").press("Escape")
    expect(panel).to_be_hidden()

    page.keyboard.press("j")
    page.wait_for_function("() => location.search.includes('candidate=')")
    chosen = page.locator(".viewer h2").inner_text()
    page.wait_for_timeout(400)
    page.reload()  # the address holds filters and choice
    page.wait_for_selector(".work-view[data-shown]", timeout=60_000)
    count_is(page, len(RINGS))
    expect(page.locator(".viewer h2")).to_have_text(chosen)
    page.get_by_role("button", name="Remove filter: Tag ring").click()
    count_is(page, N_OBSERVED)
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator(".filter-chips")).to_be_hidden()

    more.click()
    panel.get_by_label("Graded by").select_option("anyone")
    count_is(page, len(GRADED))
    panel.get_by_label("Cross-match").select_option("known_lens")
    panel.get_by_role("button", name="Rings", exact=True).click()
    count_is(page, len(RINGS))
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.get_by_role("button", name="Toggle theme").click()
    more.click()
    page.wait_for_timeout(400)
    screenshot("panel-1920-dark")


def saved_chart(page: Page, charts: Locator) -> dict[str, str]:
    """Texts of the files that a chart's menu makes, by their kind; the picture must be large."""
    texts = {}
    for kind in ("PNG", "SVG", "PDF", "CSV"):
        charts.get_by_role("button", name="Save this chart").click()
        with page.expect_download() as saved:
            page.get_by_role("menuitem", name=kind).click()
        path = saved.value.path()
        if kind == "PNG":
            assert Image.open(path).width > 1000
        elif kind == "PDF":
            texts[kind] = PdfReader(path).pages[0].extract_text()
        else:
            texts[kind] = path.read_text(encoding="utf-8")
    return texts


def test_charts_show_mark_and_limit_the_list(url, page, screenshot) -> None:
    open_grader_view(page, url)
    charts = page.locator("section.charts")
    expect(charts).to_be_hidden()
    page.keyboard.press("d")
    page.wait_for_selector(".charts[data-drawn=histogram]")
    canvas = charts.locator("canvas")
    box = canvas.bounding_box()
    assert box is not None
    x, y = box["x"], box["y"]
    page.mouse.move(x + box["width"] * 0.6, y + 60)
    page.mouse.down()
    page.mouse.move(x + box["width"] - 2, y + 80, steps=4)
    page.mouse.up()
    expect(page.get_by_label("Smallest score")).not_to_have_value("")
    expect(page.locator(".count")).not_to_have_text(f"{N_OBSERVED} candidates")
    page.get_by_role("button", name="Clear filters").click()
    count_is(page, N_OBSERVED)

    charts.get_by_role("tab", name="Embeddings").click()
    page.wait_for_selector(".charts[data-drawn=embedding]", timeout=30_000)
    expect(charts.locator(".chart-state")).to_contain_text("of the variance")
    charts.get_by_role("tab", name="Uncertainty").click()
    page.wait_for_selector(".charts[data-drawn=uncertainty]")
    screenshot("uncertainty-1280-light")
    charts.get_by_role("tab", name="Sky").click()
    page.wait_for_selector(".charts[data-drawn=sky]", timeout=30_000)
    texts = saved_chart(page, charts)
    assert texts["CSV"].startswith("ra_deg,dec_deg,probability\n")
    for text in (texts["SVG"], texts["PDF"]):
        assert "right ascension, ICRS (deg)" in text
        assert "declination, ICRS (deg)" in text
    box = canvas.bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(middle[0], middle[1])
    page.mouse.down()
    for dx, dy in ((60, 0), (60, 60), (0, 60)):
        page.mouse.move(middle[0] + dx, middle[1] + dy, steps=3)
    page.mouse.up()
    expect(page.locator(".filter-chips")).to_contain_text("Sky map:")
    expect(page.locator(".count")).not_to_have_text(f"{N_OBSERVED} candidates")
    expect(page.locator(".count")).to_have_text(re.compile(r"^\d+ candidates?$"))
    left = page.locator(".count").inner_text()
    page.wait_for_function("() => location.search.includes('selection=')")
    page.wait_for_timeout(400)
    page.reload()  # a selection survives
    page.wait_for_selector(".work-view[data-shown]", timeout=60_000)
    expect(page.locator(".count")).to_have_text(left)
    page.get_by_role("button", name=re.compile("Remove filter: Sky map")).click()
    count_is(page, N_OBSERVED)

    page.set_viewport_size({"width": 1920, "height": 1080})
    page.get_by_role("button", name="Toggle theme").click()
    page.keyboard.press("d")
    page.wait_for_selector(".charts[data-drawn=histogram]")
    charts.get_by_role("tab", name="Uncertainty").click()
    page.wait_for_selector(".charts[data-drawn=uncertainty]")
    page.wait_for_timeout(600)
    # the chosen candidate has a ring; a click beside another point opens that one
    before = page.locator(".viewer h2").inner_text()
    box = canvas.bounding_box()
    assert box is not None
    for step in range(30):
        page.mouse.click(box["x"] + 60 + 12 * step, box["y"] + box["height"] - 56)
        page.wait_for_timeout(120)
        if page.locator(".viewer h2").inner_text() != before:
            break
    expect(page.locator(".viewer h2")).not_to_have_text(before)
    screenshot("uncertainty-1920-dark")


@pytest.fixture
def hub_file(tmp_path, monkeypatch) -> Iterator[Path]:
    """Where the server looks for a hub; there is none before a test starts one."""
    path = tmp_path / "hub.samp"
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{path.as_uri()}")
    with low_files():
        yield path


def test_downloads_and_samp(hub_file, url, page, screenshot) -> None:
    open_grader_view(page, f"{url}?tag=ring")
    page.locator(".export-menu summary").click()
    menu = page.get_by_role("menu", name="Export")
    with page.expect_download() as started:
        menu.get_by_role("menuitem", name=re.compile("^CSV$")).click()
    assert started.value.suggested_filename == f"candidates-{len(RINGS)}.csv"
    assert len(started.value.path().read_text().splitlines()) == len(RINGS) + 1
    page.locator(".export-menu summary").click()
    with page.expect_download() as started:
        menu.get_by_role("menuitem", name=re.compile(r"^FITS cutouts \(")).click()
    with zipfile.ZipFile(started.value.path()) as archive:
        assert len(archive.namelist()) == 1
    page.locator(".export-menu summary").click()
    expect(menu.get_by_text("Not connected.")).to_be_visible()
    screenshot("export-1280-light")

    hub = SAMPHubServer(web_profile=False, lockfile=str(hub_file), addr="127.0.0.1", timeout=0)
    hub.start()
    other = SAMPIntegratedClient(name="topcat", addr="127.0.0.1")
    other.connect(hub)
    received: list[tuple[str, dict]] = []
    other.bind_receive_notification(
        "table.load.votable", lambda _k, _s, kind, fields, _e: received.append((kind, fields))
    )
    try:
        menu.get_by_role("button", name="Connect", exact=True).click()
        expect(menu.get_by_text("Connected: topcat.")).to_be_visible()
        menu.get_by_role("button", name="Send list").click()
        expect(menu.get_by_text(f"{len(RINGS)} rows sent to 1 program.")).to_be_visible()
        screenshot("samp-1280-light")
        first = page.locator(".viewer h2").inner_text()
        until(lambda: bool(received))  # the hub passes it on by itself
        fields = received[0][1]
        row = {"table-id": fields["table-id"], "url": fields["url"], "row": "3"}
        other.notify_all({"samp.mtype": "table.highlight.row", "samp.params": row})
        expect(page.locator(".viewer h2")).not_to_have_text(first)
        expect(page.locator("tbody tr[aria-selected=true] .rank")).to_have_text("4")
        away = {"samp.mtype": "coord.pointAt.sky", "samp.params": {"ra": "10", "dec": "10"}}
        other.notify_all(away)
        expect(page.get_by_text("no candidate lies within 5″")).to_be_visible()
    finally:
        other.disconnect()
        hub.stop()
