"""Stacks of cutouts in one array: ``.npy``, ``.npz`` and HDF5, read row by row."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import IO, Any, Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from lensing_core.errors import BadInputError
from lensing_core.ingest.band_calibration import BandCalibration
from lensing_core.ingest.choices import BandAxis
from lensing_core.ingest.fits_sources import bands_first, check_planes
from lensing_core.ingest.guard import guarded, opening
from lensing_core.ingest.images import BandImage, RowRequest
from lensing_core.ingest.limits import check_expanded, check_pixels
from lensing_core.ingest.locators import Locator
from lensing_core.ingest.pictures import picture_bands
from lensing_core.ingest.rejection import RowRejected

STACK_SUFFIXES = (".npy", ".npz", ".h5", ".hdf5", ".hdf")
_MOST_MEMBERS = 10_000


def is_stack(name: str) -> bool:
    """Return whether a file name is that of an array file."""
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
    calibration: BandCalibration
    planes: tuple[int, ...]
    axis: BandAxis
    n_planes: int = 0
    dataset: str = ""
    whole: bool = False

    @property
    def bands(self) -> tuple[str, ...]:
        return self.calibration.bands

    def load(self, row: RowRequest) -> Sequence[BandImage | RowRejected]:
        pixels, source = _object_of(row, self.locator.find(row), self.dataset, whole=self.whole)
        cube = bands_first(pixels.astype(np.float32), self.axis, source)
        check_planes(len(cube), self.planes, self.n_planes, source)
        return [
            self.calibration.image(k, np.ascontiguousarray(cube[plane]), source)
            for k, plane in enumerate(self.planes)
        ]


@dataclass(frozen=True)
class PictureStack:
    """Pictures in one array of bytes, (n, y, x, color) or (n, color, y, x), the top row first.

    Attributes
    ----------
    axis : {'first', 'last'}
        Of the colors R, G, B (and opacity) of one picture.
    """

    locator: Locator
    pixel_scale_arcsec: float
    axis: BandAxis
    frame_px: int = 0
    dataset: str = ""
    whole: bool = False
    bands: tuple[str, ...] = ("R", "G", "B")

    def load(self, row: RowRequest) -> Sequence[BandImage | RowRejected]:
        pixels, source = _object_of(row, self.locator.find(row), self.dataset, whole=self.whole)
        if picture_axis(pixels.dtype, pixels.shape) != self.axis:
            raise RowRejected(
                "wrong_shape",
                f"{source}: an array of {pixels.dtype} of shape {pixels.shape}, no picture.",
                source,
            )
        last = np.moveaxis(pixels, 0, -1) if self.axis == "first" else pixels
        return picture_bands(last, self.frame_px, self.pixel_scale_arcsec, source)


def picture_axis(dtype: np.dtype[Any], shape: tuple[int, ...]) -> BandAxis | None:
    """The axis of colors of one object's array; None where it is no picture.

    A picture is made of bytes and has three colors, or four with opacity.
    """
    if dtype != np.uint8 or len(shape) != 3:
        return None
    if shape[-1] in (3, 4):
        return "last"
    return "first" if shape[0] in (3, 4) else None


def _object_of(
    row: RowRequest, path: Path, dataset: str, *, whole: bool
) -> tuple[NDArray[Any], str]:
    """The array of one object, and where it stands."""
    array = open_array(path, dataset)
    check_pixels(array.shape if whole else array.shape[1:], path, "an array")
    if whole:
        return np.asarray(array), str(path)
    index = row.row_number if row.stack_index is None else row.stack_index
    if not 0 <= index < len(array):
        raise RowRejected(
            "missing_file",
            f"{path} has {len(array)} rows, counted from 0; there is no row {index}.",
            str(path),
        )
    return np.asarray(array[index]), f"{path} row {index}"


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
        missing_file, not_a_file, unreadable_file, too_large or unsupported_format.
    BadInputError
        If the name is missing or fits none.
    """
    opening(path)
    try:
        with guarded(str(path)):
            array = _open(path, dataset)
    except RowRejected as problem:
        if isinstance(problem.__cause__, BadInputError):
            raise problem.__cause__ from problem
        raise
    if array.dtype.kind not in "fiu":
        raise RowRejected(
            "unsupported_format", f"{path} holds {array.dtype} values, not numbers.", str(path)
        )
    return array


def _open(path: Path, dataset: str) -> Any:
    with path.open("rb") as stream:
        first = stream.read(6)
    if first == b"\x93NUMPY":
        return np.load(path, mmap_mode="r", allow_pickle=False)
    if first.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_members(len(members))
            shapes = {
                info.filename.removesuffix(".npy"): _member(archive, info) for info in members
            }
        return _open_npz(path, _choose(path, shapes, dataset))
    file = h5py.File(path, "r")
    shapes = {}

    def note(name: str, item: Any) -> None:
        _check_members(len(shapes))
        if isinstance(item, h5py.Dataset):
            shapes[name] = (item.shape, item.dtype)

    file.visititems(note)  # which follows no link to another file
    found = file[_choose(path, shapes, dataset)]
    if found.is_virtual or found.external:
        raise RowRejected(
            "unsupported_format",
            f"{path}: the array {found.name} takes its values from other files; copy them into it.",
            str(path),
        )
    if found.chunks:
        check_pixels(found.chunks, path, "chunks")
    return found


def _check_members(count: int) -> None:
    if count > _MOST_MEMBERS:
        raise ValueError(f"it holds more than {_MOST_MEMBERS:,} arrays")


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


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[Any, Any]:
    """Shape and type of an array of an ``.npz``, which must be as large as it says."""
    with archive.open(info) as stream:
        shape, _, dtype = _npy_header(stream)
    if prod(shape) * dtype.itemsize > info.file_size:
        raise ValueError(f"{info.filename} is declared larger than it is")
    return shape, dtype


def _npy_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether the first axis is the fastest, and type."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    return np.lib.format.read_array_header_2_0(stream)


def _open_npz(path: Path, name: str) -> Any:
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(f"{name}.npy")
    if info.compress_type != zipfile.ZIP_STORED:
        check_expanded(info.file_size, path)  # such an array is held in memory
        with np.load(path, allow_pickle=False) as arrays:
            return arrays[name]
    # Stored as it is: map it in place. A local file header has 30 bytes, then two texts.
    with path.open("rb") as stream:
        stream.seek(info.header_offset + 26)
        texts = np.frombuffer(stream.read(4), dtype="<u2")
        stream.seek(info.header_offset + 30 + int(texts.sum()))
        shape, fortran, dtype = _npy_header(stream)
        if dtype.hasobject:
            raise ValueError("it holds Python objects")
        order: Literal["F", "C"] = "F" if fortran else "C"
        return np.memmap(path, dtype, "r", stream.tell(), shape, order)
