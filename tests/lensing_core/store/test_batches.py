"""Ids in parts that a statement takes."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import create_engine, literal, select

from lensing_core.store.batches import AT_ONCE, in_batches


@pytest.mark.parametrize(
    ("n", "sizes"), [(0, []), (1, [1]), (3, [3]), (7, [3, 3, 1]), (9, [3, 3, 3])]
)
def test_parts_hold_every_value_once_and_in_order(n, sizes):
    parts = list(in_batches(range(n), size=3))
    assert [len(part) for part in parts] == sizes
    assert [value for part in parts for value in part] == list(range(n))


def test_numbers_of_an_array_become_those_of_python():
    (part,) = in_batches(np.array([3, 1], dtype=np.int64))
    assert part == [3, 1]
    assert {type(value) for value in part} == {int}


def test_a_whole_part_fits_into_one_statement_of_sqlite():
    (part,) = in_batches(range(AT_ONCE))
    with create_engine("sqlite://").connect() as connection:
        assert connection.scalar(select(literal(AT_ONCE - 1).in_(part)))
