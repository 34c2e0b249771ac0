"""Which names graders may have, and which of them are taken for one another."""

from __future__ import annotations

import pytest

from lensing_core.errors import BadInputError
from lensing_core.store import open_database
from lensing_core.store.grader_names import clean_name, skeleton
from lensing_core.store.labels import grader_named


@pytest.mark.parametrize(
    "name",
    ["Ana Lima", "José", "Zoë-Ann O'Neil", "Анна", "李 Wei", "マリー", "محمد", "not-logged-in-3f",
     "volunteer #7 (site A/B)"],
)  # fmt: skip
def test_names_of_people_and_tools_are_kept_as_they_are(name):
    assert clean_name(name) == name


def test_spaces_and_composed_letters_have_one_form():
    assert clean_name("  Ana   Lima ") == "Ana Lima"
    assert clean_name("Jose\u0301") == "José"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "1 to 120 letters"),
        ("x" * 121, "1 to 120 letters"),
        ("-- --", "a letter or a digit"),
        ("Ana\u200bLima", r"U\+200B \(ZERO WIDTH SPACE\)"),
        ("Ana\u2060", r"U\+2060"),
        ("Ana\ufe0f", "marks at most|U.FE0F"),
        ("\u202eanA", "RIGHT-TO-LEFT OVERRIDE"),
        ("Ana\nBo", r"U\+000A"),
        ("Ana\x00", r"U\+0000"),
        ("\ud800", r"U\+D800"),
        ("Ana\u00a0Lima", "NO-BREAK SPACE"),
        ("\uff21na", "stands for another letter"),
        ("\ufb01ona", "stands for another letter"),
        ("\u0410na", "several scripts"),
        ("\u03a9mega", "several scripts"),
        ("a\u0323\u0302\u0303\u0304", "marks at most"),
        ("\u0301ana", "a mark stands on a letter"),
    ],
)
def test_characters_that_cannot_be_told_apart_are_refused(name, why):
    with pytest.raises(BadInputError, match=why):
        clean_name(name)


@pytest.mark.parametrize(
    ("first", "second"),
    [("Ana Lima", "ana lima"), ("Ana Lima", "Ana-Lima"), ("Bill", "BiIl"), ("Bo", "B0"),
     ("Boo", "Воо"), ("Kop", "Κορ"), ("Carney", "Camey"), ("Will", "VVill"), ("Al", "A1")],
)  # fmt: skip
def test_names_that_look_alike_have_one_skeleton(first, second):
    assert skeleton(first) == skeleton(second)


def test_names_that_differ_to_the_eye_have_different_skeletons():
    names = ["Ana", "Anna", "Jose", "José", "Bo", "Rob", "grader 1", "grader 2", "Анна", "Аня"]
    assert len({skeleton(name) for name in names}) == len(names)


def test_a_name_that_looks_like_a_taken_one_is_refused(workspace):
    with open_database(workspace).session() as session:
        first = grader_named(session, "Boo")
        assert grader_named(session, " Boo ") is first
        for alike in ("Воо", "boo", "B00"):
            with pytest.raises(BadInputError, match="looks like 'Boo', which is taken"):
                grader_named(session, alike)
        # Another tool tells its users apart by case; a disguise stays one.
        assert grader_named(session, "boo", imported=True) is not first
        with pytest.raises(BadInputError, match="looks like"):
            grader_named(session, "Воо", imported=True)
