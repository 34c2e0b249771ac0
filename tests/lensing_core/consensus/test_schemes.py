from __future__ import annotations

import pytest

from lensing_core.consensus.schemes import SCHEMES, Grade, Scheme, scheme_from_json
from lensing_core.errors import BadInputError


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_a_scheme_survives_json(scheme):
    assert scheme_from_json(scheme.to_json()) == scheme


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_grades_are_given_from_the_surest_lens_down(scheme):
    p = [grade.p_lens for grade in scheme.grades]
    assert p == sorted(p, reverse=True)


def test_a_continuous_scheme_takes_any_probability():
    scheme = SCHEMES["p_lens"]
    assert (scheme.grade("0.62").p_lens, scheme.grade("0.62").is_lens) == (0.62, 1)
    assert scheme.grade("0.5").is_lens is None
    for bad in ("1.2", "-0.1", "nan", "A"):
        with pytest.raises(BadInputError, match="not a probability"):
            scheme.grade(bad)


def test_an_unknown_grade_is_refused():
    with pytest.raises(BadInputError, match="'D' is not in scheme abcx: give one of A, B, C, X"):
        SCHEMES["abcx"].grade("D")


def test_a_scheme_says_lens_and_no_lens():
    with pytest.raises(BadInputError, match="needs a grade that says lens"):
        Scheme("s", "s", (Grade("a", "a", 1, 1.0), Grade("b", "b", None, 0.5)))
    with pytest.raises(BadInputError, match="one key"):
        Scheme("s", "s", (Grade("a", "a", 1, 1.0), Grade("a", "b", 0, 0.5)))
    with pytest.raises(BadInputError, match="makes no sense"):
        scheme_from_json({"name": "s", "title": "s", "grades": [{"key": "a"}]})
