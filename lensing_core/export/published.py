"""The table of candidates as journals and archives take it.

One list of columns, in five forms: AAS machine-readable table, CDS table with its ReadMe, AASTeX
``deluxetable``, VOTable with UCDs, CSV. The forms follow the CDS standard for catalogs
(https://vizier.cds.unistra.fr/doc/catstd.htx).
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lensing_core.errors import BadInputError
from lensing_core.export.columns import COLUMNS, Column, ExportRow, Value
from lensing_core.export.tables import write_votable
from lensing_core.export.text import latex, one_line, plain_cell

if TYPE_CHECKING:
    from astropy.table import Table

_WIDTH = 80  # of the lines of a ReadMe


@dataclass(frozen=True)
class PublishedColumn:
    """A column of the published table.

    Attributes
    ----------
    label : str
        As CDS names columns.
    of : Column
        The column of other exports that it holds.
    digits : int
        Decimals of a number.
    """

    label: str
    of: Column
    digits: int = 0

    @property
    def number_format(self) -> str:
        """Format of numbers."""
        return f".{self.digits}f" if self.of.kind == "float" else "d"


_KNOWN = {column.name: column for column in COLUMNS}
PUBLISHED: tuple[PublishedColumn, ...] = tuple(
    PublishedColumn(label, _KNOWN[name], digits)
    for label, name, digits in (
        ("Rank", "rank", 0),
        ("Name", "object_id", 0),
        ("Catalog", "catalog", 0),
        ("RAdeg", "ra", 6),
        ("DEdeg", "dec", 6),
        ("Prob", "probability", 6),
        ("Logit", "logit", 4),
        ("s_Logit", "disagreement", 4),
        ("mag", "magnitude", 3),
        ("zspec", "z_spec", 5),
        ("zphot", "z_phot", 4),
        ("thetaP", "theta_e_proxy", 3),
        ("Ngrade", "n_grades", 0),
        ("Nlens", "n_lens", 0),
        ("Pcons", "consensus", 6),
        ("Cons", "consensus_state", 0),
        ("Stage", "stage", 0),
        ("Label", "label", 0),
        ("Test", "lens_test", 0),
        ("thetaE", "lens_test_theta_e", 3),
        ("e_thetaE", "lens_test_theta_e_err", 3),
    )
)


@dataclass(frozen=True)
class TableTitle:
    """Title, authors and a paragraph on a table."""

    title: str
    authors: str = "(names of the authors)"
    abstract: str = ""


def filled_columns(rows: Sequence[ExportRow]) -> tuple[PublishedColumn, ...]:
    """Columns of which some row has a value; names and places always."""
    return tuple(
        column
        for column in PUBLISHED
        if column.of.name in ("rank", "object_id", "ra", "dec")
        or any(_is_known(row[column.of.name]) for row in rows)
    )


def _is_known(value: Value) -> bool:
    return value not in (None, "") and not (isinstance(value, float) and not math.isfinite(value))


def as_table(rows: Sequence[ExportRow]) -> Table:
    """Rows as an astropy table with units, descriptions and formats; unknown values are masked.

    Raises
    ------
    BadInputError
        If a text has letters beyond ASCII, which journals' tables cannot hold.
    """
    from astropy import table  # here: the formats are listed at every start

    made = table.Table()
    for column in filled_columns(rows):
        values = [row[column.of.name] for row in rows]
        unknown = [not _is_known(value) for value in values]
        given = [None if u else v for v, u in zip(values, unknown, strict=True)]
        data: Any
        if column.of.kind == "text":
            data = np.array(["" if v is None else _ascii(column, str(v)) for v in given])
        else:
            kind = np.int64 if column.of.kind == "integer" else np.float64
            data = np.array([0 if v is None else v for v in given], dtype=kind)
        made[column.label] = table.MaskedColumn(
            data,
            mask=unknown,
            unit=column.of.unit or None,
            description=column.of.description,
            format=None if column.of.kind == "text" else column.number_format,
        )
        if not any(unknown):
            made[column.label] = made[column.label].filled()
    return made


def _ascii(column: PublishedColumn, text: str) -> str:
    clean = one_line(text)
    if not clean.isascii():
        raise BadInputError(
            f"{column.label} {text!r} has letters beyond ASCII, which a CDS or AAS table cannot "
            "hold; the VOTable and the CSV file hold them."
        )
    return clean


def write_mrt(path: Path, rows: Sequence[ExportRow], about: TableTitle) -> None:
    """An AAS machine-readable table, written by astropy."""
    lines: list[str] = []
    table = as_table(rows)
    from astropy.io import ascii as astropy_ascii

    class _Lines:
        def write(self, text: str) -> None:
            lines.append(text)

    astropy_ascii.write(table, _Lines(), format="mrt")
    text = "".join(lines)
    for head, value in (("Title:", about.title), ("Authors:", about.authors)):
        text = text.replace(f"{head}\n", f"{head} {_plain(value)}\n", 1)
    text = text.replace("Table:\n", "Table: Candidates, the first of the ranking first\n", 1)
    path.write_text("\n".join(line.rstrip() for line in text.splitlines()) + "\n", "ascii")


def write_cds(
    data: Path, readme: Path, rows: Sequence[ExportRow], about: TableTitle, references: str = ""
) -> None:
    """A CDS catalog: a file of fixed columns and the ReadMe that describes it."""
    columns = filled_columns(rows)
    cells = [[_fixed(row, column) for column in columns] for row in rows]
    widths = [max((len(line[k]) for line in cells), default=0) or 1 for k in range(len(columns))]
    lines = [
        " ".join(
            cell.ljust(width) if column.of.kind == "text" else cell.rjust(width)
            for cell, width, column in zip(line, widths, columns, strict=True)
        )
        for line in cells
    ]
    data.write_text("".join(line + "\n" for line in lines), "ascii")
    described = _byte_by_byte(columns, widths, cells)
    parts = [
        _wrapped(about.title),
        _wrapped(about.authors, 4),
        "=" * _WIDTH,
        "Keywords: gravitational lensing: strong - catalogs - surveys",
        "",
        "Abstract:",
        _wrapped(about.abstract or "(abstract of the paper)", 4),
        "",
        "File Summary:",
        "-" * _WIDTH,
        f" {'FileName':<12}{'Lrecl':>8}{'Records':>9}   Explanations",
        "-" * _WIDTH,
        f" {'ReadMe':<12}{80:>8}{'.':>9}   This file",
        f" {data.name:<12}{sum(widths) + len(widths) - 1:>8}{len(rows):>9}   Candidates by rank",
        "-" * _WIDTH,
        "",
        f"Byte-by-byte Description of file: {data.name}",
        "-" * _WIDTH,
        f"{'Bytes':>8} Format Units   {'Label':<9} Explanations",
        "-" * _WIDTH,
        *described,
        "-" * _WIDTH,
        "",
        *(["References:", _wrapped(references, 4), ""] if references else []),
        "=" * _WIDTH,
        f"(End){'(written by lens-triage)':>{_WIDTH - 5}}",
    ]
    readme.write_text("\n".join(parts) + "\n", "ascii")


def _fixed(row: ExportRow, column: PublishedColumn) -> str:
    """A cell of a table of fixed columns; blank where the value is not known."""
    value = row[column.of.name]
    if not _is_known(value):
        return ""
    if isinstance(value, str):
        return _ascii(column, value)
    return format(value, column.number_format)


def _byte_by_byte(
    columns: Sequence[PublishedColumn], widths: Sequence[int], cells: Sequence[Sequence[str]]
) -> list[str]:
    """The lines of the description: bytes, format, unit, label, explanation."""
    lines, first = [], 1
    for k, (column, width) in enumerate(zip(columns, widths, strict=True)):
        last = first + width - 1
        place = f"{last:>8}" if width == 1 else f"{first:>4}-{last:>3}"
        letter = {"text": "A", "integer": "I", "float": "F"}[column.of.kind]
        kind = f"{letter}{width}" + (f".{column.digits}" if letter == "F" else "")
        unknown = "? " if any(not line[k] for line in cells) else ""
        head = f"{place:>8} {kind:<6} {column.of.unit or '---':<7} {column.label:<9} "
        body = _wrapped(unknown + column.of.description, len(head)).lstrip()
        lines.append(head + body)
        first = last + 2
    return lines


def _wrapped(text: str, indent: int = 0) -> str:
    """Lines of at most 80 letters, in ASCII."""
    lines, line = [], " " * indent
    for word in _plain(text).split():
        longer = f"{line}{word}" if not line.strip() else f"{line} {word}"
        if len(longer) > _WIDTH and line.strip():
            lines.append(line)
            longer = " " * indent + word
        line = longer
    return "\n".join([*lines, line])


_TO_ASCII = str.maketrans({"–": "-", "—": "-", "−": "-", "″": '"', "′": "'", "’": "'", "…": "..."})


def _plain(text: str) -> str:
    return one_line(text).translate(_TO_ASCII).encode("ascii", "replace").decode()


_HEADS = {
    "Rank": r"Rank",
    "RAdeg": r"R.A.",
    "DEdeg": r"Decl.",
    "Prob": r"$P$",
    "s_Logit": r"$\sigma_\mathrm{logit}$",
    "mag": r"$m$",
    "zspec": r"$z_\mathrm{spec}$",
    "zphot": r"$z_\mathrm{phot}$",
    "thetaP": r"$\theta_\mathrm{E,proxy}$",
    "Ngrade": r"$N_\mathrm{grades}$",
    "Nlens": r"$N_\mathrm{lens}$",
    "Pcons": r"$P_\mathrm{consensus}$",
    "thetaE": r"$\theta_\mathrm{E}$",
    "e_thetaE": r"$\sigma(\theta_\mathrm{E})$",
}
_UNITS = {"deg": "(deg)", "arcsec": "(arcsec)", "mag": "(mag)"}


def write_deluxetable(path: Path, rows: Sequence[ExportRow], about: TableTitle) -> None:
    """An AASTeX ``deluxetable``; UTF-8, with LaTeX's own characters escaped."""
    columns = filled_columns(rows)
    heads = [_head(column) for column in columns]
    kinds = "".join("l" if c.of.kind == "text" else "r" for c in columns)
    with path.open("w", encoding="utf-8") as stream:
        stream.write(f"\\begin{{deluxetable*}}{{{kinds}}}\n")
        stream.write(f"\\tablecaption{{{latex(about.title)}\\label{{tab:candidates}}}}\n")
        stream.write(f"\\tablehead{{{' & '.join(heads)}}}\n")  # one line: readers want it so
        stream.write("\\startdata\n")
        lines = [" & ".join(_tex_cell(row, column) for column in columns) for row in rows]
        stream.write(" \\\\\n".join(lines) + "\n\\enddata\n")
        stream.write("\\tablecomments{$P$ is a score, not a confirmation.}\n\\end{deluxetable*}\n")


