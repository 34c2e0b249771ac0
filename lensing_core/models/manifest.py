"""Manifests of models on disk, read and checked without torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.workspace import Workspace, check_slug

MANIFEST = "manifest.json"
CLASSIC, NETWORK, HEAD, ENCODER = "lightgbm", "network", "pu_head", "encoder"
KINDS = (CLASSIC, NETWORK, HEAD, ENCODER)


def model_folder(workspace: Workspace, model_id: str) -> Path:
    """Where a model lies."""
    return workspace.models / check_slug(model_id, what="Model")


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder's model, whose files are as they were written.

    Raises
    ------
    NotFoundError
        If there is no model, or one of a kind that this program does not know.
    BadInputError
        If a file is missing or is not the one that was written.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        files, kind, _ = manifest["files"], manifest["kind"], manifest["id"]
        if not isinstance(files, dict) or not isinstance(kind, str):
            raise TypeError("files or kind has another type")
    except FileNotFoundError:
        raise NotFoundError(f"There is no model in {folder}.") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadInputError(
            f"{folder / MANIFEST} is damaged ({type(error).__name__}: {error}); train the model "
            "again, or restore its folder."
        ) from error
    for name, digest in files.items():
        path = folder / check_file_name(name)
        if not path.is_file() or file_sha256(path) != digest:
            what = "has changed since it was written" if path.is_file() else "is missing"
            raise BadInputError(f"{path} {what}; train the model again, or restore its folder.")
    if kind not in KINDS:
        raise NotFoundError(f"{folder} holds a model of unknown kind {kind!r}.")
    return manifest


def base_models(manifest: dict[str, Any]) -> tuple[str, ...]:
    """Ids of the models that a head needs, each once; of other models none."""
    if manifest["kind"] != HEAD:
        return ()
    ids = (check_slug(given["model"], what="Model") for given in manifest["inputs"])
    return tuple(dict.fromkeys(ids))


def check_file_name(name: str) -> str:
    """``name`` if it names a file of the model's own folder, else BadInputError."""
    if Path(name).name != name:
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


_OF_ENSEMBLE: dict[str, type] = {
    "rule": dict, "catalogs": list, "figures": dict, "figures_on": str, "settings": dict,
    "splits": dict, "origins": dict, "base": str, "calibration_note": str,
}  # fmt: skip


def ensemble_problem(manifest: Any) -> str:
    """What is wrong with the manifest of an ensemble; '' for nothing. Parts may be missing."""
    if not isinstance(manifest, dict):
        return "its manifest is no object"
    for name, kind in _OF_ENSEMBLE.items():
        if name in manifest and not isinstance(manifest[name], kind):
            return f"{name} of its manifest is {manifest[name]!r:.40}"
    if not all(isinstance(name, str) for name in manifest.get("catalogs", [])):
        return "catalogs of its manifest are not names"
    for name, figures in manifest.get("figures", {}).items():
        if not isinstance(figures, dict):
            return f"figures of {name} in its manifest are {figures!r:.40}"
    return ""
