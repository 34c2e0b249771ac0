"""Notices, errors and empty states can be read in both themes: WCAG contrast of 4.5 or more."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, Route, expect
from rows import add_catalog, score_row
from serving import Server

from lens_triage.app.theme import THEME_COOKIE
from lensing_core.acquisition import QueueEntry
from lensing_core.labeling import NewSession, create_session
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Ensemble
from lensing_core.workspace import Workspace

LEAST = 4.5
# Of each visible text that a selector finds: the contrast with what lies behind it.
CONTRASTS = """(selector) => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true})
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = color
    canvas.fillRect(0, 0, 1, 1)
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data
    return [r, g, b, a / 255]
  }
  const over = (top, below) => top.slice(0, 3).map((v, k) => v * top[3] + below[k] * (1 - top[3]))
  const parentOf = (node) =>
    node.assignedSlot ?? node.parentElement ?? node.getRootNode().host ?? null
  const ground = (node) => {
    if (node === null) { return [255, 255, 255] }
    const color = rgba(getComputedStyle(node).backgroundColor)
    return color[3] === 1 ? color.slice(0, 3) : over(color, ground(parentOf(node)))
  }
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255)
      .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const found = []
  const search = (root) => {
    for (const node of root.querySelectorAll("*")) {
      if (node.shadowRoot) { search(node.shadowRoot) }
      const own = [...node.childNodes].filter((one) => one.nodeType === Node.TEXT_NODE)
      const text = own.map((one) => one.data).join("").trim()
      const seen = node.checkVisibility({visibilityProperty: true})
      if (!seen || !text || !node.matches(selector)) { continue }
      const back = ground(node)
      const front = over(rgba(getComputedStyle(node).color), back)
      const [high, low] = [light(front), light(back)].sort((a, b) => b - a)
      found.push([text, Math.round(100 * (high + 0.05) / (low + 0.05)) / 100])
    }
  }
  search(document)
  return found
}"""


class Reader:
    """Asks of a page that what is said on it can be read."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def reads(self, selector: str, text: str) -> None:
        """There is such a text, and all that the selector finds has enough contrast."""
        self._page.wait_for_timeout(150)  # colors fade in
        found = self._page.evaluate(CONTRASTS, selector)
        assert any(text in said for said, _ in found), (text, found)
        poor = [(said, ratio) for said, ratio in found if ratio < LEAST]
        assert not poor, poor


@pytest.fixture
def places(workspace: Workspace) -> dict[str, str]:
    """A workspace of three candidates, two catalogs (one without scores), and a session."""
    with open_database(workspace).session() as session:
        ids = add_catalog(session, "mine", 3)
        add_catalog(session, "fresh", 2)
        session.add(Ensemble(id=1, name="first", fusion="mean", manifest={}))
        session.flush()
        for candidate in session.scalars(sa.select(Candidate).where(Candidate.id.in_(ids))):
            session.add(score_row(1, candidate.catalog_id, candidate.id))
        queue = [QueueEntry(key, "") for key in ids]
        return {
            name: create_session(session, NewSession(name, queue[:n], {}), None).id
            for name, n in (("session", 3), ("short", 1))
        }


