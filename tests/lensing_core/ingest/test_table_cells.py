"""What all cells of a column say: units, labels, missing values, ids."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import Table
from table_rows import rows_of, write

from lensing_core.errors import BadInputError
from lensing_core.ingest.labels import LabelRule

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
    assert read.unclear_cells == {
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
