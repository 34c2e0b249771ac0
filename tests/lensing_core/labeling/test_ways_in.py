"""The same events through all ways in: Label, Review, and imports; one rule, one stored form."""

from __future__ import annotations

import csv
import io
import itertools
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from lens_triage.app.context import AppContext
from lensing_core.acquisition import QueueEntry
from lensing_core.errors import LensTriageError
from lensing_core.labeling import NewSession, create_session, open_grader_view, record
from lensing_core.labeling.grade_files import CsvMapping
from lensing_core.labeling.importing import GradeImportRequest, import_labels
from lensing_core.labeling.reviewing import record_in_review
from lensing_core.store import open_database
from lensing_core.store.labels import event_hash, grader_named, verify
from lensing_core.store.tables import Candidate, LabelEvent

GIVEN = datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
MAPPING = CsvMapping(reject_reason="reason", comment="comment", at="at")
WAYS = ("label", "review", "import")


@pytest.fixture
def context(filled_workspace) -> AppContext:
    return AppContext.of(filled_workspace)


@pytest.fixture
def ways(context, tmp_path):
    """By name: a function that sends one grade; it returns why it was refused, else ''."""
    with open_database(context.workspace).session() as session:
        candidates = session.scalars(sa.select(Candidate).order_by(Candidate.id).limit(40)).all()
        ana = grader_named(session, "Ana")
        made = create_session(
            session, NewSession("s", [QueueEntry(c.id, "") for c in candidates], {}), None
        )
        grader_view = open_grader_view(session, "secret", made.id, ana.id)
    cutouts = iter(grader_view.cutouts)
    unused = itertools.cycle(candidates)

    def label(sent: dict) -> str:
        fields = {"uuid": str(uuid4()), "kind": "grade", "given_at": GIVEN.isoformat(), **sent}
        with open_database(context.workspace).session() as session:
            (one,) = record(session, grader_view, [{**fields, "token": next(cutouts).token}])
        return one.refused

    def review(sent: dict) -> str:
        fields = {"uuid": str(uuid4()), "kind": "grade", "given_at": GIVEN.isoformat(), **sent}
        with open_database(context.workspace).session() as session:
            (one,) = record_in_review(session, ana.id, [{**fields, "candidate": next(unused).id}])
        return one.refused

    def import_(sent: dict) -> str:
        cells = {"object_id": next(unused).object_id, "grader": "Ana", "at": GIVEN.isoformat()}
        cells |= {"grade": sent["grade"], "reason": sent.get("reject_reason") or ""}
        cells |= {"comment": sent.get("comment", ""), "at": sent.get("given_at", cells["at"])}
        text = io.StringIO()
        writer = csv.DictWriter(text, list(cells))
        writer.writeheader()
        writer.writerow(cells)
        path = tmp_path / "grades.csv"
        path.write_bytes(text.getvalue().encode("utf-8", "surrogatepass"))
        try:
            with open_database(context.workspace).session() as session:
                report = import_labels(session, GradeImportRequest(path, MAPPING, str(uuid4())))
        except LensTriageError as error:
            return str(error)
        return report.bad[0].message if report.bad else ""

    return {"label": label, "review": review, "import": import_}


def stored(context: AppContext) -> LabelEvent:
    """The last event, read anew; the log is unbroken."""
    with open_database(context.workspace).session() as session:
        verify(session)
        event = session.scalars(sa.select(LabelEvent).order_by(LabelEvent.id.desc())).first()
        assert event is not None
        assert event.hash == event_hash(event)
        return event


@pytest.mark.parametrize("way", WAYS)
def test_a_reason_goes_only_with_a_grade_that_says_no_lens(context, ways, way):
    for grade in "ABC":
        refused = ways[way]({"grade": grade, "reject_reason": "ring"})
        assert "goes only with a grade that says no lens" in refused
    assert ways[way]({"grade": "X", "reject_reason": "ring"}) == ""
    assert (stored(context).grade, stored(context).reject_reason) == ("X", "ring")
    with open_database(context.workspace).session() as session:
        assert verify(session).n_events == 1


@pytest.mark.parametrize("way", WAYS)
def test_a_time_of_any_offset_is_stored_and_hashed_in_utc(context, ways, way):
    for at in (
        "2026-05-01T14:00:00.123456+02:00",
        "2026-05-01T06:30:00.123456-05:30",
        "2026-05-01T12:00:00.123456Z",
        "2026-05-02T01:45:00.123456+13:45",
    ):
        assert ways[way]({"grade": "A", "given_at": at}) == ""
        assert stored(context).given_at.isoformat() == GIVEN.isoformat()


