"""Looking ahead, and how many cores there are."""

from __future__ import annotations

import os

import pytest

from lensing_core.processes import available_cores, look_ahead


@pytest.mark.parametrize("count", [0, 1, 3, 99])
def test_items_come_in_order_with_the_next_ones_begun(count):
    begun: list[int] = []

    def items():
        for k in range(10):
            begun.append(k)
            yield k

    for expected, item in enumerate(look_ahead(items(), count)):
        assert item == expected
        assert len(begun) == min(10, expected + count + 1)
    assert len(begun) == 10


def test_cores_that_this_process_may_not_use_do_not_count(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert available_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert available_cores() == 7
