"""Formats of tables as archives write them, from file to rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Column, Table
from astropy.time import Time
from pyarrow import parquet
from table_rows import rows_of, write

from lensing_core.errors import BadInputError
from lensing_core.ingest.limits import Limits, limited

# astropy's own columns


@pytest.mark.parametrize("kind", ["ecsv", "fits", "parquet"])
@pytest.mark.parametrize("frame", ["icrs", "galactic", "fk4"])
def test_columns_of_coordinates_and_times(tmp_path, kind, frame):
    places = SkyCoord([150.0, 0.5], [2.0, -0.5], unit="deg")
    table = Table({"id": ["a", "b"]})
    table["where"] = places.transform_to(frame)
    table["when"] = Time(["2020-01-01T00:00:00", "2021-06-01T12:00:00"])
    table["n"] = Column([1, 2])
    table.write(tmp_path / f"t.{kind}")
    read = rows_of(tmp_path / f"t.{kind}")
    assert np.allclose(read.positions, [(150.0, 2.0), (0.5, -0.5)], atol=1e-9)
    assert [str(when)[:19] for (when,) in read.values("when")] == [
        "2020-01-01T00:00:00", "2021-06-01T12:00:00"
    ]  # fmt: skip
    assert "where" not in read.table.names


# Parquet


def test_types_of_parquet(tmp_path):
    import datetime
    from decimal import Decimal

    words = pa.array(["x", "y", None]).dictionary_encode()
    day = datetime.datetime(2020, 1, 2, 3, 4, 5)
    columns = {
        "id": pa.array([2**62 + 1, 2**62 + 3, 5], pa.int64()),
        "ra": pa.array([Decimal("150.25"), Decimal("0.5"), None], pa.decimal128(12, 6)),
        "dec": pa.array([2.0, -0.5, None], pa.float64()),
        "cls": words,
        "n": pa.array([1, None, 2**53 + 1], pa.int64()),
        "ok": pa.array([True, None, False]),
        "when": pa.array([day, None, day], pa.timestamp("ns")),
        "utc": pa.array([day, None, day], pa.timestamp("us", tz="UTC")),
        "day": pa.array([day.date(), None, None], pa.date32()),
        "list": pa.array([[1, 2], None, [3]], pa.list_(pa.int32())),
        "shape": pa.array([{"n": 4.0}, {"n": 1.0}, None], pa.struct([("n", pa.float32())])),
        "raw": pa.array([b"ab", None, b"\xe9"], pa.binary()),
        "void": pa.nulls(3),
        "view": pa.array(["p", "q", None], pa.string_view()),
        "z_phot": pa.array([0.5, None, 0.25], pa.float16()),
    }
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    read = rows_of(tmp_path / "t.parquet")
    assert read.ids == [str(2**62 + 1), str(2**62 + 3), "5"]
    assert read.positions == [(150.25, 2.0), (0.5, -0.5), (None, None)]
    names = ("cls", "n", "ok", "list", "shape.n", "raw", "view", "z_phot", "day")
    assert read.values(*names) == [
        ("x", 1, True, [1, 2], 4.0, "ab", "p", 0.5, "2020-01-02"),
        ("y", None, None, None, 1.0, None, "q", None, None),
        (None, 2**53 + 1, False, [3], None, "é", None, 0.25, None),
    ]
    assert [str(v)[:10] for v in read.values("when", "utc")[0]] == ["2020-01-02"] * 2


def test_a_categorical_column_of_pandas_and_its_index(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"id": ["a", "b", "c"], "ra": [1.0, 2, 3], "dec": [1.0, 2, 3], "n": [1, None, 3]}
    )
    frame["cls"] = pandas.Categorical(["x", "y", "x"])
    frame["n"] = frame["n"].astype("Int64")
    frame.iloc[[2, 0, 1]].to_parquet(tmp_path / "t.parquet")
    read = rows_of(tmp_path / "t.parquet")
    assert read.values("object_id", "cls", "n") == [("c", "x", 3), ("a", "x", 1), ("b", "y", None)]
    assert read.table.names == ["id", "ra", "dec", "n", "cls"]


# CDS and AAS


def test_both_notations_of_cds_tables(tmp_path):
    text = "Name,RAh,RAm,RAs,DE-,DEd,DEm,DEs,RAdeg,DEdeg\na,10,0,0.0,-,0,12,30.0,150.0,-0.208333\n"
    read = rows_of(write(tmp_path / "t.csv", text))
    assert read.positions == [(150.0, -0.208333)]
    assert (read.columns.roles["ra"], read.columns.roles["dec"]) == ("RAdeg", "DEdeg")


@pytest.mark.parametrize("sign", ["DE-", "DE_", "dec_sign", "DEsign"])
def test_the_parts_of_cds_tables(tmp_path, sign):
    body = "a,10,0,0,-,0,12,30\nb,10,0,24,+,2,0,0\nc,9,59,60,-,2,30,\nd,10,0,0,,1,0,0\ne,,,,,,,\n"
    text = f"Name,RAh,RAm,RAs,{sign},DEd,DEm,DEs\n{body}f,1,61,0,+,1,2,3\n"
    read = rows_of(write(tmp_path / "t.csv", text))
    assert read.positions[-1] == (None, None)
    expected = [(150, -0.2083333), (150.1, 2), (150, -2.5), (150, 1)]
    assert np.allclose(read.positions[:4], expected, atol=1e-6)
    assert [row.object_id for row in read.rejected] == ["f"]


def test_parts_without_a_column_of_signs(tmp_path):
    text = "id,RAh,RAm,RAs,DEd,DEm,DEs\na,10,0,0,-00,30,0\nb,10,0,0,+00,30,0\nc,1,0,0,-2,0,0\n"
    read = rows_of(write(tmp_path / "t.csv", text))
    assert np.allclose(read.positions, [(150, -0.5), (150, 0.5), (15, -2)])
    table = Table(
        {"id": ["a", "b"], "RAh": [10, 10], "RAm": [0, 0], "DEd": [0, -1], "DEm": [30, 0]}
    )
    table.write(tmp_path / "t.fits")
    read = rows_of(tmp_path / "t.fits")
    assert np.allclose(read.positions, [(150, -1)])
    assert "DEd=0" in read.rejected[0].message  # whose sign is lost


MRT = """Title:
Authors:
Table:
================================================================================
Byte-by-byte Description of file: table.dat
--------------------------------------------------------------------------------
 Bytes Format Units  Label     Explanations