@pytest.mark.parametrize("way", WAYS)
def test_times_that_cannot_be_are_refused(context, ways, way):
    for at, word in (
        ("0001-01-01T00:00:00+14:00", "after 1980"),
        ("9999-12-31T23:59:59-12:00", "ahead"),
        ("1969-07-20T20:17:00+00:00", "after 1980"),
        ((datetime.now(UTC) + timedelta(days=400)).isoformat(), "ahead"),
        ("yesterday", "time"),
    ):
        refused = ways[way]({"grade": "A", "given_at": at})
        assert refused, at
        assert word in refused
    with open_database(context.workspace).session() as session:
        assert verify(session).n_events == 0


@pytest.mark.parametrize("way", ["label", "import"])
def test_text_is_stored_in_its_composed_form(context, ways, way):
    assert ways[way]({"grade": "A", "comment": "A\u030angstro\u0308m\r\nnext "}) == ""
    assert stored(context).comment == "Ångström\nnext"


@pytest.mark.parametrize("way", ["label", "import"])
def test_text_that_no_database_keeps_is_refused(context, ways, way):
    for comment in ("a\0b", "a\ud800b", "a\x1bb", "x" * 4001):
        assert ways[way]({"grade": "A", "comment": comment})
    with open_database(context.workspace).session() as session:
        assert verify(session).n_events == 0


IMPOSSIBLE = (
    {"shown_ms": "12"},
    {"shown_ms": True},
    {"shown_ms": float("nan")},
    {"shown_ms": float("inf")},
    {"view": {"q": float("nan")}},
    {"view": {"q": float("-inf")}},
    {"view": {"q": "\0"}},
    {"view": {"\udfff": 1}},
    {"view": {"q": "y" * 3_000_000}},
    {"view": [1, 2]},
    {"view": "dark"},
    {"uuid": "1"},
    {"uuid": None},
    {"uuid": "\ud800" * 36},
    {"uuid": "6F9619FF-8B86-D011-B42D-00C04FC964FF"},
    {"grade": "Z"},
    {"grade": 1},
    {"grade": "A" * 3_000_000},
    {"grade": "X", "reject_reason": "ufo"},
    {"grade": "X", "reject_reason": ["ring"]},
)


@pytest.mark.parametrize("way", ["label", "review"])
def test_values_of_pages_that_cannot_be_are_refused(context, ways, way):
    for fields in IMPOSSIBLE:
        refused = ways[way]({"grade": "A", **fields})
        assert refused
        assert len(refused) < 300  # one sentence, whatever was sent
        assert refused.isprintable()
    with open_database(context.workspace).session() as session:
        assert verify(session).n_events == 0


def test_a_list_without_end_within_a_view_is_refused(ways):
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    for way in ("label", "review"):
        assert "too deep" in ways[way]({"grade": "A", "view": {"q": deep}})


@pytest.mark.parametrize("way", ["label", "review"])
def test_milliseconds_are_stored_whole(context, ways, way):
    view = {"q": 1e-7, "é": [1, None]}
    for sent, kept in ((12, 12), (12.0, 12), (12.7, 12), (-5, 0), (10**12, 86_400_000)):
        assert ways[way]({"grade": "A", "shown_ms": sent, "view": view}) == ""
        assert (stored(context).shown_ms, stored(context).view) == (kept, view)
    assert ways[way]({"grade": "A", "shown_ms": None}) == ""
    assert (stored(context).shown_ms, stored(context).view) == (None, {})


def test_poisoned_events_keep_none_of_the_others_out(context, ways):
    with open_database(context.workspace).session() as session:
        ana = grader_named(session, "Ana")
        candidates = session.scalars(sa.select(Candidate.id).order_by(Candidate.id).limit(9)).all()
        made = create_session(
            session, NewSession("t", [QueueEntry(c, "") for c in candidates], {}), None
        )
        grader_view = open_grader_view(session, "secret", made.id, ana.id)

    def grade(k: int, **fields) -> dict:
        sent = {
            "uuid": str(uuid4()),
            "kind": "grade",
            "grade": "A",
            "token": grader_view.cutouts[k].token,
        }
        return {**sent, "given_at": GIVEN.isoformat(), **fields}

    first = grade(0)
    undo = {"kind": "undo", "grade": None, "undoes": first["uuid"]}
    batch = [
        first,
        "not an object",
        None,
        grade(1, view={"q": "\ud800"}),
        grade(2, comment="\0"),
        grade(3, given_at="0001-01-01T00:00:00+14:00"),
        grade(4, uuid=7),
        grade(5, token={"a": 1}),
        grade(6, **undo),  # of another object than the event that it names
        grade(7, shown_ms=float("nan")),
        grade(8),
    ]
    with open_database(context.workspace).session() as session:
        outcomes = record(session, grader_view, batch)
    assert [bool(one.refused) for one in outcomes] == [False] + [True] * 9 + [False]
    assert [one.uuid for one in outcomes][1:3] == ["#2", "#3"]
    with open_database(context.workspace).session() as session:
        assert verify(session).n_events == 2
