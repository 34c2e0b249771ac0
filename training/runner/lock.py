"""The lock of a run: its worker holds it to its end, so that a run never has two.

Neither clocks nor process numbers say whether a run is alive: the operating system frees a lock
when its holder ends, however it ends, and nobody frees it before. The process that starts a worker
takes the lock first and hands it on, so that there is no moment between.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lensing_core.workspace import Workspace

_NAME = "lock"
_PROBE_S = 1.0
"""A look at a lock holds it for microseconds; a worker waits for that, no longer."""


def lock_path(workspace: Workspace, run_id: str) -> Path:
    """File whose lock the worker of a run holds."""
    return workspace.runs / run_id / _NAME


def try_lock(workspace: Workspace, run_id: str) -> int | None:
    """Return a file descriptor that holds the lock of a run; None if a worker holds it."""
    path = lock_path(workspace, run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + _PROBE_S
    while not _flock(descriptor, fcntl.LOCK_EX):
        # Another look shares the lock for a moment; a worker shares it with nobody.
        if is_locked(workspace, run_id) or time.monotonic() > until:
            os.close(descriptor)
            return None
    return descriptor


def is_locked(workspace: Workspace, run_id: str) -> bool:
    """Return whether a worker holds the lock of a run."""
    try:
        descriptor = os.open(lock_path(workspace, run_id), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _flock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


@contextmanager
def worker_lock(workspace: Workspace, run_id: str, inherited: int | None = None) -> Iterator[bool]:
    """Hold the lock of a run; gives False, and holds nothing, where another worker does.

    Parameters
    ----------
    inherited : int, optional
        Descriptor that :func:`try_lock` gave to the process that started this one.
    """
    descriptor = inherited if inherited is not None else try_lock(workspace, run_id)
    if descriptor is None:
        yield False
        return
    try:
        os.set_inheritable(descriptor, False)  # programs that this process starts do not hold it
        yield _is_file_of(descriptor, lock_path(workspace, run_id)) and _flock(
            descriptor, fcntl.LOCK_EX
        )
    finally:
        os.close(descriptor)


def _flock(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_file_of(descriptor: int, path: Path) -> bool:
    return path.exists() and os.path.samestat(os.fstat(descriptor), path.stat())
