"""Throttles: of wrong passphrases, by name and by address, and of requests of programs."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from lens_triage.app.http.pools import BusyError

_FREE = 5
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0
_FORGOTTEN_S = 900.0
_KEPT = 10_000
_MINUTE_S = 60.0


@dataclass
class _Failures:
    n: int
    last: float


class Throttle:
    """Counts wrong passphrases; after a few, each makes the next try wait twice as long.

    Parameters
    ----------
    free : int, optional
        Wrong ones that cost no wait.
    longest_s : float, optional
        The longest wait.
    clock : callable, optional
        Seconds that only grow.
    what : str, optional
        What is counted, as the message says it.
    """

    def __init__(
        self,
        free: int = _FREE,
        longest_s: float = _LONGEST_WAIT_S,
        clock: Callable[[], float] = time.monotonic,
        what: str = "wrong passphrases",
    ) -> None:
        self._what = what
        self._free = free
        self._longest_s = longest_s
        self._clock = clock
        self._failed: OrderedDict[str, _Failures] = OrderedDict()
        self._lock = Lock()

    def check(self, key: str) -> None:
        """Raise BusyError while a key has to wait."""
        with self._lock:
            left = self._wait(key)
        if left > 0:
            seconds = int(left) + 1
            raise BusyError(
                f"Too many {self._what}; try again in {seconds} s.", seconds, status=429
            )

    def failed(self, key: str) -> None:
        """Count a wrong passphrase."""
        now = self._clock()
        with self._lock:
            known = self._failed.pop(key, None)
            n = known.n if known is not None and now - known.last < _FORGOTTEN_S else 0
            self._failed[key] = _Failures(n + 1, now)
            while len(self._failed) > _KEPT:
                self._failed.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget the wrong ones of a key."""
        with self._lock:
            self._failed.pop(key, None)

    def _wait(self, key: str) -> float:
        known = self._failed.get(key)
        if known is None or known.n < self._free:
            return 0.0
        wait = min(_FIRST_WAIT_S * 2.0 ** min(known.n - self._free, 10), self._longest_s)
        return known.last + wait - self._clock()


class Rate:
    """Counts what each key asks for; beyond so much a minute it has to wait for the next one.

    Parameters
    ----------
    most : int
        A minute.
    clock : callable, optional
        Seconds that only grow.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._minute = 0
        self._asked: dict[str, int] = {}

    def check(self, key: str) -> None:
        """Count a request; raises BusyError where it is one too many."""
        minute, second = divmod(self._clock(), _MINUTE_S)
        if minute != self._minute:
            self._minute = int(minute)
            self._asked.clear()
        self._asked[key] = self._asked.get(key, 0) + 1
        if self._asked[key] > self._most:
            left = int(_MINUTE_S - second) + 1
            raise BusyError(
                f"More than {self._most} requests a minute; continue in {left} s.", left, status=429
            )
