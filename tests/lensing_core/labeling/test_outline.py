"""What a file of grades is said to be before its import."""

from __future__ import annotations

from lensing_core.consensus import SCHEMES
from lensing_core.labeling.csv_mapping import CsvMapping
from lensing_core.labeling.outline import outline_grades, values_of

ABCX = SCHEMES["abcx"]


def test_a_table_with_graders_needs_no_name_of_a_grader(tmp_path):
    path = tmp_path / "grades.csv"
    path.write_text("object_id,grade,grader\na,A,Bo\n")
    outline = outline_grades(path, ABCX)
    assert (outline.kind, outline.columns) == ("csv", ("object_id", "grade", "grader"))
    assert outline.title == "A table of 3 columns."
    assert outline.mapping.grader_name == ""


def test_lines_without_a_header_have_numbered_columns(tmp_path):
    path = tmp_path / "grades.csv"
    path.write_text("a.fits,A\nb.fits,X\n")
    outline = outline_grades(path, ABCX)
    assert outline.columns == ("1", "2")
    assert (outline.mapping.object_id, outline.mapping.grade) == ("1", "2")
    assert values_of(path, outline.mapping, ABCX) == {"A": (1, "A"), "X": (1, "X")}


def test_values_are_counted_the_most_frequent_first_and_unknown_ones_told(tmp_path):
    path = tmp_path / "grades.csv"
    path.write_text("object_id,grade\na,X\nb,A\nc,X\nd,splendid\ne,X\nf,A\n")
    found = values_of(path, CsvMapping(grader_name="Bo"), ABCX)
    assert list(found.items()) == [("X", (3, "X")), ("A", (2, "A")), ("splendid", (1, None))]
