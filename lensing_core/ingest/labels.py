"""Reading labels: 1 lens, 0 not a lens, None unknown."""

from __future__ import annotations

from dataclasses import dataclass

from lensing_core.errors import BadInputError

_WORDS: dict[str, int | None] = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "lens", "lensed", "positive", "confirmed"), 1),
    **dict.fromkeys(("0", "false", "f", "no", "n", "nonlens", "notalens", "negative"), 0),
    **dict.fromkeys(("", "-1", "unknown", "unlabelled", "unlabeled", "candidate", "?"), None),
}


class UnknownLabel(ValueError):
    """A cell that is no label."""


@dataclass(frozen=True)
class LabelRule:
    """How a catalog's labels are to be understood.

    Attributes
    ----------
    all_are : int or None
        One label for every row.
    lens_from, nonlens_below : float or None
        For a column of grades: a lens from this grade on, no lens below that one, and no label
        between them.
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
        """Whether the column holds grades."""
        return self.lens_from is not None or self.nonlens_below is not None

    def read(self, cell: object) -> int | None:
        """The label in a cell; raises UnknownLabel where there is none to be seen."""
        if self.all_are is not None:
            return self.all_are
        if cell is None:
            return None
        return self._from_grade(cell) if self.is_grade else _from_word(cell)

    def _from_grade(self, cell: object) -> int | None:
        try:
            grade = float(str(cell))
        except ValueError:
            raise UnknownLabel(cell) from None
        if self.lens_from is not None and grade >= self.lens_from:
            return 1
        if self.nonlens_below is not None and grade < self.nonlens_below:
            return 0
        return None


def _from_word(cell: object) -> int | None:
    word = str(cell).strip().lower()
    for sign in " -_":
        word = word.replace(sign, "") if word != "-1" else word
    word = word.removesuffix(".0")
    if word not in _WORDS:
        raise UnknownLabel(cell)
    return _WORDS[word]


def is_label(cell: object) -> bool:
    """Whether a cell is one of the usual spellings of a label."""
    try:
        _from_word(cell)
    except UnknownLabel:
        return False
    return True
