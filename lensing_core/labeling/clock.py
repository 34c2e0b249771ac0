"""Several grades of one person on one object, in one file: the clock decides which one counts.

Rows are taken in order of time, so that the latest is the vote, wherever it stands in the file.
Rows of one time keep the order of their numbers (Zooniverse's ``classification_id``) or lines, as
do rows of a file without times; both are told. Where only some of a person's differing grades of an
object have a time, those without one are bad rows: nobody knows which is later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lensing_core.labeling.grade_rows import BadRow, GradeRow
from lensing_core.store.label_events import NewEvent

Graded = tuple[GradeRow, NewEvent]
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass
class Decided:
    """Rows in order of time, rows without a place in it, and what is to be told."""

    rows: list[Graded]
    bad: list[BadRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def decide_by_clock(graded: Sequence[Graded]) -> Decided:
    """Put grades in order of time."""
    by_pair: dict[tuple[str, int], list[Graded]] = {}
    for one in graded:
        by_pair.setdefault((one[0].grader, one[1].candidate_id), []).append(one)
    n_by_time, n_by_order = 0, 0
    dropped: dict[int, BadRow] = {}
    for mine in by_pair.values():
        if len(mine) == 1 or len({_grade_and_reason(event) for _, event in mine}) == 1:
            continue
        timed = [row for row, _ in mine if row.at is not None]
        untimed = [row for row, _ in mine if row.at is None]
        if timed and untimed:
            for row in untimed:
                dropped[row.line] = BadRow(
                    row.line,
                    f"it has no time, and {row.grader} gave the same object another grade in row "
                    f"{timed[-1].line}: which is later is unknown.",
                )
        elif not timed or _is_tie(mine):
            n_by_order += 1
        else:
            n_by_time += 1
    rows = [one for one in graded if one[0].line not in dropped]
    rows.sort(key=lambda one: (one[0].at or _LAST, one[0].serial))
    return Decided(rows, list(dropped.values()), _notes(n_by_time, n_by_order))


def _grade_and_reason(event: NewEvent) -> tuple[str | None, str | None]:
    return event.grade, event.reject_reason


def _is_tie(mine: Sequence[Graded]) -> bool:
    """Return whether the latest of grades with times are several, and differ."""
    latest = max(row.at for row, _ in mine if row.at is not None)
    return len({_grade_and_reason(event) for row, event in mine if row.at == latest}) > 1


def _notes(n_by_time: int, n_by_order: int) -> list[str]:
    notes = []
    if n_by_time:
        notes.append(
            f"{n_by_time:,} objects have several different grades of one person: the latest counts."
        )
    if n_by_order:
        notes.append(
            f"{n_by_order:,} objects have several different grades of one person without times, or "
            "at one time: the last of the file counts."
        )
    return notes
