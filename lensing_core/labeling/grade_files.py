"""Files of grades: CSV tables, and Zooniverse classification exports."""

from __future__ import annotations

from pathlib import Path

from lensing_core.consensus import Scheme
from lensing_core.labeling.csv_files import read_csv
from lensing_core.labeling.csv_mapping import CsvMapping
from lensing_core.labeling.grade_rows import BadRow, GradeRow, GradesRead
from lensing_core.labeling.zooniverse_files import ZooniverseMapping, read_zooniverse

__all__ = [
    "BadRow",
    "CsvMapping",
    "GradeRow",
    "GradesRead",
    "ZooniverseMapping",
    "read_grades",
]


def read_grades(path: Path, mapping: CsvMapping | ZooniverseMapping, scheme: Scheme) -> GradesRead:
    """Read a whole file; rows that cannot be read come with what is wrong with them.

    What a grade, a reason or a comment may be is checked where the event is built
    (:func:`lensing_core.store.label_events.build_event`).

    Raises
    ------
    BadInputError
        If the file cannot be read, lacks a column, or leaves open which question is meant.
    """
    if isinstance(mapping, ZooniverseMapping):
        return read_zooniverse(path, mapping)
    return read_csv(path, mapping, scheme)
