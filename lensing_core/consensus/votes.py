"""Votes as arrays: who gave which grade to which object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lensing_core.arrays import BoolArray, Float64Array, IntArray
from lensing_core.consensus.schemes import Scheme
from lensing_core.errors import BadInputError

UNKNOWN = -1


@dataclass(frozen=True)
class Votes:
    """All grades of some objects. A *rater* is a grader with one scheme.

    Attributes
    ----------
    item, rater, grade : ndarray of shape (v,), int64
        Indices of the object, the rater, and the grade within the rater's scheme.
    n_items : int
    scheme_of : ndarray of shape (raters,), int64
        Which row of ``p_lens`` each rater grades by.
    p_lens : ndarray of shape (schemes, grades), float64
        What each grade stands for; NaN beyond the grades of a scheme.
    says : ndarray of shape (schemes, grades), int64
        1 lens, 0 no lens, -1 undecided.
    """

    item: IntArray
    rater: IntArray
    grade: IntArray
    n_items: int
    scheme_of: IntArray
    p_lens: Float64Array
    says: IntArray

    def __post_init__(self) -> None:
        if not self.item.shape == self.rater.shape == self.grade.shape:
            raise BadInputError("Votes: give an object, a rater and a grade for each.")
        for name, values, stop in (
            ("object", self.item, self.n_items),
            ("rater", self.rater, len(self.scheme_of)),
            ("grade", self.grade, self.p_lens.shape[1]),
        ):
            if len(values) and not (values.min() >= 0 and values.max() < stop):
                raise BadInputError(f"Votes: index of {name} outside 0 to {stop - 1}.")

    def __len__(self) -> int:
        return len(self.item)

    @property
    def n_raters(self) -> int:
        return len(self.scheme_of)

    @property
    def n_grades(self) -> int:
        """Grades of the longest scheme."""
        return self.p_lens.shape[1]

    @property
    def valid(self) -> BoolArray:
        """Mask of the grades that each rater has, shape (raters, grades)."""
        return ~np.isnan(self.p_lens)[self.scheme_of]

    def per_item(self) -> IntArray:
        """Return how many votes each object has, shape (n_items,)."""
        return np.bincount(self.item, minlength=self.n_items)

    def binary(self) -> Votes:
        """The same as lens (0) or no lens (1), undecided grades left out."""
        said = self.says[self.scheme_of[self.rater], self.grade]
        keep = said != UNKNOWN
        return replace(
            self,
            item=self.item[keep],
            rater=self.rater[keep],
            grade=1 - said[keep],
            scheme_of=np.zeros(self.n_raters, dtype=np.int64),
            p_lens=np.array([[1.0, 0.0]]),
            says=np.array([[1, 0]]),
        )


@dataclass(frozen=True)
class VoteTable:
    """Votes with the names behind their indices.

    Attributes
    ----------
    votes : Votes
    items : ndarray of shape (n_items,), int64
        Candidate ids.
    raters : tuple of (grader id, scheme name)
    grades : mapping of str to tuple of str
        Keys of the grades of each scheme, in order.
    """

    votes: Votes
    items: IntArray
    raters: tuple[tuple[int, str], ...]
    grades: Mapping[str, tuple[str, ...]]


def vote_table(
    rows: Iterable[tuple[int, int, str, str]], schemes: Mapping[str, Scheme]
) -> VoteTable:
    """Make a table from rows of candidate id, grader id, scheme name and grade key.

    Grades of a continuous scheme go to the nearest mark of its scale.

    Raises
    ------
    BadInputError
        If a scheme is unknown, or a grade is not in its scheme.
    """
    entries = list(rows)
    names = sorted({row[2] for row in entries})
    if unknown := [name for name in names if name not in schemes]:
        raise BadInputError(f"Grading scheme {unknown[0]!r} is unknown.")
    used = [schemes[name] for name in names]
    width = max((len(scheme.grades) for scheme in used), default=2)
    p_lens = np.full((max(len(used), 1), width), np.nan)
    says = np.full(p_lens.shape, UNKNOWN, dtype=np.int64)
    if not used:
        p_lens[0], says[0] = (1, 0), (1, 0)
    for k, scheme in enumerate(used):
        for j, grade in enumerate(scheme.grades):
            p_lens[k, j] = grade.p_lens
            says[k, j] = UNKNOWN if grade.is_lens is None else grade.is_lens
    places = {name: _places(scheme) for name, scheme in zip(names, used, strict=True)}
    items = np.array(sorted({row[0] for row in entries}), dtype=np.int64)
    raters = tuple(sorted({(row[1], row[2]) for row in entries}))
    rater_at = {rater: k for k, rater in enumerate(raters)}
    given = [_place(schemes[row[2]], places[row[2]], row[3]) for row in entries]
    votes = Votes(
        np.searchsorted(items, np.array([row[0] for row in entries], dtype=np.int64)),
        np.array([rater_at[row[1], row[2]] for row in entries], dtype=np.int64),
        np.array(given, dtype=np.int64),
        len(items),
        np.array([names.index(name) for _, name in raters], dtype=np.int64),
        p_lens,
        says,
    )
    keys = {s.name: tuple(g.key for g in s.grades) for s in used}
    return VoteTable(votes, items, raters, keys)


def _places(scheme: Scheme) -> dict[str, int]:
    return {grade.key: k for k, grade in enumerate(scheme.grades)}


def _place(scheme: Scheme, places: dict[str, int], key: str) -> int:
    if key in places:
        return places[key]
    p = scheme.grade(key).p_lens  # raises where there is no such grade
    marks: list[Any] = [grade.p_lens for grade in scheme.grades]
    return int(np.abs(np.array(marks) - p).argmin())