--------------------------------------------------------------------------------
    1  A1     ---    Name    Name
 3- 6  F4.1   ---    mag     [20.1/21.0] Magnitude
 8- 9  I2     h      RAh     Right Ascension (hour)
11-12  I2     min    RAm     Right Ascension (minute)
14-15  I2     s      RAs     Right Ascension (second)
   17  A1     ---    DE-     Sign of Declination
18-19  I2     deg    DEd     Declination (degree)
21-22  I2     arcmin DEm     Declination (arcmin)
24-25  I2     arcsec DEs     Declination (arcsec)
--------------------------------------------------------------------------------
Notes:
--------------------------------------------------------------------------------
a 20.1 10 00 00 -00 12 30
b 21.0 10 00 24 +02 00 00
"""


@pytest.mark.parametrize("name", ["t.txt", "t.mrt", "t.dat", "t"])
def test_machine_readable_tables(tmp_path, name):
    read = rows_of(write(tmp_path / name, MRT))
    assert np.allclose(read.positions, [(150, -0.2083333), (150.1, 2)], atol=1e-6)
    assert read.values("object_id", "magnitude") == [("a", 20.1), ("b", 21.0)]
    assert not read.rejected


# Other formats of archives


@pytest.mark.parametrize("name", ["t.tbl", "t.txt", "t.dat"])
def test_ipac_tables(tmp_path, name):
    text = (
        "\\fixlen = T\n\\RADESYS = 'FK4'\n|  id|    ra|   dec|\n|long|double|double|\n"
        "|    |   deg|   deg|\n|null|  null|  null|\n    1  150.0    0.5 \n    2    2.0    0.0 \n"
    )
    read = rows_of(write(tmp_path / name, text))
    assert read.ids == ["1", "2"]
    expected = SkyCoord([150, 2], [0.5, 0], unit="deg", frame="fk4").icrs
    assert np.allclose(read.positions, np.c_[expected.ra.deg, expected.dec.deg], atol=1e-9)


@pytest.mark.parametrize("name", ["t.cat", "t.txt"])
def test_catalogs_of_source_extractor_in_text(tmp_path, name):
    text = (
        "#   1 NUMBER                 Running object number\n"
        "#   2 ALPHA_J2000            Right ascension (J2000)        [deg]\n"
        "#   3 DELTA_J2000            Declination (J2000)            [deg]\n"
        "         1  10.5  -0.25\n         2  11.5  -0.35\n"
    )
    read = rows_of(write(tmp_path / name, text))
    assert read.positions == [(10.5, -0.25), (11.5, -0.35)]


def ldac(*objects):
    head = fits.BinTableHDU(Table({"Field Header Card": ["SIMPLE  = T"]}), name="LDAC_IMHEAD")
    return fits.HDUList([fits.PrimaryHDU(), head, *objects])


def hdu(ids, name="LDAC_OBJECTS"):
    table = Table({"NUMBER": ids, "ALPHA_J2000": np.array(ids) * 1.0})
    table["DELTA_J2000"] = table["ALPHA_J2000"]
    return fits.BinTableHDU(table, name=name)


@pytest.mark.parametrize("name", ["t.fits", "t.cat", "t.ldac"])
def test_ldac_catalogs(tmp_path, name):
    ldac(hdu([1, 2, 3])).writeto(tmp_path / name)
    read = rows_of(tmp_path / name)
    assert read.ids == ["1", "2", "3"]
    assert read.positions == [(1, 1), (2, 2), (3, 3)]
    assert "HDU 2: LDAC_OBJECTS was read" in read.told


def test_of_several_tables_the_one_with_positions_or_the_one_named(tmp_path):
    path = tmp_path / "t.fits"
    other = fits.BinTableHDU(Table({"chip": [1, 2], "gain": [1.0, 2.0]}), name="CHIPS")
    fits.HDUList([fits.PrimaryHDU(), other, hdu([1, 2], "SOURCES")]).writeto(path)
    assert rows_of(path).ids == ["1", "2"]
    fits.HDUList([fits.PrimaryHDU(), hdu([1], "A"), hdu([2], "B")]).writeto(path, overwrite=True)
    with pytest.raises(BadInputError, match=r"several tables: 1: A \(NUMBER.*; 2: B .*table_part"):
        rows_of(path)
    assert rows_of(path, part="B").ids == ["2"]
    assert rows_of(path, part="1").ids == ["1"]
    with pytest.raises(BadInputError, match="has no table 'C'"):
        rows_of(path, part="C")
    fits.PrimaryHDU(np.ones((4, 4))).writeto(path, overwrite=True)
    with pytest.raises(BadInputError, match="without a table"):
        rows_of(path)


def test_the_rows_of_a_mapped_table_come_from_its_file_in_other_processes(tmp_path):
    import pickle

    path = tmp_path / "t.cat"
    numbers = list(range(10_000))  # 80 kB a column
    fits.HDUList([fits.PrimaryHDU(), hdu([1], "A"), hdu(numbers, "B")]).writeto(path)
    with limited(Limits(memory_gb=1e-4)):  # too large to be read whole
        sent = pickle.dumps(rows_of(path, part="B").table)
        assert len(sent) < 1000
        assert pickle.loads(sent).cells("NUMBER") == numbers  # noqa: S301
