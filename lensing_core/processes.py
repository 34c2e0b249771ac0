"""Helper processes for work that one process's threads cannot share."""

from __future__ import annotations

import gc
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.context import BaseContext
from typing import TypeVar

Item = TypeVar("Item")


def available_cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def start_processes(count: int, preload: Sequence[str]) -> ProcessPoolExecutor:
    """A pool of ``count`` processes, forked where that can be from one that has ``preload``.

    Parameters
    ----------
    preload : sequence of str
        Modules that the work needs, imported once for all.
    """
    # What is there at the start stays: the garbage collector need not look at it again and again.
    return ProcessPoolExecutor(count, mp_context=helper_context(preload), initializer=gc.freeze)


def helper_context(preload: Sequence[str]) -> BaseContext:
    """Return how helper processes are started: forked where that can be from one that has
    ``preload``.
    """
    # A job's process has threads: a plain fork could copy a lock that is held.
    method = "forkserver" if "forkserver" in get_all_start_methods() else "spawn"
    context = get_context(method)
    if method == "forkserver":
        main = sys.modules["__main__"].__spec__  # children look for it, too: once for all
        context.set_forkserver_preload([main.name if main else "__main__", *preload])
    return context


def look_ahead(items: Iterable[Item], count: int) -> Iterator[Item]:
    """The items in order, the next ``count`` of which have been made, or begun, by then."""
    waiting: deque[Item] = deque()
    for item in items:
        waiting.append(item)
        if len(waiting) > count:
            yield waiting.popleft()
    yield from waiting
