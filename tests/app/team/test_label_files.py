"""Grades in files: what a file holds is seen when it is chosen, and can be put right."""

from __future__ import annotations

import csv
import io
import json

import pytest
from people import signed_in_as
from small_catalogs import add_objects, votes

from lens_triage.app.context import AppContext
from lens_triage.app.team.label_files import LabelFiles
from lensing_core.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    made = Workspace.create(tmp_path / "ws")
    add_objects(made, "deep", {f"o{k}": None for k in range(5)})
    return made


@pytest.fixture
def files(workspace):
    return LabelFiles(signed_in_as(AppContext.of(workspace), "Bo", "organizer")[0], lambda: None)


def choose(files, text: str, name="grades.csv", scheme="abcx") -> None:
    files.scheme.value = scheme
    files.file.param.update(value=text.encode(), filename=name)


def offered(files) -> dict[str, str | None]:
    return {value: widget.value for value, widget in files.mapping.meanings.items()}


def export(rows) -> str:
    lines = [
        {
            "classification_id": k, "user_name": who, "created_at": f"2026-01-0{k} 00:00:00 UTC",
            "workflow_id": workflow, "workflow_name": "", "workflow_version": "1.1",
            "annotations": json.dumps([{"task": "T0", "task_label": "A?", "value": answer}]),
            "subject_data": json.dumps({"9": {"#object_id": "o1"}}),
        }
        for k, (who, workflow, answer) in enumerate(rows, start=1)
    ]  # fmt: skip
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(lines[0]))
    writer.writeheader()
    writer.writerows(lines)
    return stream.getvalue()


def test_a_known_tool_is_named_and_its_values_are_offered(files, workspace):
    text = (
        "file_name,classification,subclassification,ra\n"
        "o1.fits,A,A,\no2.fits,odd,,\no3.fits,Empty,,\n"
    )
    choose(files, text)
    assert "Qt-stamp-visualizer" in files.mapping.said.object
    assert (files.mapping.object_id.value, files.mapping.grade.value) == (
        "file_name",
        "classification",
    )
    assert offered(files) == {"A": "A", "odd": None, "Empty": ""}
    files.mapping.grader_name.value = "Una"
    files._start()
    assert files.notice.message.startswith("Nothing was imported: 1 of 3 rows are bad.")
    files.mapping.meanings["odd"].value = "X"
    files._start()
    assert votes(workspace) == {("o1", "Una"): "A", ("o2", "Una"): "X"}
    assert "2 grades imported" in files.notice.message


def test_another_column_of_grades_is_counted_anew(files, workspace):
    choose(files, "id,who,said,other\no1,Li,3,0\no2,Li,9,1\n", scheme="0-3")
    assert offered(files) == {}
    files.mapping.object_id.value, files.mapping.grader.value = "id", "who"
    files.mapping.grade.value = "said"
    assert offered(files) == {"3": "3", "9": None}
    files.mapping.grade.value = "other"
    assert offered(files) == {"0": "0", "1": "1"}
    files._start()
    assert votes(workspace) == {("o1", "Li"): "0", ("o2", "Li"): "1"}


def test_lines_without_a_header_are_told(files, workspace):
    choose(files, "o1,3\no2,0\n", scheme="0-3")
    assert "without a header" in files.mapping.said.object
    files.mapping.grader_name.value = "Una"
    files._start()
    assert votes(workspace) == {("o1", "Una"): "3", ("o2", "Una"): "0"}


def test_a_workflow_of_zooniverse_must_be_chosen(files, workspace):
    text = export([("ana", "100", "Yes"), ("bob", "200", "Yes"), ("cy", "100", "Maybe")])
    choose(files, text, scheme="binary")
    assert "3 classifications of 2 workflows" in files.mapping.said.object
    assert list(files.mapping.workflow.options) == ["(choose)", "100 (2)", "200 (1)"]
    files._start()
    assert "2 workflows" in files.notice.message
    files.mapping.workflow.value = "100"
    assert files.mapping.subject_key.value == "#object_id"
    assert offered(files) == {"Yes": "lens", "Maybe": None}
    files.mapping.meanings["Maybe"].value = ""
    files._start()
    assert votes(workspace) == {("o1", "ana"): "lens"}
    assert "workflow 200 left aside" in files.notice.message


def test_a_file_that_is_no_text_is_told(files):
    files.file.param.update(value=b"\xff\xfeo\x00", filename="grades.csv")
    assert "not text in UTF-8" in files.notice.message
