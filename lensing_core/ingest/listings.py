"""The image files of a folder, and tables of objects made of them where none is named."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path, PurePosixPath

from astropy.table import Table

from lensing_core.errors import BadInputError, of_setting
from lensing_core.ingest.file_names import (
    IMAGE_SUFFIXES,
    core_of,
    image_stem,
    is_generic,
    listing_of,
)
from lensing_core.ingest.locators import Locator, expression_of, pattern_fields
from lensing_core.ingest.tables import SourceTable


def image_files(
    root: Path,
    *,
    suffixes: tuple[str, ...] = IMAGE_SUFFIXES,
    but: Path | None = None,
    most: int = 0,
) -> list[str]:
    """Names of the image files below a folder, with ``/``, in alphabetical order.

    Parameters
    ----------
    but : Path, optional
        A file that is no image, such as a table in a FITS file.
    most : int
        Where to stop looking; 0: nowhere.
    """
    return sorted(islice(_walk(root, suffixes, but), most or None))


def _walk(root: Path, suffixes: tuple[str, ...], but: Path | None) -> Iterator[str]:
    for path in root.rglob("*"):
        is_junk = path.name.startswith("._")  # what macOS puts beside files
        if path.name.lower().endswith(suffixes) and not is_junk and path.is_file() and path != but:
            yield path.relative_to(root).as_posix()


def table_of_files(
    locator: Locator, suffixes: tuple[str, ...], bands: Iterable[str] = ()
) -> SourceTable:
    """A table with one row for each object, for images that come without a catalog.

    Parameters
    ----------
    locator : Locator
        With a pattern of ``{id}`` (and ``{band}``), the files that fit it, further names in braces
        as columns; without ``{id}`` one object that is called after its folder. Without a pattern
        every file of the folder that ends in one of ``suffixes`` and is no noise map, PSF, mask or
        preview.
    bands : iterable of str
        What ``{band}`` may stand for, if any file has one of these.

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
            raise of_setting(
                BadInputError(
                    f"Pattern {locator.pattern!r} leads out of the images folder; name the folder "
                    "that the files are in as the images folder."
                ),
                "pattern",
            )
        table = _table_of_pattern(locator, {band.casefold() for band in bands})
    else:
        listing = listing_of(image_files(locator.root, suffixes=suffixes))
        files = sorted(listing.roles.images)
        table = Table({"id": _ids_of(files), "file": files}) if files else None
    if table is None:
        like = f" like {locator.pattern}" if locator.pattern else ""
        raise of_setting(
            BadInputError(
                f"{locator.root} has no images{like}; check the folder and the pattern, or give a "
                "table."
            ),
            "pattern" if locator.pattern else "images",
        )
    listed = "\n".join("\t".join(map(str, row)) for row in table).encode()
    return SourceTable(table, locator.root, hashlib.sha256(listed).hexdigest())


def _ids_of(files: list[str]) -> list[str]:
    """File names as ids; with their folders where names alone would repeat."""
    stems = [image_stem(name) for name in files]
    return stems if len(set(stems)) == len(stems) else [name.partition(".")[0] for name in files]


def _table_of_pattern(locator: Locator, bands: set[str]) -> Table | None:
    pattern = locator.pattern
    expression, fields = expression_of(pattern)
    glob = re.sub(r"\{[^{}]+\}", "*", re.sub(r"[*?\[]", "[\\g<0>]", pattern))
    names = (path.relative_to(locator.root).as_posix() for path in locator.root.glob(glob))
    matches = [match.groups() for match in map(expression.fullmatch, names) if match is not None]
    if "band" in fields:
        place = fields.index("band")
        known = [groups for groups in matches if groups[place].casefold() in bands]
        matches = known or matches
    if not matches:
        return None
    if "id" not in pattern_fields(pattern):
        return Table({"id": [name_of_folder(locator.root)]})
    kept = [k for k, name in enumerate(fields) if name != "band"]
    rows = sorted({tuple(groups[k] for k in kept) for groups in matches})
    columns = {fields[k]: [row[at] for row in rows] for at, k in enumerate(kept)}
    return Table({"id": columns.pop("id"), **columns})


def name_of_folder(folder: Path) -> str:
    """The name of the first folder upwards that says something: ``ring`` for ``ring/bands``."""
    for path in (folder, *folder.parents):
        if core_of(path.name) and not is_generic(path.name):
            return path.name
    return folder.name or "object"
