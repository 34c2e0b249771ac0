"""Models on disk: a folder each, written whole, never changed; no pickle."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.models import classic, deep, head
from lensing_core.models.classic import ClassicMember
from lensing_core.models.deep import DeepMember, Precision
from lensing_core.models.head import HeadMember
from lensing_core.workspace import Workspace, check_slug

MANIFEST = "manifest.json"
PACKAGES = (
    "numpy",
    "torch",
    "timm",
    "lightning",
    "lightgbm",
    "scikit-learn",
    "caustics",
    "lens-triage",
)
AnyMember = ClassicMember | DeepMember | HeadMember


@dataclass(frozen=True)
class StoredMember:
    """A model of a workspace with its manifest."""

    id: str
    member: AnyMember
    manifest: dict[str, Any]


def package_versions() -> dict[str, str]:
    """Versions of what results depend on."""
    return {name: version(name) for name in PACKAGES}


def new_model_id(name: str) -> str:
    """A fresh id that begins with ``name``."""
    return check_slug(f"{name}-{uuid4().hex[:8]}", what="Model")


def save_member(
    workspace: Workspace, model_id: str, member: AnyMember, manifest: dict[str, Any]
) -> dict[str, Any]:
    """Write a model; return the whole manifest. A crash leaves no half-written model."""
    final = model_folder(workspace, model_id)
    beside = final.with_name(f".{model_id}.part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    whole = {"id": model_id, **member.save(beside), **manifest, "versions": package_versions()}
    whole["files"] = {path.name: _sha256(path) for path in sorted(beside.iterdir())}
    (beside / MANIFEST).write_text(json.dumps(whole, indent=1))
    beside.rename(final)
    return whole


def model_folder(workspace: Workspace, model_id: str) -> Path:
    """Where a model lies."""
    return workspace.models / check_slug(model_id, what="Model")


def load_member(
    workspace: Workspace, model_id: str, *, device: str = "cpu", precision: Precision = "auto"
) -> StoredMember:
    """Read a model; raises NotFoundError where there is none."""
    return read_member(model_folder(workspace, model_id), device=device, precision=precision)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a model whose files are those that were written.

    Raises
    ------
    NotFoundError
        If there is no model.
    BadInputError
        If a file is missing or is not the one that was written.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        files, _, _ = manifest["files"], manifest["id"], manifest["kind"]
    except FileNotFoundError:
        raise NotFoundError(f"There is no model in {folder}.") from None
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise BadInputError(
            f"{folder / MANIFEST} is damaged ({type(error).__name__}: {error}); train the model "
            "again, or restore its folder."
        ) from error
    for name, digest in files.items():
        path = folder / check_file_name(name)
        if not path.is_file() or _sha256(path) != digest:
            what = "has changed since it was written" if path.is_file() else "is missing"
            raise BadInputError(f"{path} {what}; train the model again, or restore its folder.")
    return manifest


def read_member(
    folder: Path, *, device: str = "cpu", precision: Precision = "auto"
) -> StoredMember:
    """Read the model of a folder; a head's base members are read from the folders beside it.

    Raises
    ------
    NotFoundError
        If there is no model, or one of a kind that this program does not know.
    BadInputError
        If a file is missing or is not the one that was written.
    """
    manifest = read_manifest(folder)
    kind = manifest["kind"]
    member: AnyMember
    if kind == classic.KIND:
        member = ClassicMember.load(folder, manifest)
    elif kind == deep.KIND:
        member = DeepMember.load(folder, manifest, device=device, precision=precision)
    elif kind == head.KIND:
        ids = dict.fromkeys(check_slug(i["model"], what="Model") for i in manifest["inputs"])
        bases = {
            k: read_member(folder.parent / k, device=device, precision=precision).member
            for k in ids
        }
        member = HeadMember.load(folder, manifest, bases)
    else:
        raise NotFoundError(f"{folder} holds a model of unknown kind {kind!r}.")
    return StoredMember(manifest["id"], member, manifest)


def check_file_name(name: str) -> str:
    """``name`` if it names a file of the model's own folder, else BadInputError."""
    if Path(name).name != name:
        raise BadInputError(f"A model's manifest names the file {name!r}, outside its folder.")
    return name


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
