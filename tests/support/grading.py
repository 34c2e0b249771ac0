"""Grades of several people, and grading by processes of their own, which import this module."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from lensing_core.consensus import SCHEMES
from lensing_core.store import Session, open_database
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.workspace import Workspace

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def grade_all(session: Session, votes: Mapping[int, Mapping[str, str]]) -> list[str]:
    """Record grades A, B, C, X by candidate and name of the grader; return the events' UUIDs."""
    events = []
    for candidate_id, by_name in votes.items():
        for name, key in by_name.items():
            grade = SCHEMES["abcx"].grade(key)
            events.append(
                NewEvent(
                    str(uuid4()), "grade", grader_named(session, name).id, candidate_id, "abcx",
                    AT, grade=key, is_lens=grade.is_lens, p_lens=grade.p_lens,
                )
            )  # fmt: skip
    append_events(session, events)
    return [event.uuid for event in events]


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
