"""Location of the images of a table, and choice of the files that represent all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

from lensing_core.errors import BadInputError, of_setting
from lensing_core.ingest.columns import ColumnMap
from lensing_core.ingest.contents import kind_of_file
from lensing_core.ingest.fits_files import open_fits
from lensing_core.ingest.guard import guarded, opening
from lensing_core.ingest.images import RowRequest
from lensing_core.ingest.locators import Locator
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.request import ImportRequest
from lensing_core.ingest.stacks import is_stack, open_array
from lensing_core.ingest.tables import SourceTable

PROBED_FILES = 10
_TRIED_OF_LAYOUT = 5  # files, until one can be used


def with_one_stack(request: ImportRequest, table: SourceTable, columns: ColumnMap) -> ImportRequest:
    """The request with the array that it asks for, where the table names files of another kind.

    Raises
    ------
    BadInputError
        If the images folder has not exactly one array.
    """
    name = columns.roles.get("file")
    if request.image_kind != "stack" or request.pattern or name is None or request.root.is_file():
        return request
    if any(is_stack(str(cell)) for cell in table.cells(name, 0, PROBED_FILES)):
        return request
    found = sorted(path for path in request.root.iterdir() if is_stack(path.name))
    if len(found) != 1:
        listing = f"has {', '.join(p.name for p in found[:5])}" if found else "has none"
        raise of_setting(
            BadInputError(
                f"Images are to be read from an array, and {request.root} {listing}; name its file "
                "as the images."
            ),
            "images",
        )
    return replace(request, images=str(found[0]))


def typical_files(
    locator: Locator, rows: Iterable[RowRequest], bands: Sequence[str], dataset: str = ""
) -> list[Path]:
    """First readable image file of each layout, most images first.

    Raises
    ------
    BadInputError
        If none exists or can be read.
    """
    return [paths[0] for paths in files_by_layout(locator, rows, bands, dataset)]


def files_by_layout(
    locator: Locator, rows: Iterable[RowRequest], bands: Sequence[str], dataset: str = ""
) -> list[list[Path]]:
    """Some of the first image files that can be opened, by layout, most images first.

    Files of another kind than most are left out, so that no single file decides how all are read.

    Raises
    ------
    BadInputError
        If none exists or can be read.
    """
    layouts: dict[_Layout, list[Path]] = {}
    kinds: Counter[str] = Counter()
    problems: list[RowRejected] = []
    for row, band in ((row, band) for row in rows for band in bands or ("",)):
        try:
            path = locator.find(row, band)
            with guarded(str(path)):
                layout = _layout(path, dataset)
        except RowRejected as problem:
            problems.append(problem)
            continue
        if len(of_layout := layouts.setdefault(layout, [])) < _TRIED_OF_LAYOUT:
            of_layout.append(path)
        kinds[layout.kind] += 1
        if kinds.total() == PROBED_FILES:
            break
    if layouts:
        kind = kinds.most_common(1)[0][0]
        chosen = [layout for layout in layouts if layout.kind == kind]
        chosen.sort(key=lambda layout: -layout.n_images)
        return [layouts[layout] for layout in chosen]
    there = [problem for problem in problems if problem.reason != "missing_file"]
    if there:
        raise BadInputError(f"None of the first image files can be used: {there[0]}")
    tried = next((problem.source for problem in problems if problem.source), None)
    detail = f"; the first would be {tried}" if tried else "; the table names none"
    raise of_setting(
        BadInputError(
            f"None of the first image files exists{detail}. Check the images folder and the "
            "pattern."
        ),
        "pattern" if locator.pattern else "images",
    )


@dataclass(frozen=True)
class _Layout:
    """Layout that files share, so that they are read in the same way."""

    kind: str
    n_images: int  # planes of all arrays
    images: tuple[tuple[str, tuple[int, ...]], ...] = ()


def _layout(path: Path, dataset: str) -> _Layout:
    opening(path)
    kind = kind_of_file(path)
    if kind == "fits":
        with open_fits(path) as images:
            shapes = tuple((hdu.name, hdu.shape) for hdu in images.hdus)
        return _Layout("fits", sum(prod(shape[:-2]) for _, shape in shapes), shapes)
    if kind == "stack":
        shape = open_array(path, dataset).shape
        return _Layout("stack", prod(shape[:-2]), (("", shape[1:]),))
    return _Layout("picture", 1)
