"""Catalogs: choosing one, its quarantine, importing with a preview, simulating."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from filling import cutouts
from playwright.sync_api import Page, expect
from real_sky import add_real_sky
from sqlalchemy import select

from lens_triage.training import runner as jobs
from lens_triage.training.settings import SimulateSettings
from lensing_core.store import open_database
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.ensembles import find_ensemble, rows_scored
from lensing_core.store.tables import Observation
from lensing_core.workspace import Workspace

Visit = Callable[[str], None]
Screenshot = Callable[[str], Path]
BANDS = "gri"


@pytest.fixture
def url(serve: Callable[..., str], filled_workspace: Workspace) -> str:
    return serve(filled_workspace)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A table of 12 rows beside their three-HDU images: one is missing, one lies off the sky."""
    folder = tmp_path / "survey"
    folder.mkdir()
    flux = cutouts(12, 3, 32, np.zeros(12), seed=4)
    lines = ["Target_X,RAJ2000,DEJ2000,zspec,note"]
    for k in range(12):
        hdus = [fits.PrimaryHDU()]
        for band, plane in zip(BANDS, flux[k], strict=True):
            hdu = fits.ImageHDU(plane, name=band)
            hdu.header.update(
                CTYPE1="RA---TAN", CTYPE2="DEC--TAN", CRPIX1=16.5, CRPIX2=16.5, CRVAL1=150.0
            )
            hdu.header.update(CRVAL2=2.0, CDELT1=-0.168 / 3600, CDELT2=0.168 / 3600, MAGZERO=27.0)
            hdus.append(hdu)
        if k != 3:
            fits.HDUList(hdus).writeto(folder / f"obj{k}.fits")
        dec = 95.0 if k == 7 else 2.0 + 0.01 * k
        lines.append(f"obj{k},{150 + 0.01 * k:.4f},{dec:.4f},{0.3 + 0.01 * k:.3f},n{k}")
    (folder / "Bright sample.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_choosing_a_catalog_shows_it_and_the_address_remembers(
    filled_server: str, page: Page, visit: Visit, screenshot: Screenshot
) -> None:
    visit(f"{filled_server}/catalogs?catalog=simulated")
    table = page.get_by_role("table", name="Catalogs")
    expect(table.locator("tr[aria-selected=true]")).to_contain_text("simulated")
    expect(page.get_by_text("sim:test, for all uses")).to_be_visible()
    table.locator("tr[aria-selected=true]").focus()
    page.keyboard.press("ArrowDown")
    expect(table.locator("tr[aria-selected=true]")).to_contain_text("cosmos")
    expect(page).to_have_url(re.compile("catalog=cosmos"))
    pictures = page.locator("li img")
    expect(pictures).to_have_count(18)
    pictures.first.scroll_into_view_if_needed()
    page.wait_for_function(
        "element => element.complete && element.naturalWidth > 0",
        arg=pictures.first.element_handle(),
    )
    screenshot("chosen")


def test_quarantine_is_read_page_by_page_and_by_reason(
    filled_server: str, page: Page, visit: Visit, screenshot: Screenshot
) -> None:
    visit(f"{filled_server}/catalogs?catalog=cosmos")
    rows = page.get_by_role("table", name="Quarantined rows")
    expect(rows.get_by_role("row")).to_have_count(21)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("21 to 37 of 37")).to_be_visible()
    page.get_by_role("table", name="Reasons").get_by_role("row", name="All nan").click()
    expect(rows.get_by_role("row")).to_have_count(2)
    expect(rows).to_contain_text("images/cosmos/0036_g.fits holds no finite pixel.")
    for name in ("Previous", "Next"):  # one page has neither
        expect(page.get_by_role("button", name=name)).to_be_hidden()
    screenshot("quarantine")


def test_import_with_preview_mapping_and_quarantine(
    url: str,
    filled_workspace: Workspace,
    images: Path,
    page: Page,
    visit: Visit,
    screenshot: Screenshot,
) -> None:
    visit(f"{url}/catalogs?tab=import")
    page.get_by_label("Table", exact=True).fill(str(images / "Bright sample.csv"))
    page.keyboard.press("Tab")
    expect(page.get_by_label("Catalog", exact=True)).to_have_value("bright-sample")
    page.get_by_role("button", name="Preview").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("state it: cfhtls,")
    expect(page.get_by_role("button", name="Start import")).to_be_disabled()
    expect(page.get_by_label("Survey")).to_be_focused()  # the field that the error speaks of
    screenshot("survey-is-asked-for")

    choices = page.get_by_role("table", name="Choices")
    choices.get_by_role("row", name="hsc").get_by_role("button", name="Take this").click()
    recognized = page.get_by_role("table", name="Recognized")
    expect(recognized).to_contain_text("id=Target_X")
    bands = page.get_by_role("table", name="Bands")
    expect(bands.get_by_role("row")).to_have_count(1 + len(BANDS))
    expect(bands).to_contain_text("32 × 32")
    expect(bands).to_contain_text("0.168")
    expect(page.get_by_text("12 rows; survey hsc")).to_be_visible()
    expect(page.get_by_label("Role of zspec")).to_have_value("z_spec")
    page.get_by_label("Role of note").select_option("instrument")
    expect(alert).to_have_count(0)
    screenshot("preview")

    page.get_by_role("button", name="Start import").click()
    expect(page.get_by_text("Done.")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("bad coordinates 1, missing file 1")).to_be_visible()
    screenshot("imported")
    with open_database(filled_workspace).session() as session:
        catalog = find_catalog(session, "bright-sample")
        assert "n0" in set(session.scalars(select(Observation.instrument)))
    assert (catalog.n_candidates, catalog.n_quarantined, catalog.complete) == (10, 2, True)
    page.get_by_role("link", name="See the catalog").click()
    selected = page.get_by_role("table", name="Catalogs").locator("tr[aria-selected=true]")
    expect(selected).to_contain_text("bright-sample")


