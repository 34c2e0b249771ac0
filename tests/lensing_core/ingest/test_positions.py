from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Column, Table

from lensing_core.ingest.position_units import position_reader
from lensing_core.ingest.positions import PositionReader
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.tables import SourceTable

RA, DEC = 150.1, -2.5  # degrees


def positions(ra, dec, names=("ra", "dec"), units=("", ""), stated="auto", frame="auto", **more):
    """The reader of a table with these columns, and its doubts."""
    columns = {}
    for name, cells in zip(names, (ra, dec), strict=True):
        values = np.empty(len(cells), object)
        values[:] = cells
        plain = all(isinstance(cell, float) for cell in cells)
        columns[name] = Column(values.astype(float) if plain else values)
    of_columns = dict(zip(names, units, strict=True))
    table = SourceTable(Table(columns), Path("t.csv"), "", units=of_columns, **more)
    return position_reader(table, names, stated, frame)


@pytest.mark.parametrize(
    ("cells", "unit", "dec_unit", "stated", "names"),
    [
        ((RA, DEC), "deg", "deg", "auto", ("ra", "dec")),
        ((str(RA), str(DEC)), "", "", "auto", ("ra", "dec")),
        ((RA / 15, DEC), "hourangle", "deg", "auto", ("ra", "dec")),
        ((RA / 15, DEC), "h", "deg", "auto", ("ra", "dec")),
        ((RA / 15, DEC), "", "", "hours", ("ra", "dec")),
        ((RA * 60, DEC * 3600), "arcmin", "arcsec", "auto", ("ra", "dec")),
        ((RA, DEC), "", "", "auto", ("Ra(deg)", "Dec [deg]")),
        ((math.radians(RA), math.radians(DEC)), "rad", "rad", "auto", ("ra", "dec")),
        ((math.radians(RA), math.radians(DEC)), "", "", "auto", ("coord_ra_rad", "coord_dec_rad")),
        (("10:00:24", "-02:30:00"), "", "", "auto", ("ra", "dec")),
        (("10h00m24s", "-2d30m00s"), "", "", "auto", ("ra", "dec")),
        (("10 00 24.0", "-02 30 00"), "h:m:s", "d:m:s", "auto", ("RAJ2000", "DEJ2000")),
    ],
)
def test_units(cells, unit, dec_unit, stated, names):
    reader, doubts = positions([cells[0]], [cells[1]], names, (unit, dec_unit), stated)
    assert reader.read(*cells) == pytest.approx((RA, DEC), abs=1e-9)
    assert not doubts


def test_a_declination_just_south_of_the_equator():
    reader = PositionReader("sexagesimal", "sexagesimal")
    assert reader.read("00:00:01", "-00:00:36")[1] == pytest.approx(-0.01)


def test_negative_right_ascensions_wrap():
    assert PositionReader().read(-10.0, DEC) == pytest.approx((350.0, DEC))


@pytest.mark.parametrize(
    ("ra", "dec", "message"),
    [
        (361.0, 0.0, "out of range"),
        (-999.0, -999.0, "out of range"),
        (10.0, 90.1, "out of range"),
        (None, 1.0, "right ascension is missing"),
        (1.0, None, "declination is missing"),
        ("ten", "1.0", "right ascension is 'ten'"),
        ("10:99:00", "1.0", "right ascension is '10:99:00'"),
        (float("inf"), 0.0, "not a number"),
    ],
)
def test_bad_coordinates(ra, dec, message):
    with pytest.raises(RowRejected, match=message) as bad:
        PositionReader().read(ra, dec)
    assert bad.value.reason == "bad_coordinates"


def test_no_position_is_no_error():
    assert PositionReader().read(None, None) is None


@pytest.mark.parametrize(("largest", "unit"), [(23.9, "hours"), (6.28, "radians")])
def test_a_range_that_looks_like_another_unit_is_doubted(largest, unit):
    cells = [largest * k / 29 for k in range(30)]
    reader, doubts = positions(cells, [0.5] * 30)
    assert reader.ra_unit == "degrees"
    assert f"set the position unit to {unit}" in doubts[0]
    assert not positions(cells, [0.5] * 30, units=("deg", "deg"))[1]
