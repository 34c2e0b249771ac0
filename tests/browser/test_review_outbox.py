"""What is said in Review, the server killed and tabs closed: nothing lost or doubled."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect
from rows import add_catalog
from serving import Server

from lensing_core.store import open_database
from lensing_core.store.labels import verify
from lensing_core.store.tables import Candidate, LabelEvent, Remark
from lensing_core.workspace import Workspace

N = 530
GRADED = 500
NO_PIXELS = "404"
AWAY = (
    r"503|ERR_(CONNECTION|EMPTY|SOCKET)|WebSocket|Failed to fetch|\[bokeh|Lost websocket"
    rf"|{NO_PIXELS}"
)


class Night:
    """A workspace with N candidates, served by a process that can be killed and started again."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self.workspace = workspace
        self._folder = folder
        self._starts = 0
        with open_database(workspace).session() as session:
            self.ids = add_catalog(session, "mine", N)
            for k, candidate in enumerate(session.scalars(sa.select(Candidate))):
                candidate.object_id = f"o{k:03d}"  # the order of a list without scores
        self.port = 0
        self.start()

    def start(self) -> None:
        self._starts += 1
        log = self._folder / f"server-{self._starts}.log"
        self.server = Server(self.workspace, log, port=self.port)
        self.port = self.server.port

    def restart(self) -> None:
        """As kill -9, and start anew at the same address."""
        self.server.kill()
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(self, page: Page, name: str = "Ada") -> None:
        answer = page.request.post(f"{self.url}/sign-in", data={"name": name})
        assert answer.ok
        page.goto(f"{self.url}/review")
        page.wait_for_selector(".work-view[data-unsent]")
        expect(page.locator("tbody tr")).to_have_count(100)

    def events(self) -> list[LabelEvent]:
        with open_database(self.workspace).session() as session:
            verify(session)
            return list(session.scalars(sa.select(LabelEvent).order_by(LabelEvent.id)))


@pytest.fixture
def night(workspace: Workspace, tmp_path: Path) -> Iterator[Night]:
    made = Night(workspace, tmp_path)
    yield made
    made.server.stop()


def all_saved(page: Page) -> None:
    view = page.locator(".work-view")
    expect(view).to_have_attribute("data-waiting", "0")
    expect(view).to_have_attribute("data-unsent", "0")
    expect(view).to_have_attribute("data-refused", "0")


def hammer(page: Page, first: int, last: int) -> None:
    """Grade and go on from one candidate to another, with all keys in one breath."""
    page.evaluate(
        """([first, last]) => {
          const press = (key) =>
            document.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}))
          for (let k = first; k < last; k++) { press("XCBA"[k % 4]); press("j") }
        }""",
        [first, last],
    )


def test_500_grades_at_full_speed_three_kills_and_a_closed_tab(night, page, faults) -> None:
    faults.allow(AWAY)
    night.open(page)
    hammer(page, 0, 130)  # over a page's end, before the next page can be there
    night.restart()
    hammer(page, 130, 260)
    for key in "Aj" * 20:  # as fingers do it
        page.keyboard.press(key)
    night.server.kill()
    hammer(page, 280, 350)  # rows that the page holds, while nobody answers
    expect(page.locator(".outbox")).to_contain_text("not yet saved")
    expect(page.locator(".notices")).to_contain_text("The server does not answer")
    night.start()
    all_saved(page)
    expect(page.locator(".notices")).to_contain_text("reload the page")

    night.server.kill()
    hammer(page, 350, 395)
    page.wait_for_url(f"**candidate={night.ids[395]}")
    at = page.url
    page.close()  # with grades that nobody has
    night.start()
    again = page.context.new_page()
    faults.watch(again)
    again.goto(at)  # the address is where the grader was
    again.wait_for_selector(".work-view[data-unsent]")
    all_saved(again)
    shown = again.locator(".viewer h2")
    expect(shown).to_have_text("o395")
    hammer(again, 395, GRADED)
    all_saved(again)

    events = night.events()
    assert Counter(event.candidate_id for event in events) == Counter(night.ids[:GRADED])
    given = {event.candidate_id: event.grade for event in events}
    keys = ["A" if 260 <= k < 280 else "XCBA"[k % 4] for k in range(GRADED)]
    assert [given[key] for key in night.ids[:GRADED]] == keys


def test_a_stopped_server_a_closing_tab_and_a_lost_name(night, page, faults) -> None:
    faults.allow(AWAY + "|401|403")
    night.open(page)
    page.keyboard.press("B")
    expect(page.locator(".save-state")).to_have_text("Saved")

    # Somebody else signs in in this browser: grades wait for who gave them.
    page.request.post(f"{night.url}/sign-in", data={"name": "Vera"})
    page.keyboard.press("A")
    expect(page.locator(".outbox")).to_contain_text("1 grade not yet saved; sign in again")
    expect(page.locator(".outbox button")).to_be_visible()
    expect(page.locator(".save-state")).to_have_text("Not saved yet")
    page.request.post(f"{night.url}/sign-in", data={"name": "Ada"})
    all_saved(page)
    expect(page.locator(".outbox")).to_have_text("Sign in")  # hidden again
    expect(page.locator(".outbox button")).to_be_hidden()

    # A tab that closes with unsaved grades asks first.
    night.server.kill()
    page.keyboard.press("C")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.close(run_before_unload=True)
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    night.start()
    all_saved(page)
    assert [event.grade for event in night.events()] == ["B", "A", "C"]


