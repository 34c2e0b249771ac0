"""What the audit log says of who did what."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from endpoints import serve_routes
from filling import fill_workspace
from people import signed_in_as
from tornado.web import create_signed_value
from typer.testing import CliRunner

from lens_triage.app import acts
from lens_triage.app.cli import cli
from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import cookie_name, routes
from lens_triage.app.review import exporting
from lens_triage.app.team.label_files import LabelFiles
from lensing_core.errors import PolicyError
from lensing_core.store import open_database
from lensing_core.store.audit import latest_entries, record
from lensing_core.store.graders import add_grader, named_grader, workspace_secret
from lensing_core.store.passphrases import Passphrase
from lensing_core.store.sign_ins import open_sign_in

RIGHT = {"name": "Ana", "passphrase": "correct horse"}
WRONG = {"name": "Ana", "passphrase": "battery staple"}


@pytest.fixture
def context(workspace) -> AppContext:
    with open_database(workspace).session() as session:
        add_grader(session, "Ana", "organizer", Passphrase("correct horse"))
    return AppContext.of(workspace)


def as_ana(context: AppContext) -> AppContext:
    """The context of a browser in which Ana is signed in."""
    with open_database(context.workspace).session() as session:
        token = open_sign_in(session, named_grader(session, "Ana"))
    signed = create_signed_value(workspace_secret(context.workspace), cookie_name(context), token)
    return context.seen_by(signed.decode("ascii"))


def ask(url: str, path: str, cookie: str = "", **sent: str) -> tuple[int, str]:
    """Status, and the cookie that is given."""
    link = HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        body = json.dumps(sent) if sent or not path.startswith("export") else None
        headers = {"Content-Type": "application/json", "Cookie": cookie}
        link.request("GET" if body is None else "POST", f"/{path}", body, headers)
        reply = link.getresponse()
        return reply.status, reply.headers.get("Set-Cookie", "").partition(";")[0]
    finally:
        link.close()


def entries(context: AppContext) -> list[tuple[str, str, str]]:
    """All entries, the oldest first."""
    found = context.database.ask(lambda session: latest_entries(session, 100))
    return [(one.kind, one.who, one.details) for one in reversed(found)]


def test_sign_ins_and_what_failed(context):
    with serve_routes(routes(context)) as url:
        assert ask(url, "sign-in", **WRONG) == (403, "")
        _, cookie = ask(url, "sign-in", **RIGHT)
        assert cookie.startswith(cookie_name(context))
        ask(url, "passphrase", cookie, old="correct horse", new="battery staple")
        ask(url, "sign-out", cookie)  # of before the change: nobody's any more
    assert entries(context) == [
        ("wrong passphrase", "", "for Ana"),
        ("sign-in", "Ana", "organizer"),
        ("passphrase", "Ana", "of their own"),
    ]
    latest = context.database.ask(lambda session: latest_entries(session, 1, "sign-in"))
    assert latest[0].address == "127.0.0.1"


def test_what_organizers_do(workspace, context):
    fill_workspace(workspace)
    here = as_ana(context)
    with open_database(workspace).session() as session:
        bo = add_grader(session, "Bo", "grader", Passphrase("battery staple")).id
    acts.give_role(here, bo, "organizer")
    acts.activate(here, bo, active=False)
    acts.new_passphrase(here, bo)
    acts.promote(here, "first")
    acts.take_back(here, "first")
    LabelFiles(here, lambda: None)._log("csv")
    with serve_routes(exporting.routes(context)) as url:
        mine = f"{cookie_name(context)}={here.cookie}"
        assert ask(url, "export/csv?limit=3", mine)[0] == 200
    assert entries(context) == [
        ("role", "Ana", "Bo: organizer"),
        ("name", "Ana", "Bo: deactivated"),
        ("passphrase", "Ana", "of Bo: a new one"),
        ("promotion", "Ana", "first"),
        ("promotion", "Ana", "first: taken back"),
        ("grades exported", "Ana", "as csv"),
        ("export", "Ana", "3 candidates as csv"),
    ]


def test_what_was_refused_is_not_said_to_be_done(context):
    with open_database(context.workspace).session() as session:
        ana = named_grader(session, "Ana").id
    bo, _ = signed_in_as(context, "Bo")
    with pytest.raises(PolicyError):
        acts.give_role(bo, ana, "grader")
    assert entries(context) == []


def test_the_command_line_writes_and_shows_it(workspace, context):
    run, root = CliRunner(), str(workspace.root)
    for does, *more in (["add"], ["role", "organizer"], ["deactivate"]):
        assert run.invoke(cli, ["graders", does, root, "Bo", *more]).exit_code == 0
    assert entries(context) == [
        ("name", "the command line", "Bo: made, grader"),
        ("role", "the command line", "Bo: organizer"),
        ("name", "the command line", "Bo: deactivated"),
    ]
    shown = run.invoke(cli, ["audit", root, "--kind", "role"], env={"COLUMNS": "200"}).output
    assert "Bo: organizer" in shown
    assert "deactivated" not in shown


def test_an_entry_has_a_known_kind_and_fits(context):
    with open_database(context.workspace).session() as session:
        record(session, "export", "Ana", "x" * 300)
        with pytest.raises(ValueError, match="no kind"):
            record(session, "something", "Ana")
    assert entries(context) == [("export", "Ana", "x" * 255)]
