"""Rows of files are those of the array, whatever becomes of the files meanwhile."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from lensing_core import stored_arrays
from lensing_core.errors import DamagedError, NotFoundError
from lensing_core.stored_arrays import StoredArray

TABLE = np.random.default_rng(4).normal(size=(50, 3, 7)).astype("<f4")


@pytest.fixture
def path(tmp_path):
    np.save(tmp_path / "table.npy", TABLE)
    return tmp_path / "table.npy"


@pytest.mark.parametrize(
    "rows",
    [
        0,
        -1,
        np.int64(17),
        slice(None),
        slice(10, 20),
        slice(40, 900),
        slice(30, 10),
        slice(None, None, 7),
        slice(None, None, -3),
        np.array([], dtype=int),
        np.array([3, 4, 5, 9, 8, 8, 0, 49]),
        np.arange(50) % 3 == 0,
    ],
    ids=str,
)
def test_indexing_is_that_of_arrays(path, rows):
    found = StoredArray.open(path)[rows]
    np.testing.assert_array_equal(found, TABLE[rows], strict=True)


def test_rows_go_to_their_places(path):
    stored, out = StoredArray.open(path), np.zeros((9, 3, 7), "<f4")
    stored.read_into(out, [0, 1, 2, 8, 7], [4, 5, 6, 7, 30])
    np.testing.assert_array_equal(out[[0, 1, 2, 8, 7]], TABLE[[4, 5, 6, 7, 30]])
    assert not out[3:7].any()
    np.testing.assert_array_equal(np.asarray(stored), TABLE)
    np.testing.assert_array_equal(copy.deepcopy(stored)[2], TABLE[2])


@pytest.mark.parametrize("row", [50, -51])
def test_a_row_that_is_not_there_is_an_index_error(path, row):
    with pytest.raises(IndexError):
        StoredArray.open(path)[row]


def test_one_number_a_row(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(9.0))
    stored = StoredArray.open(tmp_path / "a.npy")
    assert (stored[4], stored[2:4].tolist(), stored.dtype) == (4, [2, 3], np.float64)


def test_a_file_in_the_place_of_another_is_read(path, tmp_path):
    stored = StoredArray.open(path)
    np.testing.assert_array_equal(stored[1], TABLE[1])
    np.save(tmp_path / "other.npy", np.concatenate([TABLE, TABLE]) + 1)
    os.replace(tmp_path / "other.npy", path)
    assert len(StoredArray.open(path)) == 100
    np.testing.assert_array_equal(stored[1], TABLE[1] + 1)
    np.save(path, TABLE[:, :2])
    assert StoredArray.open(path).shape == (50, 2, 7)
    with pytest.raises(DamagedError, match=r"replaced by another array.*\(50, 2, 7\)"):
        stored[1]


def test_a_replaced_file_is_noticed_by_an_array_that_is_open(path, tmp_path, monkeypatch):
    monkeypatch.setattr(stored_arrays, "_LOOK_AGAIN_S", 0)
    stored = StoredArray.open(path)
    np.save(tmp_path / "other.npy", TABLE + 1)
    os.replace(tmp_path / "other.npy", path)
    np.testing.assert_array_equal(stored[1], TABLE[1] + 1)
    path.unlink()
    with pytest.raises(NotFoundError, match="is missing"):
        stored[1]


def test_few_files_are_open_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(stored_arrays, "_MOST_OPEN", 5)
    arrays = []
    for k in range(30):
        np.save(tmp_path / f"{k}.npy", TABLE + k)
        arrays.append(StoredArray.open(tmp_path / f"{k}.npy"))

    def read(seed: int) -> None:
        for k in np.random.default_rng(seed).integers(0, 30, 200).tolist():
            np.testing.assert_array_equal(arrays[k][seed], TABLE[seed] + k)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(read, range(4)))
    assert len(stored_arrays._opened) == 5
    folder = Path("/proc/self/fd")
    if folder.exists():
        names = [os.readlink(link) for link in folder.iterdir() if link.exists()]
        assert sum(name.startswith(str(tmp_path)) for name in names) == 5


def test_a_file_cut_off_while_it_is_in_use_is_an_error_not_the_end(path):
    """A mapped file would end the process by SIGBUS here."""
    script = """
import os, sys
from pathlib import Path
from lensing_core.errors import DamagedError
from lensing_core.stored_arrays import StoredArray
stored = StoredArray.open(Path(sys.argv[1]), remedy="Make it again.")
first = stored[0]
os.truncate(sys.argv[1], 128 + 84 * 20 + 3)
assert not StoredArray.open(Path(sys.argv[1])).is_whole
for rows in (20, 49, slice(None), slice(10, 30)):
    try:
        stored[rows]
        sys.exit("read")
    except DamagedError as error:
        assert "ends before row" in str(error) and "Make it again." in str(error), error
assert stored[19].shape == first.shape
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"junk",
        b"\x93NUMPY\x01\x00\x10\x00{'descr': no    ",
        b"\x93NUMPY\x01\x00\x40\x00"
        + b"{'descr':'<f4','fortran_order':False,'shape':(-1,)}".ljust(64),
        b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + b" " * 100,
        b"\x93NUMPY\x09\x00\x10\x00" + b" " * 16,
    ],
    ids=["empty", "junk", "header", "negative", "long header", "version"],
)
def test_what_is_no_array_is_damaged(tmp_path, content):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(DamagedError, match=r"a\.npy is damaged: .*Restore it from a backup"):
        StoredArray.open(tmp_path / "a.npy")


def test_arrays_of_other_layouts_are_refused(tmp_path):
    arrays = [np.asfortranarray(TABLE), np.array([{}, {}], dtype=object), np.float32(1)]
    for k, array in enumerate(arrays):
        np.save(tmp_path / f"{k}.npy", array, allow_pickle=True)
        with pytest.raises(DamagedError, match="no rows of numbers"):
            StoredArray.open(tmp_path / f"{k}.npy")


def test_a_folder_and_a_missing_file(tmp_path):
    with pytest.raises(NotFoundError, match=r"a\.npy is missing"):
        StoredArray.open(tmp_path / "a.npy")
    with pytest.raises(DamagedError, match="cannot be read"):
        StoredArray.open(tmp_path)
