"""Grades in and out: mappings, bad rows, nothing twice, nothing half, nothing that runs."""

from __future__ import annotations

import csv
import json

import pytest
import sqlalchemy as sa
from astropy.table import Table

from lensing_core.consensus import SCHEMES
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.labeling.exporting import export_events
from lensing_core.labeling.grade_files import CsvMapping, ZooniverseMapping
from lensing_core.labeling.importing import GradeImportRequest, import_labels
from lensing_core.store import open_database
from lensing_core.store.labels import verify
from lensing_core.store.tables import Candidate, Catalog, Grader, LabelEvent, Vote

MAPPING = CsvMapping(reject_reason="why", comment="remark", at="time")
HEADER = "object_id,grade,grader,why,remark,time\n"


@pytest.fixture
def database(filled_workspace):
    return open_database(filled_workspace)


@pytest.fixture
def put(database, tmp_path):
    """Write a file and import it; the report."""

    def put(text: str, mapping=MAPPING, **fields):
        path = tmp_path / "grades.csv"
        path.write_text(text, encoding="utf-8")
        with database.session() as session:
            return import_labels(session, GradeImportRequest(path, mapping, "nightly", **fields))

    return put


def votes(database) -> dict[tuple[str, str], str]:
    with database.session() as session:
        rows = session.execute(
            sa.select(Candidate.object_id, Grader.name, Vote.grade)
            .join(Candidate, Candidate.id == Vote.candidate_id)
            .join(Grader, Grader.id == Vote.grader_id)
        )
        return {(name, grader): grade for name, grader, grade in rows}


def count(database) -> int:
    with database.session() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(LabelEvent))


def test_a_table_is_imported_once_and_what_it_grew_by_later(database, put):
    text = HEADER + (
        "cosmos-00001,A,Ana,,,2026-01-02T03:04:05\n"
        "cosmos-00002,X,Ana,ring,=1+1,\n"
        "cosmos-00001,B, Bo  Li ,,,\n"
    )
    report = put("\ufeff" + text)
    assert (report.n_rows, report.n_new, report.n_known, report.bad) == (3, 3, 0, ())
    assert votes(database) == {
        ("cosmos-00001", "Ana"): "A",
        ("cosmos-00002", "Ana"): "X",
        ("cosmos-00001", "Bo Li"): "B",
    }
    with database.session() as session:
        first = session.scalars(sa.select(LabelEvent).order_by(LabelEvent.id)).first()
        assert first.source == "import:nightly"
        assert first.given_at.isoformat() == "2026-01-02T03:04:05+00:00"
        assert (first.is_lens, first.p_lens, first.session_id) == (1, 0.95, None)
        verify(session)
    again = put(text + "cosmos-00003,C,Ana,,,\n")
    assert (again.n_new, again.n_known) == (1, 3)
    assert count(database) == 4


def test_one_bad_row_keeps_all_out_unless_good_ones_are_wanted(database, put):
    text = HEADER + (
        "cosmos-00001,A,Ana,,,\n"
        "cosmos-99999,A,Ana,,,\n"
        "cosmos-00002,Z,Ana,,,\n"
        "cosmos-00003,X,Ana,comet,,\n"
        "cosmos-00004,X,,,,\n"
        "cosmos-00005,X,Ana,,,yesterday\n"
        ",X,Ana,,,\n"
    )
    report = put(text)
    assert not report.written
    assert count(database) == 0
    said = {bad.row: bad.message for bad in report.bad}
    assert set(said) == set(range(3, 9))
    assert said[3] == "no candidate is called 'cosmos-99999'."
    assert said[4].startswith("grade 'Z' is not in scheme abcx")
    assert "'comet' is unknown" in said[5]
    assert said[6] == "no grader is named."
    assert said[7] == "time 'yesterday' is not ISO 8601."
    assert "neither a name nor a position" in said[8]
    kept = put(text, skip_bad=True)
    assert (kept.n_new, len(kept.bad)) == (1, 6)
    assert count(database) == 1


def test_a_name_that_breaks_a_rule_costs_its_row(database, put):
    text = HEADER + (
        "cosmos-00001,A,Ana,,,\n"
        "cosmos-00001,A,A\u200bna,,,\n"
        "cosmos-00002,A,Zo\u00eb,,,\n"
        "cosmos-00003,A,ZO\u00cb,,,\n"
        "cosmos-00004,A,\u0410\u043d\u0430 B,,,\n"
    )
    report = put(text)
    assert not report.written
    assert [bad.row for bad in report.bad] == [3, 5, 6]
    assert "U+200B" in report.bad[0].message
    assert "looks like 'Zo\u00eb', which is taken" in report.bad[1].message
    assert "several scripts" in report.bad[2].message
    with database.session() as session:
        assert "Ana" not in session.scalars(sa.select(Grader.name)).all()
    kept = put(text, skip_bad=True)
    assert (kept.n_new, len(kept.bad)) == (2, 3)
    assert sorted(votes(database).values()) == ["A", "A"]


