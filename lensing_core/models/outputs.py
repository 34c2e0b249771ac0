"""Stored outputs of members on a catalog, so that new heads need no pixels.

Plain ``.npy`` files in the order of the cutouts, in ``embeddings/<model>/``:
``<catalog>.npy`` (embeddings), ``features/<catalog>.npy`` and ``logit/<catalog>.npy``. A row is
there when its logit is a number: logits are written last, and begin as NaN.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from lensing_core.disk import replacing
from lensing_core.errors import DamagedError, NotFoundError
from lensing_core.models.member import MemberOutput
from lensing_core.stored_arrays import StoredArray
from lensing_core.workspace import Workspace

Kind = Literal["embedding", "features", "logit"]
KINDS: tuple[Kind, ...] = ("embedding", "features", "logit")
_TYPES: dict[Kind, np.dtype[Any]] = {
    "embedding": np.dtype("<f4"),
    "features": np.dtype("<f4"),
    "logit": np.dtype("<f8"),
}
_BYTES_AT_ONCE = 16 * 2**20


def outputs_path(workspace: Workspace, model_id: str, catalog: str, kind: Kind) -> Path:
    """Path of one kind of output of a model."""
    folder = workspace.embeddings / model_id
    return (folder if kind == "embedding" else folder / kind) / f"{catalog}.npy"


def stored_output(path: Path) -> StoredArray | None:
    """One kind of output of a model for a catalog; None where there is none.

    Raises
    ------
    DamagedError
    """
    try:
        return StoredArray.open(path, remedy="Score the catalog with the model again.")
    except NotFoundError:
        return None


class OutputWriter:
    """Writes the outputs of one model for a catalog, a batch at a time.

    Parameters
    ----------
    rows : int
        Cutouts of the catalog; files of a catalog that has grown since grow with it.
    """

    def __init__(self, workspace: Workspace, model_id: str, catalog: str, rows: int) -> None:
        self._paths = {kind: outputs_path(workspace, model_id, catalog, kind) for kind in KINDS}
        self._rows = rows
        self._starts: dict[Kind, int] = {}  # where in a file the values begin
        if _any_damaged(self._paths.values()):
            self._paths["logit"].unlink(missing_ok=True)  # no row is stored any longer

    def write(self, start: int, output: MemberOutput) -> None:
        """Put the outputs of cutouts from ``start`` on into the files, and onto the disk."""
        for kind in KINDS:
            values = getattr(output, kind)
            if values is None:
                continue
            values = np.ascontiguousarray(values, dtype=_TYPES[kind])
            if kind not in self._starts:
                self._starts[kind] = _prepare(
                    self._paths[kind], (self._rows, *values.shape[1:]), _TYPES[kind]
                )
            with self._paths[kind].open("r+b") as stream:
                stream.seek(self._starts[kind] + start * values[:1].nbytes)
                stream.write(values.data)
                _sync(stream)


def _prepare(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    """Make a file of this shape, if there is none; return where its values begin.

    What an earlier and shorter one held is kept; a damaged one is begun anew.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    existing = _whole(path)
    if existing is not None and (existing.shape, existing.dtype) == (shape, dtype):
        return existing.start
    kept = 0
    if existing is not None and (existing.shape[1:], existing.dtype) == (shape[1:], dtype):
        kept = min(len(existing), shape[0])
    at_once = max(1, _BYTES_AT_ONCE // (dtype.itemsize * prod(shape[1:])))
    with _replacing(path) as stream:
        header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, header)
        begin = stream.tell()
        for at in range(0, shape[0], at_once):
            part = np.full((min(at_once, shape[0] - at), *shape[1:]), np.nan, dtype)
            if existing is not None and at < kept:
                part[: kept - at] = existing[at : min(at + len(part), kept)]
            stream.write(part.data)
    return begin


def _whole(path: Path) -> StoredArray | None:
    """A file that holds all that its header says; None for another."""
    try:
        stored = stored_output(path)
    except DamagedError:
        return None
    return stored if stored is not None and stored.is_whole else None


def _any_damaged(paths: Iterable[Path]) -> bool:
    return any(path.exists() and _whole(path) is None for path in paths)


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of ``path`` when it is written."""
    with replacing(path) as beside, beside.open("wb") as stream:
        yield stream
        _sync(stream)


def _sync(stream: IO[bytes]) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def bytes_to_store(
    workspace: Workspace, model_id: str, manifest: Mapping[str, Any], catalog: str, rows: int
) -> int:
    """Bytes that the outputs of a model for a catalog need beyond those that are there.

    Parameters
    ----------
    manifest : mapping
        Of the model; a head has no outputs to store.
    """
    widths: dict[Kind, int] = {
        "embedding": 4 * int(manifest.get("embedding_dim", 0)),
        "features": 4 * len(manifest.get("features", {}).get("names", ())),
    }
    if any(widths.values()):
        widths["logit"] = 8
    total = 0
    for kind, width in widths.items():
        path = outputs_path(workspace, model_id, catalog, kind)
        total += max(0, rows * width - (path.stat().st_size if path.is_file() else 0))
    return total


def rows_stored(workspace: Workspace, model_id: str, catalog: str) -> int:
    """Return how many cutouts, from the first on, have stored outputs of a model.

    None where a file is damaged: scoring the catalog makes it anew.
    """
    paths = {kind: outputs_path(workspace, model_id, catalog, kind) for kind in KINDS}
    logit = _whole(paths["logit"])
    if logit is None or _any_damaged(paths.values()):
        return 0
    missing = np.flatnonzero(~np.isfinite(logit[:]))
    return int(missing[0]) if len(missing) else len(logit)


@dataclass(frozen=True)
class StoredOutputs:
    """Stored outputs of one model for a catalog, read by rows.

    Attributes
    ----------
    logit : StoredArray of shape (n,), float64
    embedding : StoredArray of shape (n, d), float32, or None
        Of a network.
    features : StoredArray of shape (n, columns), float32, or None
        Of a classic member.
    """

    logit: StoredArray
    embedding: StoredArray | None
    features: StoredArray | None

    @classmethod
    def read(cls, workspace: Workspace, model_id: str, catalog: str, rows: int) -> StoredOutputs:
        """Open what :class:`OutputWriter` wrote of the first ``rows`` cutouts.

        Raises
        ------
        NotFoundError
            If outputs are missing or damaged.
        """
        stored = rows_stored(workspace, model_id, catalog)
        if stored < rows:
            raise NotFoundError(
                f"Outputs of model {model_id} are stored for {stored:,} of the {rows:,} candidates "
                f"of catalog {catalog}; score the catalog with an ensemble of that model first."
            )
        logit, embedding, features = (
            stored_output(outputs_path(workspace, model_id, catalog, kind))
            for kind in ("logit", "embedding", "features")
        )
        if logit is None:
            raise NotFoundError(f"Outputs of model {model_id} of catalog {catalog} were removed.")
        return cls(logit, embedding, features)

    def output(self, rows: slice | NDArray[np.integer]) -> MemberOutput:
        """The outputs of some cutouts, in memory."""
        return MemberOutput(
            self.logit[rows],
            None if self.embedding is None else self.embedding[rows],
            features=None if self.features is None else self.features[rows],
        )
