"""The tally of attacks: what counts as a fault."""

from __future__ import annotations

import time

import pytest
from attacking import Attack, seeds

from lensing_core.errors import BadInputError


def test_an_error_of_ours_is_a_refusal_and_any_other_a_fault():
    tally = Attack("words")
    with tally.case("said"):
        raise BadInputError("row 3: no number.")
    assert (tally.cases, tally.refused, tally.faults) == (1, 1, [])
    with tally.case("raised"):
        raise ZeroDivisionError("secret")
    assert tally.uncaught[0].startswith("raised: ZeroDivisionError: secret (test_tally.py:")


def test_a_case_that_takes_too_long_hangs():
    tally = Attack("time")
    with tally.case("slow", limit_s=0.001):
        time.sleep(0.01)
    assert tally.faults == ["hangs: slow: over 0.001 s"]


def test_the_row_counts_each_kind_of_fault():
    tally = Attack("all", cases=1200, refused=3, crashes=["a"], accepted=["b", "c"])
    tally.saw_memory(2048.4)
    tally.saw_memory(1.0)
    assert tally.row() == ("all", "1,200", "3", "1", "0", "0", "2", "2,048")


@pytest.mark.parametrize("n", [1, 7])
def test_seeds_are_the_same_in_every_run(n):
    assert list(seeds(n)) == list(seeds(n))
    assert len(seeds(n)) >= n
