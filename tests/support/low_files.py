"""Small numbers of open files, kept for the SAMP hub, which waits by ``select``.

That takes no file above 1,023, and a process that runs thousands of tests has more open.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_ENOUGH = 48
_kept: list[int] = []


def keep_low_files() -> None:
    """Take the lowest numbers that are free."""
    _kept.extend(os.open(os.devnull, os.O_RDONLY) for _ in range(_ENOUGH - len(_kept)))


@contextmanager
def low_files() -> Iterator[None]:
    """Let whatever is opened in the block have the numbers that are kept."""
    while _kept:
        os.close(_kept.pop())
    try:
        yield
    finally:
        keep_low_files()
