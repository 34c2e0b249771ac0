"""Grading by processes of their own, which import this module by its name."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from lensing_core.store import open_database
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.workspace import Workspace

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def grade_in_a_process(root: Path, name: str, n: int) -> None:
    """What the front and the page process do at once, each with a connection of its own."""
    database = open_database(Workspace.open(root))
    for k in range(n):
        with database.session() as session:
            grader = grader_named(session, name)
            event = NewEvent(
                str(uuid4()), "grade", grader.id, k % 12 + 1, "abcx", AT, grade="A", is_lens=1
            )
            append_events(session, [event])
