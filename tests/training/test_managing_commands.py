"""``lens-triage catalogs``, ``ensembles``, ``session``: for the person who owns the workspace."""

from __future__ import annotations

import typer
from grading import AT
from small_catalogs import add_objects
from typer.testing import CliRunner

from lens_triage.training.cli.main import engine_commands
from lensing_core.acquisition import QueueEntry
from lensing_core.errors import BadInputError
from lensing_core.labeling import NewSession, create_session
from lensing_core.store import open_database
from lensing_core.store.labels import NewEvent, append_events, grader_named

cli = typer.Typer()
engine_commands(cli)


def test_catalogs_and_sessions_are_renamed_archived_and_deleted(workspace):
    def run(group, command, *words, answer=""):
        given = [group, command, str(workspace.root), *words]
        return CliRunner().invoke(cli, given, input=answer)

    for name in ("kept", "gone"):
        add_objects(workspace, name, {"one": None})
    with open_database(workspace).session() as session:
        create_session(session, NewSession("round 1", [QueueEntry(1, "")], {}), None)
        uuid = "11111111-1111-4111-8111-111111111111"
        ana = grader_named(session, "Ana")
        append_events(session, [NewEvent(uuid, "grade", ana.id, 1, "abcx", AT, grade="A")])
    assert run("catalogs", "rename", "kept", "Deep field").output == (
        "kept is now called Deep field.\n"
    )
    asked = run("catalogs", "delete", "gone", answer="n\n")
    assert asked.exit_code == 1
    assert "Deleted with it: 1 candidates" in asked.output
    assert "gone" in run("catalogs", "list").output
    assert run("catalogs", "delete", "gone", "--yes").output.endswith("gone is deleted.\n")
    assert not workspace.catalog_cutouts("gone").exists()
    refused = run("catalogs", "delete", "kept").exception
    assert isinstance(refused, BadInputError)
    assert "only grows" in str(refused)
    assert run("catalogs", "archive", "kept").output == "kept is archived.\n"
    assert "kept" not in run("catalogs", "list").output
    assert "Deep field" in run("catalogs", "list", "--archived").output
    assert run("catalogs", "unarchive", "kept").output == "kept is listed again.\n"
    assert run("session", "rename", "round 1", "first").output.endswith("now called first.\n")
    run("session", "close", "first")
    run("session", "archive", "first")
    assert "first" not in run("session", "list").output
    assert run("session", "delete", "first", "--yes").output.endswith("first is deleted.\n")
    assert "no ensemble x" in str(run("ensembles", "archive", "x").exception)
    audited = CliRunner().invoke(cli, ["audit", str(workspace.root)]).output
    assert "gone: deleted" in audited
