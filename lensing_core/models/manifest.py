"""Manifests of models on disk, read and checked without torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lensing_core.errors import BadInputError, BrokenModelError, NotFoundError
from lensing_core.models.manifest_form import broken_model, check_model_manifest
from lensing_core.workspace import Workspace, check_slug

MANIFEST = "manifest.json"
CLASSIC, NETWORK, HEAD, ENCODER = "lightgbm", "network", "pu_head", "encoder"


def model_folder(workspace: Workspace, model_id: str) -> Path:
    """Folder of a model."""
    return workspace.models / check_slug(model_id, what="Model")


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder's model, whose files are as they were written.

    Raises
    ------
    NotFoundError
        If there is no model.
    BrokenModelError
        If the manifest has not the form that the program writes, or a file is missing or is not
        the one that was written.
    """
    path = folder / MANIFEST
    try:
        manifest = check_model_manifest(json.loads(path.read_text()), path)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(
            f"There is no model in {folder}; restore the folder from a backup, or train the model "
            "again."
        ) from None
    except (ValueError, RecursionError) as error:
        raise BrokenModelError(broken_model(path, f"is damaged ({error})")) from error
    for name, digest in manifest["files"].items():
        path = folder / check_file_name(name)
        if not path.is_file() or file_sha256(path) != digest:
            what = "has changed since it was written" if path.is_file() else "is missing"
            raise BrokenModelError(broken_model(path, what))
    return manifest


def base_models(manifest: dict[str, Any]) -> tuple[str, ...]:
    """Ids of the models that a head needs, each once; of other models none."""
    if manifest["kind"] != HEAD:
        return ()
    ids = (check_slug(given["model"], what="Model") for given in manifest["inputs"])
    return tuple(dict.fromkeys(ids))


def manifests_with_bases(folder: Path, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Manifests of models below ``folder`` and of those that they build on, by id."""
    manifests: dict[str, dict[str, Any]] = {}
    waiting = list(ids)
    while waiting:
        model_id = check_slug(waiting.pop(0), what="Model")
        if model_id not in manifests:
            manifests[model_id] = read_manifest(folder / model_id)
            waiting += base_models(manifests[model_id])
    return manifests


def check_file_name(name: str) -> str:
    """``name`` if it names a file of the model's own folder, else BadInputError."""
    if not name or Path(name).name != name or "\0" in name:
        raise BadInputError(f"A model's manifest names the file {name!r}, outside its folder.")
    return name


def check_names(names: Iterable[str], files: Mapping[str, str], where: Path) -> None:
    """Raise BadInputError unless a manifest has the hash of every named file."""
    for name in names:
        if check_file_name(name) not in files:
            raise BadInputError(
                f"{where} names {name}, which the model's manifest does not; restore its folder."
            )


def file_sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
