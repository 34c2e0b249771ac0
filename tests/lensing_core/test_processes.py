"""Looking ahead, and how many cores there are."""

from __future__ import annotations

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


def test_some_core_may_be_used():
    assert available_cores() >= 1
