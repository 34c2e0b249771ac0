"""The bundled edition by its published counts, and other editions."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from lensing_core.crossmatch.lenscat import BUNDLED, read_lenscat
from lensing_core.errors import BadInputError

HEAD = "name,RA [deg],DEC [deg],zlens,type,grading,ref\n"


def test_confident_and_probable_rows_stand_apart():
    confident, probable = read_lenscat("confident"), read_lenscat("probable")
    assert (len(confident), len(probable)) == (2309, 30529)
    assert (confident.kind, probable.kind) == ("lens", "probable")
    assert confident.version == "1.1.3"
    assert set(confident.columns["type"]) == {"galaxy", "group", "cluster"}
    assert np.isfinite(confident.ra_deg).all()
    first = confident.row(0)
    assert first["grading"] == "confident"
    assert "z_lens" not in first  # '-' is no redshift


def test_a_position_that_lost_its_sign_is_where_the_literature_has_it():
    found = read_lenscat("confident")
    at = found.names.index("Abell 2744")
    assert found.dec_deg[at] == pytest.approx(-30.400175)
    assert found.ra_deg[at] == pytest.approx(3.586258333)


def test_the_license_lies_beside_the_copy():
    assert "MIT License" in (BUNDLED.parent / "LICENSE.lenscat").read_text()


def test_another_edition_packed_or_not(tmp_path: Path):
    text = HEAD + "A,10.5,-3,0.4,galaxy,confident,x\nB,11,2,-,group,probable,y\n"
    plain, packed = tmp_path / "catalog.csv", tmp_path / "catalog.csv.gz"
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text.encode()))
    for path in (plain, packed):
        found = read_lenscat("confident", path)
        assert found.names == ["A"]
        assert found.row(0) == {
            "z_lens": "0.4",
            "type": "galaxy",
            "grading": "confident",
            "ref": "x",
        }
        assert found.version.startswith("sha256 ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "no column name"),
        (HEAD, "no row graded"),
        (HEAD + "A,ten,-3,0.4,galaxy,confident,x\n", "not in degrees"),
    ],
)
def test_what_is_no_lenscat_is_refused(tmp_path: Path, text: str, message: str):
    path = tmp_path / "catalog.csv"
    path.write_text(text)
    with pytest.raises(BadInputError, match=message):
        read_lenscat("confident", path)


def test_a_missing_file_and_an_unknown_grading_are_refused(tmp_path: Path):
    with pytest.raises(BadInputError, match="cannot be read"):
        read_lenscat("confident", tmp_path / "none.csv")
    with pytest.raises(BadInputError, match="Grading"):
        read_lenscat("likely")
