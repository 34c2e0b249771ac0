"""The image viewer of Review: what it measures, draws and says, on cutouts with known answers."""

from __future__ import annotations

import re
from collections.abc import Callable

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from filling import cutouts
from playwright.sync_api import Page, expect

from lensing_core.cutouts import CutoutGeometry
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.store import open_database
from lensing_core.workspace import Workspace

SIDE, SCALE = 64, 0.2
RA_DEG, DEC_DEG, NORTH_DEG = 150.1, 2.2, 30.0
ZERO_POINT = 27.0
TWELVE = tuple(f"F{k}W" for k in range(12))


def write(
    workspace: Workspace, name: str, flux: np.ndarray, bands: tuple[str, ...], **spec
) -> None:
    rendered = spec.pop("rendered", False)
    zero = np.nan if rendered else ZERO_POINT
    geometry = CutoutGeometry(
        "hsc",
        bands,
        flux.shape[-1],
        SCALE,
        "rendered" if rendered else "flux",
        (zero,) * len(bands),
        (0.7,) * len(bands),
    )
    writer = CatalogWriter(workspace, CatalogSpec(name, geometry, {"name": "hsc"}))
    placed = spec.pop("placed", False)
    ingest = {"north_deg": NORTH_DEG, "centre_px": [31.0, 32.0]} if placed else {}
    rows = [
        NewCandidate(
            f"{name}-{k}",
            RA_DEG if placed else None,
            DEC_DEG if placed else None,
            observation={"properties": {"ingest": ingest}},
        )
        for k in range(len(flux))
    ]
    writer.append(flux.astype("f4"), rows, rows_read=len(rows), **spec)
    writer.finish()


def fill(workspace: Workspace) -> None:
    """Catalogs of several kinds; candidate k of ``placed`` has value 100 b + k in one pixel."""
    rng = np.random.default_rng(7)
    lens = np.ones(12)
    flux = cutouts(12, 5, SIDE, lens, 1)
    for k in range(12):
        flux[k, :, 10, 20] = 100 * np.arange(5) + k
    flux[1, :, rng.random((SIDE, SIDE)) < 0.3] = np.nan
    write(workspace, "placed", flux, ("g", "r", "i", "z", "y"), placed=True)
    write(workspace, "pair", cutouts(2, 2, 40, lens, 2), ("VIS", "H"))
    write(workspace, "twelve", cutouts(2, 12, 40, lens, 3), TWELVE)
    wide = cutouts(2, 3, 220, lens, 4)
    write(workspace, "wide", wide, ("g", "r", "i"), variance=np.full(wide.shape, 4, "f4"))
    pictures = rng.integers(0, 255, (2, 3, 48, 48))
    write(workspace, "pictures", pictures, ("R", "G", "B"), rendered=True)


