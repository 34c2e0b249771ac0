"""Ensembles that travel between workspaces."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from manifests import model_manifest
from safetensors.torch import load_file
from sqlalchemy import select

from lens_triage.training.bundled import BUNDLED, export_ensemble, import_ensemble, make_workspace
from lens_triage.training.defaults import DEFAULTS
from lens_triage.training.jobs import (
    score as scoring,
)
from lens_triage.training.jobs import (
    train as fit,
)
from lens_triage.training.settings import ScoreSettings, TrainSettings
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.models.files import read_member
from lensing_core.models.manifest import read_manifest
from lensing_core.shift.sample import ObjectSample
from lensing_core.store import open_database
from lensing_core.store.ensembles import BUNDLED_FOR
from lensing_core.store.summaries import list_ensembles
from lensing_core.store.tables import Candidate, Ensemble, EnsembleMember, Model, Score
from lensing_core.workspace import Workspace


def logits(workspace) -> np.ndarray:
    with open_database(workspace).session() as session:
        query = select(Score.logit).join(Candidate).order_by(Candidate.cutout_index)
        return np.array(session.scalars(query).all())


@pytest.mark.slow
def test_an_adopted_ensemble_scores_as_it_did(workspace, tmp_path, make_catalog, make_context):
    make_catalog("train", 450, seed=1)
    make_catalog("survey", 60, seed=2, labeled=False)
    settings = TrainSettings(
        ensemble="e1", catalogs=["train"], epochs=1, rounds=20, weight_bits="16"
    )
    fit.run(make_context(settings), settings)
    score = ScoreSettings(ensemble="e1", catalog="survey")
    scoring.run(make_context(score, "score"), score)
    before = logits(workspace)

    folder = export_ensemble(workspace, "e1", tmp_path / "out")
    with pytest.raises(BadInputError, match="exists"):
        export_ensemble(workspace, "e1", tmp_path / "out")
    with pytest.raises(NotFoundError, match="ghost"):
        export_ensemble(workspace, "ghost", tmp_path / "out")
    assert not import_ensemble(workspace, folder)  # it is there already

    with open_database(workspace).session() as session:
        for row in session.scalars(select(Score)).all():
            session.delete(row)
        ensemble = session.scalars(select(Ensemble)).one()
        ensemble.name = "renamed"
    kept = workspace.training_sample("e1")
    kept.unlink()
    assert import_ensemble(workspace, folder)
    sample = ObjectSample.read(kept)
    assert set(sample.measured.candidate_id) == {-1}
    assert any(key.startswith("embedding of") for key in sample.blocks)
    scoring.run(make_context(score, "score-2"), score)
    np.testing.assert_array_equal(logits(workspace), before)


def test_models_that_a_head_builds_on_travel_with_it(workspace, tmp_path):
    taken = {"model": "trees-1", "what": "features", "columns": 0}
    manifests = [
        model_manifest("trees-1", "lightgbm"),
        model_manifest("head-1", "pu_head", inputs=[taken]),
    ]
    with open_database(workspace).session() as session:
        for manifest in manifests:
            model_id, kind = manifest["id"], manifest["kind"]
            (workspace.models / model_id).mkdir()
            (workspace.models / model_id / "manifest.json").write_text(json.dumps(manifest))
            session.add(Model(id=model_id, kind=kind, manifest=manifest))
        session.flush()
        members = [EnsembleMember(model_id="head-1", position=0)]
        session.add(Ensemble(name="heads", fusion="mean", manifest={}, members=members))

    folder = export_ensemble(workspace, "heads", tmp_path / "out")
    other = Workspace.create(tmp_path / "other")
    assert import_ensemble(other, folder)
    with open_database(other).session() as session:
        assert set(session.scalars(select(Model.id))) == {"trees-1", "head-1"}
        ensemble = session.scalars(select(Ensemble)).one()
        assert [member.model_id for member in ensemble.members] == ["head-1"]
    assert read_manifest(other.models / "trees-1")["kind"] == "lightgbm"


def test_folders_that_hold_no_ensemble_are_refused(workspace, tmp_path):
    with pytest.raises(BadInputError, match="holds no ensemble"):
        import_ensemble(workspace, tmp_path)
    (tmp_path / "ensemble.json").write_text("{")
    with pytest.raises(BadInputError, match="not valid JSON"):
        import_ensemble(workspace, tmp_path)
    (tmp_path / "ensemble.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(BadInputError, match="format 99"):
        import_ensemble(workspace, tmp_path)


def test_a_new_workspace_has_what_is_shipped(tmp_path):
    workspace = make_workspace(tmp_path / "new")
    names = sorted(path.parent.name for path in BUNDLED.glob("*/ensemble.json"))
    assert names
    for _ in range(2):  # a second start changes nothing
        with open_database(workspace).session() as session:
            found = session.scalars(select(Ensemble)).all()
            assert sorted(ensemble.name for ensemble in found) == names
            assert all(ensemble.promoted_at is None for ensemble in found)
        make_workspace(tmp_path / "new")
    size = sum(path.stat().st_size for path in BUNDLED.rglob("*") if path.is_file())
    assert size < 60e6


def test_what_is_bundled_says_for_which_survey_and_is_marked_in_older_workspaces(tmp_path):
    made = make_workspace(tmp_path / "new")

    def surveys() -> dict[str, str]:
        with open_database(made).session() as session:
            found = session.scalars(select(Ensemble)).all()
            return {e.name: e.manifest.get(BUNDLED_FOR) for e in found}

    marked = surveys()
    assert marked == {name: default.survey for name, default in DEFAULTS.items()}
    with open_database(made).session() as session:
        for ensemble in session.scalars(select(Ensemble)):
            kept = {k: v for k, v in ensemble.manifest.items() if k != BUNDLED_FOR}
            other = {"data_sha256": "another"} if ensemble.name == "default-ps1" else {}
            ensemble.manifest = {**kept, **other}
    assert set(surveys().values()) == {None}
    make_workspace(tmp_path / "new")
    assert surveys() == {**marked, "default-ps1": None}  # of the same name, but another ensemble


def test_make_workspace_keeps_what_is_there(tmp_path):
    made = Workspace.create(tmp_path / "old")
    (made.models / "note.txt").write_text("mine")
    assert (make_workspace(tmp_path / "old").models / "note.txt").read_text() == "mine"


@pytest.fixture
def folder(tmp_path):
    """A copy of a bundled ensemble with trees, as one would get it from somebody else."""
    return shutil.copytree(BUNDLED / "default-hsc", tmp_path / "given")


@pytest.fixture
def other(tmp_path):
    return Workspace.create(tmp_path / "other")


def test_an_ensemble_of_somebody_else_is_looked_at_and_adopted(folder, other):
    assert import_ensemble(other, folder)


def test_a_searched_ensemble_is_adopted_with_its_encoder_in_16_bits(other):
    assert import_ensemble(other, BUNDLED / "default-ps1")
    (weights,) = other.models.glob("*/weights.safetensors")
    kernels = load_file(weights)["network.conv_stem.weight"]
    assert kernels.dtype == torch.float16
    stored = read_member(weights.parent)
    assert next(stored.member.network.parameters()).dtype == torch.float32


def test_links_of_a_model_are_not_followed(folder, other, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("root")
    trees = next(folder.glob("trees-*"))
    (trees / "more.txt").symlink_to(secret)
    with pytest.raises(BadInputError, match=r"more\.txt is no plain file"):
        import_ensemble(other, folder)
    moved = trees.rename(folder.parent / trees.name)
    trees.symlink_to(moved)
    with pytest.raises(BadInputError, match="is no folder of its own"):
        import_ensemble(other, folder)
    assert not list(other.models.glob("trees-*"))
    (folder / "ensemble.json").unlink()
    (folder / "ensemble.json").symlink_to(secret)
    with pytest.raises(BadInputError, match="is no plain file"):
        import_ensemble(other, folder)


def test_a_broken_ensemble_of_the_workspace_leaves_the_others(filled_workspace):
    database = open_database(filled_workspace)
    whole = database.ask(list_ensembles)
    with database.session() as session:
        session.add(Ensemble(name="broken", fusion="mean", manifest={"figures": None}))
    shown = {ensemble.name: ensemble for ensemble in database.ask(list_ensembles)}
    assert len(shown) == len(whole) + 1
    assert "Ensemble broken is broken: its manifest is damaged" in shown["broken"].problem
    assert shown["broken"].manifest == {}
    assert all(shown[ensemble.name] == ensemble for ensemble in whole)
