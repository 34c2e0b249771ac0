"""Cross-match: a run by keyboard, lenses recovered, completeness, doubts, and no network."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from lens_triage.training.jobs.crossmatch import run
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import CrossmatchSettings
from lensing_core.crossmatch.lenscat import read_lenscat
from lensing_core.crossmatch.matching import Status, self_match
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog, Run, Score
from lensing_core.workspace import Workspace

Visit = Callable[[str], None]
Screenshot = Callable[[str], Path]
N_KNOWN = 12


@pytest.fixture
def known_workspace(filled_workspace: Workspace) -> Workspace:
    """Catalog cosmos, with some of its candidates moved onto known lenses."""
    lenses = read_lenscat("confident")
    alone = self_match(lenses.positions(1.0), 60).source_status == Status.UNMATCHED
    places = np.flatnonzero(alone)[:: len(lenses) // (2 * N_KNOWN)]
    with open_database(filled_workspace).session() as session:
        catalog = session.scalar(select(Catalog).where(Catalog.name == "cosmos"))
        best = session.scalars(
            select(Candidate)
            .join(Score, Score.candidate_id == Candidate.id)
            .where(Candidate.catalog_id == catalog.id)
            .order_by(Score.logit.desc())
        ).all()
        chosen = [*best[: N_KNOWN - 2], *best[-2:]]
        for k, candidate in enumerate(chosen):
            candidate.ra_deg = float(lenses.ra_deg[places[k]])
            candidate.dec_deg = float(lenses.dec_deg[places[k]]) + 0.1 * k / 3600
    return filled_workspace


@pytest.fixture
def matched_workspace(known_workspace: Workspace) -> Workspace:
    """The same after a run; a service was asked for that nobody can reach."""
    settings = CrossmatchSettings(
        catalog="cosmos",
        references=["lenscat", "lenscat_probable", "duplicates", "simbad"],
        mirrors={"xmatch": "http://127.0.0.1:9"},
        pause_s=0,
    )
    with open_database(known_workspace).session() as session:
        done = {"status": "succeeded", "settings": settings.to_json()}
        session.add(Run(id="m", kind="crossmatch", title=settings.title(), **done))
    run(JobContext(known_workspace, "m"), settings)
    return known_workspace


def test_what_was_found(
    serve: Callable[..., str],
    matched_workspace: Workspace,
    page: Page,
    visit: Visit,
    screenshot: Screenshot,
) -> None:
    visit(f"{serve(matched_workspace)}/crossmatch?catalog=cosmos")
    recovered = page.get_by_role("table", name="Known lenses recovered").locator("tbody tr")
    expect(recovered.first).to_be_visible()
    ranks = [int(text) for text in recovered.locator("td:first-child").all_inner_texts()]
    assert ranks == sorted(ranks)
    references = page.get_by_role("table", name="References")
    expect(references.get_by_role("row", name=re.compile("^SIMBAD"))).to_contain_text("Not reached")
    expect(references.get_by_role("row", name=re.compile("^lenscat, confident"))).to_contain_text(
        "Complete"
    )
    doubts = page.get_by_role("table", name="Disagreements")
    expect(doubts).to_contain_text("lower half of the ranking (140 of 140)")
    recall = page.get_by_role("table", name="Recall")
    expect(recall.locator("tbody tr").first).to_contain_text("10")
    expect(page.get_by_text("deg²")).to_be_visible()
    expect(page.locator("li img").first).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    screenshot("1280")
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.wait_for_timeout(400)
    screenshot("1920")
    page.locator("h2", has_text="New candidates").scroll_into_view_if_needed()
    screenshot("1920-below")
    page.set_viewport_size({"width": 1280, "height": 800})
    frame = page.locator(".main-content")
    light = frame.evaluate("element => getComputedStyle(element).backgroundColor")
    page.get_by_role("button", name="Toggle theme").click()
    expect(frame).not_to_have_css("background-color", light)
    expect(doubts).to_be_visible()
    page.wait_for_timeout(400)
    screenshot("dark-1280")
    name = doubts.locator("tbody tr td a").first.inner_text()
    doubts.locator("tbody tr td a").first.click()
    expect(page).to_have_url(re.compile(r"/review\?catalog=cosmos&ensemble=first&candidate=\d+"))
    expect(page.get_by_text(name).first).to_be_visible()


def test_a_run_by_keyboard_shows_its_results(
    serve: Callable[..., str],
    known_workspace: Workspace,
    page: Page,
    visit: Visit,
    screenshot: Screenshot,
) -> None:
    visit(f"{serve(known_workspace)}/crossmatch?catalog=cosmos")
    expect(page.get_by_text("No catalog has been matched yet")).to_be_visible()
    screenshot("before")
    page.get_by_role("button", name="Cross-match").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("table", name="Known lenses recovered")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("No catalog has been matched yet")).to_be_hidden()
    expect(page.get_by_role("log")).to_contain_text("lenscat, confident (1.1.3)")
    for _ in range(60):
        page.keyboard.press("Tab")
        where = page.evaluate(
            "() => { let e = document.activeElement;"
            " while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;"
            " return e ? (e.getAttribute('href') || '') : '' }"
        )
        if where.startswith("review?catalog=cosmos"):
            break
    assert where.startswith("review?catalog=cosmos")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/review\?catalog=cosmos"))


def test_an_empty_workspace_says_what_to_do(
    server: str, page: Page, visit: Visit, screenshot: Screenshot
) -> None:
    visit(f"{server}/crossmatch")
    expect(page.get_by_text("No catalog has been matched yet")).to_be_visible()
    page.get_by_role("button", name="Cross-match").click()
    expect(page.get_by_role("alert").last).to_have_text(
        "Catalog: There is nothing to choose from yet."
    )
    screenshot("empty")