def test_a_server_that_stands_still_gets_each_grade_once(night, page, faults) -> None:
    faults.allow(AWAY)
    night.open(page)
    os.kill(night.server.pid, signal.SIGSTOP)
    try:
        for key in "AjBjXu":
            page.keyboard.press(key)
        expect(page.locator(".outbox")).to_contain_text("4 grades not yet saved")
        expect(page.locator(".save-state")).to_have_text("Not saved yet")
        expect(page.locator(".viewer h2")).to_have_text("o002")  # the page goes on
    finally:
        os.kill(night.server.pid, signal.SIGCONT)
    all_saved(page)
    page.reload()
    page.wait_for_selector(".work-view[data-unsent]")
    all_saved(page)
    given = [(event.candidate_id, event.kind, event.grade) for event in night.events()]
    assert given == [
        (night.ids[0], "grade", "A"),
        (night.ids[1], "grade", "B"),
        (night.ids[2], "grade", "X"),
        (night.ids[2], "undo", None),
    ]


def test_notes_tags_and_moves_outlive_a_killed_server_and_a_closed_tab(night, page, faults) -> None:
    faults.allow(AWAY)
    night.open(page)
    page.keyboard.press("y")
    night.server.kill()
    page.keyboard.press("N")
    page.keyboard.type("an arc?")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("M")
    page.keyboard.press("t")
    page.keyboard.press("M")
    page.keyboard.press("v")
    expect(page.locator(".stage-button")).to_have_text("validation")  # it stands at once
    expect(page.locator(".save-state")).to_have_text("Not saved yet")
    page.keyboard.press("j")
    expect(page.get_by_label("Write a note")).to_have_value("")  # that is said of no other
    page.keyboard.press("T")
    page.keyboard.type("blue")
    page.keyboard.press("Enter")
    expect(page.locator(".outbox")).to_contain_text("4 changes not yet saved")
    page.wait_for_url(f"**candidate={night.ids[1]}")
    at = page.url
    page.close()
    night.start()
    again = page.context.new_page()
    faults.watch(again)
    again.goto(at)
    again.wait_for_selector(".work-view[data-unsent]")
    all_saved(again)
    expect(again.locator(".tags .tag")).to_contain_text("blue")
    again.keyboard.press("k")
    expect(again.locator(".stage-button")).to_have_text("validation")
    expect(again.locator("ol.entries")).to_contain_text("an arc?")
    with open_database(night.workspace).session() as session:
        said = [(r.candidate_id, r.kind, r.value) for r in session.scalars(sa.select(Remark))]
    assert sorted(said) == [
        (night.ids[0], "note", ""),
        (night.ids[0], "stage", "triage"),
        (night.ids[0], "stage", "validation"),
        (night.ids[1], "tag", "blue"),
    ]


def test_what_is_refused_is_said_with_its_reason(night, page, faults, screenshot) -> None:
    faults.allow(AWAY)
    refusing: list[bool] = []  # one route all the time: between two of them a request slips through
    page.route(
        "**/review/events",
        lambda route: route.fulfill(json=_refusal(route)) if refusing else route.continue_(),
    )
    night.open(page)
    page.keyboard.press("A")
    all_saved(page)
    refusing.append(True)
    page.keyboard.press("j")
    page.keyboard.press("B")
    expect(page.locator(".notices .fault")).to_contain_text("1 grade was not taken: Too late.")
    expect(page.locator(".save-state")).to_have_text("Not saved")
    expect(page.locator(".grade[aria-pressed=true]")).to_have_count(0)
    refusing.clear()
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator(".notices .fault")).to_be_hidden()
    assert [event.grade for event in night.events()] == ["A"]


def _refusal(route) -> dict:
    sent = route.request.post_data_json["events"]
    return {"written": [], "refused": {event["uuid"]: "Too late." for event in sent}}


def test_keys_beyond_the_end_grade_nobody(night, page, faults) -> None:
    faults.allow(NO_PIXELS)
    night.open(page)
    with open_database(night.workspace).session() as session:
        last = session.scalar(sa.text("SELECT max(id) FROM candidate"))
    page.goto(f"{night.url}/review?candidate={last}")
    page.wait_for_selector(".work-view[data-unsent]")
    expect(page.locator(".viewer h2")).to_have_text(f"o{N - 1}")
    for key in "AjBjC":
        page.keyboard.press(key)
    all_saved(page)
    expect(page.locator(".waiting")).to_contain_text("End of the list")
    expect(page.locator(".save-state")).to_contain_text("the list has ended")
    page.keyboard.press("k")
    expect(page.locator(".waiting")).to_be_empty()
    page.keyboard.press("C")
    all_saved(page)
    assert [(event.candidate_id, event.grade) for event in night.events()] == [
        (last, "A"),
        (last, "C"),
    ]
