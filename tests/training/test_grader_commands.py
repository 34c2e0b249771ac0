"""``lens-triage graders``: for the person who owns the workspace."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from lens_triage.training.cli.main import engine_commands
from lensing_core.errors import NotFoundError, PolicyError
from lensing_core.store import open_database
from lensing_core.store.graders import sign_in

cli = typer.Typer()
engine_commands(cli)


def test_roles_names_and_passphrases_are_looked_after(workspace):
    def run(command, *words):
        return CliRunner().invoke(cli, ["graders", command, str(workspace.root), *words])

    database = open_database(workspace)
    with database.session() as session:
        sign_in(session, "Ana")
        sign_in(session, "Bo", "battery staple")
    listed = run("list").output
    assert "Ana" in listed
    assert "organizer" in listed
    printed = run("reset", "Bo").output
    assert printed.startswith("New passphrase of Bo: ")
    with database.session() as session:
        with pytest.raises(PolicyError):
            sign_in(session, "Bo", "battery staple")
        assert sign_in(session, "Bo", printed.split(": ")[1].strip()).name == "Bo"
    assert isinstance(run("role", "Ana", "grader").exception, PolicyError)
    assert run("role", "Bo", "organizer").output == "Bo: organizer.\n"
    assert run("deactivate", "Ana").output == "Ana is deactivated.\n"
    assert "deactivated" in run("list").output
    assert isinstance(run("deactivate", "Bo").exception, PolicyError)
    assert run("activate", "Ana").output == "Ana is active.\n"
    assert isinstance(run("reset", "Cy").exception, NotFoundError)
