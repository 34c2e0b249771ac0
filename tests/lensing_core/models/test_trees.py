"""Trees as text: looked at once by another process, whoever put them into the folder."""

from __future__ import annotations

import hashlib
import json
import shutil

import lightgbm
import numpy as np
import pytest

from lens_triage.training.bundled import BUNDLED
from lensing_core.errors import BadInputError
from lensing_core.models import trees
from lensing_core.models.files import load_member
from lensing_core.models.manifest import MANIFEST
from lensing_core.models.trees import load_trees, save_trees

BUNDLED_TREES = sorted(BUNDLED.glob("*/trees-*"))


@pytest.fixture
def tried(monkeypatch) -> list[str]:
    """Names of the files that another process has read."""
    seen: list[str] = []
    try_trees = trees.try_trees
    monkeypatch.setattr(trees, "_vetted", set())
    monkeypatch.setattr(
        trees, "try_trees", lambda path, text: (seen.append(path.name), try_trees(path, text))
    )
    return seen


@pytest.mark.parametrize("folder", BUNDLED_TREES, ids=lambda folder: folder.name)
def test_the_trees_of_the_program_are_in_order(folder):
    assert trees._problem((folder / "trees.txt").read_bytes()) == ""


def test_trees_put_by_hand_into_a_workspace_are_tried_once(workspace, tried, monkeypatch):
    shutil.copytree(BUNDLED_TREES[0], workspace.models / BUNDLED_TREES[0].name)
    loaded = load_member(workspace, BUNDLED_TREES[0].name).member
    assert loaded.booster.num_trees() > 100
    load_member(workspace, BUNDLED_TREES[0].name)
    monkeypatch.setattr(trees, "_vetted", set())  # as another process begins
    load_member(workspace, BUNDLED_TREES[0].name)
    assert tried == ["trees.txt"]


def test_trees_that_would_end_the_process_are_refused_wherever_they_lie(workspace, tried):
    """A matching manifest is no reason to trust a file."""
    folder = workspace.models / BUNDLED_TREES[0].name
    shutil.copytree(BUNDLED_TREES[0], folder)
    text = (folder / "trees.txt").read_bytes()
    line = next(line for line in text.split(b"\n") if line.startswith(b"left_child="))
    parts = line.partition(b"=")[2].split(b" ")
    parts[0] = b"9" * len(parts[0])
    changed = text.replace(line, b"left_child=" + b" ".join(parts), 1)
    assert len(changed) == len(text)
    (folder / "trees.txt").write_bytes(changed)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"]["trees.txt"] = hashlib.sha256(changed).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(BadInputError, match="tree 0: its nodes are no tree"):
        load_member(workspace, folder.name)
    assert tried == []


def test_trees_of_another_hash_than_the_manifest_are_refused(tmp_path, tried):
    path = tmp_path / "trees.txt"
    shutil.copyfile(BUNDLED_TREES[0] / "trees.txt", path)
    for files in ({}, {"trees.txt": "0" * 64}):
        with pytest.raises(BadInputError, match="not the file that its manifest names"):
            load_trees(path, files)
    assert tried == []


def test_trees_of_this_process_need_no_look(tmp_path, tried):
    x = np.random.default_rng(0).normal(size=(200, 3))
    quiet = {"objective": "binary", "verbosity": -1}
    for rounds, columns in ((1, x), (20, x), (5, np.ones_like(x))):  # the last: without any split
        data = lightgbm.Dataset(columns, (x[:, 0] > 0).astype(int))
        booster = lightgbm.train(quiet, data, rounds)
        path = tmp_path / f"scorer_{rounds}.txt"
        save_trees(booster, path)
        assert load_trees(path).num_trees() == booster.num_trees()
        assert trees._problem(path.read_bytes()) == ""
    assert tried == []
