from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from astropy.table import Table

from lensing_core.ingest.catalog_writer import Rejected
from lensing_core.ingest.columns import recognize
from lensing_core.ingest.labels import LabelRule
from lensing_core.ingest.positions import PositionReader
from lensing_core.ingest.rows import RowReader
from lensing_core.ingest.tables import SourceTable


def reader(table: Table, labels=None, fields=frozenset(), stated=None) -> RowReader:
    source = SourceTable(table, Path("t.csv"), "")
    columns = recognize(source, ("g", "r", "i"), stated)
    return RowReader(source, columns, PositionReader(), labels or LabelRule(), fields)


def read(table: Table, **more):
    return list(reader(table, **more).read(0, len(table)))


def test_everything_of_a_row():
    table = Table(
        {
            "id": ["a", "b"],
            "ra": ["10.5", "11"],
            "dec": ["-1", "2"],
            "label": ["1", ""],
            "label_confidence": ["0.8", "7"],
            "mag_g": ["21.5", "20"],
            "mag_i": ["19.5", "x"],
            "flux_r": ["3.5", ""],
            "z_phot": ["0.4", "-"],
            "richness": ["12", ""],
            "tile": ["007", "8"],
            "comment": ["bright", ""],
        }
    )
    table_reader = reader(table, fields=frozenset({"tile"}))
    first, second = table_reader.read(0, 2)
    assert first.request.values == {"tile": "007"}
    assert first.candidate == {
        "object_id": "a",
        "ra_deg": 10.5,
        "dec_deg": -1.0,
        "label": 1,
        "label_source": None,
        "label_confidence": 0.8,
        "label_policy": None,
        "magnitude": 19.5,
    }
    assert first.observation["magnitudes"] == {"g": 21.5, "i": 19.5}
    assert first.observation["fluxes"] == {"r": 3.5}
    assert (first.observation["z_phot"], first.observation["richness"]) == (0.4, 12.0)
    assert first.observation["properties"] == {"tile": "007", "comment": "bright"}
    json.dumps(first.observation, allow_nan=False)
    assert second.candidate["label"] is None
    assert second.candidate["magnitude"] is None
    assert second.observation["fluxes"] is None
    assert table_reader.unclear_cells == {"label_confidence": 1, "mag:i": 1, "z_phot": 1}


def test_ids_of_numbers_files_and_nothing():
    assert read(Table({"id": [2**60, 5]}))[0].request.object_id == str(2**60)
    assert read(Table({"id": [3.0]}))[0].request.object_id == "3"
    assert read(Table({"file": ["d/J1.5+2.fits.gz"]}))[0].request.object_id == "J1.5+2"
    assert read(Table({"ra": [1.0], "dec": [2.0]}))[0].request.object_id == "row-0"


def test_bad_rows_are_reported_with_their_number():
    table = Table({"id": ["a", "", "c", "x" * 300], "ra": [1, 2, 400, 4], "dec": [1, 2, 3, 4]})
    rows = read(table)
    assert [type(row) is Rejected for row in rows] == [False, True, True, True]
    assert [(r.row_number, r.reason) for r in rows[1:]] == [
        (1, "missing_id"),
        (2, "bad_coordinates"),
        (3, "missing_id"),
    ]
    assert rows[2].object_id == "c"


def test_grades_become_labels_and_stay_as_properties():
    table = Table({"id": ["a", "b", "c"], "grade": [3.0, 1.5, 0.3]})
    rows = read(table, labels=LabelRule(lens_from=2, nonlens_below=1), stated={"label": "grade"})
    assert [row.candidate["label"] for row in rows] == [1, None, 0]
    assert [row.observation["properties"]["grade"] for row in rows] == [3.0, 1.5, 0.3]


def test_a_row_of_a_weak_source_does_not_train():
    table = Table(
        {
            "id": ["a", "b", "c", "d"],
            "label": [1, 1, 1, 1],
            "label_source": ["weak:gzoo", "obs:sled", "weak:gzoo", ""],
            "label_policy": ["", "", "all", "everything"],
        }
    )
    table_reader = reader(table)
    policies = [row.candidate["label_policy"] for row in table_reader.read(0, 4)]
    assert policies == ["pretraining_only", None, "all", "pretraining_only"]
    assert table_reader.unclear_cells == {"label_policy": 1}


def test_unknown_labels_are_counted():
    table_reader = reader(
        Table({"id": ["a", "b"], "truth2": ["1", "maybe"]}), stated={"label": "truth2"}
    )
    assert [row.candidate["label"] for row in table_reader.read(0, 2)] == [1, None]
    assert table_reader.unclear_cells == {"label": 1}


def test_masked_cells_and_numbers_that_are_not_finite():
    table = Table({"id": ["a", "b"], "note": [1.0, np.inf]}, masked=True)
    table["note"].mask = [True, False]
    assert [row.observation["properties"] for row in read(table)] == [{}, {}]
