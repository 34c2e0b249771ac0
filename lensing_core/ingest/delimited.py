"""Text tables with a separator: which one, where the names stand, units rows, decimal commas."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from lensing_core.errors import BadInputError
from lensing_core.ingest.units_rows import is_number, rows_below_names

_LINES_TRIED = 200
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
SEPARATORS = tuple(_NAMES)
_COMMA_NUMBER = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d*),\d+([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
_LONE_QUOTE = re.compile(r'(?:^|\t)"(?=\t|$)', re.MULTILINE)
_GUARD = re.compile(r"^'(?=\s*[=+\-@])")  # of text that a spreadsheet would take for a formula
_USUAL_NAMES = frozenset(
    (
        *("id", "object_id", "objid", "name", "object", "ra", "dec", "file", "filename", "image"),
        *("path", "label", "class", "index"),
    )
)
_POINT_NUMBER = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?")


@dataclass
class Delimited:
    """A table of text.

    Attributes
    ----------
    columns : dict of str to list of str
        Cells by column name.
    units : dict of str to str
        Of a row of units below the names.
    comments : list of str
        Lines that begin with ``#``, without it.
    decimal_commas : list of str
        Columns of numbers such as 150,01.
    notes : list of str
        What a user should know of how it was read.
    """

    columns: dict[str, list[str]]
    units: dict[str, str] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)
    decimal_commas: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_separator(text: str, preferred: str = "") -> str:
    """The separator that gives the most columns, alike in all of the first lines.

    Parameters
    ----------
    preferred : str
        Taken where it serves as well as another.

    Returns
    -------
    str
        Empty where none separates anything.
    """
    best, most = "", 1
    ragged: list[str] = []  # what reading the table will complain of
    for separator in (preferred, *SEPARATORS) if preferred else SEPARATORS:
        try:
            rows = list(islice(_rows(text, separator), _LINES_TRIED))
        except csv.Error:
            continue
        bodies = [cells for _, cells in rows if not _is_comment(cells)]
        if not bodies:
            continue
        width = max(len(bodies[0]), 1)
        fits = all(len(cells) <= width + 1 for cells in bodies)
        if width > most and fits:
            best, most = separator, width
        elif width > 1 and not fits:
            ragged.append(separator)
    return best or next(iter(ragged), "")


def read_delimited(text: str, separator: str, name: str) -> Delimited:
    """Read a table whose columns a separator parts.

    The first line that is no comment holds the names; where it holds numbers, a comment above it
    that has as many words does, or there are none (``col1``, ``col2``, …).

    Raises
    ------
    BadInputError
        If lines have more cells than there are names, or the file holds several tables.
    """
    comments: list[str] = []
    rows: list[tuple[int, list[str]]] = []
    try:
        for line, cells in _rows(text, separator):
            if _is_comment(cells) and (not rows or len(cells) < len(rows[0][1])):
                comments.append(separator.join(cells).strip().lstrip("#").strip())
                if rows and comments[-1].lower().startswith(("table", "resource")):
                    raise BadInputError(
                        f"{name} holds several tables, the next from line {line} on; save one of "
                        "them by itself."
                    )
            else:
                rows.append((line, cells))
    except csv.Error as error:
        raise BadInputError(f"{name} cannot be read as a table of text: {error}.") from error
    if not rows:
        raise BadInputError(f"{name} has no lines with data.")
    found = Delimited({}, comments=comments)
    names = _names(rows, comments, separator, found)
    cells_of = _columns(rows, names, separator, name, found)
    found.columns = dict(zip(names, cells_of, strict=True))
    return finished(found, separator)


def finished(found: Delimited, separator: str = " ") -> Delimited:
    """Take rows of units off the cells, and find decimal commas."""
    _take_units(found)
    _find_decimal_commas(found, separator)
    return found


def _rows(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Number of the line and cells of each line that is not empty."""
    is_tab = separator == "\t"
    reader = csv.reader(
        _lines(text),
        delimiter=separator,
        skipinitialspace=not is_tab,
        # Between tabs a quotation mark may be the unit of arc seconds.
        quoting=csv.QUOTE_NONE if is_tab and _LONE_QUOTE.search(text) else csv.QUOTE_MINIMAL,
    )
    for cells in reader:
        if cells and not (len(cells) == 1 and not cells[0].strip()):
            yield reader.line_num, cells


def _lines(text: str) -> Iterator[str]:
    """Lines one after another, with their ends: a cell in quotes may hold some."""
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _is_comment(cells: Sequence[str]) -> bool:
    return cells[0].lstrip().startswith("#")


