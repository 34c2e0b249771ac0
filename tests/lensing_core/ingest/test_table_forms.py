"""Forms of tables as archives and people write them, from file to rows."""

from __future__ import annotations

import gzip
import zipfile

import numpy as np
import pyarrow as pa
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Column, Table
from astropy.time import Time
from pyarrow import parquet
from table_rows import rows_of

from lensing_core.errors import BadInputError
from lensing_core.ingest.labels import LabelRule
from lensing_core.ingest.limits import Limits, limited

CSV = "id,ra,dec\na,150.01,-0.5\nb,150.02,0.5\n"
PLACES = [(150.01, -0.5), (150.02, 0.5)]


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


# Units rows


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "id,ra,dec,z\n,deg,deg,\na,10.5,2.0,0.4\nb,20.25,-0.5,0.5\n"),
        ("t.csv", "id,ra,dec\n---,[deg],[deg]\na,10.5,2.0\nb,20.25,-0.5\n"),
        ("t.csv", "id,ra,dec,note\nstr,hourangle,deg,\na,0.7,2.0,x\nb,1.35,-0.5,\n"),
        ("t.tsv", 'id\tra\tdec\n\t"h:m:s"\t"d:m:s"\na\t0:42:0\t+2:00:00\nb\t1 21 0\t-0 30 0\n'),
        ("t.tsv", "id\tra\tdec\n\tarcmin\tarcsec\na\t630\t7200\nb\t1215\t-1800\n"),
        ("t.tsv", "#\n#Coosys\tJ2000:\teq_FK5 J2000\n\nID\tRAJ2000\tDEJ2000\n \tdeg\tdeg\n"
            "---\t------\t------\na\t10.5\t2.0\nb\t20.25\t-0.5\n"),
        ("t.tsv", "id\tra\tdec\n--\t---\t---\na\t10.5\t2.0\nb\t20.25\t-0.5\n"),
        ("t.txt", "id ra dec\n- deg deg\na 10.5 2.0\nb 20.25 -0.5\n"),
        ("t.dat", "# id ra dec\na 10.5 2.0\nb 20.25 -0.5\n"),
    ],
)  # fmt: skip
def test_rows_of_units_below_the_names(tmp_path, name, text):
    read = rows_of(write(tmp_path / name, text))
    assert read.ids == ["a", "b"]
    assert np.allclose(read.positions, [(10.5, 2.0), (20.25, -0.5)], atol=1e-9)
    assert not read.rejected


def test_a_first_object_that_is_called_like_a_unit_stays(tmp_path):
    read = rows_of(write(tmp_path / "t.csv", "id,ra,dec,note\nm,1,2,g\ns,3,4,h\n"))
    assert read.ids == ["m", "s"]


# One cell decides nothing


@pytest.mark.parametrize("first", ["unknown", "?", "see text", "10:5"])
def test_one_odd_cell_is_quarantined_and_changes_no_other(tmp_path, first):
    body = "".join(f"o{k},{k % 360 + 0.5},{k % 90}\n" for k in range(400))
    read = rows_of(write(tmp_path / "t.csv", f"id,ra,dec\nx,{first},1\n{body}"))
    good = [p for p in read.values("object_id", "ra_deg") if p[0] != "x"]
    assert good[3] == ("o3", 3.5)
    assert len(good) == 400


def test_numbers_beside_sexagesimal_text_are_read_or_refused(tmp_path):
    path = write(tmp_path / "t.csv", "id,ra,dec\na,10.5,2\nb,10:00:24,-0:30:00\n")
    with pytest.raises(BadInputError, match="are the numbers hours or degrees"):
        rows_of(path)
    assert rows_of(path, unit="hours").positions[0][0] == pytest.approx(157.5)
    read = rows_of(write(path, "id,ra,dec\na,10.5,2\nb,10:00:24,-0:30:00\nc,200.5,3\n"))
    assert np.allclose(read.positions, [(10.5, 2), (150.1, -0.5), (200.5, 3)])
    assert "mixes numbers" in read.told