def test_a_missing_file_is_one_sentence(filled_server: str, page: Page, visit: Visit) -> None:
    visit(f"{filled_server}/catalogs?tab=import")
    page.get_by_role("button", name="Start import").click()
    expect(page.get_by_role("alert")).to_contain_text("use 1 to 63 characters")
    page.get_by_label("Table", exact=True).fill("/no/such/table.csv")
    page.get_by_role("button", name="Start import").click()
    expect(page.get_by_role("alert")).to_have_text("Table /no/such/table.csv does not exist.")


@pytest.mark.real
def test_real_sets_are_imported_by_choosing_their_folder(
    server: str,
    workspace: Workspace,
    real_data: Path,
    page: Page,
    visit: Visit,
    screenshot: Screenshot,
) -> None:
    visit(f"{server}/catalogs?tab=import")
    page.get_by_label("Images", exact=True).fill(str(real_data / "euclid_q1_galaxy"))
    page.get_by_role("button", name="Browse for images").click()
    typed = page.get_by_label("Path", exact=True)
    files = page.get_by_role("table", name="Files and folders")
    expect(files.get_by_role("row", name="q1_walsmley")).to_be_visible()
    page.get_by_role("button", name="Use this folder").click()
    recognized = page.get_by_role("table", name="Recognized")
    expect(recognized).to_contain_text("Left out: 4 masks and the like")
    expect(page.get_by_text("4 rows; survey euclid")).to_be_visible()
    screenshot("euclid")
    page.get_by_role("button", name="Start import").click()
    expect(page.get_by_text("Done.")).to_be_visible(timeout=60_000)

    # By typing and a double click.
    page.get_by_role("button", name="Browse for images").click()
    typed.fill(str(real_data / "hst_jwst_pyautolens" / "dataset" / "imaging" / "cosm"))
    ring = files.get_by_role("row", name="cosmos_web_ring")
    ring.click()
    expect(ring).to_have_attribute("aria-selected", "true")
    ring.dblclick()
    expect(files.get_by_role("row", name="wavebands")).to_be_visible()
    page.get_by_role("button", name="Use this folder").click()
    expect(recognized).to_contain_text("wavebands/{band}/data.fits")
    expect(recognized).to_contain_text("F277W=0.06")
    screenshot("jwst")
    page.get_by_role("button", name="Start import").click()
    expect(page.get_by_text("Import cosmos-web-ring").first).to_be_visible()
    expect(page.get_by_text("Done.")).to_be_visible(timeout=60_000)
    with open_database(workspace).session() as session:
        names = ("euclid-q1-galaxy", "cosmos-web-ring")
        counts = [find_catalog(session, name).n_candidates for name in names]
    assert counts == [4, 1]


def test_a_wrong_number_is_said_at_its_field(
    filled_server: str, page: Page, visit: Visit, screenshot: Screenshot
) -> None:
    visit(f"{filled_server}/catalogs?tab=simulate")
    expect(page.get_by_label("Catalog", exact=True)).to_have_value("simulated-2")
    page.get_by_label("Lens fraction").fill("1.5")
    page.keyboard.press("Tab")
    expect(page.get_by_role("alert")).to_have_text("Give a number, 0 to 1.")
    page.get_by_role("button", name="Simulate").click()
    expect(page.get_by_role("alert").last).to_have_text("Lens fraction: Give a number, 0 to 1.")
    screenshot("wrong-number")


@pytest.mark.slow
def test_arcs_are_painted_into_a_catalog(
    server: str, workspace: Workspace, page: Page, visit: Visit, screenshot: Screenshot
) -> None:
    sky = SimulateSettings(
        catalog="sky", survey="hsc", bands=["g", "r"], size_arcsec=8.0, n_objects=40,
        lens_fraction=0.0, labeled=False,
    )  # fmt: skip
    assert jobs.wait(workspace, jobs.submit(workspace, sky)).status == "succeeded"
    visit(f"{server}/catalogs?tab=inject")
    expect(page.get_by_text("sky (40 candidates)")).to_be_visible()
    page.get_by_label("Number of galaxies").fill("12")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Paint", exact=True).click()
    expect(page.get_by_text("Done.")).to_be_visible(timeout=120_000)
    screenshot("painted")
    page.get_by_role("link", name="See the catalog").click()
    expect(page.get_by_role("table", name="Catalogs").get_by_text("injected")).to_be_visible()
    with open_database(workspace).session() as session:
        injected = find_catalog(session, "injected")
    assert 12 < injected.n_candidates <= 24
    assert injected.label_source == "inject:sky"


@pytest.mark.slow
@pytest.mark.real
def test_a_real_catalog_is_searched_from_its_page(
    server: str,
    workspace: Workspace,
    real_data: Path,
    page: Page,
    visit: Visit,
    screenshot: Screenshot,
) -> None:
    add_real_sky(workspace, real_data, 98)
    visit(f"{server}/catalogs?catalog=sky")
    page.get_by_role("link", name="Search this catalog").click()
    expect(page.get_by_label("Name of the new ensemble", exact=True)).to_have_value("search-sky")
    page.get_by_label("Galaxies of each training set, at most").fill("16")
    page.keyboard.press("Tab")
    expect(page.get_by_text("At most 48 galaxies to paint")).to_be_visible()
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_text("Done.")).to_be_visible(timeout=300_000)
    screenshot("searched")
    with open_database(workspace).session() as session:
        ensemble, sky = find_ensemble(session, "search-sky"), find_catalog(session, "sky")
        assert rows_scored(session, ensemble.id, sky.id) == 98
