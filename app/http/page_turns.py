"""Turns of pages: building one holds up everybody, so that it is rationed while people grade."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from lens_triage.app.http.pools import PAUSE_S, BusyError, Pool

_GRADED_LATELY_S = 5.0
_SHARE = 15.0  # times what a build takes, between builds, so that few grades meet one


class PageTurns:
    """Lets pages be built at once while nobody grades, and some of the time while people do.

    Parameters
    ----------
    grading : Pool
        Where grades are written.
    burst : int, optional
        How many pages may be built without a pause, such as those of a team that begins.
    waiting : int, optional
        How many may wait; beyond, the answer is "busy".
    """

    def __init__(
        self,
        grading: Pool,
        *,
        burst: int = 6,
        waiting: int = 8,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._grading = grading
        self._burst = burst
        self._most_waiting = waiting
        self._clock = clock
        self._waiting = 0
        self._saved = float(burst)  # pages that may be built at once
        self._seen = clock()
        self._build_s = 0.15
        self._lock = asyncio.Lock()

    async def wait(self) -> None:
        """Wait for a turn; raises BusyError where too many wait already."""
        if self._waiting >= self._most_waiting:
            await asyncio.sleep(PAUSE_S)
            raise BusyError("The server is busy with pages while people grade; try again soon.", 5)
        self._waiting += 1
        try:
            async with self._lock:
                while (left := self._until_next()) > 0:
                    await asyncio.sleep(left)
                self._saved -= 1
        finally:
            self._waiting -= 1

    def took(self, seconds: float) -> None:
        """Learn how long a page held up the others."""
        self._build_s += 0.2 * (min(seconds, 1.0) - self._build_s)

    def _until_next(self) -> float:
        """Seconds until a page may be built."""
        now = self._clock()
        between = _SHARE * self._build_s
        self._saved = min(self._burst, self._saved + (now - self._seen) / between)
        self._seen = now
        if now - self._grading.last_used > _GRADED_LATELY_S:
            self._saved = max(self._saved, 1.0)
        return max(0.0, (1.0 - self._saved) * between)
