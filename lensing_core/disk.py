"""Room on disks: asked for before anything is written, and reserved where a file is mapped.

A mapped file whose disk fills up ends its process (SIGBUS), so such files get all their blocks
first.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lensing_core.errors import BadInputError, StorageError

MARGIN = 1.1
SPARE_BYTES = 32 * 2**20
"""Left free beside what is needed: for the log of the database, locks and output of runs."""
_UNITS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"))


def require_space(folder: Path, needed: int, what: str) -> None:
    """Raise StorageError where the disk of a folder has too little room.

    Parameters
    ----------
    folder : Path
        It may not exist yet.
    needed : int
        Bytes, as exact as they are known; a margin is added.
    what : str
        What needs them, as the beginning of the sentence.
    """
    wanted = int(needed * MARGIN) + SPARE_BYTES
    free = shutil.disk_usage(_existing(folder)).free
    if free < wanted:
        raise StorageError(
            f"{what} needs {_shown(wanted)} on the disk of {folder}, where {_shown(free)} are "
            "free; free some space there, or use a workspace on a larger disk."
        )


def reserve(path: Path, size: int) -> None:
    """Make a file of ``size`` bytes, zeros, whose blocks are all taken from the disk already.

    Raises
    ------
    OSError
        Naming the file, if the disk has too little room; no file is left.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:  # macOS: the file may be sparse
            os.ftruncate(descriptor, size)
    except OSError as error:
        path.unlink()
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        os.close(descriptor)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Path of a file beside ``path``, which takes its place if the block ends well.

    Else it is removed: nothing half-written stays, whatever the disk refuses.
    """
    beside = path.with_name(path.name + ".part")
    try:
        yield beside
        beside.replace(path)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def check_new_folder(folder: Path) -> None:
    """Raise BadInputError unless a folder is new or empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInputError(f"{folder} is there already and is not empty: give another folder.")
    if not folder.parent.is_dir():
        raise BadInputError(f"There is no folder {folder.parent}: make it, or give another.")


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A folder beside ``folder`` that takes its place if the block ends well, else goes."""
    beside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        beside.mkdir()
        yield beside
        if folder.exists():
            folder.rmdir()
        beside.rename(folder)
    except OSError as error:
        raise BadInputError(f"{folder} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _shown(size: int) -> str:
    for unit, name in _UNITS:
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size / 1e3:.3g} kB"
