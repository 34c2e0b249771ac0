"""Evaluate: an ensemble's metrics, a survey's prior moved by keys, and two ensembles compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from evaluation_data import hold_out
from filling import fill_workspace
from playwright.sync_api import Page, expect

from lensing_core.workspace import Workspace

Visit = Callable[[str], None]
Screenshot = Callable[[str], Path]


def test_an_ensemble_is_judged_and_compared(
    serve: Callable[[Workspace], str],
    workspace: Workspace,
    page: Page,
    visit: Visit,
    screenshot: Screenshot,
) -> None:
    fill_workspace(workspace)
    hold_out(workspace)
    hold_out(workspace, "second", contrast=3.0, seed=1)
    visit(f"{serve(workspace)}/evaluate?ensemble=second")
    expect(page.get_by_text("Measured on")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("combobox").first).to_have_text("second")
    expect(page.get_by_text("Measured on")).to_contain_text("simulated, labels from sim:test")
    metrics = page.get_by_role("row").filter(has_text="(TPR10)")
    expect(metrics).to_contain_text("–", timeout=60_000)
    cost = page.get_by_role("row").filter(has_text="FPR 0.1")
    before = cost.inner_text()
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    expect(cost).not_to_have_text(before)
    expect(page.get_by_text("Class prior: share")).to_contain_text("0.02")
    expect(page.get_by_text("both test splits")).to_be_visible()
    expect(page.locator("canvas").nth(5)).to_be_attached()
    screenshot("evaluate")
