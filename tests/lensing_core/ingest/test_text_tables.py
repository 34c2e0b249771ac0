"""Tables of text as people write them: separators, encodings, compression."""

from __future__ import annotations

import gzip
import zipfile

import numpy as np
import pytest
from astropy.table import Table
from table_rows import CSV, PLACES, rows_of, write

from lensing_core.errors import BadInputError

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
