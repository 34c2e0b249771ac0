"""Folders of ensembles for hubs: a card that says what is in them, and files that are checked."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from tiny_ensembles import add_tiny_ensemble

from lens_triage.training.bundled import export_ensemble, import_ensemble
from lensing_core.errors import BadInputError
from lensing_core.store import open_database
from lensing_core.store.ensembles import find_ensemble, version_of
from lensing_core.workspace import Workspace


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder, and the version of its ensemble where it comes from."""
    place = tmp_path_factory.mktemp("travelling")
    workspace = Workspace.create(place / "workspace")
    add_tiny_ensemble(workspace)
    with open_database(workspace).session() as session:
        version = version_of(find_ensemble(session, "tiny"))
    return export_ensemble(workspace, "tiny", place / "out"), version


@pytest.fixture
def folder(exported, tmp_path) -> Path:
    return Path(shutil.copytree(exported[0], tmp_path / "tiny"))


@pytest.fixture
def other(tmp_path) -> Workspace:
    return Workspace.create(tmp_path / "other")


def test_the_card_says_what_the_folder_holds(exported):
    text = (exported[0] / "README.md").read_text()
    _, header, body = text.split("---\n", 2)
    told = yaml.safe_load(header)
    assert (told["license"], told["library_name"]) == ("bsd-3-clause", "lens-triage")
    assert (told["model_name"], told["version"]) == ("tiny", exported[1])
    assert "- g r, 32 × 32 px of 0.168″, linear flux" in body
    assert "| `tiny-arc-aware` | network | arc_aware | yes |" in body
    assert "Class prior of the probabilities: 0.001" in body
    assert (exported[0] / "LICENSE").read_text().startswith("BSD 3-Clause")


def test_the_list_of_checksums_is_that_of_sha256sum(folder, other):
    command = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    assert subprocess.run(command, cwd=folder, check=False).returncode == 0
    listed = re.findall(r"^\w{64}  (.+)$", (folder / "SHA256SUMS").read_text(), re.MULTILINE)
    assert {"README.md", "LICENSE", "ensemble.json"} < set(listed)
    (folder / ".gitattributes").write_text("*.safetensors filter=lfs\n")  # of a hub's clone
    assert import_ensemble(other, folder)


def test_an_imported_ensemble_has_the_version_that_it_had(exported, folder, other):
    import_ensemble(other, folder)
    with open_database(other).session() as session:
        ensemble = find_ensemble(session, "tiny")
        assert version_of(ensemble) == exported[1]
        rule = {**ensemble.manifest["rule"], "survey_prior": 0.01}
        ensemble.manifest = {**ensemble.manifest, "rule": rule}
        session.flush()
        assert version_of(ensemble) != exported[1]


CHANGES = {
    "has changed": lambda folder: (folder / "README.md").write_text("Better.\n"),
    "tiny-arc-aware/manifest.json has changed": lambda folder: (
        folder / "tiny-arc-aware" / "manifest.json"
    ).write_text("{}"),
    "LICENSE is missing": lambda folder: (folder / "LICENSE").unlink(),
    "more.txt is not listed": lambda folder: (folder / "more.txt").write_text("x"),
    "SHA256SUMS cannot be read": lambda folder: (folder / "SHA256SUMS").unlink(),
    "line 1: this is no checksum": lambda folder: (folder / "SHA256SUMS").write_text("x\n"),
    "no plain file": lambda folder: (folder / "link").symlink_to("/etc/passwd"),
}


@pytest.mark.parametrize("sentence", CHANGES)
def test_a_folder_that_was_changed_is_refused(folder, other, sentence):
    CHANGES[sentence](folder)
    with pytest.raises(BadInputError, match=re.escape(sentence)) as refused:
        import_ensemble(other, folder)
    assert str(refused.value).endswith(".")
    assert not list(other.models.iterdir())


def test_another_license_needs_its_text(exported, tmp_path):
    workspace = Workspace.open(exported[0].parents[1] / "workspace")
    with pytest.raises(BadInputError, match="text of the license cc-by"):
        export_ensemble(workspace, "tiny", tmp_path, license_id="cc-by-4.0")
    (tmp_path / "text").write_text("Attribution 4.0 International\n")
    folder = export_ensemble(
        workspace, "tiny", tmp_path, license_id="cc-by-4.0", license_file=tmp_path / "text"
    )
    assert (folder / "LICENSE").read_text() == "Attribution 4.0 International\n"
    assert 'license: "cc-by-4.0"' in (folder / "README.md").read_text()
