from __future__ import annotations

import pytest
import typer
from sqlalchemy import select
from typer.testing import CliRunner

from lens_triage.training.cli.main import engine_commands
from lensing_core.errors import BadInputError, WorkspaceError
from lensing_core.store import open_database
from lensing_core.store.tables import Consensus, Score

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

    def priors(method="dawid_skene") -> list[float]:
        with open_database(filled_workspace).session() as session:
            rows = select(Consensus.prior).where(Consensus.method == method)
            return list(session.scalars(rows.order_by(Consensus.candidate_id)))

    assert len(set(priors())) == 1
    assert run("consensus", root, "--prior", 0.01).exit_code == 0
    assert priors() == pytest.approx([0.01] * 9)
    assert run("consensus", root, "--method", "swap", "--prior-ensemble", "first").exit_code == 0
    with open_database(filled_workspace).session() as session:
        ids = select(Consensus.candidate_id).where(Consensus.method == "swap")
        scores = select(Score.probability).where(Score.candidate_id.in_(ids))
        expected = list(session.scalars(scores.order_by(Score.candidate_id)))
    assert priors("swap") == pytest.approx(expected)
    unknown = run("consensus", root, "--prior-ensemble", "none")
    assert "no ensemble none" in str(unknown.exception)
    assert "between 0 and 1" in str(run("consensus", root, "--prior", 2).exception)
    assert "choose one of" in str(run("consensus", root, "--method", "vote").exception)


def test_a_hash_that_was_noted_is_looked_for(filled_workspace, tmp_path):
    def verify(*words):
        return CliRunner().invoke(cli, ["db", "verify", str(filled_workspace.root), *words])

    table = tmp_path / "team.csv"
    heads = []
    for k in range(2):
        table.write_text(f"object_id,grade,grader\ncosmos-0000{k},A,Ana\n")
        assert run("import", filled_workspace.root, table).exit_code == 0
        heads.append(verify().output.strip().removesuffix(".")[-12:])
    assert "1 events before its last" in verify("--expect", heads[0]).output
    assert "0 events before its last" in verify("--expect", heads[1]).output
    refused = verify("--expect", "0" * 12)
    assert isinstance(refused.exception, WorkspaceError)
    assert "holds no event of hash 000000000000" in str(refused.exception)
    assert isinstance(verify("--expect", "%").exception, BadInputError)
