"""What members computed of a catalog, kept so that new heads need no pixels.

Plain memory-mapped ``.npy`` files in the order of the cutouts, in ``embeddings/<model>/``:
``<catalog>.npy`` (embeddings), ``features/<catalog>.npy`` and ``logit/<catalog>.npy``. A row is
there when its logit is a number: logits are written last, and begin as NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from lensing_core.errors import NotFoundError
from lensing_core.models.member import MemberOutput
from lensing_core.workspace import Workspace

Kind = Literal["embedding", "features", "logit"]
KINDS: tuple[Kind, ...] = ("embedding", "features", "logit")
_TYPES = {"embedding": np.float32, "features": np.float32, "logit": np.float64}


def outputs_path(workspace: Workspace, model_id: str, catalog: str, kind: Kind) -> Path:
    """Where one kind of output of a model lies."""
    folder = workspace.embeddings / model_id
    return (folder if kind == "embedding" else folder / kind) / f"{catalog}.npy"


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
        self._files: dict[Kind, np.memmap[Any, Any]] = {}

    def write(self, start: int, output: MemberOutput) -> None:
        """Put the outputs of cutouts from ``start`` on into the files, and onto the disk."""
        for kind in KINDS:
            values = getattr(output, kind)
            if values is None:
                continue
            if kind not in self._files:
                shape = (self._rows, *values.shape[1:])
                self._files[kind] = _open(self._paths[kind], shape, _TYPES[kind])
            self._files[kind][start : start + len(values)] = values
            self._files[kind].flush()


def _open(path: Path, shape: tuple[int, ...], dtype: type) -> np.memmap[Any, Any]:
    """The file, of this shape; what an earlier and shorter one held is kept."""
    path.parent.mkdir(parents=True, exist_ok=True)
    existing = open_memmap(path, mode="r+") if path.exists() else None
    if existing is not None and existing.shape == shape:
        return existing
    beside = path.with_suffix(".part")
    made = open_memmap(beside, mode="w+", dtype=dtype, shape=shape)
    made[:] = np.nan
    if existing is not None and existing.shape[1:] == shape[1:]:
        kept = min(len(existing), len(made))
        made[:kept] = existing[:kept]
    made.flush()
    beside.replace(path)
    return open_memmap(path, mode="r+")


def rows_stored(workspace: Workspace, model_id: str, catalog: str) -> int:
    """How many cutouts, from the first on, have stored outputs of a model."""
    path = outputs_path(workspace, model_id, catalog, "logit")
    if not path.is_file():
        return 0
    missing = np.flatnonzero(~np.isfinite(np.load(path, mmap_mode="r")))
    return int(missing[0]) if len(missing) else len(np.load(path, mmap_mode="r"))


@dataclass(frozen=True)
class StoredOutputs:
    """Stored outputs of one model for a catalog, memory-mapped.

    Attributes
    ----------
    logit : ndarray of shape (n,), float64
    embedding : ndarray of shape (n, d), float32, or None
        Of a network.
    features : ndarray of shape (n, columns), float32, or None
        Of a classic member.
    """

    logit: NDArray[np.float64]
    embedding: NDArray[np.float32] | None
    features: NDArray[np.float32] | None

    @classmethod
    def read(cls, workspace: Workspace, model_id: str, catalog: str, rows: int) -> StoredOutputs:
        """Open what :class:`OutputWriter` wrote of the first ``rows`` cutouts.

        Raises
        ------
        NotFoundError
            If outputs are missing.
        """
        stored = rows_stored(workspace, model_id, catalog)
        if stored < rows:
            raise NotFoundError(
                f"Outputs of model {model_id} are stored for {stored:,} of the {rows:,} candidates "
                f"of catalog {catalog}; score the catalog with an ensemble of that model first."
            )
        paths = {kind: outputs_path(workspace, model_id, catalog, kind) for kind in KINDS}
        return cls(
            np.load(paths["logit"], mmap_mode="r"),
            *(
                np.load(path, mmap_mode="r") if path.is_file() else None
                for path in (paths["embedding"], paths["features"])
            ),
        )

    def output(self, rows: slice | NDArray[np.integer]) -> MemberOutput:
        """The outputs of some cutouts, in memory."""
        return MemberOutput(
            np.array(self.logit[rows]),
            None if self.embedding is None else np.array(self.embedding[rows]),
            features=None if self.features is None else np.array(self.features[rows]),
        )
