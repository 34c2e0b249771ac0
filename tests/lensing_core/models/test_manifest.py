"""Manifests, read without the libraries that the models need."""

from __future__ import annotations

import json

import pytest
from manifests import model_manifest

from lensing_core.errors import BadInputError, BrokenModelError, NotFoundError
from lensing_core.models.manifest import base_models, file_sha256, read_manifest


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "trees.txt").write_text("tree")
    write(tmp_path)
    return tmp_path


def write(folder, **changes):
    files = {"trees.txt": file_sha256(folder / "trees.txt")}
    manifest = model_manifest("trees-1", "lightgbm", **{"files": files, **changes})
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_it_is_read_as_written(folder):
    assert read_manifest(folder)["id"] == "trees-1"


def test_what_is_wrong_is_said(folder):
    write(folder, kind="oracle")
    with pytest.raises(BrokenModelError, match="kind is 'oracle', which is unknown"):
        read_manifest(folder)
    write(folder, files={"../trees.txt": ""})
    with pytest.raises(BadInputError, match="outside its folder"):
        read_manifest(folder)
    write(folder)
    (folder / "trees.txt").write_text("another tree")
    with pytest.raises(BadInputError, match="has changed since"):
        read_manifest(folder)
    (folder / "trees.txt").unlink()
    with pytest.raises(BadInputError, match="is missing"):
        read_manifest(folder)
    (folder / "manifest.json").write_text('{"kind": "network"}')
    with pytest.raises(BadInputError, match=r"manifest\.json is damaged: id is missing"):
        read_manifest(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(NotFoundError, match="no model"):
        read_manifest(folder)


def test_a_head_names_its_base_models():
    inputs = [{"model": "net-1"}, {"model": "trees-1"}, {"model": "net-1"}]
    assert base_models({"kind": "pu_head", "inputs": inputs}) == ("net-1", "trees-1")
    assert base_models({"kind": "network"}) == ()
    with pytest.raises(BadInputError, match="Model name"):
        base_models({"kind": "pu_head", "inputs": [{"model": "../net-1"}]})
