"""Zooniverse exports: only the answers to the question that is meant become grades."""

from __future__ import annotations

import csv
import json

import pytest

from lensing_core.errors import BadInputError
from lensing_core.labeling.grade_rows import GradesRead
from lensing_core.labeling.zooniverse_files import ZooniverseMapping, read_zooniverse
from lensing_core.labeling.zooniverse_outline import is_export, outline_zooniverse

YES_NO = {"Yes": "lens", "No": "not"}
ASKS = "Do you see a lens?"


def classified(number, user="ana", answer="Yes", object_id="o0", **more) -> dict:
    """A line of an export."""
    fields = {
        "workflow_id": "100", "workflow_name": "Lens?", "workflow_version": "12.5",
        "created_at": "2026-02-03 04:05:06 UTC", "question": ASKS, "task": "T0",
        "subject": {"#object_id": object_id, "Filename": "x.png"}, **more,
    }  # fmt: skip
    task = {"task": fields.pop("task"), "task_label": fields.pop("question"), "value": answer}
    annotations = fields.pop("annotations", [task])
    subject = {"9001": {"retired": None, **fields.pop("subject")}}
    return {
        "classification_id": number, "user_name": user, **fields,
        "annotations": json.dumps(annotations), "subject_data": json.dumps(subject),
    }  # fmt: skip


@pytest.fixture
def read(tmp_path):
    def read(rows, **mapping) -> GradesRead:
        path = tmp_path / "classifications.csv"
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        assert is_export(path)
        return read_zooniverse(path, ZooniverseMapping(**{"answers": YES_NO, **mapping}))

    return read


def given(found: GradesRead) -> list[tuple[str, str, str]]:
    return [(row.grader, row.name, row.grade) for row in found.rows]


OTHER = {"workflow_id": "200", "workflow_name": "Spiral?", "workflow_version": "3.1"}


def test_of_two_workflows_one_is_named_and_the_other_is_left_aside(read):
    rows = [
        classified(11),
        classified(12, "bob", question="Is it a spiral?", **OTHER),
        classified(13, "carol", object_id="o1", question="Is it a spiral?", **OTHER),
        classified(14, "bob", "No", "o1"),
    ]
    with pytest.raises(BadInputError, match=r"2 workflows: 100 'Lens\?', 2 classifications"):
        read(rows)
    found = read(rows, workflow="100")
    assert given(found) == [("ana", "o0", "lens"), ("bob", "o1", "not")]
    assert not found.bad
    assert found.notes == [
        "Workflow 100 'Lens?' was read, versions 12.5 (2).",
        "2 classifications of workflow 200 'Spiral?' left aside: they answer another question.",
    ]
    assert given(read(rows, workflow="lens?")) == given(found)
    with pytest.raises(BadInputError, match="there is no workflow '300'"):
        read(rows, workflow="300")


def test_a_question_that_changed_between_versions_needs_its_version(read):
    rows = [
        classified(1),
        classified(2, "bo", question="Is it a spiral?", workflow_version="13.2"),
        classified(3, "cy", question="Is it a spiral?", workflow_version="13.9"),
    ]
    with pytest.raises(BadInputError, match=r"may not be one question.*'Is it a spiral\?'"):
        read(rows)
    assert given(read(rows, versions=("12",))) == [("ana", "o0", "lens")]
    assert [who for who, *_ in given(read(rows, versions=("13.2",)))] == ["bo"]
    assert [who for who, *_ in given(read(rows, versions=("13",)))] == ["bo", "cy"]
    assert len(read(rows, versions=("12.5", "13.2", "13.9")).rows) == 3  # each was named
    with pytest.raises(BadInputError, match="no version 14; it has"):
        read(rows, versions=("14",))


def test_versions_of_one_question_are_read_together(read):
    rows = [classified(1), classified(2, "bo", workflow_version="13.1")]
    assert len(read(rows).rows) == 2
    untold = [classified(k, f"g{k}", question=None, workflow_version=f"{k}.1") for k in (1, 2)]
    with pytest.raises(BadInputError, match=r"\(not stated\)"):
        read(untold)


def test_combined_tasks_and_lists_are_read_within(read):
    inner = [{"task": "T1", "value": None}, {"task": "T0", "task_label": ASKS, "value": ["No"]}]
    rows = [
        classified(1, annotations=[{"task": "T9", "taskType": "combo", "value": inner}]),
        classified(2, "bo", [{"select_label": "x", "label": "Yes", "option": True}]),
        classified(3, "cy", ["Yes", "No"]),
        classified(4, "di", None),
        classified(5, "ed", task="T4", question="Where is the arc?"),
    ]
    found = read(rows)
    assert given(found) == [("ana", "o0", "not"), ("bo", "o0", "lens")]
    assert [bad.message for bad in found.bad] == [
        "task T0 has 2 answers at once, ['Yes', 'No'].",
        "task T0 was left without an answer.",
        "task T0 was not answered; the row answers T4 Where is the arc?.",
    ]


def test_a_task_or_answers_that_were_not_named_are_offered_by_count(read):
    rows = [classified(k, f"g{k}", "Yes" if k else "No") for k in range(4)]
    with pytest.raises(BadInputError, match=r"'Yes' \(3\), 'No' \(1\)"):
        read(rows, answers={})
    with pytest.raises(BadInputError, match=r"it has T0 'Do you see a lens\?', 4 classifications"):
        read(rows, task="T3")
    assert read(rows, answers={"Yes": "lens", "No": ""}).n_ungraded == 1


@pytest.mark.parametrize("key", ["object_id", "#object_id", "//object_id", "!Object_ID"])
def test_subjects_of_our_own_are_known_by_default(read, key):
    subject = {key: "o1", "#catalog": "deep"}
    (row,) = read([classified(1, subject=subject)]).rows
    assert (row.name, row.catalog) == ("o1", "deep")


def test_other_subjects_are_told_by_their_fields(read):
    rows = [classified(1, subject={"name": "o1", "#RA": "3"})]
    assert read(rows).bad[0].message == (
        "subject_data holds 0 objects with 'object_id': its fields are #RA, name; say which holds "
        "the object id."
    )
    assert read(rows, subject_key="NAME").rows[0].name == "o1"
    both = [classified(1, subject={"object_id": "a", "#object_id": "b"})]
    assert read(both).rows[0].name == "a"  # the field as it was named
    two = [classified(1, subject={"!name": "a", "#name": "b"})]
    assert "several fields 'name'" in read(two, subject_key="name").bad[0].message


def test_the_outline_counts_what_there_is(tmp_path, read):
    read([classified(1), classified(2, "bo", "No"), classified(3, "cy", workflow_version="13.0")])
    (workflow,) = outline_zooniverse(tmp_path / "classifications.csv")
    assert (workflow.title, workflow.n) == ("100 'Lens?'", 3)
    assert workflow.versions == {"12.5": 2, "13.0": 1}
    assert workflow.tasks["T0"].answers == {
        ("12.5", "Yes"): 1,
        ("12.5", "No"): 1,
        ("13.0", "Yes"): 1,
    }
