"""Recognition of the column of labels from all of its cells; unknown words are reported."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from lensing_core.errors import BadInputError
from lensing_core.ingest.labels import LabelRule, UnknownLabel, label_of, number_of
from lensing_core.ingest.sky_names import normal
from lensing_core.ingest.tables import SourceTable

LABEL_NAMES = ("label", "islens", "lens", "class", "truth", "lensflag", "lensed")
_BLOCK = 65_536  # rows looked at together
_MOST_WORDS = 1000  # different ones that are kept: a column with more holds no labels
_SHOWN = 5


@dataclass
class LabelEvidence:
    """Cells of a column read as labels, over all rows.

    Attributes
    ----------
    labels, no_labels : int
        Cells that are a label, and that say that there is none.
    unknown : Counter
        Cells that are neither, with how often they are there.
    codes : set of float
        Numbers among these.
    n_unknown : int
        All of these.
    """

    labels: int = 0
    no_labels: int = 0
    n_unknown: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    codes: set[float] = field(default_factory=set)

    def see(self, cell: Any, count: int) -> None:
        """Count cells that are alike."""
        try:
            label = label_of(cell)
        except UnknownLabel:
            self.n_unknown += count
            if len(self.unknown) < _MOST_WORDS or str(cell) in self.unknown:
                self.unknown[str(cell)] += count
                number = number_of(cell)
                if number is not None:
                    self.codes.add(number)
        else:
            self.labels += count if label is not None else 0
            self.no_labels += count if label is None else 0

    @property
    def is_label(self) -> bool:
        """Labels are no codes of several classes, and at least as many as unknown words."""
        return not self.codes and self.labels >= self.n_unknown

    def commonest_unknown(self) -> str:
        """The commonest cells that are not understood."""
        common = ", ".join(f"{w!r} ({n:,}×)" for w, n in self.unknown.most_common(_SHOWN))
        return f"{common}, …" if len(self.unknown) > _SHOWN else common


def label_evidence(table: SourceTable, name: str) -> LabelEvidence:
    """Return what a column's cells are as labels; a block of rows is in memory at a time."""
    known: dict[str, LabelEvidence] = table.facts.setdefault("labels", {})
    if name not in known:
        found = LabelEvidence()
        for start in range(0, len(table), _BLOCK):
            cells = table.cells(name, start, start + _BLOCK)
            counts = Counter(str(cell) for cell in cells if cell is not None)
            for cell, count in counts.items():
                found.see(cell, count)
        known[name] = found
    return known[name]


def label_warnings(
    table: SourceTable, column: str | None, rule: LabelRule, *, is_stated: bool
) -> list[str]:
    """Return what a user should know of the labels: columns not used, and cells not understood.

    Parameters
    ----------
    column : str or None
        The column of labels or grades.
    is_stated : bool
        Whether the user named it.

    Raises
    ------
    BadInputError
        If a stated column holds codes or grades without a rule for them, or there is a rule and no
        column.
    """
    if rule.all_are is not None:
        return []
    if rule.is_grade:
        if column is None:
            raise BadInputError(
                "lens_from or nonlens_below is set, and no column of grades is known; map it "
                "(columns: label=COLUMN)."
            )
        return []
    if column is not None:
        return _of_used(table, column, is_stated=is_stated)
    warnings = []
    for name in table.names:
        if normal(name) in LABEL_NAMES and not table.is_vector(name):
            seen = label_evidence(table, name)
            if seen.n_unknown:
                warnings.append(
                    f"Column {name} was not taken for labels: it holds "
                    f"{seen.commonest_unknown()}, which are neither lens nor not_lens; it is kept "
                    "as a property. Rename its values (lens, not_lens), or map grades (columns: "
                    "label=COLUMN, with lens_from and nonlens_below)."
                )
    return warnings


def _of_used(table: SourceTable, column: str, *, is_stated: bool) -> list[str]:
    seen = label_evidence(table, column)
    if seen.codes and is_stated:
        raise BadInputError(
            f"Column {column} holds {seen.commonest_unknown()}, which are not labels (1 lens, 0 "
            "not a lens); if they are grades, set lens_from and nonlens_below."
        )
    if not seen.n_unknown:
        return []
    return [
        f"Column {column} holds {seen.commonest_unknown()}, which are neither lens nor not_lens: "
        f"{seen.n_unknown:,} of its rows have no label."
    ]
