"""Tables of candidates, written row by row."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import fitsio
import numpy as np

from lensing_core.errors import BadInputError
from lensing_core.export.columns import COLUMNS, Column, ExportRow, Value
from lensing_core.export.text import latex, one_line, plain_cell, probability, sexagesimal

Rows = Callable[[], Iterable[ExportRow]]
"""Starts the rows from the first; a writer may go through them twice."""
_IDENTITY = ("object_id", "catalog")
"""Of FITS tables in ASCII whole or not at all: two objects must not come to one name."""
_CHUNK = 5000
_NUMPY = {"integer": "i8", "float": "f8"}


def write_csv(
    path: Path, rows: Rows, notes: Sequence[str], columns: Sequence[Column] = COLUMNS
) -> int:
    """Comma-separated values, UTF-8 with a first line of names; no cell is a formula."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(column.name for column in columns)
        return _write_lines(
            rows(), lambda row: writer.writerow(_text(row[c.name], plain_cell) for c in columns)
        )


def write_ecsv(path: Path, rows: Rows, notes: Sequence[str]) -> int:
    """ECSV, with units, descriptions and UCDs in its header; cells are parted by blanks."""
    from astropy.table import Table  # here: the formats are listed at every start

    empty = Table(
        {c.name: np.empty(0, dtype=_NUMPY.get(c.kind, "U1")) for c in COLUMNS},
        meta={"comments": list(notes)},
    )
    for column in COLUMNS:
        made = empty[column.name]
        made.description, made.unit = column.description, column.unit or None
        if column.ucd:
            made.info.meta = {"ucd": column.ucd}
    header = StringIO()
    empty.write(header, format="ascii.ecsv")
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write(header.getvalue())

        def write(row: ExportRow) -> None:
            cells = (_text(row[c.name], one_line).replace('"', '""') for c in COLUMNS)
            quoted = (f'"{c}"' if not c or " " in c or '"' in c else c for c in cells)
            stream.write(" ".join(quoted) + "\n")

        return _write_lines(rows(), write)


def write_fits(path: Path, rows: Rows, notes: Sequence[str]) -> int:
    """A binary table with TUNIT and TUCD; unknown numbers are NaN, unknown text is empty."""
    widths = {column.name: 1 for column in COLUMNS if column.kind == "text"}
    for row in rows():
        for name in widths:
            widths[name] = max(widths[name], len(str(row[name] or "")))
    dtype = [
        (c.name, f"S{widths[c.name]}" if c.kind == "text" else _NUMPY[c.kind]) for c in COLUMNS
    ]
    written = 0
    with fitsio.FITS(str(path), "rw", clobber=True) as file:
        file.create_table_hdu(
            dtype=np.dtype(dtype), units=[c.unit for c in COLUMNS], extname="CANDIDATES"
        )
        table = file["CANDIDATES"]
        for number, column in enumerate(COLUMNS, start=1):
            if column.ucd:
                table.write_key(f"TUCD{number}", column.ucd)
            table.write_key(f"TCOMM{number}", column.description)
        for note in notes:
            table.write_comment(note)
        for chunk in _chunks(rows()):
            data = np.zeros(len(chunk), dtype=dtype)
            for column in COLUMNS:
                data[column.name] = [_fits_value(row, column) for row in chunk]
            table.append(data)
            written += len(chunk)
    return written


def write_votable(
    path: Path, rows: Rows, notes: Sequence[str], columns: Sequence[Column] = COLUMNS
) -> int:
    """VOTable 1.4, TABLEDATA; unknown values are empty cells."""
    types = {"integer": 'datatype="long"', "float": 'datatype="double"'}
    with path.open("w", encoding="utf-8") as stream:
        stream.write(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">\n'
            '<RESOURCE type="results">\n'
            '<COOSYS ID="icrs" system="ICRS"/>\n<TABLE name="candidates">\n'
            f"<DESCRIPTION>{escape(' '.join(notes))}</DESCRIPTION>\n"
        )
        for c in columns:
            kind = types.get(c.kind, 'datatype="unicodeChar" arraysize="*"')
            unit = f" unit={quoteattr(c.unit)}" if c.unit else ""
            ucd = f" ucd={quoteattr(c.ucd)}" if c.ucd else ""
            frame = ' ref="icrs"' if c.ucd.startswith("pos.eq") else ""
            stream.write(
                f"<FIELD name={quoteattr(c.name)} {kind}{unit}{ucd}{frame}>"
                f"<DESCRIPTION>{escape(c.description)}</DESCRIPTION></FIELD>\n"
            )
        stream.write("<DATA><TABLEDATA>\n")

        def write(row: ExportRow) -> None:
            cells = (escape(_text(row[c.name], one_line)) for c in columns)
            stream.write("<TR>" + "".join(f"<TD>{cell}</TD>" for cell in cells) + "</TR>\n")

        written = _write_lines(rows(), write)
        stream.write("</TABLEDATA></DATA>\n</TABLE>\n</RESOURCE>\n</VOTABLE>\n")
    return written


