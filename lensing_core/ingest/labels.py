"""Reading labels: 1 lens, 0 not a lens, None unknown."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lensing_core.errors import BadInputError

# Words without case, blanks, hyphens and underscores.
_WORDS: dict[str, int | None] = {
    **dict.fromkeys(("true", "t", "yes", "y", "lens", "lensed", "lenses", "islens"), 1),
    **dict.fromkeys(("stronglens", "gravitationallens", "positive", "pos", "confirmed"), 1),
    **dict.fromkeys(("false", "f", "no", "n", "not", "nonlens", "nonlenses", "notlens"), 0),
    **dict.fromkeys(("notalens", "notlensed", "nolens", "unlensed", "negative", "neg"), 0),
    **dict.fromkeys(("contaminant", "contaminants", "falsepositive"), 0),
    **dict.fromkeys(("", "?", "unknown", "unlabelled", "unlabeled", "candidate", "none"), None),
    **dict.fromkeys(("nan", "na", "n/a", "null", "masked", "nolabel", "notlabelled"), None),
    **dict.fromkeys(("notlabeled", "unclassified", "ungraded", "unset", "missing"), None),
}
_NO_LABEL = frozenset((-1.0, -9.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0))
"""Numbers that say that there is no label (-1 as in scikit-learn and Astronomaly)."""


class UnknownLabel(ValueError):
    """A cell that is no label."""


@dataclass(frozen=True)
class LabelRule:
    """Meaning of a catalog's labels.

    Attributes
    ----------
    all_are : int or None
        One label for every row.
    lens_from, nonlens_below : float or None
        For a column of grades: a lens from this grade on, no lens below that one, and no label
        between them. -1, -9, -99, … say that there is no grade.
    """

    all_are: int | None = None
    lens_from: float | None = None
    nonlens_below: float | None = None

    def __post_init__(self) -> None:
        low, high = self.nonlens_below, self.lens_from
        if low is not None and high is not None and low > high:
            raise BadInputError(
                f"Grades below {low} are to be no lenses, and those from {high} lenses; the first "
                "must not exceed the second."
            )

    @property
    def is_grade(self) -> bool:
        """Return whether the column holds grades."""
        return self.lens_from is not None or self.nonlens_below is not None

    def read(self, cell: object) -> int | None:
        """The label in a cell; raises UnknownLabel where there is none to be seen."""
        if self.all_are is not None:
            return self.all_are
        if cell is None:
            return None
        return self._from_grade(cell) if self.is_grade else label_of(cell)

    def _from_grade(self, cell: object) -> int | None:
        try:
            grade = float(str(cell))
        except ValueError:
            if str(cell).strip() and _WORDS.get(_bare(str(cell)), 0) is None:
                return None
            raise UnknownLabel(cell) from None
        if grade != grade or (grade < 0 and grade in _NO_LABEL):
            return None
        if self.lens_from is not None and grade >= self.lens_from:
            return 1
        if self.nonlens_below is not None and grade < self.nonlens_below:
            return 0
        return None


def label_of(cell: object) -> int | None:
    """The label that a word or number stands for, None for one that says there is none.

    Raises
    ------
    UnknownLabel
        If it is none that is known.
    """
    number = number_of(cell)
    if number is None:
        word = _bare(str(cell))
        if word not in _WORDS:
            raise UnknownLabel(cell)
        return _WORDS[word]
    if number in (0.0, 1.0):
        return int(number)
    if number != number or number in _NO_LABEL:
        return None
    raise UnknownLabel(cell)


def number_of(cell: object) -> float | None:
    """A label's cell as a number, however it is spelled; None for words."""
    try:
        return float(str(cell).strip()) if not isinstance(cell, bool) else float(cell)
    except ValueError:
        return None


def _bare(text: str) -> str:
    return re.sub(r"[\s\-_]+", "", text.strip().lower())
