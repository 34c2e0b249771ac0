from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
from astropy.table import Table

from lensing_core.errors import BadInputError
from lensing_core.ingest import fits_tables
from lensing_core.ingest.file_names import image_stem
from lensing_core.ingest.listings import table_of_files
from lensing_core.ingest.locators import Locator
from lensing_core.ingest.tables import (
    TABLE_FORMATS,
    guess_number,
    read_table,
)


def table() -> Table:
    made = Table(
        {
            "id": ["00123", "b", "ünï"],
            "ra": [1.5, np.nan, np.inf],
            "n": [1, 2, 3],
            "ok": [True, False, True],
            "profile": np.arange(9.0).reshape(3, 3),
        }
    )
    made["ra"].unit = "deg"
    made["m"] = np.ma.array([1.0, 2.0, 3.0], mask=[True, False, False])
    return made


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.fits", "fits"), ("a.vot", "votable"), ("a.ecsv", "ascii.ecsv"), ("a.parquet", "parquet")],
)
def test_binary_and_self_describing_formats(tmp_path, name, kind):
    made = table()
    if kind == "fits":
        made["id"] = ["00123", "b", "ascii only"]
    made.write(tmp_path / name, format=kind)
    read = read_table(tmp_path / name)
    assert read.names == ["id", "ra", "n", "ok", "profile", "m"]
    assert read.cells("id")[0] == "00123"
    assert read.cells("ra") == [1.5, None, None]
    assert read.cells("m", 0, 2) == [None, 2.0]
    assert read.cells("ok") == [True, False, True]
    assert read.cells("profile", 1, 2) == [[3.0, 4.0, 5.0]]
    assert read.unit("ra") == "deg"
    assert read.is_text("id")
    assert not read.is_text("n")
    json.dumps([read.cells(n) for n in read.names], allow_nan=False)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "id,ra,note\n00123,1.5,é\nb,,\n"),
        ("a.tsv", "id\tra\tnote\n00123\t1.5\té\nb\t\t\n"),
        ("a.csv", '# made by hand\nid,ra,note\n"00123",1.5,"é"\nb,nan,--\n'),
    ],
)
def test_text_stays_text_until_a_number_is_wanted(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    read = read_table(tmp_path / name)
    assert read.cells("id") == ["00123", "b"]
    assert read.cells("ra") == ["1.5", None]
    assert read.cells("note") == ["é", None]


def test_names_behind_a_hash(tmp_path):
    (tmp_path / "a.csv").write_text("#id,ra\na,1\n")
    assert read_table(tmp_path / "a.csv").names == ["id", "ra"]


def test_gzipped_text(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"id,ra\na,1\n"))
    assert read_table(tmp_path / "a.csv.gz").cells("id") == ["a"]


def test_names_from_a_comment(tmp_path):
    (tmp_path / "a.txt").write_text(" # Name  Ra(deg)  Grade a b\nx.png 10.5 2\ny.png 11.5 3\n")
    read = read_table(tmp_path / "a.txt")
    assert read.names == ["Name", "Ra(deg)", "Grade"]
    assert "taken from the comment" in read.notes[0]
    (tmp_path / "b.txt").write_text("# only words\nx.png 10.5 2\ny.png 11.5 3\n")
    assert read_table(tmp_path / "b.txt").names == ["col1", "col2", "col3"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.csv", None, "does not exist"),
        ("a.csv", b"", "has no lines with data"),
        ("a.csv", b"id,ra\n", "has no rows"),
        ("a.fits", b"junk" * 1000, "cannot be read as fits"),
        ("a.parquet", b"junk", "cannot be read as parquet"),
        ("a.vot", b"<xml", "cannot be read as votable"),
        ("a.xlsx", b"junk", "format is not known by the name"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInputError, match=message) as bad:
        read_table(tmp_path / name)
    assert name in str(bad.value)
    assert "\n" not in str(bad.value)


def test_the_format_can_be_named(tmp_path):
    (tmp_path / "table").write_text("id,ra\na,1\n")
    assert "ascii.csv" in TABLE_FORMATS
    assert read_table(tmp_path / "table", "ascii.csv").names == ["id", "ra"]


@pytest.mark.parametrize(
    ("cell", "value"),
    [("12", 12), ("0012", "0012"), ("1.50", 1.5), ("1e3", 1000.0), ("nan", "nan"), ("x", "x")],
)
def test_numbers_in_text(cell, value):
    assert guess_number(cell) == value


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a.b.fits.gz", "a.b"), ("d/x.PNG", "x"), ("J1.5+02.3.fits", "J1.5+02.3"), ("J1.5", "J1.5")],
)
def test_stems(name, stem):
    assert image_stem(name) == stem


def test_a_folder_serves_as_table(tmp_path):
    for name in ("b.fits", "a.fits.gz", "sub/c.fits", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    made = table_of_files(Locator(tmp_path), (".fits", ".fits.gz"))
    assert made.cells("id") == ["a", "b", "c"]
    assert made.cells("file") == ["a.fits.gz", "b.fits", "sub/c.fits"]
    (tmp_path / "sub" / "b.fits").touch()
    assert table_of_files(Locator(tmp_path), (".fits",)).cells("id") == ["b", "sub/b", "sub/c"]


def test_a_pattern_finds_ids(tmp_path):
    for name in ("a/a_g.fits", "a/a_r.fits", "b/b_g.fits", "c/d_g.fits", "[x]/[x]_g.fits"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    made = table_of_files(Locator(tmp_path, "{id}/{id}_{band}.fits"), ())
    assert made.cells("id") == ["[x]", "a", "b"]
    with pytest.raises(BadInputError, match="no images like"):
        table_of_files(Locator(tmp_path, "{id}.png"), ())
    tiled = table_of_files(Locator(tmp_path, "{tile}/{id}.fits"), ())
    assert tiled.names == ["id", "tile"]
    assert tiled.cells("tile") == ["[x]", "a", "a", "b", "c"]
    assert table_of_files(Locator(tmp_path / "a", "a_{band}.fits"), ()).cells("id") == ["a"]


def test_bands_that_are_known_tell_images_from_other_files(tmp_path):
    for name in ("a_g.fits", "b_G.fits", "mask_extra.fits"):
        (tmp_path / name).touch()
    locator = Locator(tmp_path, "{id}_{band}.fits")
    assert table_of_files(locator, (), ("g", "r")).cells("id") == ["a", "b"]
    assert table_of_files(locator, (), ("u",)).cells("id") == ["a", "b", "mask"]


def test_a_fits_table_that_is_cut_off_after_it_was_read_ends_no_process(tmp_path, monkeypatch):
    path = tmp_path / "a.fits"
    Table({"n": [1, 2, 3]}).write(path)
    read = read_table(path)
    assert read.mapped_as == ""
    with path.open("r+b") as file:
        file.truncate(0)  # a mapped file would end the process by SIGBUS here
    assert read.cells("n") == [1, 2, 3]
    Table({"n": [1, 2, 3]}).write(path, overwrite=True)
    monkeypatch.setattr(fits_tables, "_WHOLE", 0.0)  # as if it did not fit into memory
    assert read_table(path).mapped_as == "fits"
