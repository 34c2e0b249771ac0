"""Recognition of how rows of a table name their image files, if nothing states it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lensing_core.errors import BadInputError, Offer, of_setting
from lensing_core.ingest.columns import ColumnMap
from lensing_core.ingest.file_names import Listing, kind_of_name, listing_of
from lensing_core.ingest.guesses import (
    MOST_FILES,
    READ_WHOLE,
    ROWS,
    Guess,
    NamesRead,
    the_only_reading,
    with_reading,
)
from lensing_core.ingest.listings import image_files
from lensing_core.ingest.locators import fields_in, pattern_fields
from lensing_core.ingest.name_patterns import (
    Reading,
    readings_of_table,
    readings_without_table,
)
from lensing_core.ingest.request import ImportRequest
from lensing_core.ingest.tables import SourceTable, guess_number

_SHOWN = 3


def read_names_of_rows(
    request: ImportRequest, table: SourceTable, columns: ColumnMap, bands: Sequence[str]
) -> NamesRead:
    """Recognize how the rows of a table name their files if no column and no pattern does.

    Raises
    ------
    BadInputError
        If nothing says where the images are, or names can be read in several ways.
    """
    if request.pattern or not request.table or request.root.is_file():
        return NamesRead(request)
    if "file" in columns.roles or columns.files:
        return _in_a_folder_below(request, table, columns)
    but = Path(request.table).expanduser()
    listing = listing_of(image_files(request.root, but=but, most=MOST_FILES))
    rows = _cells(table, columns)
    for names in (listing.roles.images, listing.previews, listing.rest):
        is_fits = bool(names) and kind_of_name(names[0]) == "fits"
        may_be_bands = is_fits and request.image_kind not in READ_WHOLE
        readings = readings_of_table(
            names, rows, columns.roles.get("id"), bands if may_be_bands else ()
        )
        reading = the_only_reading(readings, request.root)
        if reading is not None:
            request, guesses = _with_ids(request, reading, columns)
            read = with_reading(request, replace(reading, pattern=request.pattern), listing)
            return replace(read, guesses=(*read.guesses, *guesses))
    return _one_for_all(request, columns, listing, bands) or _refuse(
        request, rows, columns, listing
    )


def _in_a_folder_below(request: ImportRequest, table: SourceTable, columns: ColumnMap) -> NamesRead:
    """The images folder where files that a column names lie in one below it, not in itself."""
    column = columns.roles.get("file")
    if column is None:
        return NamesRead(request)
    named = [str(cell) for cell in table.cells(column, 0, ROWS) if cell]
    if not named or any(os.path.exists(request.root / name) for name in named):
        return NamesRead(request)
    wanted = set(named)
    folders: Counter[str] = Counter()
    for name in image_files(request.root, most=MOST_FILES):
        for start in (k + 1 for k, letter in enumerate(name) if letter == "/"):
            if name[start:] in wanted:
                folders[name[: start - 1]] += 1
    if not folders:
        return NamesRead(request)
    found = [str(request.root / name) for name in folders]
    if len(found) > 1:
        offers = [
            Offer(f"{path}: {n:,} of the first files", {"images": path})
            for path, n in zip(found, folders.values(), strict=True)
        ]
        message = (
            f"Files that column {column} names lie in {', '.join(folders)}; name the images folder."
        )
        raise of_setting(BadInputError(message), "images", offers)
    sentence = f"Files that column {column} names lie in {next(iter(folders))}."
    return NamesRead(replace(request, images=found[0]), (Guess("images", found[0], sentence),))


def _with_ids(
    request: ImportRequest, reading: Reading, columns: ColumnMap
) -> tuple[ImportRequest, list[Guess]]:
    """The request with the pattern; the column that names files has the ids if none else has."""
    pattern = reading.pattern
    fields = pattern_fields(pattern) - {"band"}
    if "id" in columns.roles or "id" in request.columns or len(fields) != 1:
        return replace(request, pattern=pattern), []
    (column,) = fields
    pattern = pattern.replace(f"{{{column}}}", "{id}")
    sentence = f"Ids are those of the column {column}, by which files are called."
    mapping = {**request.columns, "id": column}
    made = replace(request, pattern=pattern, columns=mapping)
    return made, [Guess("columns", mapping, sentence)]


def _cells(table: SourceTable, columns: ColumnMap) -> list[dict[str, str]]:
    """The first rows as names of files would have them: text, and whole numbers."""
    known = [name for name in table.names if not table.is_vector(name)]
    cells = {name: table.cells(name, 0, ROWS, verbatim=True) for name in known}
    ids = columns.roles.get("id")
    rows: list[dict[str, str]] = []
    for k in range(min(ROWS, len(table))):
        row = {}
        for name, values in cells.items():
            value = values[k]
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            if value is None or isinstance(value, float):
                continue
            if name != ids and isinstance(guess_number(value), float):
                continue  # a position or a magnitude written as text
            row[name] = str(value)
        rows.append(row)
    return rows


def _one_for_all(
    request: ImportRequest, columns: ColumnMap, listing: Listing, bands: Sequence[str]
) -> NamesRead | None:
    """One array, or one image a band, that holds all rows; None where there is no such file."""
    images = listing.roles.images
    if listing.kind == "stack" and len(images) == 1 and not listing.rest:
        path = str(request.root / images[0])
        guess = Guess("images", path, f"All rows are read from the only array, {images[0]}.")
        return NamesRead(replace(request, images=path), (guess,))
    if listing.kind != "fits" or not {"ra", "dec"} <= columns.roles.keys():
        return None
    readings = [r for r in readings_without_table(images, bands) if r.n_objects == 1]
    if len(readings) != 1 or len(readings[0].files) != len(images):
        return None
    (reading,) = readings
    pattern = images[0]
    if reading.texts:
        only = fields_in(reading.pattern, reading.files[0])
        pattern = reading.pattern.replace("{id}", only.get("id", ""))
    sentence = f"Cutouts are cut from {pattern} at the positions of the table."
    found = replace(reading, pattern=pattern)
    done = with_reading(request, found, listing)
    return replace(done, guesses=(Guess("pattern", pattern, sentence), *done.guesses[1:]))


def _refuse(
    request: ImportRequest, rows: Sequence[dict[str, str]], columns: ColumnMap, listing: Listing
) -> NamesRead:
    names = listing.roles.images or listing.previews
    if not names:
        raise of_setting(
            BadInputError(
                f"No column of the table names image files, and {request.root} has no images; name "
                "the folder that they are in."
            ),
            "images",
        )
    of_id = columns.roles.get("id")
    called = rows[0].get(of_id, "") if rows and of_id else ""
    ids = f" (the first id is {called})" if called else ""
    shown = ", ".join(names[:_SHOWN])
    raise of_setting(
        BadInputError(
            f"No column of the table names image files, and none is part of the names in "
            f"{request.root}{ids}; files are called {shown}. Map the column 'file', or give a "
            "file-name pattern such as {id}_{band}.fits."
        ),
        "pattern",
    )
