"""Train: a run started, cancelled, resumed, compared and promoted in the browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from drawn_catalogs import draw_catalog
from playwright.sync_api import Page, expect

from lens_triage.training import runner as jobs
from lens_triage.training.settings import TrainSettings
from lensing_core.store import open_database
from lensing_core.store.summaries import list_ensembles
from lensing_core.workspace import Workspace

Visit = Callable[[str], None]
Screenshot = Callable[[str], Path]


def test_the_promoted_ensemble_is_marked_and_taken_back(
    filled_server: str, page: Page, visit: Visit, screenshot: Screenshot
) -> None:
    visit(f"{filled_server}/train")
    expect(page.get_by_text("Runs on:")).to_be_visible(timeout=30_000)
    board = page.get_by_role("table", name="Ensembles")
    expect(board.get_by_text("promoted", exact=True)).to_be_visible()
    board.get_by_role("button", name="Take back").click()
    expect(board.get_by_text("promoted", exact=True)).to_have_count(0)
    row = board.get_by_role("row").filter(has_text="first")
    row.get_by_role("button", name="Promote").click()
    expect(row.get_by_text("promoted", exact=True)).to_be_visible()
    screenshot("ensembles")


@pytest.mark.slow
def test_a_training_is_cancelled_resumed_compared_and_promoted(
    server: str, workspace: Workspace, page: Page, visit: Visit, screenshot: Screenshot
) -> None:
    open_database(workspace)
    draw_catalog(workspace, "simulated", 400, seed=1, label_source="sim:simulated")
    quick = TrainSettings(ensemble="one-epoch", epochs=1, rounds=40)
    assert jobs.wait(workspace, jobs.submit(workspace, quick)).status == "succeeded"

    visit(f"{server}/train")
    page.get_by_role("button", name="Use these settings").click()
    expect(page.get_by_text("The form has the settings of")).to_be_visible()
    expect(page.get_by_label("Ensemble", exact=True)).to_have_value("first")
    expect(page.get_by_text("Different from standard: Epochs, at most (passes), ")).to_be_visible()
    page.get_by_role("button", name="Advanced", exact=True).click()
    expect(page.get_by_label("Boosting rounds, at most")).to_have_value("40")
    page.get_by_role("textbox", name="Epochs, at most (passes)", exact=True).fill("6")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Train", exact=True).click()

    expect(page.get_by_text("Training resnet10t, epoch")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled; its files are kept.")).to_be_visible(timeout=60_000)
    screenshot("cancelled")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Done.")).to_be_visible(timeout=180_000)
    expect(page.get_by_role("log")).to_contain_text("Member trees was trained before")

    expect(page.get_by_text("both test splits")).to_be_visible(timeout=30_000)
    board = page.get_by_role("table", name="Ensembles")
    row = board.get_by_role("row").filter(has_text="first")
    row.get_by_role("button", name="Promote").click()
    expect(row.get_by_text("promoted", exact=True)).to_be_visible()
    screenshot("promoted")
    promoted = {e.name: e.promoted_at for e in open_database(workspace).ask(list_ensembles)}
    assert promoted["first"] is not None
    assert promoted["one-epoch"] is None  # training promotes nothing by itself
