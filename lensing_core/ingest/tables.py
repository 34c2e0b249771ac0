"""Reading the user's table, in whatever format, as plain Python values a chunk at a time."""

from __future__ import annotations

import hashlib
import math
import re
import warnings
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from astropy.io import ascii as astropy_ascii
from astropy.table import Table
from astropy.units import UnitsWarning

from lensing_core.errors import BadInputError
from lensing_core.ingest.choices import FORMAT_OF_SUFFIX, TABLE_FORMATS
from lensing_core.ingest.fits_files import FITS_SUFFIXES
from lensing_core.ingest.guard import opening
from lensing_core.ingest.images import Locator, pattern_fields
from lensing_core.ingest.limits import compression_of
from lensing_core.ingest.pictures import PICTURE_SUFFIXES
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.stacks import STACK_SUFFIXES
from lensing_core.ingest.table_checks import check_table

IMAGE_SUFFIXES = (*FITS_SUFFIXES, *PICTURE_SUFFIXES, *STACK_SUFFIXES)
MAX_LIST = 16  # elements of an array cell that is kept
_NOTHING = frozenset(("", "nan", "null", "none", "n/a", "na", "--", "masked"))


@dataclass(frozen=True)
class SourceTable:
    """A table of objects.

    Attributes
    ----------
    table : astropy.table.Table
        Columns of text files are text: numbers are made of them where a role asks for numbers, so
        that an id such as 00123 stays as it is.
    path : Path
    sha256 : str
        Of the file.
    notes : tuple of str
        What a user should know of how it was read.
    mapped_as : str
        Format of a table whose rows stay in its file until they are looked at.
    """

    table: Table
    path: Path
    sha256: str
    notes: tuple[str, ...] = ()
    mapped_as: str = ""

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to other processes: what is mapped, not read, is mapped there again."""
        if self.mapped_as:
            return read_table, (self.path, self.mapped_as)
        return SourceTable, (self.table, self.path, self.sha256, self.notes)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return list(self.table.colnames)

    def unit(self, name: str) -> str:
        """Unit of a column as text, or empty."""
        unit = self.table[name].unit
        return "" if unit is None else str(unit)

    def is_text(self, name: str) -> bool:
        """Whether a column holds text."""
        return self.table[name].dtype.kind in "USO"

    def cells(self, name: str, start: int = 0, stop: int | None = None) -> list[Any]:
        """Plain JSON values of a column: None for masked, NaN, infinite and empty cells."""
        column = self.table[name][start:stop]
        values = np.ma.getdata(column).tolist()
        masked = np.ma.getmaskarray(np.ma.asarray(column)).reshape(len(values), -1)
        nothing = np.atleast_1d(masked.all(axis=1))
        return [None if m else plain(v) for v, m in zip(values, nothing, strict=True)]


def plain(value: Any) -> Any:
    """A JSON value: bytes as text, no NaN, empty text as None, long arrays left out."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        text = value.strip()
        return None if text.lower() in _NOTHING else text
    if isinstance(value, list):
        return [plain(v) for v in value] if len(value) <= MAX_LIST else None
    if value is None or isinstance(value, bool | int):
        return value
    return str(value)


def guess_number(value: Any) -> Any:
    """A number where a text cell is the usual spelling of one, else the value as it is."""
    if not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    if not math.isfinite(number):
        return value
    if re.fullmatch(r"[+-]?\d+", value):
        return int(value) if str(int(value)) == value.lstrip("+") else value
    return number


def read_table(path: Path, table_format: str = "auto") -> SourceTable:
    """Read a CSV, FITS, VOTable, ECSV, Parquet or whitespace-separated table.

    Parameters
    ----------
    table_format : str
        A format of :meth:`astropy.table.Table.read`; "auto" goes by the file's name.

    Raises
    ------
    BadInputError
        If the file is missing, cannot be read, or has no rows.
    """
    try:
        opening(path)
    except RowRejected as problem:
        raise BadInputError(f"Table {problem}") from problem
    chosen = _format(path) if table_format == "auto" else table_format
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnitsWarning)  # units are looked at by role only
            check_table(path, chosen)
            table = _read(path, chosen)
    except (BadInputError, MemoryError):
        raise
    except Exception as error:  # whatever a library raises on a damaged file
        detail = " ".join(str(error).split()) or type(error).__name__
        raise BadInputError(
            f"Table {path} cannot be read as {chosen}: {detail[:300]}. Check the file, or name its "
            f"format ({', '.join(TABLE_FORMATS[1:])})."
        ) from error
    if not len(table):
        raise BadInputError(f"Table {path} has no rows.")
    notes = _names_from_comment(table)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    is_mapped = chosen == "fits" and compression_of(path) is None
    return SourceTable(table, path, digest, tuple(notes), chosen if is_mapped else "")


