"""The frame: navigation, theme, and no word to any other host."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect


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
