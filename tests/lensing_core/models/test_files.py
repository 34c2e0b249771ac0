"""Models on disk: written whole or not at all, never over one another, read without pickle."""

from __future__ import annotations

import hashlib
import json
import re
from importlib.metadata import version

import pytest
import torch

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError, BrokenModelError, NotFoundError
from lensing_core.models.contract import InputContract
from lensing_core.models.deep import DeepMember, ImageScaling
from lensing_core.models.files import load_member, new_model_id, read_member, save_member
from lensing_core.models.networks import NetworkSpec, build_network

GEOMETRY = CutoutGeometry("hsc", ("g",), 32, 0.168, "flux", (27.0,), (0.7,))


class Failing:
    """Fails when half of it is written."""

    def save(self, folder):
        (folder / "weights.safetensors").write_bytes(b"half")
        raise OSError("No space left on device")


@pytest.fixture(scope="module")
def member() -> DeepMember:
    spec = NetworkSpec("arc_aware", 1, 32, options={"dim": 24, "depth": 1, "heads": 2})
    torch.manual_seed(0)
    return DeepMember(InputContract.of(GEOMETRY), spec, build_network(spec), ImageScaling((1.0,)))


def test_the_manifest_says_what_the_model_is(workspace, member):
    returned = save_member(workspace, "net-1", member, {"run": 7})
    stored = json.loads((workspace.models / "net-1" / "manifest.json").read_text())
    assert stored == returned
    assert (stored["id"], stored["kind"], stored["run"]) == ("net-1", "network", 7)
    assert InputContract.from_json(stored["contract"]) == member.contract
    for package in ("torch", "lightgbm", "numpy"):
        assert stored["versions"][package] == version(package)
    read = load_member(workspace, "net-1", device="cpu", precision="bf16")
    assert (read.id, read.manifest) == ("net-1", stored)
    assert read.member.precision == "bf16"


def test_a_crash_leaves_no_model_and_the_next_attempt_succeeds(workspace, member):
    with pytest.raises(OSError, match="No space"):
        save_member(workspace, "net-1", Failing(), {})
    with pytest.raises(NotFoundError, match="no model"):
        load_member(workspace, "net-1")
    save_member(workspace, "net-1", member, {})
    assert [path.name for path in workspace.models.iterdir()] == ["net-1"]
    assert load_member(workspace, "net-1").member.spec == member.spec


def test_a_model_is_never_written_over(workspace, member):
    save_member(workspace, "net-1", member, {"note": "first"})
    with pytest.raises(OSError, match="net-1"):
        save_member(workspace, "net-1", member, {"note": "second"})
    assert load_member(workspace, "net-1").manifest["note"] == "first"


@pytest.mark.parametrize("name", ["../net", "a/b", "", ".hidden", "Net"])
def test_ids_cannot_leave_the_folder(workspace, member, name):
    with pytest.raises(BadInputError, match="Model name"):
        save_member(workspace, name, member, {})
    with pytest.raises(BadInputError, match="Model name"):
        load_member(workspace, name)
    assert list(workspace.models.iterdir()) == []


def test_a_folder_anywhere_is_read_under_the_id_of_its_manifest(workspace, member, tmp_path):
    save_member(workspace, "net-1", member, {})
    (workspace.models / "net-1").rename(tmp_path / "elsewhere")
    assert read_member(tmp_path / "elsewhere").id == "net-1"


def test_new_ids_begin_with_the_name_and_differ():
    first, second = new_model_id("arc"), new_model_id("arc")
    assert first != second
    assert re.fullmatch(r"arc-[0-9a-f]{8}", first)
    with pytest.raises(BadInputError, match="Model name"):
        new_model_id("Arc finder")


def test_a_pickle_in_the_place_of_weights_is_not_run(workspace, member, tmp_path):
    save_member(workspace, "net-1", member, {})
    bait = tmp_path / "ran"
    # The opcodes of builtins.open(path, "w"), which unpickling would call.
    program = f"cbuiltins\nopen\n(S'{bait}'\nS'w'\ntR.".encode()
    folder = workspace.models / "net-1"
    (folder / "weights.safetensors").write_bytes(program)
    with pytest.raises(BadInputError, match="has changed"):
        load_member(workspace, "net-1")
    # Whoever can change the manifest too still runs nothing.
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = {"weights.safetensors": hashlib.sha256(program).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BrokenModelError, match="does not fit its files"):
        load_member(workspace, "net-1")
    assert not bait.exists()
