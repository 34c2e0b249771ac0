"""Team in the browser: the whole consensus list, a prior, and the way to fine-tune."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa
from filling import fill_workspace
from playwright.sync_api import Page, expect

from lensing_core.consensus import SCHEMES
from lensing_core.store import open_database
from lensing_core.store.graders import sign_in
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.tables import Candidate, Catalog
from lensing_core.workspace import Workspace


def grade(workspace: Workspace, n: int) -> None:
    """Ana, an organizer, and Bo on ``n`` objects; they differ on one."""
    with open_database(workspace).session() as session:
        sign_in(session, "Ana")
        graders = [grader_named(session, name).id for name in ("Ana", "Bo")]
        of = session.scalar(sa.select(Catalog.id).where(Catalog.name == "cosmos"))
        ids = session.scalars(sa.select(Candidate.id).where(Candidate.catalog_id == of).limit(n))
        events = []
        for k, key in enumerate(ids):
            for grader in graders:
                said = "A" if k < 4 and (k or grader == graders[0]) else "X"
                given = SCHEMES["abcx"].grade(said)
                events.append(
                    NewEvent(
                        str(uuid4()), "grade", grader, key, "abcx",
                        datetime(2026, 5, 1, tzinfo=UTC), grade=said, is_lens=given.is_lens,
                        p_lens=given.p_lens,
                    )
                )  # fmt: skip
        append_events(session, events)


def test_the_list_a_prior_and_the_way_to_fine_tune(
    server: str,
    workspace: Workspace,
    page: Page,
    visit: Callable[[str], None],
    screenshot: Callable[[str], Path],
) -> None:
    fill_workspace(workspace)
    grade(workspace, 40)
    page.request.post(
        f"{server}/sign-in",
        data=json.dumps({"name": "Ana"}),
        headers={"Content-Type": "application/json"},
    )
    visit(f"{server}/team")
    listed = page.get_by_role("table", name="Consensus")
    page.get_by_role("button", name="Run consensus").click()
    expect(page.get_by_text("1 to 15 of 40")).to_be_visible()
    expect(listed.get_by_role("row")).to_have_count(1 + 15)
    screenshot("list")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("16 to 30 of 40")).to_be_visible()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("31 to 40 of 40")).to_be_visible()
    expect(listed.get_by_role("row")).to_have_count(1 + 10)
    page.get_by_label("Prior", exact=True).click()
    page.get_by_role("menuitem", name="Scores of first").click()
    page.get_by_role("button", name="Run consensus").click()
    expect(page.get_by_text("1 to 15 of 40")).to_be_visible()
    expect(page.get_by_text("No known object has been graded yet")).to_be_visible()

    page.get_by_role("link", name=re.compile("Fine-tune")).click()
    expect(page.get_by_role("tab", name="Fine-tune")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_text("first (promoted)", exact=True).first).to_be_visible()
    expect(page.get_by_text("cosmos (140 candidates)", exact=True).first).to_be_visible()
    screenshot("fine-tune")
