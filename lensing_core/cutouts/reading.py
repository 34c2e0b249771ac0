"""Reading shards: one cutout or a batch at a time."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import Float32Array
from lensing_core.cutouts.geometry import CutoutGeometry
from lensing_core.errors import DamagedError, NotFoundError
from lensing_core.stored_arrays import StoredArray

_REMEDY = "Import the catalog again, or restore the file from a backup."


def open_shard(path: Path) -> StoredArray:
    """A file of cutouts; raises NotFoundError or DamagedError."""
    shard = StoredArray.open(path, remedy=_REMEDY)
    if shard.dtype != np.dtype("<f4") or len(shard.shape) != 4:
        raise DamagedError(
            f"{path} does not hold cutouts, but {shard.dtype} of shape {shard.shape}. {_REMEDY}"
        )
    return shard


def _rows_of(sidecar: Path) -> int:
    """Return how many cutouts a shard holds; raises DamagedError."""
    try:
        rows = json.loads(sidecar.read_text())["rows"]
        if type(rows) is not int or rows < 1:
            raise ValueError(f"rows is {rows!r:.40}")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedError(f"{sidecar} cannot be read ({error}). {_REMEDY}") from error
    return rows


class CutoutStore:
    """Read access to a catalog's cutouts, by row index over all shards.

    Opening reads the sidecars only; pixels are read when asked for. Reopen (or call
    :meth:`refresh`) to see shards that were written since.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.geometry = CutoutGeometry.read(folder)
        self.refresh()

    def __reduce__(self) -> tuple[type[CutoutStore], tuple[Path]]:
        """Other processes open the files themselves."""
        return type(self), (self.folder,)

    def refresh(self) -> None:
        """Look for shards again."""
        sidecars = sorted(self.folder.glob("shard-*.json"))
        self._names = [path.stem for path in sidecars]
        self._ends = [0, *accumulate(_rows_of(path) for path in sidecars)]
        self._files: dict[str, StoredArray] = {}
        self.__dict__.pop("has_variance", None)

    def __len__(self) -> int:
        return self._ends[-1]

    @cached_property
    def has_variance(self) -> bool:
        """Return whether every shard carries a variance map."""
        return bool(self._names) and all(
            (self.folder / f"{name}.variance.npy").exists() for name in self._names
        )

    def _file(self, shard: int, suffix: str = "") -> StoredArray:
        name = f"{self._names[shard]}{suffix}.npy"
        if name not in self._files:
            self._files[name] = open_shard(self.folder / name)
        return self._files[name]

    def _locate(self, index: int) -> tuple[int, int]:
        if not 0 <= index < len(self):
            raise NotFoundError(
                f"Cutout {index} of {self.folder.name}: there are {len(self)}, counted from 0."
            )
        shard = bisect_right(self._ends, index) - 1
        return shard, index - self._ends[shard]

    def read(self, index: int) -> Float32Array:
        """One cutout, (band, y, x)."""
        shard, row = self._locate(index)
        return self._file(shard)[row]

    def read_variance(self, index: int) -> Float32Array:
        """The variance of one cutout, (band, y, x); raises NotFoundError where there is none."""
        shard, row = self._locate(index)
        return self._file(shard, ".variance")[row]

    def read_psf(self, index: int) -> Float32Array:
        """The PSF of one cutout, (band, py, px); raises NotFoundError where there is none."""
        shard, row = self._locate(index)
        return self._file(shard, ".psf")[row]

    def read_many(self, indices: Sequence[int] | NDArray[np.integer]) -> Float32Array:
        """A copy of several cutouts, (n, band, y, x), in the order asked for."""
        wanted = np.asarray(indices, dtype=np.int64)
        out = np.empty((len(wanted), *self.geometry.shape), dtype=np.float32)
        if not len(wanted):
            return out
        for bad in wanted[(wanted < 0) | (wanted >= len(self))][:1]:
            self._locate(int(bad))
        shards = np.searchsorted(self._ends, wanted, side="right") - 1
        for shard in np.unique(shards):
            rows = np.flatnonzero(shards == shard)
            self._file(int(shard)).read_into(out, rows, wanted[rows] - self._ends[shard])
        return out

    def batches(
        self, batch_size: int, *, start: int = 0, stop: int | None = None
    ) -> Iterator[tuple[int, Float32Array]]:
        """Yield (first index, cutouts) in order, up to ``batch_size`` rows, never across shards."""
        stop = len(self) if stop is None else min(stop, len(self))
        while start < stop:
            shard, row = self._locate(start)
            count = min(batch_size, stop - start, self._ends[shard + 1] - start)
            yield start, self._file(shard)[row : row + count]
            start += count
