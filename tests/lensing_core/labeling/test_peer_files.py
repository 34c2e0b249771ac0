"""Grades of other tools: their columns, spellings and signs of "not graded"."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lensing_core.consensus import SCHEMES
from lensing_core.errors import BadInputError
from lensing_core.labeling.csv_files import read_csv
from lensing_core.labeling.csv_mapping import CsvMapping
from lensing_core.labeling.finding import spellings

BO = {"grader_name": "Bo"}


@pytest.fixture
def read(tmp_path):
    def read(text, scheme="abcx", **mapping):
        path = tmp_path / "grades.csv"
        path.write_text(text, encoding="utf-8")
        return read_csv(path, CsvMapping(**mapping), SCHEMES[scheme])

    return read


def grades(found) -> dict[str, str]:
    return {row.name: row.grade for row in found.rows}


QT = ",file_name,classification,subclassification,ra,dec,comment,image_dim,time\n"


def test_qt_stamp_visualizer_one_at_a_time(read):
    text = QT + (
        "0,o0.fits,A,A,0.0,0.0,A,44.0,1.2\n2,o2.fits,C,Ring,2.0,0.0,C,44.0,2.2\n"
        "3,o3.fits,Empty,Empty,,,Empty,,0.0\n4,o4.fits,X,Spiral,4.0,0.0,X,44.0,1.0\n"
    )
    for more in ({}, {"object_id": "file_name", "grade": "classification"}):
        found = read(text, **BO, **more)
        assert grades(found) == {"o0.fits": "A", "o2.fits": "C", "o4.fits": "X"}
        assert [row.reason for row in found.rows] == ["", "", "spiral"]  # a reason of no lens
        assert (found.n_ungraded, found.bad) == (1, [])
        assert "Qt-stamp-visualizer" in found.notes[0]
        assert "Not graded: 'Empty' (1)." in found.notes


def test_qt_classes_become_grades_as_its_own_summary_counts_them(read):
    text = "file_name,classification,subclassification,ra,dec,comment\n" + "".join(
        f"o{k}.fits,{name},{name},,,{name}\n"
        for k, name in enumerate(("SL", "ML", "FL", "NL", "None"))
    )
    assert list(grades(read(text, "0-3", **BO)).values()) == ["3", "2", "1", "0"]
    assert list(grades(read(text, "abcx", **BO)).values()) == ["A", "B", "C", "X"]
    own = read(text, "binary", **BO, values={"ML": "lens", "FL": ""})
    assert list(grades(own).values()) == ["lens", "lens", "not"]
    assert own.n_ungraded == 2


def test_a_mosaic_has_marks_and_pages_that_were_never_opened(read):
    text = (
        "file_name,classification,grid_pos,page,time\n"
        "o0.fits,1.0,0,0,1.0\no1.fits,0.0,1,0,0.0\no2.fits,0.0,0,1,0.0\no3.fits,0.0,1,1,0\n"
    )
    found = read(text, "binary", **BO)
    assert grades(found) == {"o0.fits": "lens", "o1.fits": "not"}
    assert found.n_ungraded == 2
    assert "Grades were read as follows: '1.0' as lens (1), '0.0' as not (1)." in found.notes
    assert "1 pages were never opened" in found.notes[-1]
    unknown = read(text, "abcx", **BO)  # A or B? nobody said
    assert grades(unknown)["o0.fits"] == "1.0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("o0,3\no1,0\no2,1\n", {"o0": "3", "o1": "0", "o2": "1"}),
        ("o0,3.0\no1,\n", {"o0": "3"}),
        ("o0,2,Ring,a note, with a comma\n", {"o0": "2"}),
    ],
)
def test_lines_without_a_header(read, text, expected):
    found = read(text, "0-3", **BO)
    assert grades(found) == expected
    assert "first line is data" in found.notes[0]
    assert found.rows[0].line == 1
    if "note" in text:
        assert found.rows[0].comment == "a note, with a comma"
    with pytest.raises(BadInputError, match="say who graded"):
        read(text, "0-3")


def test_columns_of_lines_without_a_header_may_be_numbered(read):
    found = read("Una,o7,A\n", object_id="2", grade="3", grader="1", header=False)
    assert (found.rows[0].name, found.rows[0].grader) == ("o7", "Una")
    with pytest.raises(BadInputError, match="as the number of a column, 1 to 3, not 'who'"):
        read("Una,o7,A\n", object_id="2", grade="3", grader="who", header=False)


def test_a_header_is_never_taken_for_data(read):
    with pytest.raises(BadInputError, match="no column object_id, grade; it has who, score"):
        read("who,score\no1,3\n", "0-3", **BO)
    with pytest.raises(BadInputError, match="2 columns 'grade'"):
        read("object_id,grade,grade\no1,A,B\n", **BO)


def test_astronomaly_scores_need_a_meaning(read):
    text = ",score,human_label,trained_score\no0,1.2,5,3\no1,1.0,0,3\no2,0.9,-1,3\n"
    found = read(text, "0-4", **BO)
    assert not found.rows
    assert found.n_ungraded == 1
    assert "does not say whether it is a lens" in found.bad[0].message
    mapped = read(text, "binary", **BO, values={"5": "lens", "0": "not"})
    assert grades(mapped) == {"o0": "lens", "o1": "not"}


def test_galassify_needs_its_tag_group_and_skips_what_was_not_processed(read):
    text = (
        "group,galaxy,ra,dec,filename,processed,morphology,comment\n"
        "1,o1,2,3,a.png,True,ring,x\n1,o2,2,3,b.png,False,,\n"
    )
    with pytest.raises(BadInputError, match="no column grade; it has group, galaxy"):
        read(text, **BO)
    found = read(text, grade="morphology", values={"ring": "X"}, **BO)
    assert grades(found) == {"o1": "X"}
    assert (found.rows[0].comment, found.n_ungraded) == ("x", 1)


@pytest.mark.parametrize(
    ("cell", "scheme", "key"),
    [
        *(("3.0", "0-3", "3"), ("0.", "0-3", "0"), (" 2 ", "0-3", "2"), ("b", "abcx", "B")),
        *(("1", "binary", "lens"), ("False", "binary", "not"), ("0.40", "p_lens", "0.40")),
        *(("1.0", "p_lens", "1"), ("nan", "0-3", None), ("", "abcx", None)),
    ],
)
def test_spellings_of_grades(read, cell, scheme, key):
    found = read(f"object_id,grade,grader\no1,{cell},Cy\n", scheme)
    assert [row.grade for row in found.rows] == ([] if key is None else [key])
    assert found.n_ungraded == (key is None)


def test_what_is_no_grade_stays_as_it_is(read):
    """It is refused where the event is built."""
    text = "object_id,grade,grader\n" + "".join(f"o,{g},Cy\n" for g in ("-1", "None", "3.5", "4.0"))
    assert [row.grade for row in read(text, "0-3").rows] == ["-1", "None", "3.5", "4.0"]


def test_a_line_with_too_many_cells_is_told(read):
    found = read("object_id,grade,grader\no1,A,Cy,surplus\n")
    assert found.bad[0].message == "it has 4 cells, the header 3."


@given(
    st.sampled_from(["{}.fits", "{}.FITS", "{}.fits.gz", "a/b/{}.png", "a\\{}.jpg", "{}.fit.fz"]),
    st.from_regex(r"[A-Za-z][A-Za-z0-9_+.-]{0,20}[A-Za-z0-9]", fullmatch=True),
)
def test_images_are_known_by_their_object(pattern, name):
    assert name in list(spellings(pattern.format(name)))
    assert next(spellings(pattern.format(name))) == pattern.format(name)
