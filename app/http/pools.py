"""Threads for what the server is asked, apart by kind, so that none of it waits for another kind.

Each pool takes a bounded number of tasks; beyond it the answer is "busy", since a queue without an
end only makes everybody wait. Threads that grade nothing give way to those that do.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from lensing_core.errors import LensTriageError

_Result = TypeVar("_Result")
_NICE = 10
PAUSE_S = 1.0  # before "busy" is said: who is refused at once asks again at once


class BusyError(LensTriageError):
    """Thrown when more is asked for at once than the server does.

    Attributes
    ----------
    status : int
        Of the reply: 503, or 429 where it is one client that asks too often.
    retry_after_s : int
    """

    def __init__(self, message: str, retry_after_s: int, status: int = 503) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.status = status


def _yield_processor() -> None:
    """Lower the priority of the thread that calls; Linux keeps one for each thread."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


class Pool:
    """A few threads and a queue that ends.

    Parameters
    ----------
    name : str
        What is done here, in the plural, as the reply says it.
    workers, waiting : int
        Threads, and tasks that may wait for one.
    yields : bool, optional
        Whether the threads give way to others on a machine with much to do.
    """

    def __init__(self, name: str, workers: int, waiting: int, *, yields: bool = True) -> None:
        self._name = name
        self._most = workers + waiting
        self._n = 0
        self._executor = ThreadPoolExecutor(
            workers, name.replace(" ", "-"), _yield_processor if yields else None
        )

    async def run(self, work: Callable[[], _Result]) -> _Result:
        """Do ``work`` in a thread of the pool; raises BusyError if too much waits already."""
        try:
            return await self._try(work)
        except BusyError:
            await asyncio.sleep(PAUSE_S)
            raise

    async def _try(self, work: Callable[[], _Result]) -> _Result:
        if self._n >= self._most:
            raise BusyError(f"The server is busy with other {self._name}; try again soon.", 2)
        self._n += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work)
        finally:
            self._n -= 1


GRADING = Pool("grades", 4, 400, yields=False)
SIGNING = Pool("passphrases", 1, 8)
PROVIDERS = Pool("sign-ins by other services", 2, 16)
EXPORTS = Pool("exports", 1, 4)
TILES = Pool("pictures", 2, 128)
LENS_TESTS = Pool("lens tests", 1, 12)
OTHER = Pool("requests", 2, 64)
