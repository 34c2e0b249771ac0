from __future__ import annotations

import pytest

from lensing_core.errors import BadInputError
from lensing_core.ingest.labels import LabelRule, UnknownLabel


@pytest.mark.parametrize(
    ("cell", "label"),
    [
        *((1, 1), (0, 0), ("1", 1), ("0.0", 0), (1.0, 1), (True, 1), (False, 0), ("Lens", 1)),
        *(("non-lens", 0), ("not a lens", 0), ("unknown", None), (-1, None), ("-1", None)),
        (None, None),
    ],
)
def test_words(cell, label):
    assert LabelRule().read(cell) == label


@pytest.mark.parametrize("cell", ["maybe", 2, "0.5"])
def test_what_is_no_label(cell):
    with pytest.raises(UnknownLabel):
        LabelRule().read(cell)


def test_grades():
    rule = LabelRule(lens_from=2, nonlens_below=1)
    assert [rule.read(g) for g in ("3.0", 2, 1.9, 1, 0.9, 0, None)] == [
        1,
        1,
        None,
        None,
        0,
        0,
        None,
    ]
    assert [rule.read(g) for g in (-1, "-1.0", -99, "unlabeled", "nan", 99)] == [*[None] * 5, 1]
    with pytest.raises(UnknownLabel):
        rule.read("A")
    with pytest.raises(BadInputError, match="must not exceed"):
        LabelRule(lens_from=1, nonlens_below=2)


def test_one_label_for_all():
    assert LabelRule(all_are=1).read("anything") == 1
