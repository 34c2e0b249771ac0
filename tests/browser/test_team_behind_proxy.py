"""Three people in three browsers, through nginx with TLS and a prefix, on PostgreSQL."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
import sqlalchemy as sa
from nginx import nginx_in_front
from oidc import SECRET, oidc_server
from playwright.sync_api import Page, expect
from proxied import ANA, BO, PREFIX, serve_behind
from small_catalogs import add_objects

from lensing_core.acquisition import QueueEntry
from lensing_core.labeling import NewSession, create_session
from lensing_core.store import open_database
from lensing_core.store.invitations import invite
from lensing_core.store.labels import verify
from lensing_core.store.tables import Grader, LabelEvent

DANA = "Dana Oort"
GRADES = {ANA[0]: "AXB", BO[0]: "BXA", DANA: "XAB"}


@pytest.fixture(scope="module")
def database_kind() -> str:
    return "postgresql"


def enter(page: Page, name: str, passphrase: str) -> None:
    """Sign in on the page that stands in place of the one that was asked for."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Passphrase").fill(passphrase)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_three_grade_one_session_one_signed_in_by_oidc(chromium, workspace, tmp_path, faults):
    faults.allow(r"40[13]")  # the sign-in page is the reply to who is not signed in
    add_objects(workspace, "field", {f"o{k}": (150 + k, 2) for k in range(3)})
    with open_database(workspace).session() as session:
        queue = [QueueEntry(k, "") for k in (1, 2, 3)]
        asked = create_session(session, NewSession("night", queue, {}), None).id
        token = invite(session, DANA)
    (workspace.root / "oidc-secret").write_text(SECRET + "\n")
    with ExitStack() as stack:
        service = stack.enter_context(oidc_server())
        service.be("0001", "D. Oort", "dana@example.org")
        (workspace.root / "server.toml").write_text(service.settings())
        proxied = stack.enter_context(serve_behind(nginx_in_front, workspace, tmp_path))
        pages = {}
        for name in GRADES:
            browser = chromium.new_context()
            stack.callback(browser.close)
            pages[name] = browser.new_page()
            faults.watch(pages[name])
        address = f"{proxied.origin}{PREFIX}/label?session={asked}"
        for name, passphrase in (ANA, BO):
            pages[name].goto(address)
            enter(pages[name], name, passphrase)
        dana = pages[DANA]
        dana.goto(f"{proxied.origin}{PREFIX}/join#{token}")
        dana.get_by_role("button", name="Join with The institute").click()
        dana.wait_for_url("**/lens/overview")
        dana.goto(address)
        for page in pages.values():
            page.wait_for_selector(".work-view[data-shown]", timeout=60_000)
        for k in range(3):  # by turns
            for name, page in pages.items():
                page.keyboard.press(GRADES[name][k].lower())
        for page in pages.values():
            expect(page.locator(".work-view")).to_have_attribute("data-unsent", "0")
            expect(page.locator(".progress")).to_have_text("3 of 3")
        with open_database(workspace).session() as session:
            assert verify(session).n_votes == 9
            events = session.execute(
                sa.select(Grader.name, LabelEvent.grade, LabelEvent.candidate_id)
                .join(Grader, Grader.id == LabelEvent.grader_id)
                .order_by(LabelEvent.id)
            ).all()
        for name, grades in GRADES.items():  # each has an order of their own
            theirs = [(grade, candidate) for who, grade, candidate in events if who == name]
            assert [grade for grade, _ in theirs] == list(grades)
            assert {candidate for _, candidate in theirs} == {1, 2, 3}
        for said in (proxied.server.output, proxied.server.page_output):
            assert "Traceback" not in said, said
    assert not faults, "\n".join(faults)
