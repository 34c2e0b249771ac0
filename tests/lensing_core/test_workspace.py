from __future__ import annotations

import pytest

from lensing_core.errors import BadInputError, WorkspaceError
from lensing_core.workspace import Workspace, check_slug


def test_create_is_repeatable_and_open_needs_a_database(tmp_path):
    made = Workspace.create(tmp_path / "ws")
    assert Workspace.create(tmp_path / "ws") == made
    with pytest.raises(WorkspaceError, match="holds no workspace"):
        Workspace.open(tmp_path / "ws")


def test_a_file_is_no_workspace(tmp_path):
    (tmp_path / "ws").write_text("")
    with pytest.raises(WorkspaceError, match="is a file"):
        Workspace.create(tmp_path / "ws")


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "models/../../x"])
def test_confine_refuses_paths_that_leave(workspace, path):
    with pytest.raises(WorkspaceError, match="outside the workspace"):
        workspace.confine(path)


def test_confine_follows_links(workspace, tmp_path):
    (workspace.models / "link").symlink_to(tmp_path)
    with pytest.raises(WorkspaceError):
        workspace.confine("models/link/x")
    assert workspace.confine("models/m1") == workspace.models / "m1"


@pytest.mark.parametrize("name", ["", "A", "../x", "a/b", "-a", ".a", "a" * 64, "naïve", "a b"])
def test_bad_slugs(name):
    with pytest.raises(BadInputError, match="use 1 to 63 characters"):
        check_slug(name, what="Catalog")


def test_good_slugs():
    for name in ("a", "hsc-pdr3.v2_1", "0" * 63):
        assert check_slug(name, what="Catalog") == name
