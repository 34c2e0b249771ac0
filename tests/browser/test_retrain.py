"""Fast retrain from the Train page: run, figures beside those of the base, promotion."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import retraining_data
from playwright.sync_api import Page, expect

from lensing_core.store import open_database
from lensing_core.store.summaries import list_ensembles
from lensing_core.workspace import Workspace

Visit = Callable[[str], None]
Screenshot = Callable[[str], Path]


@pytest.mark.slow
def test_a_catalog_is_retrained_and_the_result_promoted(
    server: str, workspace: Workspace, page: Page, visit: Visit, screenshot: Screenshot
) -> None:
    model = retraining_data.make_base(workspace)
    retraining_data.make_survey(workspace, model, lenses=120, others=120)
    visit(f"{server}/train")
    page.get_by_role("tab", name="Fast retrain").click()
    expect(page.get_by_label("Ensemble", exact=True)).to_have_value("retrained")
    screenshot("form")
    page.get_by_role("button", name="Retrain", exact=True).click()
    expect(page.get_by_text("Done.")).to_be_visible(timeout=180_000)
    expect(page.get_by_text("out of fold").first).to_be_visible()
    screenshot("done")

    expect(page.get_by_text("both test splits")).to_be_visible(timeout=30_000)
    row = (
        page.get_by_role("table", name="Ensembles").get_by_role("row").filter(has_text="retrained")
    )
    row.get_by_role("button", name="Promote").click()
    expect(row.get_by_text("promoted", exact=True)).to_be_visible()
    screenshot("promoted")
    promoted = {e.name for e in open_database(workspace).ask(list_ensembles) if e.promoted_at}
    assert promoted == {"retrained"}
