"""What we export, we import again: ids, logs, and grades in the order of the clock."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import example, given
from hypothesis import strategies as st
from small_catalogs import add_objects, votes

from lensing_core.consensus import SCHEMES
from lensing_core.export import plain_cell
from lensing_core.labeling.exporting import FORMATS, export_events
from lensing_core.labeling.grade_files import CsvMapping
from lensing_core.labeling.importing import GradeImportRequest, import_labels
from lensing_core.spreadsheets import guarded, unguarded
from lensing_core.store import open_database
from lensing_core.store.label_events import build_event
from lensing_core.store.labels import append_events, grader_named, rebuild_votes, verify
from lensing_core.store.tables import Candidate, LabelEvent
from lensing_core.workspace import Workspace

IDS = ["-516718461273416447", "=o1", "+1.5e3", "@x", "'-5", "''=y", "o 7", "-1+2", "a.fits", "b"]


@given(st.text())
@example("-5")
@example("'=1+1")
@example("''@x")
@example("\t=1")
def test_the_guard_gives_every_text_back(text):
    cell = guarded(text)
    assert unguarded(cell) == text
    if cell.lstrip().startswith(("=", "+", "-", "@")):
        float(cell)  # only numbers begin so


@given(st.from_regex(r"[+-]?[0-9]{1,30}(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?", fullmatch=True))
def test_numbers_are_no_formulas(text):
    assert plain_cell(text) == text


@pytest.fixture
def workspace(tmp_path):
    made = Workspace.create(tmp_path / "ws")
    add_objects(made, "deep", dict.fromkeys(IDS))
    return made


def put(workspace, path, text=None, **fields):
    if text is not None:
        path.write_text(text, encoding="utf-8")
    mapping = fields.pop("mapping", CsvMapping(at="at" if text and ",at" in text else ""))
    with open_database(workspace).session() as session:
        return import_labels(session, GradeImportRequest(path, mapping, "nightly", **fields))


def test_every_id_of_an_exported_table_finds_its_object(workspace, tmp_path):
    path = tmp_path / "grades.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["object_id", "grade", "grader"])
        writer.writerows([plain_cell(name), "A", plain_cell("-Una")] for name in IDS)
    report = put(workspace, path)
    assert (report.n_new, report.bad) == (len(IDS), ())
    assert votes(workspace) == {(name, "-Una"): "A" for name in IDS}


def test_an_id_that_has_the_apostrophe_is_taken_as_it_is(workspace, tmp_path):
    """'-5 is an object of its own; -5 is not there."""
    report = put(workspace, tmp_path / "g.csv", "object_id,grade,grader\n'-5,A,Una\n")
    assert report.n_new == 1
    assert votes(workspace) == {("'-5", "Una"): "A"}