def _names(
    rows: list[tuple[int, list[str]]], comments: list[str], separator: str, found: Delimited
) -> list[str]:
    """Names of the columns, taken off the rows where they stand there."""
    first = [cell.strip() for cell in rows[0][1]]
    if first[0].startswith("#") and len(first) > 1:
        first[0] = first[0].lstrip("#").strip()
        names = first
    elif _holds_values(first, above := _words_above(comments, separator)):
        if len(above) == len(first) and not any(is_number(word) for word in above):
            names = above
            found.notes.append(
                f"Column names were taken from the comment above the table: {', '.join(names)}."
            )
        else:
            names = [f"col{k + 1}" for k in range(len(first))]
            found.notes.append(
                f"The first line holds numbers, not names: columns are called {', '.join(names)}. "
                "Map those that matter."
            )
        rows.insert(0, (rows[0][0], names))
    else:
        names = first
    unique: dict[str, None] = {}
    for k, column in enumerate(names):
        wanted = column or f"col{k + 1}"
        made, n = wanted, 1
        while made in unique:
            n += 1
            made = f"{wanted}_{n}"
        if n > 1:
            found.notes.append(f"Two columns are called {wanted}; the second was named {made}.")
        unique[made] = None
    rows.pop(0)
    return list(unique)


def point_number(cell: str) -> str:
    """A number with a decimal comma, written with a point."""
    return cell.replace(".", "").replace(",", ".") if "," in cell else cell


def _words_above(comments: list[str], separator: str) -> list[str]:
    """The cells of the last comment."""
    cells = next(csv.reader([comments[-1]], delimiter=separator), []) if comments else []
    return [cell.strip() for cell in cells]


def _holds_values(first: list[str], above: list[str]) -> bool:
    """Return whether the first line holds values: numbers, or text below a comment that holds
    names.

    Whole numbers from 0 on are names that pandas gives.
    """
    numbers = [cell for cell in first if is_number(cell)]
    if numbers:
        return numbers != [str(k) for k in range(len(numbers))]
    known = [bool(_USUAL_NAMES & {word.lower() for word in words}) for words in (first, above)]
    return len(above) == len(first) > 1 and known == [False, True]


def _columns(
    rows: list[tuple[int, list[str]]],
    names: list[str],
    separator: str,
    name: str,
    found: Delimited,
) -> list[list[str]]:
    """Cells by column, without blanks around them and apostrophes that guard spreadsheets."""
    is_unnamed = rows and all(len(cells) == len(names) + 1 for _, cells in rows)
    if is_unnamed and any(cells[-1].strip() for _, cells in rows):
        names.insert(0, "row" if "row" not in names else "row_names")
        found.notes.append("The first column has no name; it was called row.")
    width, short = len(names), 0
    for line, cells in rows:
        if len(cells) < width:
            short += 1
            cells.extend([""] * (width - len(cells)))
        elif len(cells) > width:
            if any(cell.strip() for cell in cells[width:]):
                hint = (
                    " If commas are decimal, part columns by semicolons or tabs."
                    if separator == ","
                    else ""
                )
                raise BadInputError(
                    f"{name}: line {line} has {len(cells)} cells for {width} names, by the "
                    f"separator {_NAMES.get(separator, repr(separator))}; correct the line, or "
                    f"quote cells that contain the separator.{hint}"
                )
            del cells[width:]
    if short:
        found.notes.append(
            f"{short:,} lines have fewer cells than there are names; those at their end were taken "
            "as missing."
        )
    return [[_unguarded(cells[k].strip()) for _, cells in rows] for k in range(width)]


def _unguarded(cell: str) -> str:
    return _GUARD.sub("", cell) if cell[:1] == "'" else cell


def _take_units(found: Delimited) -> None:
    """Take rows of units and of dashes below the names off the cells."""
    units, n_rows = rows_below_names(found.columns)
    if not n_rows:
        return
    for cells in found.columns.values():
        del cells[:n_rows]
    found.units = units
    if units:
        told = ", ".join(f"{name} [{unit}]" for name, unit in list(units.items())[:8])
        found.notes.append(f"The row below the names was read as units: {told}.")


def _find_decimal_commas(found: Delimited, separator: str) -> None:
    """Find columns of numbers such as 150,01, where commas can mean nothing else."""
    if any(_POINT_NUMBER.fullmatch(c) for cells in found.columns.values() for c in cells):
        return
    columns = [
        name
        for name, cells in found.columns.items()
        if any("," in c for c in cells)
        and all(is_number(c) or _COMMA_NUMBER.fullmatch(c) for c in cells if c)
    ]
    if not columns:
        return
    with_comma = [c for name in columns for c in found.columns[name] if "," in c]
    if separator != ";" and all(_THOUSANDS.fullmatch(c) for c in with_comma):
        return
    found.decimal_commas = columns
    found.notes.append(f"Commas were read as decimal points in {', '.join(columns)}.")
