"""Limits of memory and time for reading one file, and ranges of plausible calibrations.

Sizes that a file declares are compared with these limits before any memory is asked for.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from lensing_core.ingest.rejection import RowRejected

# From the milliarcsecond pixels of radio interferometers to the separation of the widest images
# that a single galaxy makes: a coarser pixel cannot show a lens. A cutout's own grid has the same
# bounds.
PIXEL_SCALE_ARCSEC = (0.001, 10.0)
# AB magnitude of one unit of flux: -56.1 for W/m²/Hz, 8.9 for Jy, 31.4 for nJy. Far beyond, pixels
# brought to the catalog's zero point would overflow float32.
ZERO_POINT_MAG = (-60.0, 60.0)

_CHUNK = 2**20
_RATIO = 100  # of text that holds something; expanding more is suspect ...
_RATIO_FROM = 64 * 2**20  # ... from this size on


def _open_archive(path: Path, mode: str) -> Any:
    """The one file in a ZIP archive."""
    archive = zipfile.ZipFile(path)
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) != 1:
        raise OSError(f"it is an archive of {len(members)} files; unpack it")
    return archive.open(members[0])


_OPENERS = (
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ\x00", lzma.open),
    (b"PK\x03\x04", _open_archive),
)
# Formats that libraries expand by themselves, whose size nobody knows before.
_UNKNOWN_SIZE = {
    b"\x1f\x9d": "compress (.Z)",
    b"\x1f\xa0": "compress -H",
    b"\x1f\x1e": "pack (.z)",
}


@dataclass(frozen=True)
class Limits:
    """Limits of one import; the settings of an import say what each means."""

    image_mpx: float = 64.0
    expanded_mb: int = 2048
    memory_gb: float = 4.0
    file_seconds: float = 30.0
    table_seconds: float = 600.0

    @property
    def memory_bytes(self) -> int:
        return int(self.memory_gb * 2**30)


_current: ContextVar[Limits] = ContextVar("limits", default=Limits())  # noqa: B039 - frozen


def limits() -> Limits:
    """Those in force."""
    return _current.get()


@contextmanager
def limited(to: Limits) -> Iterator[None]:
    """Put limits in force."""
    token = _current.set(to)
    try:
        yield
    finally:
        _current.reset(token)


def check_pixels(shape: tuple[int, ...], path: Path, what: str = "an image") -> None:
    """Raise RowRejected ``too_large`` where an image is larger than one may be read whole."""
    if prod(int(n) for n in shape) > limits().image_mpx * 1e6:
        size = " x ".join(map(str, shape))
        raise RowRejected(
            "too_large",
            f"{path} declares {what} of {size} pixels; at most {limits().image_mpx:g} million are "
            "read whole (setting image_mpx).",
            str(path),
        )


def check_expanded(n_bytes: int, path: Path) -> None:
    """Raise RowRejected ``too_large`` where compressed data would become too many bytes."""
    if n_bytes > limits().expanded_mb * 2**20:
        raise RowRejected(
            "too_large",
            f"{path} would expand to {n_bytes / 2**20:,.0f} MiB or more; at most "
            f"{limits().expanded_mb:,} are allowed (setting expanded_mb).",
            str(path),
        )


def compression_of(path: Path) -> Any:
    """Return what opens a compressed file, by its first bytes; None for another file.

    Raises
    ------
    RowRejected
        unsupported_format
    """
    with path.open("rb") as stream:
        first = stream.read(8)
    for magic, name in _UNKNOWN_SIZE.items():
        if first.startswith(magic):
            raise RowRejected(
                "unsupported_format",
                f"{path} is compressed by {name}, which is not read; unpack it with gunzip, or use "
                "gzip, bzip2 or xz.",
                str(path),
            )
    return next((opener for magic, opener in _OPENERS if first.startswith(magic)), None)


def expanded(path: Path, *, text: bool = False) -> Iterator[bytes]:
    """The content of a file a chunk at a time, expanded where it is compressed.

    Parameters
    ----------
    text : bool
        Text is never compressed to a hundredth: what claims so is refused before the limit.

    Raises
    ------
    RowRejected
        too_large, or unreadable_file for damaged compression.
    """
    opener = compression_of(path) or open
    size, total = max(path.stat().st_size, 1), 0
    try:
        with opener(path, "rb") as stream:
            while chunk := stream.read(_CHUNK):
                total += len(chunk)
                if opener is not open:
                    check_expanded(total, path)
                    if text and total > _RATIO_FROM and total > _RATIO * size:
                        raise RowRejected(
                            "too_large",
                            f"{path} expands to more than {_RATIO} times its size, which no table "
                            "does.",
                            str(path),
                        )
                yield chunk
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise RowRejected(
            "unreadable_file", f"{path} cannot be decompressed: {error}.", str(path)
        ) from error