@pytest.mark.parametrize(
    ("head", "row", "message"),
    [
        ("ra [deg],dec [deg]", "10:00:24,2", "states degrees and holds sexagesimal text"),
        ("ra [h:m:s],dec", "10.5,2", "states sexagesimal text and holds numbers"),
        ("ra [hours],dec", "150.1,2", "states hours and reaches 150.1"),
        ("ra_rad,dec_rad", "150.1,2", "states radians and reaches 150.1"),
        ("ra,dec", "150:06:00,2", "beyond 24 hours"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path, head, row, message):
    with pytest.raises(BadInputError, match=message) as bad:
        rows_of(write(tmp_path / "t.csv", f"id,{head}\na,{row}\n"))
    assert "\n" not in str(bad.value)


def test_a_unit_that_is_no_angle_is_refused(tmp_path):
    table = Table({"id": ["a"], "ra": [1.0], "dec": [2.0]})
    table["ra"].unit = "pix"
    table.write(tmp_path / "t.ecsv")
    with pytest.raises(BadInputError, match="unit 'pix', which is no angle"):
        rows_of(tmp_path / "t.ecsv")
    assert rows_of(tmp_path / "t.ecsv", unit="degrees").positions == [(1.0, 2.0)]


# Labels


def test_no_label_is_no_label_in_any_spelling(tmp_path):
    cells = ["1.0", "0.0", "-1.0", "-1", "-99", "nan", "NaN", "unlabelled", "unlabeled", "unknown"]
    body = "".join(f"o{k},{cell}\n" for k, cell in enumerate([*cells, "", "1", "0", "+1"]))
    read = rows_of(write(tmp_path / "t.csv", f"id,label\n{body}"))
    assert read.labels == [1, 0, *[None] * 9, 1, 0, 1]
    Table({"id": ["a", "b", "c", "d"], "label": [1.0, 0.0, -1.0, np.nan]}).write(
        tmp_path / "t.fits"
    )
    assert rows_of(tmp_path / "t.fits").labels == [1, 0, None, None]


@pytest.mark.parametrize("kind", ["csv", "fits", "parquet"])
def test_codes_of_classes_are_no_labels_whatever_the_first_are(tmp_path, kind):
    codes = [0, 1] * 200 + [9, 5]
    Table({"id": [f"o{k}" for k in range(402)], "class": codes}).write(tmp_path / f"t.{kind}")
    read = rows_of(tmp_path / f"t.{kind}")
    assert set(read.labels) == {None}
    assert "Column class was not taken for labels: it holds" in read.told
    assert read.values("class")[-1] == (5,)
    with pytest.raises(BadInputError, match="if they are grades, set lens_from"):
        rows_of(tmp_path / f"t.{kind}", {"label": "class"})
    rule = LabelRule(lens_from=5, nonlens_below=1)
    assert rows_of(tmp_path / f"t.{kind}", {"label": "class"}, rule).labels[-2:] == [1, 1]


def test_own_and_peers_words(tmp_path):
    words = [
        "lens",
        "not_lens",
        "Not_Lens",
        "not lens",
        "no lens",
        "NOT",
        "contaminant",
        "Non-Lens",
    ]
    body = "".join(f"o{k},{word}\n" for k, word in enumerate(words))
    read = rows_of(write(tmp_path / "t.csv", f"id,label\n{body}"))
    assert read.labels == [1, *[0] * 7]
    assert not read.told


def test_a_label_column_that_is_not_understood_is_told(tmp_path):
    read = rows_of(write(tmp_path / "t.csv", "id,label\na,spiral\nb,merger\nc,lens\n"))
    assert read.labels == [None] * 3
    assert "Column label was not taken for labels: it holds 'spiral' (1×), 'merger'" in read.told
    read = rows_of(write(tmp_path / "t.csv", "id,label\na,lens\nb,not_lens\nc,dubious\n"))
    assert read.labels == [1, 0, None]
    assert "'dubious' (1×)" in read.told
    assert "1 of its rows have no label" in read.told
    with pytest.raises(BadInputError, match="no column of grades is known"):
        rows_of(write(tmp_path / "t.csv", "id,x\na,1\n"), rule=LabelRule(lens_from=2))


# Missing values


def test_codes_for_not_measured_are_empty_and_counted(tmp_path):
    path = write(
        tmp_path / "t.csv",
        "id,mag_i,z_phot,z_spec,richness,flux_g\n"
        "a,21.1,0.5,-99,40,-99.0\nb,99.0,-9999,0.3,-1,1e20\nc,-99,-1.0,-1,30,-3.5\n"
        "d,22,0.4,0.41,20,99\ne,1e20,9.99,99,999,\nf,-9999,,--,,nan\ng,999,-9.0,999,-99,-9999\n",
    )
    read = rows_of(path)
    assert read.values("magnitude", "z_phot", "z_spec", "richness") == [
        *((21.1, 0.5, None, 40), (None, None, 0.3, None), (None, None, None, 30)),
        *((22, 0.4, 0.41, 20), (None, None, None, 999), (None, None, None, None)),
        (None, None, None, None),
    ]
    assert [f for (f,) in read.values("fluxes")] == [
        None,
        None,
        {"g": -3.5},
        {"g": 99},
        *[None] * 3,
    ]
    assert read.doubts == {
        "mag:i": 5, "z_phot": 4, "z_spec": 4, "richness": 2, "flux:g": 3
    }  # fmt: skip


# Ids


@pytest.mark.parametrize(
    "ids",
    [
        np.array([5278042881477383040, 5278042881477383041], np.float64),
        np.array([16777217, 16777219], np.float32),
    ],
)
def test_ids_that_lost_digits_are_refused(tmp_path, ids):
    Table({"object_id": ids, "ra": [1.0, 2.0], "dec": [1.0, 2.0]}).write(tmp_path / "t.fits")
    with pytest.raises(BadInputError, match=r"object_id are floats of .* have lost digits.*64-bit"):
        rows_of(tmp_path / "t.fits")


@pytest.mark.parametrize("cell", ["5.27804288147738e+18", "5.27804E+18", "5278042881477383040.0"])
def test_ids_that_lost_digits_in_text(tmp_path, cell):
    with pytest.raises(BadInputError, match="written as floats"):
        rows_of(
            write(tmp_path / "t.csv", f"id,ra,dec\n{cell},1,2\n{cell.replace('5', '6', 1)},1,2\n")
        )
    read = rows_of(write(tmp_path / "t.csv", f"id,ra,dec\na,1,2\nb,1,2\n{cell},1,2\n"))
    assert "1 ids of column id look like floats" in read.told
    names = ["2e5", "1E10", "J1.5e3", "12.5"]
    body = "".join(f"{name},1,2\n" for name in names)
    assert rows_of(write(tmp_path / "t.csv", f"id,ra,dec\n{body}")).ids == names


def test_ids_that_a_spreadsheet_has_rounded_are_doubted(tmp_path):
    body = "".join(f"{527804288147738 + k}0000,1,2\n" for k in range(3))
    assert "as a spreadsheet" in rows_of(write(tmp_path / "t.csv", f"id,ra,dec\n{body}")).told


@pytest.mark.parametrize("kind", ["csv", "fits", "ecsv", "parquet", "vot"])
def test_exact_ids_and_ids_that_look_like_nothing(tmp_path, kind):
    ids = np.array([2**63 - 1, 5278042881477383041])
    table = Table({"id": ids, "ra": [1.0, 2.0], "dec": [1.0, 2.0]})
    table.write(tmp_path / f"n.{kind}", format="votable" if kind == "vot" else None)
    assert rows_of(tmp_path / f"n.{kind}").ids == [str(k) for k in ids]
    words = ["NA", "NaN", "None", "null", "nan", "--", "N/A", "inf"]
    table = Table({"id": words, "ra": np.arange(8.0), "dec": np.arange(8.0)})
    table.write(tmp_path / f"w.{kind}", format="votable" if kind == "vot" else None)
    assert rows_of(tmp_path / f"w.{kind}").ids == words


def test_a_stated_id_is_kept_as_it_is_though_it_names_files(tmp_path):
    path = write(tmp_path / "t.csv", "name,ra,dec\nx1.png,1,2\nx2.png,3,4\n")
    assert rows_of(path, {"id": "name"}).ids == ["x1.png", "x2.png"]
    assert rows_of(path, {"id": "name", "file": "name"}).ids == ["x1.png", "x2.png"]
    assert rows_of(path).ids == ["x1", "x2"]


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


# Separators, encodings, compression


@pytest.mark.parametrize(
    "text",
    [
        "id;ra;dec\na;150,01;-0,5\nb;150,02;0,5\n",
        "id;ra;dec\na;150.01;-0.5\nb;150.02;0.5\n",
        "id\tra\tdec\na\t150,01\t-0,5\nb\t150,02\t0,5\n",
        'id,ra,dec\na,"150,01","-0,5"\nb,"150,02","0,5"\n',
        "id|ra|dec\na|150.01|-0.5\nb|150.02|0.5\n",
        ";id;ra;dec\n0;a;150,01;-0,5\n1;b;150,02;0,5\n",
        '"id";"ra";"dec"\r\n"a";"150,01";"-0,5"\r\n"b";"150,02";"0,5"\r\n',
        "# a comment, with commas\nid;ra;dec\n\na;150,01;-0,5\nb;150,02;0,5\n",
        "#id,ra,dec\na,150.01,-0.5\nb,150.02,0.5\n",
        "id,ra,dec,\na,150.01,-0.5,\nb,150.02,0.5,\n",
        "id,ra,dec\n1,a,150.01,-0.5\n2,b,150.02,0.5\n",
    ],
)
def test_separators_and_decimal_commas(tmp_path, text):
    for name in ("t.csv", "t.txt"):
        read = rows_of(write(tmp_path / name, text))
        assert (read.ids, read.positions) == (["a", "b"], PLACES)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("#id,file\na,b.fits\nb,c.fits\n", ["id", "file"]),
        ("# by hand, in May\nid,file\na,b.fits\n", ["id", "file"]),
        ("# object,frame\nid,file\na,b.fits\n", ["id", "file"]),
        ("id,0,1\na,3,4\n", ["id", "0", "1"]),
        ("a,10.5,2\nb,11.5,3\n", ["col1", "col2", "col3"]),
    ],
)
def test_where_names_stand(tmp_path, text, names):
    read = rows_of(write(tmp_path / "t.csv", text))
    assert read.table.names == names
    assert len(read.rows) == text.count("\n") - (names != ["col1", "col2", "col3"]) - (
        text.startswith("# ")
    )