def _format(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    suffix = Path(name).suffix
    if suffix not in FORMAT_OF_SUFFIX:
        raise BadInputError(
            f"Table {path}: its format is not known by the name; name it "
            f"({', '.join(TABLE_FORMATS[1:])})."
        )
    return FORMAT_OF_SUFFIX[suffix]


def _read(path: Path, chosen: str) -> Table:
    if chosen in ("ascii", "ascii.csv", "ascii.tab"):
        as_text = {"*": [astropy_ascii.convert_numpy(str)]}
        options = {"format": chosen, "converters": as_text, "fill_values": []}
        try:
            return Table.read(path, **options)
        except astropy_ascii.InconsistentTableError:
            # Comment lines are no part of CSV; a first line such as "#id,ra,dec" holds the names.
            return Table.read(path, comment=r"\s*#", **options)
    if chosen == "fits":
        return Table.read(path, format="fits", memmap=True)
    return Table.read(path, format=chosen)


def _names_from_comment(table: Table) -> list[str]:
    """Take column names from a comment above a headerless table, as many catalogs have them."""
    comments = table.meta.get("comments") or []
    unnamed = [f"col{k + 1}" for k in range(len(table.colnames))]
    if not comments or table.colnames != unnamed:
        return []
    words = str(comments[-1]).split()
    names = words[: len(unnamed)]
    if len(words) < len(unnamed) or len(set(names)) < len(names):
        return []
    table.rename_columns(unnamed, names)
    return [f"Column names were taken from the comment above the table: {', '.join(names)}."]


def table_of_files(locator: Locator, suffixes: tuple[str, ...]) -> SourceTable:
    """A table with one row for each image file, for images that come without a catalog.

    Parameters
    ----------
    locator : Locator
        With a pattern of ``{id}`` (and ``{band}``), the files that fit it; else every file of the
        folder that ends in one of ``suffixes``.

    Returns
    -------
    SourceTable
        With columns ``id`` and, without a pattern, ``file``.

    Raises
    ------
    BadInputError
        If there is no such file.
    """
    if locator.pattern:
        if ".." in PurePosixPath(locator.pattern).parts or locator.pattern.startswith("/"):
            raise BadInputError(
                f"Pattern {locator.pattern!r} leads out of the images folder; name the folder that "
                "the files are in as the images folder."
            )
        rows = _matching_ids(locator)
        table = Table({"id": sorted(rows)}) if rows else None
    else:
        files = sorted(
            path.relative_to(locator.root).as_posix()
            for path in locator.root.rglob("*")
            if path.is_file() and path.name.lower().endswith(suffixes)
        )
        table = Table({"id": _ids_of(files), "file": files}) if files else None
    if table is None:
        raise BadInputError(
            f"{locator.root} has no images{f' like {locator.pattern}' if locator.pattern else ''}; "
            "check the folder and the pattern, or give a table."
        )
    listing = "\n".join("\t".join(map(str, row)) for row in table).encode()
    return SourceTable(table, locator.root, hashlib.sha256(listing).hexdigest())


def _ids_of(files: list[str]) -> list[str]:
    """File names as ids; with their folders where names alone would repeat."""
    stems = [image_stem(name) for name in files]
    return stems if len(set(stems)) == len(stems) else [name.partition(".")[0] for name in files]


def image_stem(name: str) -> str:
    """A file name without folders and without the ending of an image."""
    base = PurePosixPath(name).name
    for suffix in sorted(IMAGE_SUFFIXES, key=len, reverse=True):
        if base.lower().endswith(suffix):
            return base[: -len(suffix)]
    return base


def _matching_ids(locator: Locator) -> set[str]:
    others = pattern_fields(locator.pattern) - {"id", "band"}
    if others:
        raise BadInputError(
            f"Pattern {locator.pattern!r} needs a table with the column {sorted(others)[0]!r}."
        )
    glob = re.sub(r"\{[^{}]+\}", "*", re.sub(r"[*?\[]", "[\\g<0>]", locator.pattern))
    seen: set[str] = set()
    parts = []
    for part in re.split(r"(\{[^{}]+\})", locator.pattern):
        name = part[1:-1] if part.startswith("{") else ""
        if name in seen:
            parts.append(f"(?P={name})")
        elif name:
            seen.add(name)
            parts.append(rf"(?P<{name}>[^/]+)")
        else:
            parts.append(re.escape(part))
    expression = re.compile("".join(parts))
    found = (
        expression.fullmatch(path.relative_to(locator.root).as_posix())
        for path in locator.root.glob(glob)
    )
    return {match.group("id") for match in found if match is not None and "id" in seen}
