"""Validate in the browser: from fifty candidates by a rule to a night, a record and the report."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from lens_triage.app.theme import THEME_COOKIE
from lensing_core.workspace import Workspace

PLAN = "stages=triage&site=ctio&first_night=2026-03-14&most=6"


def test_fifty_by_rule_one_to_a_confirmation_a_night_and_the_report(
    serve: Callable[..., str],
    filled_workspace: Workspace,
    page: Page,
    visit: Callable[[str], None],
    screenshot: Callable[[str], Path],
) -> None:
    url = serve(filled_workspace)
    page.request.post(
        f"{url}/sign-in",
        data=json.dumps({"name": "Ana"}),
        headers={"Content-Type": "application/json"},
    )
    visit(f"{url}/validate?stage=detection")
    page.get_by_role("button", name="Move by rule").click()
    expect(page.get_by_role("status").filter(has_text="moved to triage")).to_have_text(
        "50 candidates moved to triage."
    )
    moves = page.get_by_role("table", name="Moves by rule")
    expect(moves.locator("tbody tr")).to_contain_text("detection → triage")
    stages = page.get_by_role("table", name="Stages").locator("tbody tr")
    stages.filter(has_text="Triage").click()
    candidates = page.get_by_role("table", name="Candidates").locator("tbody tr")
    expect(candidates.first).to_contain_text("Ana")
    candidates.first.locator("td").nth(1).click()
    page.get_by_role("button", name="Measure colors").click()
    checklist = page.get_by_role("table", name="Checklist").locator("tbody tr")
    expect(checklist.filter(has_text="achromatic")).to_contain_text("segment")
    enter = page.get_by_role("button", name="Enter record")
    enter.click()
    expect(page.get_by_role("alert")).to_contain_text("lacks the spectrum")
    for label, text in (
        ("Spectrum", "X-shooter, 2026-03-02"),
        ("Reference", "2026A&A...700A...1X"),
        ("z of the lens", "0.35"),
        ("z of the source", "1.62"),
    ):
        page.get_by_label(label, exact=True).first.fill(text)
        page.keyboard.press("Tab")
    screenshot("1280")
    enter.click()
    records = page.get_by_role("table", name="Confirmation records")
    expect(records.locator("tbody tr")).to_contain_text("Confirmed lens")
    expect(records.locator("tbody tr")).to_contain_text("Ana")
    expect(candidates.first).to_contain_text("Confirmed lens")

    visit(f"{url}/validate?tab=follow-up&{PLAN}")
    page.get_by_role("button", name="Plan", exact=True).click()
    targets = page.get_by_role("table", name="Targets").locator("tbody tr")
    expect(targets).to_have_count(6)
    expect(page.get_by_role("table", name="Nights").locator("tbody tr")).to_contain_text("00:21")
    link = page.get_by_role("link", name="Target list, CSV").get_attribute("href")
    answer = page.request.get(f"{url}/{link}")
    assert answer.headers["content-disposition"] == 'attachment; filename="targets.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text())))
    assert [row["object_id"] for row in rows] == [
        text.split("\n")[0] for text in targets.locator("td:nth-child(2)").all_inner_texts()
    ]
    assert all(float(row["hours"]) > 3 for row in rows)
    page.context.add_cookies([{"name": THEME_COOKIE, "value": "dark", "url": url}])
    page.set_viewport_size({"width": 1920, "height": 1400})
    visit(f"{url}/validate?stage=triage&candidate=1")
    expect(page.get_by_role("table", name="Checklist")).to_be_visible()
    screenshot("1920-dark")

    visit(f"{url}/validate?tab=report")
    page.get_by_role("button", name="Write report").click()
    archive = page.get_by_role("link", name="Download (ZIP)").first
    expect(archive).to_be_visible(timeout=240_000)
    packed = page.request.get(f"{url}/{archive.get_attribute('href')}")
    names = zipfile.ZipFile(io.BytesIO(packed.body())).namelist()
    assert any(name.endswith("report.html") for name in names), names
