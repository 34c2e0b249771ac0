"""Stacks of cutouts in one array: ``.npy``, ``.npz`` and HDF5, read row by row."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np

from lensing_core.errors import BadInputError
from lensing_core.ingest.choices import BandAxis
from lensing_core.ingest.fits_sources import bands_first, check_planes
from lensing_core.ingest.images import BandImage, Calibration, Locator, RowRequest
from lensing_core.ingest.rejection import RowRejected

STACK_SUFFIXES = (".npy", ".npz", ".h5", ".hdf5", ".hdf")
_COMPRESSED_LIMIT = 2**30  # bytes; a compressed array is held in memory by each process


def is_stack(name: str) -> bool:
    """Whether a file name is that of an array file."""
    return name.lower().endswith(STACK_SUFFIXES)


@dataclass(frozen=True)
class Stack:
    """Rows of an array of shape (n, band, y, x), (n, y, x, band) or (n, y, x).

    A file whose array has no row axis (one object a file) is read with ``whole`` set.

    Attributes
    ----------
    dataset : str
        Name within ``.npz`` or HDF5.
    """

    locator: Locator
    calibration: Calibration
    planes: tuple[int, ...]
    axis: BandAxis
    n_planes: int = 0
    dataset: str = ""
    whole: bool = False

    @property
    def bands(self) -> tuple[str, ...]:
        return self.calibration.bands

    def load(self, row: RowRequest) -> Sequence[BandImage | RowRejected]:
        path = self.locator.find(row)
        array = open_array(path, self.dataset)
        source = str(path)
        if self.whole:
            pixels = np.asarray(array)
        else:
            index = row.row_number if row.stack_index is None else row.stack_index
            if not 0 <= index < len(array):
                raise RowRejected(
                    "missing_file",
                    f"{path} has {len(array)} rows, counted from 0; there is no row {index}.",
                    source,
                )
            source = f"{path} row {index}"
            pixels = np.asarray(array[index])
        cube = bands_first(pixels.astype(np.float32), self.axis, source)
        check_planes(len(cube), self.planes, self.n_planes, source)
        return [
            self.calibration.image(k, np.ascontiguousarray(cube[plane]), source)
            for k, plane in enumerate(self.planes)
        ]


@lru_cache(maxsize=8)
def open_array(path: Path, dataset: str = "") -> Any:
    """An array on disk that is read row by row.

    Parameters
    ----------
    dataset : str
        Name within ``.npz`` or HDF5; empty: the only numeric array with two or more axes.

    Raises
    ------
    RowRejected
        missing_file, unreadable_file or unsupported_format.
    BadInputError
        If the name is missing or fits none.
    """
    if not path.is_file():
        raise RowRejected("missing_file", f"{path} does not exist.", str(path))
    try:
        array = _open(path, dataset)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError) as error:
        raise RowRejected(
            "unreadable_file", f"{path} cannot be read: {str(error)[:200]}.", str(path)
        ) from error
    if array.dtype.kind not in "fiu":
        raise RowRejected(
            "unsupported_format", f"{path} holds {array.dtype} values, not numbers.", str(path)
        )
    return array


def _open(path: Path, dataset: str) -> Any:
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return np.load(path, mmap_mode="r", allow_pickle=False)
    if suffix == ".npz":
        with zipfile.ZipFile(path) as archive:
            shapes = {
                info.filename.removesuffix(".npy"): _npy_header(archive, info)
                for info in archive.infolist()
            }
        return _open_npz(path, _choose(path, shapes, dataset))
    file = h5py.File(path, "r")
    shapes = {}

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            shapes[name] = (item.shape, item.dtype)

    file.visititems(note)
    return file[_choose(path, shapes, dataset)]


def _choose(path: Path, shapes: dict[str, tuple[Any, Any]], dataset: str) -> str:
    listing = ", ".join(f"{name} {shape}" for name, (shape, _) in shapes.items())
    if dataset:
        if dataset not in shapes:
            raise BadInputError(f"{path} has no array {dataset!r}; it has {listing}.")
        return dataset
    images = [n for n, (shape, dtype) in shapes.items() if len(shape) >= 2 and dtype.kind in "fiu"]
    deepest = max((len(shapes[n][0]) for n in images), default=0)
    images = [n for n in images if len(shapes[n][0]) == deepest]
    if len(images) != 1:
        raise BadInputError(f"{path}: say which array holds the images; it has {listing}.")
    return images[0]


def _npy_header(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[Any, Any]:
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = read(stream)
    return shape, dtype


def _open_npz(path: Path, name: str) -> Any:
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(f"{name}.npy")
    if info.compress_type != zipfile.ZIP_STORED:
        if info.file_size > _COMPRESSED_LIMIT:
            raise BadInputError(
                f"{path}: a compressed array of {info.file_size / 2**30:.1f} GiB; save it as .npy "
                "or with numpy.savez, so that rows can be read one at a time."
            )
        with np.load(path, allow_pickle=False) as arrays:
            return arrays[name]
    # Stored as it is: map it in place. A local file header has 30 bytes, then two texts.
    with path.open("rb") as stream:
        stream.seek(info.header_offset + 26)
        texts = np.frombuffer(stream.read(4), dtype="<u2")
        stream.seek(info.header_offset + 30 + int(texts.sum()))
        version = np.lib.format.read_magic(stream)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, fortran, dtype = read(stream)
        if dtype.hasobject:
            raise ValueError("it holds Python objects")
        order: Literal["F", "C"] = "F" if fortran else "C"
        return np.memmap(path, dtype, "r", stream.tell(), shape, order)
