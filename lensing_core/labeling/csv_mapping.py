"""Columns of a file of grades: as named by the user, and as found in its header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lensing_core.labeling.peer_tools import PeerTool


@dataclass(frozen=True)
class CsvMapping:
    """Columns of a CSV table by their role; '' where there is none.

    Attributes
    ----------
    object_id, ra_deg, dec_deg : str
        The object by its name, else by its position (ICRS, degrees).
    grade, grader, reject_reason, comment, at : str
        ``at``: ISO 8601; without an offset it is UTC.
    grader_name : str
        Who graded all rows, where no column says it.
    values : mapping of str to str
        From what a cell of ``grade`` holds to the key of a grade; '' for rows without a grade.
    header : bool or None
        Whether the first line names the columns; without one they are numbered from 1. None: as it
        looks.
    """

    object_id: str = "object_id"
    ra_deg: str = ""
    dec_deg: str = ""
    grade: str = "grade"
    grader: str = "grader"
    grader_name: str = ""
    reject_reason: str = ""
    comment: str = ""
    at: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    header: bool | None = None


@dataclass(frozen=True)
class Layout:
    """Format of a file's lines.

    Attributes
    ----------
    place : dict of str to int
        Column of each role, from 0.
    n_columns : int
        Cells that a line may have; 0: any number.
    has_header : bool
    tool : PeerTool or None
    """

    place: dict[str, int]
    n_columns: int
    has_header: bool
    tool: PeerTool | None = None