@pytest.fixture
def server(places, workspace: Workspace, tmp_path: Path) -> Iterator[Server]:
    made = Server(workspace, tmp_path / "server.log")
    yield made
    made.stop()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_pages_say_can_be_read(
    server: Server, places: dict[str, str], page: Page, faults, theme: str, screenshot: Callable
) -> None:
    faults.allow(r"404|503|ERR_|WebSocket|Failed to fetch|\[bokeh|Lost websocket")
    reader = Reader(page)
    page.context.add_cookies([{"name": THEME_COOKIE, "value": theme, "url": server.url}])
    assert page.request.post(f"{server.url}/sign-in", data={"name": "Ada"}).ok

    # Review: a list that is empty for want of scores, and one that a filter empties.
    page.goto(f"{server.url}/review?catalog=fresh&sort=beauty")
    page.wait_for_selector(".empty h3")
    reader.reads(".empty *", "first has not scored fresh")
    reader.reads(".notices p, .notices span", "beauty")
    page.goto(f"{server.url}/review?object=zzz")
    page.wait_for_selector(".empty h3")
    reader.reads(".empty *", "No candidate passes these filters")

    # A page that says what went wrong, what waits and what was refused, all at once.
    page.goto(f"{server.url}/review")
    page.wait_for_selector(".work-view[data-shown]")
    parts = [page.locator(part) for part in (".columns", ".list-head", ".table-scroll", ".viewer")]
    places_before = [part.first.bounding_box() for part in parts]
    # One route that stays: between one that ends and the next, a request may slip through.
    replies: dict[str, Callable[[Route], None]] = {}
    page.route(
        re.compile("/review/(events|ask)$"),
        lambda route: replies.get(route.request.url.rpartition("/")[2], Route.continue_)(route),
    )
    replies["events"] = lambda route: route.fulfill(json=_refusal(route))
    page.keyboard.press("A")
    expect(page.locator(".save-state")).to_have_text("Not saved")
    reader.reads(".save-state", "Not saved")
    del replies["events"]
    page.keyboard.press("B")
    expect(page.locator(".save-state")).to_have_text("Saved")
    reader.reads(".save-state", "Saved")
    for _ in range(3):
        page.keyboard.press("j")
    replies["ask"] = lambda route: route.fulfill(json=_ERROR)
    page.keyboard.press("N")
    page.keyboard.type("a note")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".sentences .fault")).to_be_visible()
    page.keyboard.press("Escape")
    del replies["ask"]
    replies["events"] = lambda route: route.fulfill(status=503, json={"error": "Busy."})
    page.keyboard.press("k")
    page.keyboard.press("C")
    page.keyboard.press("j")
    expect(page.locator(".outbox")).to_contain_text("1 grade not yet saved")
    reader.reads(".notices p, .notices span", "Too late.")
    reader.reads(".notices p, .notices span", "It went wrong.")
    reader.reads(".outbox span", "1 grade not yet saved")
    reader.reads(".waiting", "End of the list")
    # Nothing was moved by what was said.
    assert [part.first.bounding_box() for part in parts] == places_before
    screenshot(theme)

    # The notice that all other pages use, in each of its tones.
    page.goto(f"{server.url}/label?session=nonsense")
    notice = page.locator(".notice")
    expect(notice).to_be_visible()
    for tone in ("error", "warning", "success", "info"):
        notice.evaluate("(node, tone) => { node.className = `notice is-${tone}` }", tone)
        reader.reads(".notice", "session")

    # Label, at the end of a session.
    page.goto(f"{server.url}/label?session={places['short']}")
    page.wait_for_selector(".work-view[data-shown]")
    page.keyboard.press("x")
    expect(page.locator(".empty")).to_contain_text("You have seen every cutout")
    reader.reads(".empty *", "You have seen every cutout")
    reader.reads(".empty a", "Back to the sessions")

    # Label, without a server.
    page.goto(f"{server.url}/label?session={places['session']}")
    page.wait_for_selector(".work-view[data-shown]")
    server.kill()
    page.keyboard.press("x")
    page.get_by_role("button", name="Mosaic").click()
    expect(page.locator(".notices .info.fault")).to_be_visible()
    expect(page.locator(".outbox")).to_contain_text("1 grade not yet saved")
    reader.reads(".notices p, .notices span", "The server does not answer")
    reader.reads(".outbox span", "1 grade not yet saved")
    screenshot(f"label-{theme}")


_ERROR = {"type": "error", "message": "It went wrong."}


def _refusal(route) -> dict:
    sent = route.request.post_data_json["events"]
    return {"written": [], "refused": {event["uuid"]: "Too late." for event in sent}}