@pytest.mark.parametrize("rows", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_clock_decides_whatever_the_order_of_the_file(workspace, tmp_path, rows):
    lines = [
        "b,X,Sam,2024-01-01T00:00:00\n",
        "b,A,Sam,2024-02-02T00:00:00\n",
        "b,C,Sam,2024-01-15T00:00:00+02:00\n",
    ]
    text = "object_id,grade,grader,at\n" + "".join(lines[k] for k in rows)
    report = put(workspace, tmp_path / "g.csv", text)
    assert votes(workspace) == {("b", "Sam"): "A"}
    assert report.notes == (
        "1 objects have several different grades of one person: the latest counts.",
    )


def test_an_older_file_that_comes_later_replaces_no_newer_grade(workspace, tmp_path):
    header = "object_id,grade,grader,at\n"
    put(workspace, tmp_path / "new.csv", header + "b,A,Sam,2024-02-02\n")
    put(workspace, tmp_path / "old.csv", header + "b,X,Sam,2023-01-01\n")
    assert votes(workspace) == {("b", "Sam"): "A"}
    with open_database(workspace).session() as session:
        verify(session)
        rebuild_votes(session)
    assert votes(workspace) == {("b", "Sam"): "A"}


def test_ties_and_missing_times_are_told(workspace, tmp_path):
    header = "object_id,grade,grader,at\n"
    tie = put(workspace, tmp_path / "t.csv", header + "b,A,Sam,2024-02-02\nb,X,Sam,2024-02-02\n")
    assert votes(workspace) == {("b", "Sam"): "X"}
    assert "the last of the file counts" in tie.notes[0]
    none = put(workspace, tmp_path / "n.csv", "object_id,grade,grader\n=o1,X,Li\n=o1,B,Li\n")
    assert votes(workspace)["=o1", "Li"] == "B"
    assert "the last of the file counts" in none.notes[0]
    half = put(workspace, tmp_path / "h.csv", header + "b,A,Cy,\nb,X,Cy,2024-02-02\n")
    assert not half.written
    assert half.bad[0].message.startswith("it has no time, and Cy gave the same object another")
    same = put(workspace, tmp_path / "s.csv", header + "b,A,Di,\nb,A,Di,2024-02-02\n")
    assert (same.written, same.notes) == (True, ())


@pytest.mark.parametrize("kind", FORMATS)
def test_an_exported_log_comes_back_event_by_event(workspace, tmp_path, kind):
    comments = ("=1+1", "two\nlines", "'-x", '"quoted", äß')
    with open_database(workspace).session() as session:
        ids = dict(session.execute(sa.select(Candidate.object_id, Candidate.id)).all())
        events = [
            build_event(
                {"uuid": str(uuid4()), "kind": "grade",
                 "given_at": datetime(2024, 1, k + 1, tzinfo=UTC), "grade": "AX"[k % 2],
                 "reject_reason": "ring" if k % 2 else None,
                 "comment": comments[k], "shown_ms": 900 + k, "view": {"stretch": "asinh"}},
                scheme=SCHEMES["abcx"], grader_id=grader_named(session, "Ana").id,
                candidate_id=ids[IDS[k]],
            )
            for k in range(4)
        ]  # fmt: skip
        undo = {"uuid": str(uuid4()), "kind": "undo", "undoes": events[0].uuid,
                "given_at": datetime(2024, 2, 1, tzinfo=UTC)}  # fmt: skip
        who = grader_named(session, "Ana").id
        events.append(
            build_event(undo, scheme=SCHEMES["abcx"], grader_id=who, candidate_id=ids[IDS[0]])
        )
        append_events(session, events)
        export_events(session, tmp_path / f"log.{kind}", kind)
    before = votes(workspace)
    report = put(workspace, tmp_path / f"log.{kind}", mapping=CsvMapping())
    assert (report.n_new, report.n_known, report.bad) == (0, 5, ())
    other = Workspace.create(tmp_path / "other")
    add_objects(other, "deep", dict.fromkeys(IDS))
    add_objects(other, "wide", dict.fromkeys(IDS))  # the log names the catalog
    report = put(other, tmp_path / f"log.{kind}", mapping=CsvMapping())
    assert (report.n_new, report.bad) == (5, ())
    assert votes(other) == before
    with open_database(other).session() as session:
        stored = session.scalars(sa.select(LabelEvent).order_by(LabelEvent.id)).all()
        assert [event.uuid for event in stored] == [event.uuid for event in events]
        assert [event.comment for event in stored[:4]] == list(comments)
        assert [event.shown_ms for event in stored] == [900, 901, 902, 903, None]
        assert stored[1].given_at == events[1].given_at
        verify(session)


def test_two_candidates_in_reach_are_told(tmp_path):
    made = Workspace.create(tmp_path / "sky")
    add_objects(made, "deep", {"a": (0.00005, 10.0), "b": (359.99995, 10.0), "c": (5.0, -20.0)})
    add_objects(made, "wide", {"c": (5.0, -20.0)})
    mapping = CsvMapping("", "ra", "dec", grader_name="Team")
    header = "ra,dec,grade\n"
    report = put(made, tmp_path / "g.csv", header + "0,10,A\n", mapping=mapping)
    assert not report.written
    assert report.bad[0].message == (
        "2 candidates lie within 1 arcsec of 0.00000, +10.00000 deg: deep/a at 0.18 arcsec, deep/b "
        "at 0.18 arcsec; name one catalog, give a smaller radius, or object ids."
    )
    assert put(made, tmp_path / "g.csv", header + "0.00009,10,A\n", mapping=mapping,
               radius_arcsec=0.3).n_new == 1  # fmt: skip
    both = put(made, tmp_path / "h.csv", header + "5,-20,B\n", mapping=mapping)
    assert "deep/c at 0.00 arcsec, wide/c at 0.00 arcsec" in both.bad[0].message
    one = put(made, tmp_path / "h.csv", header + "5,-20,B\n", mapping=mapping, catalogs=("wide",))
    assert one.n_new == 1
    assert votes(made) == {("a", "Team"): "A", ("c", "Team"): "B"}
    far = put(made, tmp_path / "f.csv", header + "500,10,A\n", mapping=mapping)
    assert "right ascension 500 deg lies outside 0 to 360" in far.bad[0].message
