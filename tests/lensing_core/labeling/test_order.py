from __future__ import annotations

import numpy as np
import pytest

from lensing_core.labeling.order import REPEAT_DISTANCE, Slot, grader_order

QUEUE, GOLD = list(range(200)), list(range(200, 240))


def order(grader_id: int = 1, **changes) -> list[Slot]:
    asked = {"seed": 3, "shuffled": True, "repeat_fraction": 0.1, **changes}
    return grader_order(QUEUE, asked.pop("gold", GOLD), grader_id=grader_id, **asked)


def test_every_item_is_shown_once_and_a_tenth_again_far_behind():
    slots = order()
    firsts = [slot.position for slot in slots if not slot.is_repeat]
    repeats = [slot.position for slot in slots if slot.is_repeat]
    assert sorted(firsts) == QUEUE + GOLD
    assert len(repeats) == len(set(repeats)) == 20
    assert set(repeats) <= set(QUEUE)
    place = {slot: k for k, slot in enumerate(slots)}
    for position in repeats:
        assert place[Slot(position, True)] - place[Slot(position)] >= REPEAT_DISTANCE


def test_it_follows_from_seed_and_grader_alone():
    assert order() == order()
    assert order() != order(grader_id=2)
    assert order() != order(seed=4)


def test_unshuffled_it_keeps_the_queue_and_still_hides_the_gold():
    slots = order(shuffled=False, repeat_fraction=0)
    assert [s.position for s in slots if s.position < 200] == QUEUE
    one, other = (
        [k for k, s in enumerate(order(g, shuffled=False)) if s.position >= 200] for g in (1, 2)
    )
    assert one != other


def test_gold_comes_at_an_even_rate():
    places = [k for k, s in enumerate(order(repeat_fraction=0)) if s.position >= 200]
    per_fifth, _ = np.histogram(places, bins=5, range=(0, 240))
    assert per_fifth.tolist() == [8] * 5
    assert len(set(np.diff(places))) > 3  # but not at equal steps


@pytest.mark.parametrize("n", [1, 2, 3, 5, 12])
def test_short_sessions(n):
    slots = grader_order(range(n), [], grader_id=1, seed=1, shuffled=True, repeat_fraction=0.5)
    assert sorted(s.position for s in slots if not s.is_repeat) == list(range(n))
    for slot in slots:
        if slot.is_repeat:
            assert slots.index(slot) - slots.index(Slot(slot.position)) >= n // 3
