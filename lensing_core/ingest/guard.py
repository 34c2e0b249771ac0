"""The boundary that all reading of the user's files passes.

Readers say what they open (:func:`opening`); whatever goes wrong while they read becomes one
:class:`RowRejected` (:func:`guarded`, :func:`load_row`, :func:`each_band`). Readers themselves need
to catch nothing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType

from lensing_core import supervised
from lensing_core.errors import LensTriageError, with_traceback
from lensing_core.ingest.images import BandImage, ImageSource, RowRequest
from lensing_core.ingest.limits import limits
from lensing_core.ingest.locators import irregular
from lensing_core.ingest.rejection import RowRejected
from lensing_core.supervised import HelperLost

_NOTHING: Mapping[str, RowRejected] = MappingProxyType({})
_known_bad: ContextVar[Mapping[str, RowRejected]] = ContextVar("known_bad", default=_NOTHING)


@contextmanager
def leaving_out(files: Mapping[str, RowRejected]) -> Iterator[None]:
    """Refuse to open files that ended a process before."""
    token = _known_bad.set(files)
    try:
        yield
    finally:
        _known_bad.reset(token)


def opening(path: Path) -> None:
    """Note that a file is being opened.

    Raises
    ------
    RowRejected
        missing_file; not_a_file for a folder, a device, a pipe or a socket; or why the file is
        left out.
    """
    name = str(path)
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        raise RowRejected("missing_file", f"{path} does not exist.", name) from None
    if not stat.S_ISREG(mode):
        raise irregular(path, mode)
    if name in _known_bad.get():
        raise _known_bad.get()[name]
    supervised.mark_file(name)


@contextmanager
def guarded(source: str) -> Iterator[None]:
    """Turn any error into RowRejected; ``source`` is the file, as far as it is known."""
    try:
        yield
    except RowRejected:
        raise
    except MemoryError as error:
        raise RowRejected(
            "too_large",
            f"{source} needs more memory than the {limits().memory_gb:g} GiB that reading may take "
            "(setting memory_gb).",
            source,
        ) from error
    except LensTriageError as error:
        raise RowRejected("unreadable_file", str(error), source) from error
    except Exception as error:  # whatever a library raises on a damaged file
        problem = RowRejected("unreadable_file", _sentence(source, error), source)
        raise with_traceback(problem, error) from error


def _sentence(source: str, error: Exception) -> str:
    detail = " ".join(str(error).split()).rstrip(".")[:200]
    name = type(error).__name__
    kind = "" if isinstance(error, OSError | ValueError) and detail else f" ({name})"
    return f"{source} cannot be read: {detail or name}{kind if detail else ''}."


def load_row(source: ImageSource, row: RowRequest) -> Sequence[BandImage | RowRejected]:
    """The images of a row.

    Raises
    ------
    RowRejected
        Whatever goes wrong.
    """
    with guarded(row.file or row.object_id):
        return source.load(row)


def each_band(
    count: int,
    read: Callable[[int], BandImage | RowRejected],
    path: Path | None = None,
    *,
    foremost: str = "",
) -> list[BandImage | RowRejected]:
    """The bands of an object; one that cannot be read as the reason, so that others remain.

    Raises
    ------
    RowRejected
        If none can be read: as the first band, or the first for the reason ``foremost``.
    """
    found: list[BandImage | RowRejected] = []
    for k in range(count):
        try:
            with guarded(str(path or f"band {k}")):
                found.append(read(k))
        except RowRejected as problem:
            found.append(problem)
    problems = [band for band in found if isinstance(band, RowRejected)]
    if len(problems) == count:
        raise min(problems, key=lambda problem: problem.reason != foremost)
    return found


def lost_file(lost: HelperLost, path: str) -> RowRejected:
    """Rejection of a file whose reading ended a process or took too long."""
    if lost.why == "time":
        message = f"{path}: reading was stopped, for {lost.detail} (setting file_seconds)."
        return RowRejected("timed_out", message, path)
    message = f"{path}: reading it ended the process that did so ({lost.detail})."
    return RowRejected("crashed_reader", message, path)