def test_objects_are_found_by_position(database, put):
    with database.session() as session:
        one = session.scalars(
            sa.select(Candidate).where(Candidate.object_id == "cosmos-00007")
        ).one()
        ra, dec = one.ra_deg, one.dec_deg
    mapping = CsvMapping("", "ra", "dec", "score", grader_name="Survey team")
    text = f"ra,dec,score\n{ra},{dec + 0.5 / 3600},3\n{ra},{dec + 5 / 3600},0\n{ra},95,0\n"
    report = put(text, mapping, scheme=SCHEMES["0-3"], skip_bad=True)
    assert votes(database) == {("cosmos-00007", "Survey team"): "3"}
    assert "within 1 arcsec" in report.bad[0].message
    assert "outside -90 to 90" in report.bad[1].message


def test_names_that_two_catalogs_have_need_the_catalog(database, put):
    with database.session() as session:
        for name in ("cosmos", "simulated"):
            catalog = session.scalars(sa.select(Catalog).where(Catalog.name == name)).one()
            session.scalars(
                sa.select(Candidate).where(Candidate.catalog_id == catalog.id).limit(1)
            ).first().object_id = "twin"
    text = HEADER + "twin,A,Ana,,,\n"
    assert "2 catalogs have an object 'twin'" in put(text).bad[0].message
    assert put(text, catalogs=("cosmos",)).n_new == 1
    with pytest.raises(NotFoundError, match="no catalog elsewhere"):
        put(text, catalogs=("elsewhere",))


def test_files_that_are_something_else_are_refused(put):
    with pytest.raises(BadInputError, match="no column grade, grader"):
        put("object_id,score\na,1\n")
    with pytest.raises(BadInputError, match="no column classification_id"):
        put(HEADER, ZooniverseMapping({}))


def classification(key: int, user: str, value, subject: dict, task: str = "T0") -> dict:
    return {
        "classification_id": key,
        "user_name": user,
        "created_at": "2026-02-03 04:05:06 UTC",
        "annotations": json.dumps([{"task": task, "value": value}]),
        "subject_data": json.dumps({"8123": {"retired": None, **subject}}),
    }


def test_zooniverse_exports_are_read(database, tmp_path):
    rows = [
        classification(1, "ana", "Yes", {"name": "cosmos-00001"}),
        classification(2, "not-logged-in-5f", ["No"], {"name": "cosmos-00001"}),
        classification(3, "ana", "Maybe", {"name": "cosmos-00002"}),
        classification(4, "ana", "Yes", {"other": "cosmos-00002"}),
        classification(5, "ana", "Yes", {"name": "cosmos-00003"}, task="T9"),
    ]
    rows.append({**rows[0], "classification_id": 6, "annotations": "{broken"})
    rows.append({**rows[0], "classification_id": 7, "annotations": "[" * 100_000})
    path = tmp_path / "classifications.csv"
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    mapping = ZooniverseMapping({"Yes": "lens", "No": "not"}, "T0", "name")
    request = GradeImportRequest(path, mapping, "zoo", SCHEMES["binary"], skip_bad=True)
    with database.session() as session:
        report = import_labels(session, request)
    assert votes(database) == {
        ("cosmos-00001", "ana"): "lens",
        ("cosmos-00001", "not-logged-in-5f"): "not",
    }
    messages = [bad.message for bad in report.bad]
    assert messages == [
        "answer 'Maybe' stands for no grade; say which.",
        "subject_data holds 0 objects with 'name': its fields are other; say which holds the "
        "object id.",
        "task T0 was not answered; the row answers T9.",
        "annotations is not the JSON of a Zooniverse export.",
        "annotations is not the JSON of a Zooniverse export.",
    ]
    with database.session() as session:
        assert import_labels(session, request).n_known == 2


def test_the_log_comes_out_whole_and_no_cell_is_a_formula(database, put, tmp_path):
    put(HEADER + "cosmos-00001,A,Ana,,=HYPERLINK(1),\ncosmos-00002,X,@Bo,ring,-1,\n")
    for kind in ("csv", "ecsv", "jsonl"):
        with database.session() as session:
            assert export_events(session, tmp_path / f"log.{kind}", kind) == 2
    with (tmp_path / "log.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["comment"] for row in rows] == ["'=HYPERLINK(1)", "-1"]
    assert [row["grader"] for row in rows] == ["Ana", "'@Bo"]
    table = Table.read(tmp_path / "log.ecsv")
    assert list(table["object_id"]) == ["cosmos-00001", "cosmos-00002"]
    assert list(table["is_lens"]) == [1, 0]
    lines = [json.loads(x) for x in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines[0]["comment"] == "=HYPERLINK(1)"
    assert lines[1]["previous_hash"] == lines[0]["hash"]
    with database.session() as session:
        assert verify(session).head == lines[1]["hash"]
        with pytest.raises(BadInputError, match="'xls'"):
            export_events(session, tmp_path / "log.xls", "xls")
    assert not list(tmp_path.glob("*.part"))
