"""``lens-triage tokens``, and roles of the command line."""

from __future__ import annotations

import re

import pytest
import typer
from typer.testing import CliRunner

from lens_triage.training.cli.main import engine_commands
from lensing_core.store import open_database
from lensing_core.store.api_tokens import find_api_token, list_api_tokens, note_api_token_use
from lensing_core.store.audit import latest_entries
from lensing_core.store.graders import named_grader, sign_in
from lensing_core.store.people import last_seen

cli = typer.Typer()
engine_commands(cli)


def run(*arguments: str) -> str:
    """What a command prints; raises what it raises."""
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


@pytest.fixture
def root(workspace) -> str:
    with open_database(workspace).session() as session:
        sign_in(session, "Ana")
    return str(workspace.root)


def test_a_token_is_printed_once_listed_and_revoked(workspace, root):
    said = run("tokens", "add", root, "Ana", "--label", "nightly [export]", "--days", "2")
    (text,) = re.findall(r"lt\.\S{40,}", said)
    listed = run("tokens", "list", root)
    assert text not in listed
    assert "good" in listed
    with open_database(workspace).session() as session:
        found = find_api_token(session, text)
        assert found is not None
        assert (found[0].name, found[2]) == ("Ana", "reader")
        note_api_token_use(session, text)
        first = list_api_tokens(session)[0].last_used_at
        note_api_token_use(session, text)  # within the minute: nothing is written
        assert list_api_tokens(session)[0].last_used_at == first
        assert last_seen(session)[found[0].id] == first
    run("tokens", "revoke", root, "1")
    with open_database(workspace).session() as session:
        assert find_api_token(session, text) is None
        assert [e.kind for e in latest_entries(session, 2)] == ["API token"] * 2
        assert all(text not in entry.details for entry in latest_entries(session, 9))
    assert "revoked" in run("tokens", "list", root)


def test_a_reader_is_made_by_command(workspace, root):
    run("graders", "add", root, "Rea", "--role", "reader")
    with open_database(workspace).session() as session:
        assert named_grader(session, "Rea").role == "reader"
    assert "reader" in run("graders", "list", root)
    run("graders", "role", root, "Rea", "grader")
    run("graders", "invite", root, "Sam", "--role", "reader")