@pytest.fixture(scope="module")
def viewer_url(serve_to_all: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> str:
    workspace = Workspace.create(tmp_path_factory.mktemp("viewer") / "workspace")
    open_database(workspace)
    fill(workspace)
    return serve_to_all(workspace)


@pytest.fixture
def look(page: Page, viewer_url: str) -> Callable[[str], Page]:
    """Function that opens the review page on one catalog."""

    def go(catalog: str) -> Page:
        page.goto(f"{viewer_url}/review?catalog={catalog}")
        page.wait_for_selector(".work-view[data-shown]", timeout=30_000)
        return page

    return go


def point(page: Page, x_px: float, y_px: float, side: int = SIDE) -> None:
    """Move the mouse to a pixel (from 0, y upwards) of the large picture at zoom 1."""
    box = page.locator(".viewer-body .frame").bounding_box()
    assert box is not None
    page.mouse.move(
        box["x"] + box["width"] * (x_px + 0.5) / side,
        box["y"] + box["height"] * (1 - (y_px + 0.5) / side),
    )


def zoom(page: Page) -> float:
    return page.locator(".images").evaluate("e => Number(e.style.getPropertyValue('--zoom'))")


def both_themes(page: Page, screenshot: Callable[..., object], name: str) -> None:
    """Pictures at 1280 and 1920, light and dark."""
    for theme in ("light", "dark"):
        for width, height in ((1280, 800), (1920, 1080)):
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(250)
            screenshot(f"{name}-{theme}-{width}")
        page.get_by_role("button", name="Toggle theme").click()


def test_the_readout_tells_values_and_places(look, screenshot) -> None:
    page = look("placed")
    expect(page.locator(".viewer h2")).to_have_text("placed-0")
    expect(page.locator(".overlay .arrow").first).to_be_attached()  # the compass: north is known
    point(page, 20, 10)
    readout = page.locator(".readout")
    expect(readout).to_contain_text("x 21.0  y 11.0")  # as FITS counts
    # The place by an independent WCS: the object on pixel (31, 32), north 30 deg from y to x.
    turn, step = np.deg2rad(NORTH_DEG), SCALE / 3600
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crpix, wcs.wcs.crval = [32, 33], [RA_DEG, DEC_DEG]
    wcs.wcs.cd = step * np.array([[-np.cos(turn), np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    sky = SkyCoord(*wcs.all_pix2world(20, 10, 0), unit="deg")
    expect(readout).to_contain_text(f"{sky.ra.deg:.5f}"[:-1])
    ra, dec = re.findall(r"[\d:.]+:[\d.]+", readout.inner_text())
    found = SkyCoord(ra, dec, unit=(u.hourangle, u.deg))
    assert found.separation(sky).arcsec < 0.11  # half a pixel of the screen and of the cutout
    center = SkyCoord(RA_DEG, DEC_DEG, unit="deg")
    expect(readout).to_contain_text(f"PA {center.position_angle(sky).deg:.0f}°")
    # Values: 100 b in band b, with a zero point of 27: 100 are 100 · 10^(0.4 · 4.4) nJy.
    values = page.locator(".strip .band:visible .band-value")
    expect(values.nth(2)).to_have_text("5754 nJy")
    brightness = ZERO_POINT - 2.5 * np.log10(100 / SCALE**2)
    expect(values.nth(3)).to_have_text(f"{brightness:.2f} m/″²")
    page.keyboard.press("3")
    expect(readout).to_contain_text("i: 200 (ZP 27.00)")
    both_themes(page, screenshot, "readout")


def test_pictures_zoom_and_pan_together_and_are_measured(look, screenshot) -> None:
    page = look("placed")
    frame = page.locator(".viewer-body .frame")
    page.keyboard.press("D")
    point(page, 12, 32)
    page.mouse.down()
    point(page, 52, 32)
    page.mouse.up()
    expect(frame.locator(".overlay")).to_contain_text("8.00″, PA 300°")  # along x; north is at 30
    page.keyboard.press("o")
    point(page, 31.5, 31.5)
    page.mouse.down()
    point(page, 31.5, 44)
    page.mouse.up()
    expect(frame.locator(".overlay")).to_contain_text("R 2.50″")
    page.keyboard.press("o")
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert zoom(page) == pytest.approx(2)
    transforms = page.locator(".images canvas:visible").evaluate_all(
        "canvases => canvases.map(c => getComputedStyle(c).transform.slice(0, 12))"
    )
    assert set(transforms) == {"matrix(2, 0,"}  # the large picture and every band
    before = page.locator(".images").evaluate("e => e.style.getPropertyValue('--shift-x')")
    page.keyboard.press("Shift+ArrowRight")
    page.mouse.wheel(0, -100)
    after = page.locator(".images").evaluate("e => e.style.getPropertyValue('--shift-x')")
    assert before != after
    assert zoom(page) > 2
    page.keyboard.press("c")
    screenshot("zoomed")
    page.keyboard.press("Escape")
    expect(frame.locator(".overlay .mark")).to_have_count(0)
    frame.dblclick()
    assert zoom(page) == 1


def test_layers_stretches_and_colors(look, screenshot) -> None:
    page = look("placed")
    page.keyboard.press("l")
    expect(page.locator(".frame-caption")).to_contain_text("galaxy subtracted")
    expect(page.get_by_role("button", name="− Galaxy")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".viewer-body .frame")).to_have_attribute("data-state", "shown")
    page.keyboard.press("t")
    expect(page.locator(".strip .band:visible")).to_have_count(6)
    for _ in range(2):
        page.keyboard.press("g")
    expect(page.get_by_title("Color map of single bands")).to_have_value("inferno")
    page.wait_for_timeout(600)
    both_themes(page, screenshot, "tiled-residual")
    page.keyboard.press("v")
    page.keyboard.press("1")  # leaves the tiles
    expect(page.locator(".frame-caption")).to_have_text("g · galaxy subtracted · S/N")
    point(page, 20, 10)
    expect(page.locator(".readout")).to_contain_text("there is no variance map")
    page.keyboard.press("x")
    expect(page.get_by_title("Stretch of single bands")).to_have_value("linear")
    page.keyboard.press("0")
    page.keyboard.press("w")
    expect(page.locator(".frame-caption")).to_contain_text("i r g")
    page.keyboard.press("w")
    expect(page.locator(".frame-caption")).to_contain_text("z i r")
    page.get_by_text("Adjust", exact=True).click()
    page.get_by_title("Band shown as green").select_option("mean")
    page.get_by_text("Adjust", exact=True).click()
    expect(page.locator(".frame-caption")).to_contain_text("z mean r")
    slider = page.locator(".slider output").nth(1)
    expect(slider).to_have_text("10 σ")
    page.keyboard.press(".")
    expect(slider).to_have_text("13 σ")
    page.keyboard.press("r")
    expect(slider).to_have_text("10 σ")
    page.keyboard.press("j")  # 30 % of this one has no data
    expect(page.locator(".frame-legend")).to_have_text(
        re.compile(r"hatched: no data, (29|30|31) %")
    )
    screenshot("missing")


def test_catalogs_of_every_kind(look, screenshot) -> None:
    page = look("pair")
    expect(page.locator(".frame-caption")).to_have_text("H mean VIS")
    point(page, 5, 5, 40)
    expect(page.locator(".readout")).to_contain_text("No RA, Dec (the catalog has no position)")
    screenshot("two-bands")
    page = look("twelve")
    expect(page.locator(".strip .band:visible")).to_have_count(12)
    page.keyboard.press("ArrowLeft")  # the last band, for which no digit is left
    expect(page.locator(".frame-caption")).to_have_text(TWELVE[-1])
    screenshot("twelve-bands")
    page = look("wide")
    page.keyboard.press("v")
    point(page, 100, 100, 220)
    expect(page.locator(".readout")).to_contain_text("Values in σ of the variance map")
    screenshot("wide")
    page = look("pictures")
    expect(page.locator(".frame-caption")).to_contain_text("no flux")
    expect(page.get_by_role("button", name="S/N")).to_be_hidden()
    page.keyboard.press("1")
    point(page, 5, 5, 48)
    expect(page.locator(".readout")).to_contain_text(re.compile(r"R: level \d+ of 255, no flux"))
    screenshot("picture")
