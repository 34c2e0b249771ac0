"""Files of models from others: every one that is not plain, bounded and whole is refused."""

from __future__ import annotations

import json
import os
import shutil
import struct

import numpy as np
import pytest
from manifests import model_manifest
from safetensors.numpy import save

from lensing_core.errors import BadInputError, BrokenModelError
from lensing_core.models import vetting
from lensing_core.models.manifest import MANIFEST
from lensing_core.models.vetting import (
    MOST_FILES,
    check_folder,
    check_model,
    check_plain_file,
    check_safetensors,
    try_trees,
)


@pytest.fixture
def folder(tmp_path):
    """A folder with the manifest of a model without files."""
    made = tmp_path / "model"
    made.mkdir()
    (made / MANIFEST).write_text("{}")
    return made


def test_a_folder_of_plain_files_is_listed(folder):
    (folder / "trees.txt").write_text("tree")
    assert check_folder(folder) == [MANIFEST, "trees.txt"]


def test_folders_that_are_none_of_their_own_or_hold_too_much_are_refused(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    for path in (tmp_path / "link", tmp_path / "absent", folder / MANIFEST):
        with pytest.raises(BadInputError, match="is no folder of its own"):
            check_folder(path)
    for k in range(MOST_FILES):
        (folder / f"{k}.json").touch()
    with pytest.raises(BadInputError, match="holds 65 files"):
        check_folder(folder)


def test_links_folders_devices_and_strange_files_are_refused(folder, monkeypatch):
    (folder / "link.json").symlink_to(folder / MANIFEST)
    (folder / "sub.json").mkdir()
    os.mkfifo(folder / "pipe.json")
    for name in ("link.json", "sub.json", "pipe.json"):
        with pytest.raises(BadInputError, match="is no plain file"):
            check_plain_file(folder / name)
    (folder / "weights.pkl").touch()
    with pytest.raises(BadInputError, match=r"end in \.json, \.txt, \.safetensors"):
        check_plain_file(folder / "weights.pkl")
    monkeypatch.setitem(vetting.MOST_BYTES, ".txt", 3)
    (folder / "trees.txt").write_text("four")
    with pytest.raises(BadInputError, match="has 4 bytes; up to 3 are read"):
        check_plain_file(folder / "trees.txt")


def tensors(header: dict, data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def part(first: int, last: int, shape=(2,), dtype: str = "F32") -> dict:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [first, last]}


def test_tensors_that_fill_their_file_are_taken(tmp_path):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(save({"a": np.ones((3, 2), "f4"), "b": np.zeros(4, "f8")}, {"made": "here"}))
    check_safetensors(path)
    path.write_bytes(tensors({}, b""))
    check_safetensors(path)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\x01\x02", "requires a buffer of 8 bytes"),
        (struct.pack("<Q", 1 << 40) + b"{}", "a header of 1099511627776 bytes"),
        (struct.pack("<Q", 4) + b"{{{{", "Expecting property name"),
        (tensors({"a": part(0, 8), "b": part(4, 12)}, bytes(12)), "overlap or leave gaps"),
        (tensors({"a": part(0, 8), "b": part(12, 20)}, bytes(20)), "overlap or leave gaps"),
        (tensors({"a": part(0, 8, (-2,))}, bytes(8)), "overlap or leave gaps"),
        (tensors({"a": part(0, 8, (3,))}, bytes(8)), "shape is not that of its bytes"),
        (tensors({"a": part(0, 8, dtype="F1")}, bytes(8)), "'F1'"),
        (tensors({"a": part(0, 8)}, bytes(9)), "9 bytes of tensors, not 8"),
        (tensors({"a": 7}, b""), "not subscriptable"),
    ],
)
def test_tensors_that_do_not_fit_their_file_are_refused(tmp_path, content, why):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=f"holds no tensors that can be read.*{why}"):
        check_safetensors(path)


def test_trees_that_end_or_stall_the_process_that_tries_them_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(vetting, "_CHECK", "import sys; assert sys.stdin.read() == 'good'")
    try_trees(tmp_path / "trees.txt", b"good")
    with pytest.raises(BadInputError, match=r"trees\.txt: LightGBM cannot read its trees"):
        try_trees(tmp_path / "trees.txt", b"bad")
    monkeypatch.setattr(vetting, "_CHECK", "import time; time.sleep(60)")
    with pytest.raises(BadInputError, match=r"took over 0\.2 s to read"):
        try_trees(tmp_path / "trees.txt", b"", limit_s=0.2)


def test_every_file_of_a_model_is_named_and_looked_at(folder):
    manifest = model_manifest("n", "network", files={"weights.safetensors": "0" * 64})
    weights = folder / "weights.safetensors"
    weights.write_bytes(save({"a": np.ones(3, "f4")}))
    check_model(folder, manifest)
    (folder / "more.txt").touch()
    with pytest.raises(BadInputError, match=r"more\.txt is not named in the manifest"):
        check_model(folder, manifest)
    (folder / "more.txt").unlink()
    weights.write_bytes(b"")
    with pytest.raises(BadInputError, match="holds no tensors"):
        check_model(folder, manifest)
    with pytest.raises(BrokenModelError, match="is damaged"):
        check_model(folder, {"kind": "network"})
    shutil.move(weights, folder / "trees.txt")
    trees = model_manifest("t", "lightgbm", files={"trees.txt": "0" * 64})
    with pytest.raises(BadInputError, match=r"trees\.txt"):
        check_model(folder, trees)
