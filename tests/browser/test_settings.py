"""The settings page: the workspace, its labels and backups, its surveys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from lensing_core.store.backup import list_backups
from lensing_core.workspace import Workspace

_OWN = """
[ours]
title = "Our own telescope, second data release of the wide and shallow survey"
pixel_scale_arcsec = 0.4
reference = "commissioning report"
[[ours.bands]]
name = "r"
zero_point_mag = 27.0
psf_fwhm_arcsec = 1.1
"""


def test_the_workspace_is_described_and_backed_up(
    serve: Callable[..., str],
    filled_workspace: Workspace,
    page: Page,
    visit: Callable[[str], None],
    screenshot: Callable[[str], Path],
) -> None:
    (filled_workspace.surveys / "ours.toml").write_text(_OWN)
    visit(f"{serve(filled_workspace)}/settings")
    expect(page.get_by_text(str(filled_workspace.root), exact=True)).to_be_visible()
    surveys = page.get_by_role("table", name="Surveys")
    expect(surveys.get_by_role("row", name="Our own telescope")).to_contain_text("1.1")
    expect(page.get_by_text("No backup has been taken.")).to_be_visible()
    page.get_by_role("button", name="Back up now").click()
    (row,) = (page.get_by_role("table", name="Backups").get_by_role("row", name="triage-"),)
    expect(row).to_contain_text("just now")
    assert len(list_backups(filled_workspace)) == 1
    page.get_by_role("button", name="Verify labels").click()
    verified = page.get_by_role("status").filter(has_text="There are no label events yet.")
    expect(verified).to_be_visible()
    screenshot("settings")
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.get_by_role("button", name="Toggle theme").click()
    page.wait_for_timeout(500)
    screenshot("settings-wide-dark")
    (filled_workspace.surveys / "ours.toml").write_text("[ours]\n")
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("Only the built-in surveys are shown")