def write_regions(path: Path, rows: Rows, notes: Sequence[str]) -> int:
    """DS9 regions: a circle of 2″ on each candidate that has a position."""
    with path.open("w", encoding="utf-8") as stream:
        stream.write("# Region file format: DS9 version 4.1\n")
        stream.writelines(f"# {note}\n" for note in notes)
        stream.write('global color=cyan font="helvetica 10 normal roman"\nicrs\n')

        def write(row: ExportRow) -> bool:
            ra, dec = row.number("ra"), row.number("dec")
            if math.isnan(ra) or math.isnan(dec):
                return False
            name = one_line(row.name).translate(str.maketrans("{}", "()"))
            stream.write(f'circle({ra:.7f},{dec:+.7f},2.0") # text={{{name}{_score(row)}}}\n')
            return True

        return sum(write(row) for row in rows())


def write_latex(path: Path, rows: Rows, notes: Sequence[str]) -> int:
    """A longtable for a paper: rank, name, position, score, magnitude, redshift, tags."""
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(f"% {one_line(note)}\n" for note in notes)
        stream.write("% needs \\usepackage{longtable}\n\\begin{longtable}{rlllrrrl}\n\\hline\n")
        stream.write(
            "\\# & Name & RA & Dec & $P$ & Mag & $z$ & Tags \\\\\n"
            " & & (ICRS) & (ICRS) & & (AB) & & \\\\\n\\hline\n\\endhead\n"
        )

        def write(row: ExportRow) -> None:
            ra, dec = row.number("ra"), row.number("dec")
            place = ("--", "--")
            if not (math.isnan(ra) or math.isnan(dec)):
                place = sexagesimal(ra, dec)
                place = (place[0], f"${place[1][0]}${place[1][1:]}")
            z = row["z_spec"] if row["z_spec"] is not None else row["z_phot"]
            cells = (
                str(row["rank"]),
                latex(row.name),
                place[0],
                place[1],
                latex(_probability(row, "--")),
                _digits(row["magnitude"], 2),
                _digits(z, 3),
                latex(str(row["tags"] or "")),
            )
            stream.write(" & ".join(cells) + " \\\\\n")

        written = _write_lines(rows(), write)
        stream.write("\\hline\n\\end{longtable}\n")
    return written


def _write_lines(rows: Iterable[ExportRow], write: Callable[[ExportRow], Any]) -> int:
    written = 0
    for row in rows:
        write(row)
        written += 1
    return written


def _chunks(rows: Iterable[ExportRow]) -> Iterator[list[ExportRow]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk


def _text(value: Value, clean: Callable[[str], str]) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else ""
    return str(value)


def _fits_value(row: ExportRow, column: Column) -> Any:
    value = row[column.name]
    if column.kind == "text":
        text = str(value or "")
        if column.name in _IDENTITY and not text.isascii():
            raise BadInputError(
                f"{column.name} {text!r} has letters that a FITS table cannot hold; export as "
                "VOTable, ECSV or CSV."
            )
        return text.encode("ascii", "replace")
    if column.kind == "float":
        return row.number(column.name)
    return value


def _digits(value: Value, digits: int) -> str:
    return "--" if value is None or isinstance(value, str) else f"{value:.{digits}f}"


def _score(row: ExportRow) -> str:
    text = _probability(row, "")
    return f" P={text}" if text else ""


def _probability(row: ExportRow, unknown: str) -> str:
    p = row.number("probability")
    return unknown if math.isnan(p) else probability(p)