def _head(column: PublishedColumn) -> str:
    """The head of a column with its unit."""
    unit = _UNITS.get(column.of.unit, latex(column.of.unit))
    name = _HEADS.get(column.label, latex(column.label))
    return rf"\colhead{{{name}{' ' if unit else ''}{unit}}}"


def _tex_cell(row: ExportRow, column: PublishedColumn) -> str:
    value = row[column.of.name]
    if not _is_known(value):
        return r"\nodata"
    if isinstance(value, str):
        return latex(value)
    text = format(value, column.number_format)
    return f"${text}$" if text.startswith("-") else text


def write_published_votable(path: Path, rows: Sequence[ExportRow], notes: Sequence[str]) -> None:
    """A VOTable of the published columns, under the names of other exports, with UCDs."""
    write_votable(path, lambda: rows, notes, [column.of for column in filled_columns(rows)])


def write_published_csv(path: Path, rows: Sequence[ExportRow]) -> None:
    """The same as CSV; no cell is a formula."""
    columns = filled_columns(rows)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(column.of.name for column in columns)
        for row in rows:
            writer.writerow(_csv_cell(row[column.of.name], plain_cell) for column in columns)


def _csv_cell(value: Value, clean: Callable[[str], str]) -> str:
    if not _is_known(value):
        return ""
    return clean(value) if isinstance(value, str) else repr(value)
