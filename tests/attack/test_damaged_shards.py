"""A shard that is not as it was written: found by the command, and no score comes of it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import retraining_data
import sqlalchemy as sa
from typer.testing import CliRunner

from lens_triage.app.cli import cli
from lens_triage.training.jobs import score as scoring
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import ScoreSettings
from lensing_core.errors import LensTriageError
from lensing_core.models.outputs import outputs_path, rows_stored
from lensing_core.store import open_database
from lensing_core.store.tables import Run, Score
from lensing_core.workspace import Workspace

N = 40


def flip_a_byte(shard: Path) -> None:
    with shard.open("r+b") as file:
        file.seek(-100, 2)
        byte = file.read(1)[0]
        file.seek(-100, 2)
        file.write(bytes([byte ^ 1]))


def truncate(shard: Path) -> None:
    with shard.open("r+b") as file:
        file.truncate(shard.stat().st_size // 2)


def remove_with_sidecar(shard: Path) -> None:
    shard.unlink()
    shard.with_suffix(".json").unlink()


def break_sidecar(shard: Path) -> None:
    shard.with_suffix(".json").write_text('{"rows": 40, "sha')


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "one flipped byte": (flip_a_byte, r"shard-00000\.npy: its content has changed"),
    "truncated": (truncate, r"shard-00000\.npy: its content has changed"),
    "missing": (Path.unlink, r"shard-00000\.npy: it is missing"),
    "missing with its sidecar": (remove_with_sidecar, r"sky: its shards hold 0 of the 40 cutouts"),
    "a damaged sidecar": (break_sidecar, r"shard-00000\.json:? .*cannot be read"),
}


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Workspace:
    """Two catalogs that nothing has scored, and an ensemble of small trees."""
    workspace = Workspace.create(tmp_path_factory.mktemp("shards") / "workspace")
    model = retraining_data.make_base(workspace)
    for name in ("sky", "other"):
        retraining_data.make_survey(workspace, model, name, n=N, outputs=False)
    with open_database(workspace).session() as session:
        session.add(Run(id="score-1", kind="score", title="score", settings={}))
    return workspace


@pytest.fixture
def workspace(original: Workspace, tmp_path: Path) -> Workspace:
    return Workspace.open(shutil.copytree(original.root, tmp_path / "workspace"))


def shard_of(workspace: Workspace) -> Path:
    return workspace.catalog_cutouts("sky") / "shard-00000.npy"


def verify(workspace: Workspace, *options: str) -> tuple[int, str]:
    found = CliRunner().invoke(cli, ["verify-data", str(workspace.root), *options])
    return found.exit_code, found.output


def test_a_workspace_as_written_is_in_order(workspace: Workspace) -> None:
    assert verify(workspace) == (0, "other: all as written\nsky: all as written\n")


@pytest.mark.parametrize("kind", DAMAGE)
def test_the_command_names_the_file(workspace: Workspace, kind: str) -> None:
    damage, said = DAMAGE[kind]
    damage(shard_of(workspace))
    code, output = verify(workspace)
    assert code == 1
    assert output.startswith("other: all as written\nsky: 1 file is damaged\n")
    assert re.search(said, output)
    assert verify(workspace, "--catalog", "other") == (0, "other: all as written\n")
    assert verify(workspace, "--catalog", "sky")[0] == 1


def score(workspace: Workspace, catalog: str) -> dict:
    settings = ScoreSettings(ensemble="first", catalog=catalog)
    return scoring.run(JobContext(workspace, "score-1"), settings)


def n_scores(workspace: Workspace) -> int:
    with open_database(workspace).session() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Score)) or 0


@pytest.mark.parametrize("kind", DAMAGE)
def test_scoring_ends_before_it_writes(workspace: Workspace, kind: str) -> None:
    damage, said = DAMAGE[kind]
    damage(shard_of(workspace))
    with pytest.raises(LensTriageError, match=said) as caught:
        score(workspace, "sky")
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
    assert n_scores(workspace) == 0
    assert rows_stored(workspace, "trees-1", "sky") == 0
    assert not outputs_path(workspace, "trees-1", "sky", "logit").exists()
    assert not list(workspace.root.rglob("*.part"))
    assert score(workspace, "other")["scored"] == N
    assert n_scores(workspace) == N


def test_a_shard_that_is_restored_is_scored(workspace: Workspace) -> None:
    shard = shard_of(workspace)
    whole = shard.read_bytes()
    flip_a_byte(shard)
    with pytest.raises(LensTriageError, match="verify-data"):
        score(workspace, "sky")
    shard.write_bytes(whole)
    assert score(workspace, "sky")["scored"] == N
    assert np.isfinite(retraining_data.logits_of(workspace, "first")).all()
