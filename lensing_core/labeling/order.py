"""Order in which a grader sees a session: shuffled, gold mixed in, some objects shown twice.

The order follows from the session's seed and the grader alone, so that it can be left and gone on
with anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

REPEAT_DISTANCE = 30
"""Cutouts at least between an object and its repeat, in sessions long enough."""


@dataclass(frozen=True)
class Slot:
    """One cutout to grade: an item of the session, and whether the grader has seen it before."""

    position: int
    is_repeat: bool = False


def grader_order(
    queue: Sequence[int],
    gold: Sequence[int],
    *,
    grader_id: int,
    seed: int,
    shuffled: bool,
    repeat_fraction: float,
) -> list[Slot]:
    """The cutouts of a session as one grader sees them.

    Gold objects stand one in each of equal parts of the session, anywhere in it, also where the
    queue itself is not shuffled. A repeat stands at any place that is :data:`REPEAT_DISTANCE`
    cutouts or more (a third of a short session) behind its object; gold is never repeated.

    Parameters
    ----------
    queue, gold : sequence of int
        Positions of the session's items.
    grader_id, seed : int
        What the order follows from.
    shuffled : bool
    repeat_fraction : float
        Share of ``queue`` that is shown twice.
    """
    rng = np.random.default_rng([seed, grader_id])
    items = rng.permutation(queue) if shuffled else np.asarray(queue)
    mixed = _mix(items.tolist(), rng.permutation(gold).tolist(), rng)
    n = len(mixed)
    distance = min(REPEAT_DISTANCE, n // 3)
    own = set(queue)
    early = [place for place in range(n - distance) if mixed[place] in own]
    n_repeats = min(round(repeat_fraction * len(own)), len(early)) if distance else 0
    repeated: list[int] = rng.choice(early, n_repeats, replace=False).tolist() if n_repeats else []
    slots = [(float(place), Slot(position)) for place, position in enumerate(mixed)]
    for place in sorted(repeated):
        # Behind the cutout of a whole number; the fraction keeps two repeats there apart.
        behind = rng.integers(place + distance, n) + rng.uniform(0.01, 0.99)
        slots.append((float(behind), Slot(mixed[place], is_repeat=True)))
    return [slot for _, slot in sorted(slots, key=lambda pair: pair[0])]


def _mix(items: list[int], gold: list[int], rng: np.random.Generator) -> list[int]:
    n = len(items) + len(gold)
    if not gold:
        return items
    edges = np.linspace(0, n, len(gold) + 1).astype(int)
    places = {int(rng.integers(a, b)): g for a, b, g in zip(edges, edges[1:], gold, strict=False)}
    rest = iter(items)
    return [places[k] if k in places else next(rest) for k in range(n)]
