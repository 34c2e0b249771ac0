"""Maps of stored embeddings: projected once for a model and its catalogs, and kept in the cache."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from lensing_core.arrays import Float32Array
from lensing_core.charts.projection import fit_plane
from lensing_core.disk import replacing
from lensing_core.errors import NotFoundError
from lensing_core.models.outputs import outputs_path, stored_output
from lensing_core.workspace import Workspace, check_slug

_lock = Lock()  # two pages that ask for one map wait for one computation


@dataclass(frozen=True)
class EmbeddingMap:
    """Positions of the cutouts of some catalogs on a model's map.

    Attributes
    ----------
    model : str
    explained : float
        Share of the embeddings' variance that the map shows.
    places : dict of str to ndarray of shape (n, 2)
        By catalog, in the order of its cutouts; NaN where no embedding is stored.
    """

    model: str
    explained: float
    places: dict[str, Float32Array]


def embedding_map(
    workspace: Workspace, models: Sequence[str], catalogs: Sequence[str]
) -> EmbeddingMap:
    """The map of the first of some models that has embeddings of any of the catalogs.

    Computed where it is not in the cache, or where embeddings have changed since; memory is of the
    order of a batch and of the map.

    Raises
    ------
    NotFoundError
        If no model has any.
    BadInputError
        If there are too few, or all are alike.
    """
    for model in models:
        paths = {c: outputs_path(workspace, model, c, "embedding") for c in catalogs}
        paths = {c: path for c, path in paths.items() if path.is_file()}
        if paths:
            with _lock:
                return _kept(workspace, model, paths) or _make(workspace, model, paths)
    raise NotFoundError(
        "No embeddings are stored for these catalogs: score them with an ensemble that has a "
        "network."
    )


def _file(workspace: Workspace, model: str) -> Path:
    return workspace.cache / "maps" / f"{check_slug(model, what='Model')}.npz"


def _fingerprint(paths: dict[str, Path]) -> dict[str, list[int]]:
    return {c: [(s := path.stat()).st_size, s.st_mtime_ns] for c, path in sorted(paths.items())}


def _kept(workspace: Workspace, model: str, paths: dict[str, Path]) -> EmbeddingMap | None:
    try:
        with np.load(_file(workspace, model), allow_pickle=False) as stored:
            about = json.loads(str(stored["about"]))
            if about["of"] != _fingerprint(paths):
                return None
            places = {c: stored[f"catalog-{c}"] for c in paths}
            return EmbeddingMap(model, about["explained"], places)
    except (OSError, KeyError, ValueError):
        return None


def _make(workspace: Workspace, model: str, paths: dict[str, Path]) -> EmbeddingMap:
    fingerprint = _fingerprint(paths)
    stored = {c: stored_output(path) for c, path in paths.items()}
    tables = {c: table for c, table in stored.items() if table is not None}
    if not tables:
        raise NotFoundError("The embeddings were removed meanwhile.")
    plane = fit_plane(list(tables.values()))
    made = EmbeddingMap(
        model, plane.explained, {c: plane.project(table) for c, table in tables.items()}
    )
    target = _file(workspace, model)
    target.parent.mkdir(parents=True, exist_ok=True)
    about = json.dumps({"of": fingerprint, "explained": made.explained})
    arrays: dict[str, Any] = {f"catalog-{c}": places for c, places in made.places.items()}
    with replacing(target) as beside, beside.open("wb") as stream:
        np.savez(stream, about=np.array(about), **arrays)
    return made
