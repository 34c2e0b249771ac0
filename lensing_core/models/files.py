"""Models on disk: a folder each, written whole, never changed; no pickle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from safetensors import SafetensorError

from lensing_core.errors import BrokenModelError
from lensing_core.models.classic import ClassicMember
from lensing_core.models.deep import DeepMember, Precision
from lensing_core.models.encoders.member import EncoderMember
from lensing_core.models.head import HeadMember
from lensing_core.models.manifest import (
    CLASSIC,
    ENCODER,
    MANIFEST,
    NETWORK,
    base_models,
    file_sha256,
    model_folder,
    read_manifest,
)
from lensing_core.models.manifest_form import broken_model
from lensing_core.models.provenance import made_with, package_versions
from lensing_core.models.trees import remember_trees
from lensing_core.workspace import Workspace, check_slug

_DAMAGE = (SafetensorError, KeyError, TypeError, ValueError, AttributeError, IndexError)
AnyMember = ClassicMember | DeepMember | EncoderMember | HeadMember


@dataclass(frozen=True)
class StoredMember:
    """A model of a workspace with its manifest."""

    id: str
    member: AnyMember
    manifest: dict[str, Any]


def with_bases(members: Sequence[StoredMember]) -> list[StoredMember]:
    """Members that look at pixels: those of an ensemble, and those that only its heads need."""
    by_id = {m.id: m for m in members if not isinstance(m.member, HeadMember)}
    for stored in members:
        if isinstance(stored.member, HeadMember):
            for key, base in stored.member.bases.items():
                by_id.setdefault(key, StoredMember(key, cast(AnyMember, base), {}))
    return list(by_id.values())


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
    whole = {
        "id": model_id,
        **member.save(beside),
        **manifest,
        "versions": package_versions(),
        "made_with": made_with(),
    }
    whole["files"] = {path.name: file_sha256(path) for path in sorted(beside.iterdir())}
    (beside / MANIFEST).write_text(json.dumps(whole, indent=1))
    beside.rename(final)
    remember_trees(final)
    return whole


def load_member(
    workspace: Workspace, model_id: str, *, device: str = "cpu", precision: Precision = "auto"
) -> StoredMember:
    """Read a model; raises NotFoundError where there is none."""
    return read_member(model_folder(workspace, model_id), device=device, precision=precision)


def read_member(
    folder: Path, *, device: str = "cpu", precision: Precision = "auto"
) -> StoredMember:
    """Read the model of a folder; a head's base members are read from the folders beside it.

    Raises
    ------
    NotFoundError, BrokenModelError
        As :func:`~lensing_core.models.manifest.read_manifest`, and where what the manifest says
        does not fit the files.
    """
    manifest = read_manifest(folder)
    try:
        member = _load(folder, manifest, device, precision)
    except _DAMAGE as error:
        problem = f"does not fit its files ({type(error).__name__}: {str(error)[:200]})"
        raise BrokenModelError(broken_model(folder / MANIFEST, problem)) from error
    return StoredMember(manifest["id"], member, manifest)


def _load(folder: Path, manifest: dict[str, Any], device: str, precision: Precision) -> AnyMember:
    kind = manifest["kind"]
    if kind == CLASSIC:
        return ClassicMember.load(folder, manifest)
    if kind == NETWORK:
        return DeepMember.load(folder, manifest, device=device, precision=precision)
    if kind == ENCODER:
        return EncoderMember.load(folder, manifest, device=device, precision=precision)
    bases = {
        k: read_member(folder.parent / k, device=device, precision=precision).member
        for k in base_models(manifest)
    }
    return HeadMember.load(folder, manifest, bases)
