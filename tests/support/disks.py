"""Small and read-only disks: a tmpfs of a given size, for tests that fill one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_MOUNT, _UMOUNT = shutil.which("mount"), shutil.which("umount")


@contextmanager
def small_disk(at: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own at ``at``; skips the test where this user may not mount one."""
    if _MOUNT is None or _UMOUNT is None:
        pytest.skip("mount is not installed: no disk can be filled")
    at.mkdir()
    options = f"size={megabytes}m,mode=700"
    done = _run(_MOUNT, "-t", "tmpfs", "-o", options, "tmpfs", str(at))
    if done.returncode:
        pytest.skip(f"This user may not mount a tmpfs: {done.stderr.strip()}")
    try:
        yield at
    finally:
        _run(_UMOUNT, "--lazy", str(at))


def make_read_only(disk: Path) -> None:
    """Remount a disk of :func:`small_disk` so that nothing on it can be written."""
    assert _MOUNT is not None
    done = _run(_MOUNT, "-o", "remount,ro", str(disk))
    assert done.returncode == 0, done.stderr


def fill(disk: Path) -> Path:
    """Write a file that takes all the room of a disk; return it, to be removed."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            try:
                while file.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue
    return ballast


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)
