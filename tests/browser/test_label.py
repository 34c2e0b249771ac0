"""The labeling view in a real browser, on a server that is killed: no grade is lost or doubled."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from filling import fill_workspace
from playwright.sync_api import Browser, Page, expect
from serving import Server

from lens_triage.training.labeling import SessionSettings, make_session
from lensing_core.store import open_database
from lensing_core.store.labels import verify
from lensing_core.store.tables import Catalog, Grader, LabelEvent, LabelSession, SessionItem
from lensing_core.workspace import Workspace


class Campaign:
    """A workspace with a session, served by a process that can be killed and started again."""

    def __init__(self, workspace: Workspace, folder: Path, **settings) -> None:
        self.workspace = fill_workspace(workspace)
        self._folder = folder
        self._starts = 0
        self._server: Server | None = None
        asked = {"session": "night", "ensemble": "first", "catalogs": ["cosmos"], "n": 90}
        self.session_id = make_session(
            self.workspace, SessionSettings(**{**asked, **settings}), None
        )
        self.port = 0
        self.start()

    def start(self) -> None:
        self._starts += 1
        log = self._folder / f"server-{self._starts}.log"
        self._server = Server(self.workspace, log, port=self.port)
        self.port = self._server.port

    def kill(self) -> None:
        self._server.kill()

    def stop(self) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def sign_in(self, page: Page, name: str) -> None:
        answer = page.request.post(
            f"{self.url}/sign-in",
            data=json.dumps({"name": name}),
            headers={"Content-Type": "application/json"},
        )
        assert answer.ok

    def open(self, page: Page, session_id: str = "") -> None:
        address = f"{self.url}/label?session={session_id or self.session_id}"
        page.goto(address, timeout=60_000)
        page.wait_for_selector(".work-view[data-shown]", timeout=60_000)

    def events(self) -> list[LabelEvent]:
        with open_database(self.workspace).session() as session:
            verify(session)
            return list(session.scalars(sa.select(LabelEvent).order_by(LabelEvent.id)))

    def responses(self) -> list[tuple[str, str | None]]:
        return [(event.kind, event.grade) for event in self.events()]


@pytest.fixture
def campaign(workspace: Workspace, tmp_path: Path) -> Iterator[Callable[..., Campaign]]:
    """Function that makes a campaign; its server ends with the test."""
    made: list[Campaign] = []

    def make(**settings) -> Campaign:
        made.append(Campaign(workspace, tmp_path, **settings))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def all_sent(page: Page) -> None:
    expect(page.locator(".work-view")).to_have_attribute("data-unsent", "0", timeout=40_000)


def test_no_grade_is_lost_when_the_server_is_killed(campaign, page, faults, screenshot) -> None:
    faults.allow(
        r"503|ERR_(CONNECTION|EMPTY|SOCKET)|WebSocket|Failed to fetch|\[bokeh"
        r"|Lost websocket|HTTP 404"
    )
    night = campaign(gold_fraction=0.1, repeat_fraction=0.1)
    night.sign_in(page, "Ana")
    night.open(page)
    screenshot("one-at-a-time")
    for key in "xbx":
        page.keyboard.press(key)
    all_sent(page)
    night.kill()  # as kill -9: what was acknowledged is in the log
    assert night.responses() == [("grade", "X"), ("grade", "B"), ("grade", "X")]

    for key in "ax":
        page.keyboard.press(key)
    page.keyboard.press("u")
    page.keyboard.press("c")
    expect(page.locator(".outbox span")).to_have_text("4 grades not yet saved")
    expect(page.locator(".progress")).to_have_text("5 of 109")
    screenshot("server-away")
    expect(page.locator(".notices")).to_contain_text("The server does not answer")
    night.start()
    all_sent(page)
    expect(page.locator(".notices")).to_contain_text("The server was restarted")
    expect(page.get_by_role("button", name="Reload")).to_be_visible()
    expected = [
        *[("grade", "X"), ("grade", "B"), ("grade", "X"), ("grade", "A"), ("grade", "X")],
        *[("undo", None), ("grade", "C")],
    ]
    assert night.responses() == expected
    events = night.events()
    assert events[5].undoes == events[4].uuid
    assert events[6].candidate_id == events[4].candidate_id  # undo went back to that cutout
    assert all(event.shown_ms is not None for event in events)
    assert events[0].view["mode"] == "single"
    assert events[0].visible["blind"]

    # A tab that is closed while the server is away leaves its grades to the next visit.
    night.kill()
    page.keyboard.press("b")
    expect(page.locator(".outbox span")).to_have_text("1 grade not yet saved")
    page.goto("about:blank")
    night.start()
    night.open(page)
    expect(page.locator(".progress")).to_have_text("6 of 109")
    all_sent(page)
    assert night.responses() == [*expected, ("grade", "B")]
    tokens = {(event.candidate_id, event.is_repeat) for event in night.events()}
    assert len(tokens) == 6
    page.keyboard.press("u")  # of a grade that an earlier visit gave
    all_sent(page)
    assert night.responses()[-1] == ("undo", None)


def test_two_tabs_and_two_graders_keep_apart(campaign, page, chromium: Browser, faults) -> None:
    night = campaign(gold_fraction=0, repeat_fraction=0)
    night.sign_in(page, "Ana")
    night.open(page)
    second = page.context.new_page()
    faults.watch(second)
    night.open(second)
    other = chromium.new_context(viewport={"width": 1280, "height": 800})
    third = other.new_page()
    faults.watch(third)
    night.sign_in(third, "Bo")
    night.open(third)
    for _ in range(4):
        for tab, key in ((page, "x"), (second, "b"), (third, "a")):
            tab.keyboard.press(key)
    for tab in (page, second, third):
        all_sent(tab)
    with open_database(night.workspace).session() as session:
        names = {grader.id: grader.name for grader in session.scalars(sa.select(Grader))}
    by_name: dict[str, list[LabelEvent]] = {"Ana": [], "Bo": []}
    for event in night.events():
        by_name[names[event.grader_id]].append(event)
    assert sorted(event.grade for event in by_name["Ana"]) == ["B"] * 4 + ["X"] * 4
    assert [event.grade for event in by_name["Bo"]] == ["A"] * 4
    assert len({event.candidate_id for event in by_name["Bo"]}) == 4
    # Signed in as somebody else in another tab, grades are not written under a wrong name.
    faults.allow("403|404")  # what is refused to Cy
    night.sign_in(second, "Cy")
    page.keyboard.press("x")
    expect(page.locator(".outbox")).to_contain_text("1 grade not yet saved; sign in again")
    assert "another grader" in str(page.locator(".outbox").get_attribute("title"))
    night.sign_in(second, "Ana")
    all_sent(page)
    assert len(night.events()) == 13
    other.close()


def test_keys_reasons_notes_and_mosaic(campaign, page, screenshot) -> None:
    night = campaign(gold_fraction=0, repeat_fraction=0)
    night.sign_in(page, "Ana")
    night.open(page)
    page.keyboard.press("e")
    page.keyboard.press("r")  # no lens, since it is a ring
    page.keyboard.press("/")
    page.keyboard.type("xbx ax")  # a note, and no grades
    page.keyboard.press("Escape")
    page.keyboard.press("q")
    page.keyboard.press("c")
    page.keyboard.press("n")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    expect(page.locator(".response")).to_have_text("Flagged for discussion. Your grade: C.")
    page.keyboard.press("b")  # a second thought
    all_sent(page)
    events = night.events()
    assert [(e.kind, e.grade) for e in events] == [
        *[("grade", "X"), ("flag", None), ("grade", "C"), ("skip", None), ("grade", "B")],
    ]
    assert events[0].reject_reason == "ring"
    assert events[2].comment == "xbx ax"
    assert events[4].candidate_id == events[2].candidate_id

    page.get_by_role("button", name="Choose keys").click()
    page.get_by_role("button", name="Right hand").click()
    screenshot("keys")
    page.get_by_role("button", name=re.compile("Key for X")).click()
    page.keyboard.press("h")
    expect(page.get_by_text("“h” is the key for grade A.")).to_be_visible()
    page.get_by_role("button", name=re.compile("Key for X")).click()
    page.keyboard.press("g")
    page.get_by_role("button", name="Save").click()
    page.keyboard.press("g")
    all_sent(page)
    assert night.responses()[-1] == ("grade", "X")
    page.reload()  # keys are the grader's, wherever they sign in
    page.wait_for_selector(".work-view[data-shown]", timeout=60_000)
    expect(page.locator(".grade kbd").last).to_have_text("g")

    page.get_by_role("button", name="Mosaic").click()
    expect(page.locator(".cell")).to_have_count(20)
    before = len(night.events())
    page.locator(".cell").nth(3).click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("k")
    page.locator(".cell").nth(7).click()
    page.locator(".cell").nth(7).click()  # taken away again
    expect(page.locator(".badge", has_text=re.compile(r"^\w$"))).to_have_count(2)
    screenshot("mosaic")
    page.keyboard.press("Enter")
    all_sent(page)
    given = night.responses()[before:]
    assert given.count(("grade", "X")) == 18
    assert len(given) == 1 + 1 + 2 + 18
    expect(page.locator(".progress")).to_have_text(re.compile(r"^24 of 90"))
    page.keyboard.press("i")  # takes the stroke back as a whole
    all_sent(page)
    assert night.responses()[before:].count(("undo", None)) == 19
    expect(page.locator(".progress")).to_have_text(re.compile(r"^6 of 90"))


def test_a_blind_session_tells_nothing(campaign, page) -> None:
    night = campaign(gold_fraction=0.15, repeat_fraction=0.1)
    told: list[str] = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda data: told.append(str(data))))
    page.on("request", lambda request: told.append(request.url))
    night.sign_in(page, "Ana")
    night.open(page)
    queue = page.request.get(f"{night.url}/labeling/{night.session_id}/queue").json()
    everything = " ".join([*told, page.content(), json.dumps(queue)])
    for word in ("cosmos-0", "simula-0", "sim:test", '"cosmos"', '"simulated"', "candidate_id"):
        assert word not in everything, word
    items = queue["items"]
    assert {tuple(item) for item in items} == {("token", "number", "kind")}
    assert {item["kind"] for item in items} == {0}
    heads = set()
    for item in items[::7]:
        answer = page.request.get(f"{night.url}/tiles/~{night.session_id}/{item['token']}/info")
        heads.add(tuple(sorted(answer.json())))
        picture = page.request.get(f"{night.url}/tiles/~{night.session_id}/{item['token']}")
        assert picture.status == 200
        names = {name for name in picture.headers if name not in ("date", "content-length")}
        heads.add(tuple(sorted(names)))
    assert len(heads) == 2  # one of information, one of pictures
    stranger = page.context.browser.new_context()
    answer = stranger.request.get(f"{night.url}/tiles/~{night.session_id}/{items[0]['token']}")
    assert answer.status == 404
    stranger.close()


def test_the_board_makes_sessions_and_the_tutorial_explains(
    campaign, page, visit, screenshot
) -> None:
    night = campaign(gold_fraction=0, repeat_fraction=0)
    visit(f"{night.url}/label")
    expect(page.get_by_text("Sign in (top right) to grade")).to_be_visible()
    night.sign_in(page, "Ana")
    visit(f"{night.url}/label")
    page.get_by_label("Session", exact=True).fill("second night")
    page.get_by_label("Number", exact=True).fill("12")
    page.get_by_role("button", name="Make session").click()
    expect(page.get_by_text("Session second night is ready.")).to_be_visible()
    expect(page.get_by_role("link", name="second night")).to_be_visible()
    screenshot("sessions")
    with open_database(night.workspace).session() as session:
        made = session.scalars(sa.select(LabelSession).where(LabelSession.name == "second night"))
        assert made.one().created_by is not None
    page.get_by_role("button", name="Tutorial").click()
    page.wait_for_selector(".work-view[data-shown]", timeout=60_000)
    with open_database(night.workspace).session() as session:
        tutorial = session.scalars(
            sa.select(LabelSession).where(LabelSession.name == "Tutorial")
        ).one()
        answer = session.scalars(
            sa.select(SessionItem.answer).where(
                SessionItem.session_id == tutorial.id, SessionItem.position == 0
            )
        ).one()
        assert session.scalars(sa.select(Catalog).where(Catalog.name == "simulated")).one()
    first = page.locator(".work-view").get_attribute("data-shown")
    page.keyboard.press("l" if answer else "n")
    expect(page.locator(".feedback")).to_contain_text("Right: this is")
    screenshot("tutorial")
    # The cutout stays with its explanation, whatever the learner does with the picture.
    page.keyboard.press("+")
    assert page.locator(".work-view").get_attribute("data-shown") == first
    page.keyboard.press("l")  # a grade's key goes on, and grades nothing
    expect(page.locator(".feedback")).to_be_hidden()
    expect(page.locator(".work-view")).not_to_have_attribute("data-shown", first)
    second = page.locator(".work-view").get_attribute("data-shown")
    page.keyboard.press("n")
    expect(page.locator(".feedback")).to_contain_text("this is")
    page.keyboard.press("u")
    expect(page.locator(".feedback")).to_be_hidden()
    assert page.locator(".work-view").get_attribute("data-shown") == second
    page.keyboard.press("n")
    expect(page.locator(".feedback")).to_contain_text("this is")
    page.get_by_role("button", name="Next cutout").click()
    expect(page.locator(".work-view")).not_to_have_attribute("data-shown", second)
    page.keyboard.press("l")  # after a click, keys are the view's
    expect(page.locator(".feedback")).to_contain_text("this is")
    page.keyboard.press(" ")
    expect(page.locator(".progress")).to_have_text("3 of 20")
    all_sent(page)
    assert [kind for kind, _ in night.responses()] == ["grade", "grade", "undo", "grade", "grade"]


def test_skipped_cutouts_come_again_at_the_end(campaign, page, screenshot) -> None:
    night = campaign(gold_fraction=0, repeat_fraction=0, n=6, shuffled=False)
    night.sign_in(page, "Ana")
    night.open(page)
    for key in ("x", "n", "x", "n", "n", "x"):
        page.keyboard.press(key)
    # Six of six are done; the second, the fourth and the fifth are asked again, in their order.
    expect(page.locator(".response")).to_have_text("You skipped this cutout.")
    expect(page.locator(".progress")).to_have_text("6 of 6")
    page.keyboard.press("a")
    page.keyboard.press("n")  # once more
    page.keyboard.press("b")
    expect(page.get_by_text("6 cutouts, 1 of them skipped.")).to_be_visible()
    screenshot("end")
    all_sent(page)
    events = night.events()
    order = [event.candidate_id for event in events]
    assert order[6:] == [order[1], order[3], order[4]]
    assert [event.grade for event in events[6:]] == ["A", None, "B"]
    page.get_by_role("button", name="Show the skipped ones again").click()
    expect(page.locator(".response")).to_have_text("You skipped this cutout.")
    page.reload()  # it comes again at a later visit as well
    expect(page.locator(".response")).to_have_text("You skipped this cutout.")
    page.keyboard.press("c")
    expect(page.get_by_text("6 cutouts.")).to_be_visible()
    all_sent(page)
    assert night.events()[-1].candidate_id == order[3]
    assert night.events()[-1].grade == "C"
