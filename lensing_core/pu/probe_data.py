"""Data of probes: blocks of columns, labels and grades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import BoolArray, Float32Array, Float64Array, IntArray
from lensing_core.datasets.uses import LENS, UNLABELED

Target = Literal["lens", "grade"]
MOST_UNLABELED, MOST_LABELED = 500, 1500
"""Objects that a probe is chosen on: its cost grows as the cube of their number."""


@dataclass(frozen=True)
class ColumnBlock:
    """Columns of one kind.

    Attributes
    ----------
    source : str
        The model that they come from.
    part : str
        What of it: a layer, ``embedding``, ``features``.
    start, stop : int
    """

    source: str
    part: str
    start: int
    stop: int


@dataclass(frozen=True)
class ProbeInput:
    """Blocks of columns and the target that a probe may take; each block weighs the same."""

    name: str
    blocks: tuple[ColumnBlock, ...]
    target: Target = "lens"


def probe_inputs(blocks: Sequence[ColumnBlock], *, graded: bool = False) -> list[ProbeInput]:
    """Every source by itself, each of its parts, and all sources together; for each target."""
    sources = list(dict.fromkeys(block.source for block in blocks))
    named: dict[str, tuple[ColumnBlock, ...]] = {}
    for source in sources:
        mine = tuple(block for block in blocks if block.source == source)
        named[source] = mine
        parts = list(dict.fromkeys(block.part for block in mine))
        if len(parts) > 1:
            named |= {f"{source}, {p}": tuple(b for b in mine if b.part == p) for p in parts}
    if len(sources) > 1:
        named["all together"] = tuple(blocks)
    targets: tuple[Target, ...] = ("lens", "grade") if graded else ("lens",)
    return [ProbeInput(name, chosen, t) for name, chosen in named.items() for t in targets]


@dataclass(frozen=True)
class ProbeData:
    """Objects that a probe is fitted on.

    Attributes
    ----------
    x : ndarray of shape (n, d)
        NaN where unknown.
    state : ndarray of shape (n,)
        :data:`~lensing_core.datasets.uses.LENS`, ``OTHER`` or ``UNLABELED``; what is unlabeled
        counts as no lens.
    weight : ndarray of shape (n,)
        Of each object among those of its class; the classes weigh the same.
    group : ndarray of shape (n,)
    grade : ndarray of shape (n,), or None
        From 0 to 1, NaN where there is none; unlabeled objects without one count as 0.
    """

    x: Float32Array
    state: NDArray[np.int8]
    weight: Float64Array
    group: IntArray
    grade: Float64Array | None = None

    def rows(self, chosen: NDArray[np.integer]) -> ProbeData:
        """Some of the objects."""
        grade = None if self.grade is None else self.grade[chosen]
        return ProbeData(
            self.x[chosen], self.state[chosen], self.weight[chosen], self.group[chosen], grade
        )

    def thinned(self, seed: int) -> ProbeData:
        """Random sample within :data:`MOST_LABELED` (labeled or graded) and :data:`MOST_UNLABELED`.

        Drawn at random; lenses stay, as far as they are at most half of the labeled.
        """
        known = self.state != UNLABELED
        if self.grade is not None:
            known = known | np.isfinite(self.grade)
        lens = self.state == LENS
        rng = np.random.default_rng(seed)
        lenses = _draw(np.flatnonzero(lens), MOST_LABELED // 2, rng)
        labeled = _draw(np.flatnonzero(known & ~lens), MOST_LABELED - len(lenses), rng)
        rest = _draw(np.flatnonzero(~known), MOST_UNLABELED, rng)
        rows = np.sort(np.concatenate([lenses, labeled, rest]))
        return self if len(rows) == len(self.state) else self.rows(rows)

    def targets(self, target: Target) -> tuple[BoolArray, Float64Array]:
        """Objects that train for a target, and their values."""
        lens = self.state == LENS
        if target == "lens":
            graded = np.zeros(len(lens), bool) if self.grade is None else np.isfinite(self.grade)
            # Graded objects between lens and non-lens say nothing of this target.
            return ~((self.state == UNLABELED) & graded), lens.astype(np.float64)
        grade = np.full(len(lens), np.nan) if self.grade is None else self.grade
        value = np.where(np.isfinite(grade), grade, np.where(lens, 1.0, 0.0))
        return np.ones(len(lens), dtype=bool), value


def _draw(rows: NDArray[np.intp], most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    return rows if len(rows) <= most else rng.choice(rows, most, replace=False)
