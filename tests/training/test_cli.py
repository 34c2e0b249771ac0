from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from lens_triage.app.cli import cli
from lens_triage.training.settings import SETTINGS, fields
from lensing_core.errors import BadInputError, WorkspaceError

runner = CliRunner()


@pytest.mark.parametrize("kind", SETTINGS)
def test_every_setting_is_an_option(kind):
    shown = runner.invoke(cli, [kind, "--help"], env={"COLUMNS": "300"}).output
    for field in fields(SETTINGS[kind]):
        assert "--" + field.name.replace("_", "-") in shown


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_dry_run_prints_the_defaults_and_writes_nothing(kind, tmp_path):
    result = runner.invoke(cli, [kind, str(tmp_path / "ws"), "--dry-run"])
    if result.exception is not None:  # settings that have no complete default say what they need
        assert isinstance(result.exception, BadInputError)
    else:
        assert json.loads(result.output) == SETTINGS[kind]().to_json()
    assert not (tmp_path / "ws").exists()


def test_options_reach_the_settings(tmp_path):
    result = runner.invoke(
        cli,
        [
            "simulate",
            str(tmp_path),
            "--dry-run",
            "--n-objects",
            "7",
            "--bands",
            "g",
            "--bands",
            "r",
            "--no-labeled",
            "--lens-fraction",
            "0.25",
        ],
    )
    stored = json.loads(result.output)
    assert (stored["n_objects"], stored["bands"]) == (7, ["g", "r"])
    assert (stored["labeled"], stored["lens_fraction"]) == (False, 0.25)


def test_a_preset_gives_way_to_options_even_where_they_are_the_default(tmp_path):
    words = ["train", str(tmp_path), "--dry-run", "--preset", "quick", "--epochs", "12"]
    stored = json.loads(runner.invoke(cli, words).output)
    assert (stored["preset"], stored["epochs"], stored["rounds"]) == ("quick", 12, 150)
    assert stored["small_stem"] is True


def test_bounds_are_those_of_the_settings(tmp_path):
    result = runner.invoke(cli, ["simulate", str(tmp_path), "--lens-fraction", "2"])
    assert result.exit_code == 2
    assert "--lens-fraction" in result.output


def test_init_then_runs(tmp_path):
    with pytest.raises(WorkspaceError, match="lens-triage init"):
        runner.invoke(cli, ["runs", str(tmp_path / "ws")], catch_exceptions=False)
    assert runner.invoke(cli, ["init", str(tmp_path / "ws")]).exit_code == 0
    assert runner.invoke(cli, ["runs", str(tmp_path / "ws")]).exit_code == 0
    with pytest.raises(BadInputError, match="no run begins with 'x'"):
        runner.invoke(cli, ["cancel", str(tmp_path / "ws"), "x"], catch_exceptions=False)


def test_a_run_is_listed_with_its_whole_id(filled_workspace):
    arguments = ["runs", str(filled_workspace.root)]
    shown = runner.invoke(cli, arguments, env={"COLUMNS": "80"}).output
    assert "20260101-123000-ingest-dddddd" in shown
    assert "declination" in shown  # of its error
    assert "…" not in shown


def test_the_database_is_verified_and_backed_up(filled_workspace):
    root = str(filled_workspace.root)
    result = runner.invoke(cli, ["db", "verify", root])
    assert result.output.startswith("0 label events, unbroken")
    assert runner.invoke(cli, ["db", "rebuild-votes", root]).output == "0 votes.\n"
    made = runner.invoke(cli, ["db", "backup", root]).output.strip()
    assert [str(path) for path in filled_workspace.backups.iterdir()] == [made]
