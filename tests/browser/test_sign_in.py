"""Signing in, in a browser: the header, a passphrase, a restart, and pages of other sites."""

from __future__ import annotations

import json
from http.client import HTTPConnection

from playwright.sync_api import Page, expect


def enter(page: Page, name: str, passphrase: str = "") -> None:
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("combobox", name="Name").fill(name)
    page.get_by_label("Passphrase").fill(passphrase)
    page.get_by_label("Sign in", exact=True).get_by_role("button", name="Sign in").click()


def test_a_name_is_kept_guarded_and_given_up(server, page, faults, screenshot) -> None:
    faults.allow(r"status of 40[03]|HTTP 40[03]")  # what the refusals below are
    page.goto(f"{server}/overview")
    enter(page, "Ana Lima", "short")
    expect(page.get_by_role("alert")).to_contain_text("8 to 200")
    screenshot("light")
    page.get_by_label("Passphrase").fill("correct horse")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Ana Lima")).to_contain_text("organizer")
    (cookie,) = [c for c in page.context.cookies() if c["name"].startswith("lens-triage-grader")]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    page.goto(f"{server}/review")
    page.get_by_role("button", name="Ana Lima").click()
    screenshot("account")
    page.get_by_role("button", name="Sign out").click()
    enter(page, "Ana Lima", "wrong horses")
    expect(page.get_by_role("alert")).to_have_text("The passphrase is not that of Ana Lima.")
    page.get_by_role("combobox", name="Name").fill("Bo")
    page.get_by_label("Passphrase").fill("")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Bo")).not_to_contain_text("organizer")
    page.context.add_cookies([{**cookie, "value": cookie["value"][:-4] + "0000"}])
    page.reload()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()  # a forged cookie is none


def test_other_sites_sign_nobody_in(server) -> None:
    port = int(server.rpartition(":")[2])

    def ask(kind: str, **headers: str) -> int:
        connection = HTTPConnection("127.0.0.1", port, timeout=20)
        body = json.dumps({"name": "Mallory"})
        connection.request("POST", "/sign-in", body, {"Content-Type": kind, **headers})
        status = connection.getresponse().status
        connection.close()
        return status

    assert ask("text/plain") == 415
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
        assert ask("application/json", Origin=origin) == 403
    assert ask("application/json", Origin=server) == 200
