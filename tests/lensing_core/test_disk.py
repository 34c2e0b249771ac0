from __future__ import annotations

import errno
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from disks import small_disk

from lensing_core.disk import SPARE_BYTES, require_space, reserve
from lensing_core.errors import StorageError
from lensing_core.models.member import MemberOutput
from lensing_core.models.outputs import OutputWriter, bytes_to_store, outputs_path
from lensing_core.store.backup import backup_database, list_backups
from lensing_core.workspace import Workspace


def leave_free(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))


def test_room_is_asked_for_with_a_margin(tmp_path, monkeypatch):
    leave_free(monkeypatch, SPARE_BYTES + 1_100_000)
    require_space(tmp_path / "not" / "there", 1_000_000, "This")
    leave_free(monkeypatch, SPARE_BYTES + 1_099_999)
    with pytest.raises(StorageError) as refused:
        require_space(tmp_path, 1_000_000, "This")
    said = str(refused.value)
    assert said.startswith(f"This needs 34.7 MB on the disk of {tmp_path}, where 34.7 MB are free;")
    assert "free some space there" in said


def test_a_backup_is_refused_before_a_byte_of_it_is_written(filled_workspace, monkeypatch):
    leave_free(monkeypatch, SPARE_BYTES)
    with pytest.raises(StorageError, match=r"A backup of the database needs .* are free"):
        backup_database(filled_workspace)
    assert not list(filled_workspace.backups.iterdir())
    leave_free(monkeypatch, 1 << 40)
    backup_database(filled_workspace)
    assert len(list_backups(filled_workspace)) == 1


def test_reserved_files_have_their_blocks_or_are_not_there(tmp_path):
    with small_disk(tmp_path / "disk", 1) as disk:
        reserve(disk / "fits", 1 << 19)
        assert (disk / "fits").stat().st_blocks * 512 >= 1 << 19
        with pytest.raises(OSError, match="too") as full:
            reserve(disk / "too-large", 1 << 20)
        assert full.value.errno == errno.ENOSPC
        assert full.value.filename == str(disk / "too-large")
        assert [path.name for path in disk.iterdir()] == ["fits"]


def test_outputs_on_a_full_disk_are_an_error_and_not_the_end_of_the_process(tmp_path):
    with small_disk(tmp_path / "disk", 1) as disk:
        writer = OutputWriter(Workspace(disk), "net", "survey", 100_000)
        output = MemberOutput(np.zeros(10), np.zeros((10, 8), np.float32))
        with pytest.raises(OSError, match="No space left"):
            writer.write(0, output)


def test_bytes_of_outputs_are_those_of_the_files(tmp_path):
    workspace = Workspace(tmp_path)
    manifest = {"embedding_dim": 8}
    expected = bytes_to_store(workspace, "net", manifest, "survey", 1000)
    assert expected == 1000 * (4 * 8 + 8)
    writer = OutputWriter(workspace, "net", "survey", 1000)
    writer.write(0, MemberOutput(np.zeros(10), np.zeros((10, 8), np.float32)))
    paths = [outputs_path(workspace, "net", "survey", kind) for kind in ("embedding", "logit")]
    headers = 2 * 128
    assert sum(path.stat().st_size for path in paths) == expected + headers
    assert np.isnan(np.load(paths[1])[10:]).all()
    assert bytes_to_store(workspace, "net", manifest, "survey", 1000) == 0
    assert bytes_to_store(workspace, "head", {"inputs": []}, "survey", 1000) == 0
