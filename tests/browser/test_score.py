"""Score and Train: histogram, curves, and the whole way from images to a ranking."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from astropy.io import fits
from playwright.sync_api import Page, expect

from lensing_core.cutouts import CutoutStore
from lensing_core.store import open_database
from lensing_core.store.catalogs import find_catalog
from lensing_core.workspace import Workspace

Visit = Callable[[str], None]
Screenshot = Callable[[str], Path]


def test_scores_of_the_newest_scored_catalog(
    filled_server: str, page: Page, visit: Visit, screenshot: Screenshot
) -> None:
    visit(f"{filled_server}/score")
    expect(page.get_by_text("of 140 scored")).to_be_visible()
    expect(page.get_by_text("no label (140)")).to_be_visible()
    expect(page.get_by_text("Runs on:")).to_be_visible(timeout=30_000)
    expect(page.locator("canvas").first).to_be_visible()
    pictures = page.locator("li img")
    expect(pictures).to_have_count(24)
    shown = [float(text) for text in page.locator("li .caption span:last-child").all_inner_texts()]
    assert shown == sorted(shown, reverse=True)
    screenshot("histogram")
    page.get_by_role("link", name="Review").last.click()
    expect(page).to_have_url(re.compile(r"/review\?catalog=cosmos&ensemble=first"))


def test_curves_result_and_log_of_a_training(
    filled_server: str, page: Page, visit: Visit, screenshot: Screenshot
) -> None:
    visit(f"{filled_server}/train")
    expect(page.get_by_role("definition").get_by_text("0.417 [0.297, 0.537]")).to_be_visible()
    expect(page.get_by_role("log")).to_contain_text("12 positives: intervals are wide.")
    page.get_by_role("button", name="Curves", exact=True).click()
    expect(page.locator("canvas").first).to_be_visible()
    expect(page.get_by_label("Ensemble", exact=True)).to_have_value("first-2")
    screenshot("curves")


def test_nothing_to_score_yet_is_said(server: str, page: Page, visit: Visit) -> None:
    visit(f"{server}/score")
    expect(page.get_by_text("Nothing is scored yet")).to_be_visible()
    page.get_by_role("button", name="Score").click()
    expect(page.get_by_role("alert").last).to_have_text(
        "Catalog: There is nothing to choose from yet."
    )


def write_images(workspace: Workspace, catalog: str, folder: Path) -> Path:
    """The cutouts of a catalog as one FITS an object with an HDU a band, and their table."""
    folder.mkdir()
    store = CutoutStore(workspace.catalog_cutouts(catalog))
    geometry = store.geometry
    lines = ["id,ra,dec"]
    for k in range(40):
        hdus = [fits.PrimaryHDU()]
        for b, band in enumerate(geometry.bands):
            hdu = fits.ImageHDU(store.read(k)[b].copy(), name=band)
            hdu.header["MAGZERO"] = geometry.zero_points_mag[b]
            hdu.header["PIXSCALE"] = geometry.pixel_scale_arcsec
            hdus.append(hdu)
        fits.HDUList(hdus).writeto(folder / f"s{k:03d}.fits")
        lines.append(f"s{k:03d},{150 + 0.01 * k:.4f},2.0")
    table = folder / "sample.csv"
    table.write_text("\n".join(lines) + "\n")
    return table


@pytest.mark.slow
def test_simulate_train_import_score_review(
    server: str,
    workspace: Workspace,
    tmp_path: Path,
    page: Page,
    visit: Visit,
    screenshot: Screenshot,
) -> None:
    """The whole way, through the pages alone."""
    done = page.get_by_text("Done.")
    visit(f"{server}/catalogs?tab=simulate")
    page.get_by_label("Number of objects").fill("200")
    page.get_by_label("Bands", exact=True).fill("g, r, i")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Simulate").click()
    expect(done).to_be_visible(timeout=120_000)
    screenshot("simulated")

    visit(f"{server}/train")
    page.get_by_role("button", name="Advanced", exact=True).click()
    page.get_by_label("Boosting rounds, at most").fill("40")
    page.keyboard.press("Tab")
    chip = page.locator(".MuiChip-root", has_text="network")
    chip.locator("svg").click()
    expect(chip).to_have_count(0)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(done).to_be_visible(timeout=180_000)
    expect(page.get_by_text("Recall before any false positive")).to_be_visible()
    screenshot("trained")

    table = write_images(workspace, "simulated", tmp_path / "images")
    visit(f"{server}/catalogs?tab=import")
    page.get_by_label("Table", exact=True).fill(str(table))
    page.keyboard.press("Tab")
    page.get_by_label("Survey").click()
    page.get_by_role("menuitem", name="hsc").click()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("40 rows; survey hsc")).to_be_visible()
    page.get_by_role("button", name="Start import").click()
    expect(done).to_be_visible(timeout=60_000)
    with open_database(workspace).session() as session:
        assert find_catalog(session, "sample").n_candidates == 40

    page.get_by_role("link", name="Score it").click()
    expect(page.get_by_text("sample (40 candidates)")).to_be_visible()
    page.wait_for_timeout(1000)
    page.get_by_role("button", name="Score").click()
    expect(page.get_by_text("of 40 scored")).to_be_visible(timeout=120_000)
    screenshot("scored")

    page.get_by_role("link", name="Review").last.click()
    expect(page).to_have_url(re.compile(r"/review\?catalog=sample&ensemble=first"))
    expect(page.get_by_text("40 candidates")).to_be_visible()
    page.wait_for_timeout(1000)
    screenshot("ranked")
