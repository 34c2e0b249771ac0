"""Damage of shards is noticed, and ends no process."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from lensing_core.cutouts import CutoutGeometry, CutoutStore, CutoutWriter
from lensing_core.cutouts.verifying import check_shards, find_faults
from lensing_core.errors import DamagedError

PIXELS = np.random.default_rng(3).normal(size=(10, 2, 64, 64)).astype("f4")


@pytest.fixture
def folder(tmp_path):
    geometry = CutoutGeometry("hsc", ("g", "r"), 64, 0.168, "flux", (27.0,) * 2, (0.8,) * 2)
    writer = CutoutWriter(tmp_path / "cat", geometry)
    writer.write_shard(0, PIXELS[:6], variance=PIXELS[:6])
    writer.write_shard(1, PIXELS[6:], variance=PIXELS[6:])
    return tmp_path / "cat"


def test_a_shard_cut_off_while_it_is_in_use_is_an_error_not_the_end(folder):
    """A mapped file would end the process by SIGBUS here."""
    script = """
import os, sys
from pathlib import Path
from lensing_core.cutouts import CutoutStore
from lensing_core.errors import DamagedError
store = CutoutStore(Path(sys.argv[1]))
first = store.read(0)
os.truncate(Path(sys.argv[1]) / "shard-00000.npy", 4096)
batches = lambda: list(store.batches(4))
for read in (lambda: store.read(5), lambda: store.read_many([9, 5]), batches):
    try:
        read()
        sys.exit("read")
    except DamagedError as error:
        assert "ends before row" in str(error), error
assert first.sum() == first.sum()
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_rows_are_read_across_shards(folder):
    store = CutoutStore(folder)
    order = [9, 0, 6, 6, 5, 2]
    np.testing.assert_array_equal(store.read_many(order), PIXELS[order])
    np.testing.assert_array_equal(store.read_variance(7), PIXELS[7])
    np.testing.assert_array_equal(np.concatenate([b for _, b in store.batches(4)]), PIXELS)


def test_faults_are_found_by_content(folder):
    assert find_faults(folder) == []
    path = folder / "shard-00000.npy"
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    (folder / "shard-00001.variance.npy").unlink()
    assert [(f.path.name, f.problem) for f in find_faults(folder)] == [
        ("shard-00000.npy", "its content has changed"),
        ("shard-00001.variance.npy", "it is missing"),
    ]


def test_files_that_were_right_are_not_read_again(folder, tmp_path):
    known = tmp_path / "known" / "cat.json"
    check_shards(folder, known=known, progress=lambda: None)
    path = folder / "shard-00000.npy"
    status = path.stat()
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    check_shards(folder, known=known, progress=lambda: None)  # same size and time: trusted
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    with pytest.raises(DamagedError, match="its content has changed"):
        check_shards(folder, known=known, progress=lambda: None)


def test_a_file_of_another_kind_is_no_shard(folder):
    np.save(folder / "shard-00000.npy", np.zeros((6, 2, 64, 64)))
    with pytest.raises(DamagedError, match="float64"):
        CutoutStore(folder).read(0)
    (folder / "shard-00000.npy").write_bytes(b"junk")
    with pytest.raises(DamagedError, match="damaged"):
        CutoutStore(folder).read(0)
