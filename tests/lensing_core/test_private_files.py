"""Whom the files of a workspace can be read by."""

from __future__ import annotations

import logging
import os
import stat

import pytest

from lensing_core.private_files import keep_private_from_now_on
from lensing_core.store import open_database
from lensing_core.store.backup import backup_database
from lensing_core.store.graders import workspace_secret
from lensing_core.workspace import Workspace

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")


@pytest.fixture
def open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def modes(root):
    """Mode by path, of everything that is there."""
    return {
        str(path.relative_to(root)): stat.S_IMODE(path.lstat().st_mode)
        for path in (root, *root.rglob("*"))
    }


def test_a_new_workspace_is_private_whatever_the_umask(tmp_path, open_umask):
    made = Workspace.create(tmp_path / "parent" / "ws")
    database = open_database(made)
    workspace_secret(made)
    with database.session() as session:
        session.connection()
        backup_database(made)
        found = modes(made.root)
    assert {"triage.sqlite", "triage.sqlite-wal", "triage.sqlite-shm", "secret"} <= found.keys()
    assert any(path.startswith("backups/triage-") for path in found)
    assert {path: oct(mode) for path, mode in found.items() if mode & 0o077} == {}
    # Folders above are those of the user.
    assert stat.S_IMODE((tmp_path / "parent").stat().st_mode) == 0o777


def test_an_older_workspace_is_tightened_when_opened_and_this_is_told_once(workspace, caplog):
    open_database(workspace)
    (workspace.backups / "triage-old.sqlite").touch()
    (workspace.root / "notes-of-the-user.txt").touch()
    for path in (workspace.root, *workspace.root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    with caplog.at_level(logging.WARNING):
        Workspace.open(workspace.root)
        Workspace.open(workspace.root)
    assert caplog.text.count("could be read by other users") == 1
    left = {path for path, mode in modes(workspace.root).items() if mode & 0o077}
    assert left == {"notes-of-the-user.txt"}  # no file of the program


def test_links_and_the_files_behind_them_are_left_alone(workspace, tmp_path):
    target = tmp_path / "shared.sqlite"
    target.touch(mode=0o644)
    (workspace.backups / "link.sqlite").symlink_to(target)
    Workspace.open(workspace.root)
    assert stat.S_IMODE(target.stat().st_mode) == 0o644


def test_a_server_and_a_worker_write_for_their_owner_alone(tmp_path, open_umask):
    keep_private_from_now_on()
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "file").touch()
    assert modes(tmp_path / "made") == {".": 0o700, "file": 0o600}