def test_commas_that_part_thousands_are_no_decimals(tmp_path):
    read = rows_of(write(tmp_path / "t.csv", 'id,ra,dec,n\na,1.5,2.5,"1,234"\n'))
    assert read.values("n") == [("1,234",)]
    read = rows_of(write(tmp_path / "t.csv", 'id,ra,dec,n\na,1,2,"1,234"\n'))
    assert read.values("n") == [("1,234",)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,ra,dec\na,150,01,-0,5\n", "line 2 has 5 cells for 3 names.*commas are decimal"),
        ("id,ra,dec\na,1,2\nb,1,2,x,y\n", "line 3 has 5 cells for 3 names"),
        ("<!DOCTYPE html>\n<html>", "is a web page"),
        ("#Table A\nid\tra\tdec\na\t1\t2\n#Table B\nid\tra\n", "holds several tables"),
    ],
)
def test_text_that_is_no_table_is_refused(tmp_path, text, message):
    name = "t.tsv" if "\t" in text else "t.csv"
    with pytest.raises(BadInputError, match=message) as bad:
        rows_of(write(tmp_path / name, text))
    assert "\n" not in str(bad.value)


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        *(("utf-8", ""), ("utf-8-sig", ""), ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16")),
        *(("utf-16-be", "UTF-16"), ("utf-32", "UTF-32")),
        *(("latin-1", "line 2 has the byte 0xe9"), ("cp1252", "Windows-1252")),
    ],
)
@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.ecsv"])
def test_encodings(tmp_path, encoding, told, name):
    word = "café €" if encoding == "cp1252" else "café 5µm"
    separator = {"t.csv": ",", "t.tsv": "\t", "t.ecsv": ","}[name]
    text = f"id,ra,dec,note\na,150.01,-0.5,{word}\nb,150.02,0.5,x\n".replace(",", separator)
    if name == "t.ecsv":
        kinds = (("id", "string"), ("ra", "float64"), ("dec", "float64"), ("note", "string"))
        head = "".join(f"# - {{name: {n}, datatype: {k}}}\n" for n, k in kinds)
        text = f"# %ECSV 1.0\n# ---\n# delimiter: ','\n# datatype:\n{head}{text}"
        told = told.replace("line 2", "line 10")
    read = rows_of(write(tmp_path / name, text, encoding))
    assert (read.ids, read.positions) == (["a", "b"], PLACES)
    assert read.values("note")[0] == (word,)
    assert told in read.told


def test_text_of_fits_in_another_encoding(tmp_path):
    table = Table({"id": ["a"], "note": np.array(["café".encode("latin-1")])})
    table.write(tmp_path / "t.fits")
    assert rows_of(tmp_path / "t.fits").values("note") == [("café",)]


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.zip"])
def test_compressed_text(tmp_path, name):
    path = tmp_path / name
    if name == "t.zip":
        path = tmp_path / "t.csv.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("t.csv", CSV)
    else:
        path.write_bytes(gzip.compress(CSV.encode()))
    assert rows_of(path).positions == PLACES


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml", "Excel workbook; save the sheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel workbook"),
        (b"\x89HDF\r\n\x1a\n", "HDF5 file; write the table as"),
        (b"id,ra\n\0\0\0\0a,1\n", "has zero bytes"),
    ],
)
def test_files_that_are_no_table(tmp_path, content, message):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(BadInputError, match=message):
        rows_of(tmp_path / "t.csv")
