"""Outputs of members on disk: written in batches, grown with a catalog, read by rows."""

from __future__ import annotations

import os

import numpy as np
import pytest

from lensing_core.errors import DamagedError, NotFoundError
from lensing_core.models.member import MemberOutput
from lensing_core.models.outputs import OutputWriter, StoredOutputs, outputs_path, rows_stored


def output(n, seed, *, embedding=True):
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(n, 5)).astype("f4")
    return MemberOutput(
        rng.normal(size=n),
        table if embedding else None,
        features=None if embedding else table,
    )


def test_rows_count_from_the_first_on(workspace):
    assert rows_stored(workspace, "m", "c") == 0
    writer = OutputWriter(workspace, "m", "c", 10)
    first, last = output(4, 1), output(3, 2)
    writer.write(0, first)
    writer.write(7, last)
    assert rows_stored(workspace, "m", "c") == 4  # a gap follows
    middle = output(3, 3)
    writer.write(4, middle)
    assert rows_stored(workspace, "m", "c") == 10

    read = StoredOutputs.read(workspace, "m", "c", 10)
    np.testing.assert_array_equal(
        read.logit, np.concatenate([o.logit for o in (first, middle, last)])
    )
    np.testing.assert_array_equal(read.output(slice(4, 7)).embedding, middle.embedding)
    assert read.features is None


def test_a_catalog_that_has_grown_keeps_what_was_there(workspace):
    before = output(6, 1, embedding=False)
    OutputWriter(workspace, "m", "c", 6).write(0, before)
    OutputWriter(workspace, "m", "c", 9).write(6, output(1, 2, embedding=False))
    assert rows_stored(workspace, "m", "c") == 7
    read = StoredOutputs.read(workspace, "m", "c", 7)
    np.testing.assert_array_equal(read.output(np.arange(6)).features, before.features)
    with pytest.raises(NotFoundError, match="7 of the 9 candidates of catalog c; score"):
        StoredOutputs.read(workspace, "m", "c", 9)


def test_catalogs_named_as_folders_keep_apart(workspace):
    names = ("features", "logit", "c.features")
    paths = {
        outputs_path(workspace, "m", name, kind)
        for name in names
        for kind in ("embedding", "features", "logit")
    }
    assert len(paths) == 9
    for name in names:
        OutputWriter(workspace, "m", name, 2).write(0, output(2, 1))
    assert all(rows_stored(workspace, "m", name) == 2 for name in names)


@pytest.mark.parametrize("kind", ["embedding", "logit"])
@pytest.mark.parametrize(
    "harm", [lambda path: os.truncate(path, 150), lambda path: path.write_bytes(b"?")]
)
def test_damaged_files_are_made_anew(workspace, kind, harm):
    first, second = output(6, 1), output(6, 2)
    OutputWriter(workspace, "m", "c", 6).write(0, first)
    stored = StoredOutputs.read(workspace, "m", "c", 6)
    harm(outputs_path(workspace, "m", "c", kind))
    with pytest.raises(DamagedError, match="Score the catalog with the model again"):
        stored.output(np.arange(6))
    assert rows_stored(workspace, "m", "c") == 0
    with pytest.raises(NotFoundError, match="0 of the 6"):
        StoredOutputs.read(workspace, "m", "c", 6)

    writer = OutputWriter(workspace, "m", "c", 6)
    writer.write(0, MemberOutput(second.logit[:4], second.embedding[:4]))
    assert rows_stored(workspace, "m", "c") == 4  # not the six of before
    writer.write(4, MemberOutput(second.logit[4:], second.embedding[4:]))
    read = StoredOutputs.read(workspace, "m", "c", 6)
    np.testing.assert_array_equal(read.output(np.arange(6)).embedding, second.embedding)
    assert not list(workspace.embeddings.rglob("*.part"))


def test_a_disk_that_is_full_leaves_nothing_half_made(workspace, monkeypatch):
    OutputWriter(workspace, "m", "c", 3).write(0, output(3, 1))
    before = outputs_path(workspace, "m", "c", "logit").read_bytes()

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        OutputWriter(workspace, "m", "c", 9).write(3, output(6, 2))
    assert outputs_path(workspace, "m", "c", "logit").read_bytes() == before
    assert not list(workspace.embeddings.rglob("*.part"))
