"""Tables that users bring: formats, sexagesimal positions, errors, and rows that cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from lensing_core.crossmatch.table_reference import read_reference_table
from lensing_core.errors import BadInputError


def test_sexagesimal_text_with_a_bad_row(tmp_path: Path):
    path = tmp_path / "known.csv"
    path.write_text("name,ra,dec,note\nA,09:46:56.68,+10:06:52.8,one\nB,09:00:00,95:00:00,two\n")
    found, notes = read_reference_table(path, "lens")
    assert found.key == "table:known.csv"
    assert found.ra_deg[0] == pytest.approx(146.736167, abs=1e-6)
    assert found.dec_deg[0] == pytest.approx(10.114667, abs=1e-6)
    assert np.isnan(found.ra_deg[1])
    assert any("1 rows" in note and "row 2" in note for note in notes)
    assert found.row(0) == {"name": "A", "note": "one"}


def test_fits_with_position_errors_and_stated_columns(tmp_path: Path):
    path = tmp_path / "clusters.fits"
    Table(
        {"X": [10.0, 20.0], "Y": [-1.0, 2.0], "sigma": [30.0, np.nan], "richness": [20, 50]}
    ).write(path)
    found, _ = read_reference_table(
        path, "cluster", columns={"ra": "X", "dec": "Y"}, error_column="sigma"
    )
    np.testing.assert_array_equal(found.positions(2.0).error_arcsec, [30.0, 2.0])
    assert found.names == ["row 1", "row 2"]
    assert found.row(1)["richness"] == 50


def test_a_table_without_positions_is_refused(tmp_path: Path):
    path = tmp_path / "plain.csv"
    path.write_text("name,flux\nA,1\n")
    with pytest.raises(BadInputError, match="right ascension"):
        read_reference_table(path, "lens")


def test_an_unknown_error_column_is_refused(tmp_path: Path):
    path = tmp_path / "known.csv"
    path.write_text("ra,dec\n10,2\n")
    with pytest.raises(BadInputError, match="poserr"):
        read_reference_table(path, "lens", error_column="poserr")
