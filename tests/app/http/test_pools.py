"""Bounded pools, and how often a wrong passphrase may be tried."""

from __future__ import annotations

import asyncio
import os
import sys
import threading

import pytest

from lens_triage.app.http import pools
from lens_triage.app.http.pools import BusyError, Pool
from lens_triage.app.http.throttle import Throttle


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "PAUSE_S", 0.0)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_pool_takes_what_it_can_and_is_busy_beyond():
    async def main() -> list[object]:
        pool, end = Pool("things", 1, 2), threading.Event()
        tasks = [asyncio.create_task(pool.run(end.wait)) for _ in range(5)]
        done, _ = await asyncio.wait(tasks[3:])
        assert all(isinstance(task.exception(), BusyError) for task in done)
        end.set()
        first = await asyncio.gather(*tasks[:3])
        return [*first, await pool.run(lambda: "again")]

    assert asyncio.run(main()) == [True, True, True, "again"]


def test_a_pool_is_free_again_after_an_error():
    async def main() -> int:
        pool = Pool("things", 1, 0)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await pool.run(lambda: 1 // 0)
        return await pool.run(lambda: 1)

    assert asyncio.run(main()) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own")
def test_what_nobody_grades_by_gives_way():
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    async def main() -> tuple[int, int]:
        slow, quick = Pool("slow", 1, 0), Pool("quick", 1, 0, yields=False)
        return await slow.run(priority), await quick.run(priority)

    slow, quick = asyncio.run(main())
    assert quick == priority()
    assert slow == min(19, max(quick, 10))


def test_wrong_passphrases_wait_longer_each_time_and_right_ones_end_it():
    clock = Clock()
    throttle = Throttle(free=2, longest_s=5, clock=clock)
    waits = []
    for _ in range(7):
        throttle.check("ana")
        throttle.failed("ana")
        begun = clock.now
        while True:
            try:
                throttle.check("ana")
            except BusyError as error:
                clock.now += min(0.5, error.retry_after_s)
            else:
                break
        waits.append(clock.now - begun)
    assert waits == [0, 1, 2, 4, 5, 5, 5]
    throttle.failed("ana")
    with pytest.raises(BusyError, match=r"Too many wrong passphrases; try again in \d s") as told:
        throttle.check("ana")
    assert told.value.status == 429
    throttle.check("bo")
    throttle.succeeded("ana")
    throttle.check("ana")


def test_the_throttle_keeps_a_bounded_number_of_names(monkeypatch):
    monkeypatch.setattr("lens_triage.app.http.throttle._KEPT", 3)
    throttle = Throttle(free=1)
    for name in "abcd":
        throttle.failed(name)
    throttle.check("a")
    with pytest.raises(BusyError):
        throttle.check("d")
