"""Every page by axe-core in both themes, and in the windows of phones and tablets."""

from __future__ import annotations

import re
from collections.abc import Callable

from accessibility import COLORS, overflows, violations
from playwright.sync_api import Page, expect

from lens_triage.app.front import gate
from lens_triage.app.http.providers import GITHUB, Provider
from lens_triage.app.main import PAGES
from lens_triage.training.labeling import SessionSettings, make_session
from lensing_core.workspace import Workspace

_FOLLOW = """(address) => {
  const link = document.createElement("a")
  link.href = address
  document.body.append(link)
  link.click()
  link.remove()
}"""
_LOOKS = 20  # at most: on a busy machine colors take long to fade
_VIEW = ".work-view[data-shown]"
_PROVIDER = Provider("hub", GITHUB, "GitHub", "https://github.com", "id", "secret")


class Walker:
    """Goes from page to page in one document, and keeps what is wrong with each."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.faults: list[str] = []

    def go(self, address: str, ready: str = "") -> None:
        """Follow a link to a page; ``ready`` is a selector of what it must show."""
        page, slug = self._page, address.partition("?")[0]
        page.evaluate(_FOLLOW, address)
        expect(page).to_have_title(f"{PAGES[slug][0]} · lens-triage")
        expect(page.locator("div:has(> nav[aria-label=Pages]) > .bar")).to_be_hidden()
        if ready:
            page.wait_for_selector(ready)
        expect(page.locator("h1")).to_have_text(PAGES[slug][0])
        expect(page.locator(".skeleton:visible")).to_have_count(0)
        self.look(address)

    def look(self, name: str) -> None:
        """Ask axe-core in both themes, and whether all fits into narrow windows."""
        page = self._page
        found = violations(page)
        for width, height in ((390, 844), (820, 1180)):
            found += [f"{width} px: {one}" for one in overflows(page, width, height)]
        page.set_viewport_size({"width": 1280, "height": 800})
        # By script: a click would leave the pointer, and a tooltip, over the button.
        page.get_by_role("button", name="Toggle theme").dispatch_event("click")
        found += self._colors()
        self.faults += [f"{name}: {one}" for one in found]

    def _colors(self) -> list[str]:
        """What is wrong with the colors of the new theme, when they have faded in."""
        found: list[str] = []
        for _ in range(_LOOKS):
            self._page.wait_for_timeout(300)
            found = violations(self._page, COLORS)
            if not found:
                break
        return found


def test_no_page_has_a_fault_of_accessibility_or_overflows(
    serve: Callable[..., str], filled_workspace: Workspace, page: Page, visit: Callable[[str], None]
) -> None:
    settings = SessionSettings(session="night", ensemble="first", catalogs=["cosmos"], n=90)
    session_id = make_session(filled_workspace, settings, None)
    url = serve(filled_workspace)
    assert page.request.post(f"{url}/sign-in", data={"name": "Ana"}).ok
    visit(f"{url}/overview")
    walker = Walker(page)
    walker.look("overview")
    for slug in PAGES:
        if slug not in ("overview", "review"):
            walker.go(slug)
    walker.go("catalogs?tab=import")
    walker.go(f"label?session={session_id}", _VIEW)
    page.get_by_role("button", name="Mosaic").click()
    page.wait_for_selector(".cell")
    walker.look("mosaic")
    walker.go("review", _VIEW)
    page.keyboard.press("S")
    page.wait_for_selector(".compare figure")
    walker.look("compare")
    page.keyboard.press("Escape")
    page.keyboard.press("G")
    page.wait_for_selector(".stamp")
    walker.look("gallery")
    # What a server that asks for a sign-in says before anything else.
    asked = gate.sign_in_page((_PROVIDER,), "", "nonce")
    page.route(
        re.compile("/(join|sign-in)$"),
        lambda route: route.fulfill(body=asked, content_type="text/html"),
    )
    for address in ("sign-in", "join#token"):
        page.goto(f"{url}/{address}")
        walker.faults += [f"{address}: {one}" for one in violations(page)]
        page.emulate_media(color_scheme="dark")
        walker.faults += [f"{address}, dark: {one}" for one in violations(page, COLORS)]
        walker.faults += [f"{address}: {one}" for one in overflows(page, 390, 844)]
    assert not walker.faults, "\n".join(walker.faults)
