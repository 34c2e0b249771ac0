"""The frame: navigation, theme, and no word to any other host."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from lens_triage.app.theme import THEME_CONFIG, THEME_COOKIE


def test_root_leads_to_overview_and_navigation_marks_the_page(server: str, page: Page) -> None:
    page.goto(server)
    expect(page).to_have_url(f"{server}/overview")
    expect(page.locator("nav a[aria-current]")).to_have_text("Overview")
    expect(page).to_have_title("Overview · lens-triage")


def test_dark_theme_outlives_a_reload(
    server: str, page: Page, screenshot: Callable[[str], object]
) -> None:
    def background() -> str:
        return page.locator(".main-content").evaluate(
            "element => getComputedStyle(element).backgroundColor"
        )

    page.goto(f"{server}/overview")
    light = background()
    page.get_by_role("button", name="Toggle theme").click()
    expect(page.locator(".main-content")).not_to_have_css("background-color", light)
    dark = background()
    page.reload()
    expect(page.locator(".main-content")).to_have_css("background-color", dark)
    screenshot("dark")


def test_the_frame_stays_between_pages(filled_server: str, page: Page, visit, faults) -> None:
    # Of Panel's HTML pane, where it is made visible before the browser has drawn it.
    faults.allow("reading 'style'")
    visit(f"{filled_server}/overview")
    page.evaluate("window.marker = 1")
    for name in ("Train", "Settings"):
        page.get_by_role("navigation").get_by_role("link", name=name).click()
        expect(page).to_have_title(f"{name} · lens-triage")
        expect(page).to_have_url(f"{filled_server}/{name.lower()}")
        expect(page.locator("nav a[aria-current]")).to_have_text(name)
    page.go_back()
    expect(page).to_have_title("Train · lens-triage")
    page.get_by_role("tab", name="Fast retrain").click()
    expect(page).to_have_url(f"{filled_server}/train?tab=retrain")
    page.go_back()
    expect(page.get_by_role("tab", name="New ensemble", selected=True)).to_be_visible()
    assert page.evaluate("window.marker") == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_has_its_colors_while_it_loads(
    theme: str, server: str, page: Page, screenshot: Callable[[str], object]
) -> None:
    page.context.add_cookies([{"name": THEME_COOKIE, "value": theme, "url": server}])
    page.route_web_socket("**/ws", lambda socket: None)  # opened, and never answered
    page.goto(f"{server}/overview")
    veil = page.locator("#loader")
    expect(veil).to_be_visible()
    for part in (page.locator("html"), veil):
        expect(part).to_have_css("background-color", _ground(theme))
    screenshot("veil")


def _ground(theme: str) -> str:
    """The color below everything, as a browser writes it."""
    color = THEME_CONFIG[theme]["palette"]["background"]["default"]
    return "rgb({}, {}, {})".format(*bytes.fromhex(color[1:]))
