"""Reading shards: one cutout or a batch at a time."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lensing_core.cutouts.geometry import CutoutGeometry
from lensing_core.errors import DamagedError, NotFoundError


@dataclass(frozen=True)
class ShardFile:
    """A file of cutouts, opened anew for each read.

    It is not mapped: a mapped file that somebody cuts off ends the process that looks at it.
    """

    path: Path
    start: int
    shape: tuple[int, ...]

    @classmethod
    def open(cls, path: Path) -> ShardFile:
        """Read the header; raises NotFoundError or DamagedError."""
        try:
            with path.open("rb") as stream:
                np.lib.format.read_magic(stream)
                shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
                start = stream.tell()
        except FileNotFoundError:
            raise NotFoundError(f"{path} is missing.") from None
        except ValueError as error:
            raise DamagedError(f"{path} is damaged: {error}.") from error
        if fortran or dtype != np.dtype("<f4") or len(shape) != 4:
            raise DamagedError(f"{path} does not hold cutouts, but {dtype} of shape {shape}.")
        return cls(path, start, shape)

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Rows ``start`` to ``stop``."""
        out = np.empty((stop - start, *self.shape[1:]), dtype="<f4")
        self.read_into(out, range(len(out)), [start], run=len(out))
        return out

    def read_into(
        self,
        out: NDArray[np.float32],
        places: Sequence[int] | NDArray[np.integer],
        rows: Sequence[int] | NDArray[np.integer],
        *,
        run: int = 1,
    ) -> None:
        """Put each ``run`` rows of the file that begin at ``rows`` into ``out`` at ``places``."""
        size = 4 * prod(self.shape[1:])
        try:
            with io.FileIO(self.path) as stream:
                for place, row in zip(places, rows, strict=False):
                    room = out[place : place + run].reshape(-1).view(np.uint8).data
                    stream.seek(self.start + int(row) * size)
                    if row + run > self.shape[0] or not _fill(stream, room):
                        raise DamagedError(
                            f"{self.path} ends before cutout {int(row) + run - 1}: it is damaged. "
                            "Import the catalog again, or restore the file from a backup."
                        )
        except FileNotFoundError:
            raise NotFoundError(f"{self.path} is missing.") from None
        except OSError as error:
            raise DamagedError(f"{self.path} cannot be read: {error}.") from error


def _fill(stream: io.FileIO, room: memoryview) -> bool:
    """Read as much as ``room`` holds; whether there was so much."""
    while room:
        count = stream.readinto(room)
        if not count:
            return False
        room = room[count:]
    return True


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
        rows = [json.loads(path.read_text())["rows"] for path in sidecars]
        self._ends = np.cumsum([0, *rows])
        self._files: dict[str, ShardFile] = {}
        self.__dict__.pop("has_variance", None)

    def __len__(self) -> int:
        return int(self._ends[-1])

    @cached_property
    def has_variance(self) -> bool:
        """Whether every shard carries a variance map."""
        return bool(self._names) and all(
            (self.folder / f"{name}.variance.npy").exists() for name in self._names
        )

    def _file(self, shard: int, suffix: str = "") -> ShardFile:
        name = f"{self._names[shard]}{suffix}.npy"
        if name not in self._files:
            self._files[name] = ShardFile.open(self.folder / name)
        return self._files[name]

    def _locate(self, index: int) -> tuple[int, int]:
        if not 0 <= index < len(self):
            raise NotFoundError(
                f"Cutout {index} of {self.folder.name}: there are {len(self)}, counted from 0."
            )
        shard = int(np.searchsorted(self._ends, index, side="right")) - 1
        return shard, index - int(self._ends[shard])

    def read(self, index: int) -> NDArray[np.float32]:
        """One cutout, (band, y, x)."""
        shard, row = self._locate(index)
        return self._file(shard).read(row, row + 1)[0]

    def read_variance(self, index: int) -> NDArray[np.float32]:
        """The variance of one cutout, (band, y, x); raises NotFoundError where there is none."""
        shard, row = self._locate(index)
        return self._file(shard, ".variance").read(row, row + 1)[0]

    def read_psf(self, index: int) -> NDArray[np.float32]:
        """The PSF of one cutout, (band, py, px); raises NotFoundError where there is none."""
        shard, row = self._locate(index)
        return self._file(shard, ".psf").read(row, row + 1)[0]

    def read_many(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[np.float32]:
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
    ) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield (first index, cutouts) in order, up to ``batch_size`` rows, never across shards."""
        stop = len(self) if stop is None else min(stop, len(self))
        while start < stop:
            shard, row = self._locate(start)
            count = min(batch_size, stop - start, int(self._ends[shard + 1]) - start)
            yield start, self._file(shard).read(row, row + count)
            start += count
