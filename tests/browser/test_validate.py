"""Validate in the browser: fifty candidates by a rule, and one to its confirmation record."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from lens_triage.app.theme import THEME_COOKIE
from lensing_core.workspace import Workspace


def test_fifty_by_rule_and_one_to_a_confirmation(
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
    enter = page.get_by_role("button", name="Enter record")
    enter.click()
    expect(page.get_by_role("alert")).to_contain_text("lacks the spectrum")
    for label, text in (
        ("Spectrum", "X-shooter, 2026-03-02"),
        ("Reference", "2026A&A...700A...1X"),
        ("z of the lens", "0.35"),
        ("z of the source", "1.62"),
    ):
        page.get_by_label(label, exact=True).fill(text)
        page.keyboard.press("Tab")
    screenshot("1280")
    enter.click()
    records = page.get_by_role("table", name="Confirmation records")
    expect(records.locator("tbody tr")).to_contain_text("Confirmed lens")
    expect(records.locator("tbody tr")).to_contain_text("Ana")
    expect(candidates.first).to_contain_text("Confirmed lens")
    page.context.add_cookies([{"name": THEME_COOKIE, "value": "dark", "url": url}])
    page.set_viewport_size({"width": 1920, "height": 1400})
    visit(f"{url}/validate?stage=triage&candidate=1")
    expect(page.get_by_role("table", name="Checklist")).to_be_visible()
    screenshot("1920-dark")
