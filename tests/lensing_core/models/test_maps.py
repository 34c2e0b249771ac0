from __future__ import annotations

import numpy as np
import pytest

from lensing_core.errors import NotFoundError
from lensing_core.models import maps
from lensing_core.models.maps import embedding_map
from lensing_core.models.member import MemberOutput
from lensing_core.models.outputs import OutputWriter
from lensing_core.workspace import Workspace


def store(workspace: Workspace, model: str, catalog: str, n: int, seed: int) -> None:
    table = np.random.default_rng(seed).normal(size=(n, 6)) * (5, 2, 1, 1, 1, 1)
    output = MemberOutput(np.zeros(n), embedding=table.astype("f4"))
    OutputWriter(workspace, model, catalog, n).write(0, output)


def test_a_map_is_made_once_and_again_when_embeddings_change(workspace, monkeypatch):
    store(workspace, "network", "a", 50, 1)
    store(workspace, "network", "b", 20, 2)
    made = embedding_map(workspace, ["trees", "network"], ["a", "b", "not-scored"])
    assert made.model == "network"
    assert {c: p.shape for c, p in made.places.items()} == {"a": (50, 2), "b": (20, 2)}
    assert 0.5 < made.explained < 1

    def fail(_tables):
        raise AssertionError("projected again")

    with monkeypatch.context() as patch:
        patch.setattr(maps, "fit_plane", fail)
        again = embedding_map(workspace, ["network"], ["a", "b"])
        np.testing.assert_array_equal(again.places["a"], made.places["a"])
        assert again.explained == made.explained
        with pytest.raises(AssertionError):
            embedding_map(workspace, ["network"], ["a"])
    store(workspace, "network", "b", 30, 3)
    assert embedding_map(workspace, ["network"], ["a", "b"]).places["b"].shape == (30, 2)
    kept = workspace.cache / "maps" / "network.npz"
    kept.write_bytes(b"half a file")
    assert embedding_map(workspace, ["network"], ["a", "b"]).places["b"].shape == (30, 2)


def test_no_embeddings(workspace):
    with pytest.raises(NotFoundError, match="that has a network"):
        embedding_map(workspace, ["trees"], ["a"])
