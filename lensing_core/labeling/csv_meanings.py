"""Grades and reject reasons that the values of a file stand for."""

from __future__ import annotations

import re
from collections import Counter

from lensing_core.consensus import Scheme
from lensing_core.labeling.csv_mapping import CsvMapping, Layout
from lensing_core.labeling.grade_rows import (
    RowFault,
)

_WHOLE = re.compile(r"([+-]?\d+)\.0*")


_NOTHING = frozenset({"", "nan", "null"})


_BINARY = {
    **dict.fromkeys(("1", "true", "yes"), "lens"),
    **dict.fromkeys(("0", "false", "no"), "not"),
}


class Meanings:
    """Grades of a file's values, and which values were read in another spelling."""

    def __init__(self, mapping: CsvMapping, layout: Layout, scheme: Scheme) -> None:
        self._scheme, self._tool = scheme, layout.tool
        self._keys = {grade.key for grade in scheme.grades}
        self._given = {whole_number(value.strip()): key for value, key in mapping.values.items()}
        self._own = dict(layout.tool.grades.get(scheme.name, {})) if layout.tool else {}
        self._ungraded = layout.tool.ungraded if layout.tool else frozenset[str]()
        self._read: Counter[tuple[str, str]] = Counter()
        self._none: Counter[str] = Counter()

    def grade(self, cell: str) -> str:
        """Return the key of the grade; '' where there is none; the cell itself if it is unknown.

        Raises
        ------
        RowFault
            If the tool's values say nothing of lenses and the value has no mapping.
        """
        grade = self._find(cell)
        if grade is None:
            if self._tool and not self._tool.says_lens:
                raise RowFault(
                    f"{self._tool.title}'s value {cell!r} does not say whether it is a lens; say "
                    "which grade it stands for."
                )
            return cell
        if not grade:
            self._none[cell] += 1
        elif grade != cell:
            self._read[cell, grade] += 1
        return grade

    def is_unknown(self, cell: str) -> bool:
        """Return whether a cell is no grade, and not the sign of a missing one."""
        return not cell or self._find(cell) is None

    def rejects(self, grade: str) -> bool:
        """Return whether a grade of the scheme says that there is no lens."""
        return any(one.key == grade and one.is_lens == 0 for one in self._scheme.grades)

    def notes(self) -> list[str]:
        """Sentences on values that were read as something else."""
        notes = []
        if self._read:
            said = ", ".join(f"{a!r} as {b} ({n:,})" for (a, b), n in self._read.most_common(12))
            notes.append(f"Grades were read as follows: {said}.")
        if self._none:
            said = ", ".join(f"{word!r} ({n:,})" for word, n in self._none.most_common(8))
            notes.append(f"Not graded: {said}.")
        return notes

    def _find(self, cell: str) -> str | None:
        whole = whole_number(cell)
        if whole in self._given:
            return self._given[whole]
        if self._tool is None or self._tool.says_lens:
            for one in (cell, whole):
                if one in self._keys:
                    return one
            if self._scheme.continuous and _is_probability(cell):
                return cell
        if cell.casefold() in _NOTHING or whole in self._ungraded:
            return ""
        if self._tool is not None and not self._tool.says_lens:
            return None
        if whole in self._own:
            return self._own[whole]
        if self._scheme.name == "binary" and whole.casefold() in _BINARY:
            return _BINARY[whole.casefold()]
        matching = [key for key in self._keys if key.casefold() == cell.casefold()]
        return matching[0] if len(matching) == 1 else None


def whole_number(cell: str) -> str:
    match = _WHOLE.fullmatch(cell)
    return match[1] if match else cell


def _is_probability(cell: str) -> bool:
    try:
        return 0 <= float(cell) <= 1
    except ValueError:
        return False
