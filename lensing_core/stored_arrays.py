"""Rows of ``.npy`` files, read when they are asked for.

Files are not mapped: a mapped file that is cut off ends the process that looks at it. Files that
were read stay open, up to a number of them, and are opened again when another one took their place.
"""

from __future__ import annotations

import math
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lensing_core.errors import DamagedError, NotFoundError

_REMEDY = "Restore it from a backup."
_MOST_OPEN = 128
_LOOK_AGAIN_S = 0.05  # a look costs as much as reading a quarter of a cutout
_MAGIC_BYTES = 12  # with the length of the header, of any version
_MOST_HEADER_BYTES = 65_536

Rows = Sequence[int] | NDArray[np.integer]


@dataclass(frozen=True)
class StoredArray:
    """An array in a ``.npy`` file, whose rows (along the first axis) are read by indexing.

    Attributes
    ----------
    path : Path
    shape : tuple of int
    dtype : dtype
    remedy : str
        What to do about a damaged file: the end of error messages.
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    remedy: str = _REMEDY

    @classmethod
    def open(cls, path: Path, *, remedy: str = _REMEDY) -> StoredArray:
        """Read the header.

        Raises
        ------
        NotFoundError
        DamagedError
            If it is no ``.npy`` file of rows.
        """
        opened = _open(path, remedy, anew=True)
        return cls(path, opened.shape, opened.dtype, remedy)

    @property
    def start(self) -> int:
        """Offset of the values in the file, bytes."""
        return self._open().start

    @property
    def is_whole(self) -> bool:
        """Return whether the file is as long as its header says."""
        opened = self._open()
        return opened.size >= opened.start + math.prod(opened.shape) * opened.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: int | slice | NDArray[Any]) -> NDArray[Any]:
        """One row, or a copy of several; raises NotFoundError or DamagedError."""
        if isinstance(rows, int | np.integer):
            if not -len(self) <= rows < len(self):
                raise IndexError(f"row {rows} of {self.path}")
            out = np.empty(self.shape[1:], self.dtype)
            self._read_run(self._open(), out, int(rows) % len(self), 1)
            return out
        if isinstance(rows, slice):
            wanted = np.arange(len(self))[rows]
        else:
            wanted = np.flatnonzero(rows) if rows.dtype == bool else rows
        out = np.empty((len(wanted), *self.shape[1:]), self.dtype)
        self.read_into(out, np.arange(len(wanted)), wanted)
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All rows."""
        return self[:] if dtype is None else self[:].astype(dtype, copy=False)

    def read_into(self, out: NDArray[Any], places: Rows, rows: Rows) -> None:
        """Put rows of the file into ``out`` at ``places``; neighbors in both are read together.

        Parameters
        ----------
        out : ndarray of shape (n, ...)
            In C order, of the type of the file.
        """
        places, rows = np.asarray(places), np.asarray(rows)
        if not len(rows):
            return
        opened = self._open()
        ends = np.flatnonzero((np.diff(rows) != 1) | (np.diff(places) != 1)) + 1
        for begin, end in zip([0, *ends.tolist()], [*ends.tolist(), len(rows)], strict=True):
            buffer = out[places[begin] : places[end - 1] + 1]
            self._read_run(opened, buffer, int(rows[begin]), end - begin)

    def _open(self) -> _OpenFile:
        opened = _open(self.path, self.remedy, anew=False)
        if opened.shape[1:] != self.shape[1:] or opened.dtype != self.dtype:
            raise DamagedError(
                f"{self.path} was replaced by another array, of {opened.dtype} and shape "
                f"{opened.shape}. {self.remedy}"
            )
        return opened

    def _read_run(self, opened: _OpenFile, buffer: NDArray[Any], row: int, count: int) -> None:
        """Read rows that follow each other."""
        if row < 0:
            raise IndexError(f"row {row} of {self.path}")
        size = buffer.nbytes // count
        if row + count > opened.shape[0]:
            raise self._ends_before(opened.shape[0])
        try:
            done = opened.read_into(
                buffer.reshape(-1).view(np.uint8).data, opened.start + row * size
            )
        except OSError as error:
            raise _unreadable(self.path, error, self.remedy) from error
        if done < buffer.nbytes:
            raise self._ends_before(row + done // size)

    def _ends_before(self, row: int) -> DamagedError:
        return DamagedError(f"{self.path} ends before row {row}: it is damaged. {self.remedy}")


class _OpenFile:
    """An open file with what its header says; closed when nobody holds it any longer."""

    def __init__(self, path: Path) -> None:
        self.looked_at = -math.inf
        self._number = -1
        self._number = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        status = os.fstat(self._number)
        self.fingerprint, self.size = _fingerprint(status), status.st_size
        first = self._bytes(_MAGIC_BYTES)
        begin = 10 if first[6:7] == b"\x01" else 12
        length = int.from_bytes(first[8:begin], "little")
        if first[:6] != b"\x93NUMPY" or length > _MOST_HEADER_BYTES:
            raise ValueError("it is no .npy file")
        self.start, self.shape, self.dtype = _parse(self._bytes(begin + length))

    def __del__(self) -> None:
        if self._number >= 0:
            os.close(self._number)

    def _bytes(self, count: int) -> bytes:
        content = bytearray(count)
        return bytes(content[: self.read_into(memoryview(content), 0)])

    def read_into(self, buffer: memoryview, start: int) -> int:
        """Read from ``start`` on as much as ``buffer`` holds; how much there was."""
        done = count = _read_at(self._number, buffer, start)
        while count and done < len(buffer):
            count = _read_at(self._number, buffer[done:], start + done)
            done += count
        return done


if hasattr(os, "preadv"):

    def _read_at(number: int, buffer: memoryview, start: int) -> int:
        return os.preadv(number, [buffer], start)

else:  # Windows: no reading at a place, so one thread at a time
    _position = threading.Lock()

    def _read_at(number: int, buffer: memoryview, start: int) -> int:
        with _position:
            os.lseek(number, start, os.SEEK_SET)
            content = os.read(number, len(buffer))
        buffer[: len(content)] = content
        return len(content)


def parse_header(header: bytes) -> tuple[int, tuple[int, ...], np.dtype[Any]]:
    """Offset of the values (bytes), shape and type, from the beginning of a file.

    Raises
    ------
    ValueError
        If it holds no rows of numbers or text, in C order.
    """
    stream = BytesIO(header)
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        else:
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
    except Exception as error:  # of a damaged header numpy raises whatever its parser does
        raise ValueError(f"its header cannot be read ({error})") from error
    if fortran or dtype.hasobject or not shape or min(shape) < 0:
        raise ValueError(f"it holds no rows of numbers, but {dtype} of shape {shape}")
    return stream.tell(), shape, dtype


_parse = lru_cache(maxsize=256)(parse_header)
_opened: OrderedDict[str, _OpenFile] = OrderedDict()
_lock = threading.Lock()


def _open(path: Path, remedy: str, *, anew: bool) -> _OpenFile:
    """The file, opened before or now.

    Parameters
    ----------
    anew : bool
        Whether to look in any case if another file took its place; else after a moment only.
    """
    name = os.fspath(path)  # text is found faster than a path
    now = monotonic()
    with _lock:
        file = _opened.get(name)
        if file is not None:
            _opened.move_to_end(name)
    if file is not None and not anew and now - file.looked_at < _LOOK_AGAIN_S:
        return file
    try:
        if file is None or file.fingerprint != _fingerprint(os.stat(name)):
            file = _OpenFile(path)
    except FileNotFoundError:
        raise NotFoundError(f"{path} is missing.") from None
    except ValueError as error:
        raise DamagedError(f"{path} is damaged: {error}. {remedy}") from error
    except OSError as error:
        raise _unreadable(path, error, remedy) from error
    file.looked_at = now
    with _lock:
        _opened[name] = file
        _opened.move_to_end(name)
        while len(_opened) > _MOST_OPEN:
            _opened.popitem(last=False)
    return file


def _fingerprint(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _unreadable(path: Path, error: OSError, remedy: str) -> DamagedError:
    return DamagedError(f"{path} cannot be read: {error.strerror or error}. {remedy}")
