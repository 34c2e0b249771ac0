from __future__ import annotations

import typer
from typer.testing import CliRunner

from training.cli import engine_commands

cli = typer.Typer()
engine_commands(cli)


def run(*words):
    return CliRunner().invoke(cli, ["labels", *map(str, words)])


def test_grades_go_in_come_out_and_are_joined(filled_workspace, tmp_path):
    table = tmp_path / "team.csv"
    table.write_text(
        "name,said,who\n"
        + "".join(f"cosmos-{k:05d},{'A' if k < 3 else 'X'},Ana\n" for k in range(9))
    )
    columns = ("--object-id", "name", "--grade", "said", "--grader", "who")
    root = filled_workspace.root
    done = run("import", root, table, *columns)
    assert done.exit_code == 0, done.output
    assert "9 grades imported" in done.output
    assert "9 were there before" in run("import", root, table, *columns).output
    table.write_text("name,said,who\ncosmos-00001,Q,Ana\n")
    refused = run("import", root, table, *columns)
    assert refused.exit_code == 1
    assert "Row 2: grade 'Q'" in refused.output
    out = tmp_path / "log.jsonl"
    assert "9 events written" in run("export", root, out).output.replace("\n", " ")
    assert len(out.read_text().splitlines()) == 9
    assert "9 graded" in run("consensus", root).output
