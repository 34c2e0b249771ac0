"""Kind of image in a file, by its content; by its name only where content is silent."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Literal

from lensing_core.ingest.fits_files import is_fits
from lensing_core.ingest.guard import guarded
from lensing_core.ingest.limits import compression_of
from lensing_core.ingest.pictures import is_picture
from lensing_core.ingest.stacks import is_stack

FileKind = Literal["fits", "picture", "stack"]
_FITS = b"SIMPLE  ="
_ZIP = b"PK\x03\x04"
_STACKS = (b"\x93NUMPY", b"\x89HDF\r\n\x1a\n")
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")


def kind_of_file(path: Path) -> FileKind:
    """The kind of an image file.

    Raises
    ------
    RowRejected
        If the file cannot be read.
    """
    with guarded(str(path)):
        with path.open("rb") as stream:
            first = stream.read(16)
        if first.startswith(_ZIP):
            with zipfile.ZipFile(path) as archive:
                is_npz = any(name.endswith(".npy") for name in archive.namelist())
            return "stack" if is_npz else "fits"
        opener = compression_of(path)
        if opener is not None:
            with opener(path, "rb") as stream:
                first = stream.read(16)
    return _kind(first, path.name)


def _kind(first: bytes, name: str) -> FileKind:
    if first.startswith(_FITS):
        return "fits"
    if first.startswith(_STACKS):
        return "stack"
    if first.startswith(_PICTURES) or (first[:4] == b"RIFF" and first[8:12] == b"WEBP"):
        return "picture"
    if is_stack(name):
        return "stack"
    return "picture" if is_picture(name) and not is_fits(name) else "fits"
