"""The plan of an import: how to read rows and images, and what the catalog will look like.

A plan is made from the table and the first images alone; making it writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import hypot, nan
from pathlib import Path
from typing import Any

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError, traceback_in
from lensing_core.ingest.anchors import middle_of
from lensing_core.ingest.assumptions import assumptions, conflicts
from lensing_core.ingest.columns import ColumnMap, recognize
from lensing_core.ingest.decoding import assemble
from lensing_core.ingest.geometry import same_scale
from lensing_core.ingest.guard import guarded, load_row
from lensing_core.ingest.ids import id_warnings
from lensing_core.ingest.images import BandImage, ImageSource, RowRequest
from lensing_core.ingest.label_columns import label_warnings
from lensing_core.ingest.locating import find_pattern, typical_files, with_one_stack
from lensing_core.ingest.locators import FETCHED, pattern_fields
from lensing_core.ingest.mosaics import Mosaic
from lensing_core.ingest.pixel_buffers import Grid, PixelBuffer, Pixels
from lensing_core.ingest.position_units import position_reader
from lensing_core.ingest.positions import PositionReader
from lensing_core.ingest.probing import Probe, probe
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.request import ImportRequest
from lensing_core.ingest.rows import ParsedRow, RowReader
from lensing_core.ingest.survey_choice import choose_survey
from lensing_core.ingest.tables import IMAGE_SUFFIXES, SourceTable, read_table, table_of_files
from lensing_core.supervised import mark
from lensing_core.surveys import Survey, load_surveys
from lensing_core.workspace import Workspace

# What a helper process that makes a plan says it is at.
TABLE, IMAGES = "table", "images"

_PROBED_ROWS = 50
_READ_AT_ONCE = 1000
_SCALE_DIGITS = 6


@dataclass(frozen=True)
class Sample:
    """The row that the plan was made from.

    Attributes
    ----------
    object_id : str
    images : list
        Its bands as they were read; a missing one as the reason.
    pixels : Pixels
        Its cutout, as it would be stored.
    """

    object_id: str
    images: list[BandImage | RowRejected]
    pixels: Pixels


@dataclass(frozen=True)
class ImportPlan:
    """All that an import needs besides a workspace.

    Attributes
    ----------
    notes : dict
        How bands, scales and zero points were found; kept with the catalog.
    warnings : list of str
        What the user should look at.
    """

    request: ImportRequest
    table: SourceTable
    columns: ColumnMap
    positions: PositionReader
    survey: Survey
    source: ImageSource
    grid: Grid
    geometry: CutoutGeometry
    sample: Sample
    notes: dict[str, Any]
    warnings: list[str]

    def reader(self) -> RowReader:
        """A reader of the table's rows."""
        return _reader(
            self.request, self.table, self.columns, self.positions, self.notes["pattern"]
        )


def make_plan(request: ImportRequest, workspace: Workspace | None = None) -> ImportPlan:
    """Look at the table and the first images.

    Raises
    ------
    BadInputError, NotFoundError
        Saying what must be stated or mended.
    """
    mark(TABLE)
    table = open_objects(request)
    mark(IMAGES)
    surveys = load_surveys(workspace)
    columns = recognize(table, (), _without_bands(request.columns))
    request = with_one_stack(request, table, columns)
    positions, warnings = _positions(request, table, columns)
    if "id" in columns.roles:
        warnings += id_warnings(table, columns.roles["id"])
    warnings += label_warnings(
        table, columns.roles.get("label"), request.labels, is_stated="label" in columns.stated
    )
    rows = _first_rows(request, table, columns, positions, "")
    pattern = find_pattern(request, columns, rows) if not _has_band_files(request) else ""
    rows = _first_rows(request, table, columns, positions, pattern)
    survey = choose_survey(request, surveys, _first_files(request, pattern, rows))
    columns = recognize(table, survey.band_names, request.columns)
    rows = _first_rows(request, table, columns, positions, pattern)
    found = probe(request, columns, survey, rows, pattern)
    row, grid, sample = _first_object(request, survey, found, rows)
    images = sample.images
    warnings = [*table.notes, *warnings, *found.warnings, *conflicts(images)]
    warnings += _misplaced(found.source, row, grid, images)
    warnings += assumptions(found, survey, images)
    return ImportPlan(
        request=request,
        table=table,
        columns=columns,
        positions=positions,
        survey=survey,
        source=found.source,
        grid=grid,
        geometry=_geometry(survey, found, grid),
        sample=sample,
        notes=_notes(request, table, columns, positions, found, images, grid, warnings),
        warnings=warnings,
    )


def open_objects(request: ImportRequest) -> SourceTable:
    """The table of objects: as named, or one made of the image files where none is named."""
    if request.table:
        path = Path(request.table).expanduser()
        return read_table(path, request.table_format, request.table_part)
    root = request.root
    if root.is_file():
        raise BadInputError(
            f"{root} is a single file: give a table of its rows or positions, or name its folder."
        )
    return table_of_files(request.locator(request.pattern), IMAGE_SUFFIXES)


def open_positions(request: ImportRequest) -> tuple[SourceTable, RowReader, list[str]]:
    """The table of objects, a reader of its rows, and warnings; images need not be there.

    Raises
    ------
    BadInputError
        If it has no columns of positions.
    """
    table = open_objects(request)
    columns = recognize(table, (), _without_bands(request.columns))
    if not {"ra", "dec"} <= columns.roles.keys():
        raise BadInputError(
            f"{table.path} has no columns of positions that are recognized; it has "
            f"{', '.join(table.names)}. Map those of right ascension (ra) and declination (dec)."
        )
    positions, warnings = _positions(request, table, columns)
    return table, _reader(request, table, columns, positions, ""), warnings


def _without_bands(stated: Mapping[str, str]) -> dict[str, str]:
    return {role: name for role, name in stated.items() if ":" not in role}


def _has_band_files(request: ImportRequest) -> bool:
    return any(role.startswith("file:") and name for role, name in request.columns.items())


def _reader(
    request: ImportRequest,
    table: SourceTable,
    columns: ColumnMap,
    positions: PositionReader,
    pattern: str,
) -> RowReader:
    fields = frozenset(
        name
        for text in (pattern, request.variance_pattern, request.psf_pattern)
        for name in pattern_fields(text)
    )
    return RowReader(table, columns, positions, request.labels, fields)


def _positions(
    request: ImportRequest, table: SourceTable, columns: ColumnMap
) -> tuple[PositionReader, list[str]]:
    names = columns.roles.get("ra"), columns.roles.get("dec")
    if names[0] is None or names[1] is None:
        return PositionReader(), []
    return position_reader(
        table, (names[0], names[1]), request.position_unit, request.position_frame
    )


def _first_rows(
    request: ImportRequest,
    table: SourceTable,
    columns: ColumnMap,
    positions: PositionReader,
    pattern: str,
) -> list[RowRequest]:
    reader = _reader(request, table, columns, positions, pattern)
    if FETCHED in pattern and (fetched := _first_fetched(request, len(table), reader, pattern)):
        return fetched
    parsed = list(reader.read(0, min(_PROBED_ROWS, len(table))))
    rows = [row.request for row in parsed if isinstance(row, ParsedRow)]
    if not rows:
        first = next(row for row in parsed if not isinstance(row, ParsedRow))
        raise BadInputError(f"None of the first {len(parsed)} rows can be used: {first.message}")
    return rows


def _first_fetched(
    request: ImportRequest, n_rows: int, reader: RowReader, pattern: str
) -> list[RowRequest]:
    """The first rows with an image; a table may begin outside of a survey's footprint."""
    locator = request.locator(pattern)
    rows: list[RowRequest] = []
    for start in range(0, n_rows, _READ_AT_ONCE):
        for row in reader.read(start, min(start + _READ_AT_ONCE, n_rows)):
            if isinstance(row, ParsedRow) and any(
                locator.has(row.request, band) for band in request.bands
            ):
                rows.append(row.request)
                if len(rows) == _PROBED_ROWS:
                    return rows
    return rows


def _first_files(
    request: ImportRequest, pattern: str, rows: Sequence[RowRequest]
) -> Sequence[Path]:
    """Images to look at before the bands are known; none where only the bands would tell."""
    if request.survey or "{band}" in pattern or _has_band_files(request):
        return []
    return typical_files(request.locator(pattern), rows, (), request.dataset)


def _first_object(
    request: ImportRequest, survey: Survey, found: Probe, rows: Sequence[RowRequest]
) -> tuple[RowRequest, Grid, Sample]:
    """The first row that makes a cutout, with as many bands as possible.

    What is wrong with a row before it is told when that row is imported, as of any other.
    """
    best: tuple[RowRequest, Grid, Sample] | None = None
    problem: RowRejected | None = None
    most = 0
    for row in rows:
        try:
            images = list(load_row(found.source, row))
            with guarded(row.file or row.object_id):
                grid = _grid(request, survey, found, images)
                pixels = PixelBuffer.of(grid, len(images), 1).open()
                facts = assemble(images, grid, pixels, 0)
        except RowRejected as error:
            problem = problem or error
            continue
        n_bands = sum(facts.band_flags)
        if n_bands > most:
            best, most = (row, grid, Sample(row.object_id, images, pixels)), n_bands
        if n_bands == len(images):
            break
    if best is None:
        failure = BadInputError(f"None of the first {len(rows)} images can be used: {problem}")
        if details := traceback_in(problem):
            failure.add_note(details)
        raise failure
    return best


def _misplaced(
    source: ImageSource,
    row: RowRequest,
    grid: Grid,
    images: Sequence[BandImage | RowRejected],
) -> list[str]:
    """Doubts where the first images do not show the place that the table names, or differ in it."""
    if row.ra_deg is None or isinstance(source, Mosaic):
        return []
    shown: list[tuple[str, float, float]] = []
    for band, image in zip(source.bands, images, strict=True):
        if isinstance(image, BandImage) and image.center is not None:
            middle = middle_of(image.data.shape)
            y, x = (
                (at - m) * image.pixel_scale_arcsec
                for at, m in zip(image.center, middle, strict=True)
            )
            shown.append((band, y, x))
    if not shown:
        return []
    first, *others = shown
    warnings = []
    away_arcsec = hypot(first[1], first[2])
    if away_arcsec > grid.size_px * grid.pixel_scale_arcsec / 4:
        warnings.append(
            f"The image of {row.object_id} is centerd {away_arcsec:.1f} arcsec from the position "
            "in the table; check the position columns and their unit, and whether files and rows "
            "belong together."
        )
    for band, y, x in others:
        apart_arcsec = hypot(y - first[1], x - first[2])
        if apart_arcsec > 1.5 * grid.pixel_scale_arcsec:
            warnings.append(
                f"The images of bands {first[0]} and {band} are centerd {apart_arcsec:.2f} arcsec "
                "apart by their WCS; cut them around one position, or colors will be wrong."
            )
            break
    return warnings


def _grid(
    request: ImportRequest,
    survey: Survey,
    found: Probe,
    images: Sequence[BandImage | RowRejected],
) -> Grid:
    present = [image for image in images if isinstance(image, BandImage)]
    finest = min(present, key=lambda image: image.pixel_scale_arcsec)
    scale = request.grid_scale_arcsec or round(finest.pixel_scale_arcsec, _SCALE_DIGITS)
    if isinstance(found.source, Mosaic):
        scale = found.source.grid_scale_arcsec
    if found.is_rendered:
        zero_points: tuple[float, ...] = (nan, nan, nan)
    else:
        zero_points = tuple(survey.zero_point_mag(band, scale) for band in found.source.bands)
    return Grid(
        size_px=request.size_px or _size(finest, scale),
        pixel_scale_arcsec=scale,
        zero_points_mag=zero_points,
        with_variance=any(image.variance is not None for image in present),
        psf_size_px=max((_psf_size(image, scale) for image in present), default=0),
        missing_bands=request.missing_bands,
    )


def _size(image: BandImage, scale_arcsec: float) -> int:
    side = min(image.data.shape)
    if same_scale(image.pixel_scale_arcsec, scale_arcsec):
        return side
    return int(side * image.pixel_scale_arcsec / scale_arcsec)


def _psf_size(image: BandImage, scale_arcsec: float) -> int:
    """Odd side that holds an image's PSF on the grid; 0 without one."""
    if image.psf is None:
        return 0
    own = image.psf_scale_arcsec or image.pixel_scale_arcsec
    factor = 1.0 if same_scale(own, scale_arcsec) else own / scale_arcsec
    return int(max(image.psf.shape) * factor) // 2 * 2 + 1


def _geometry(survey: Survey, found: Probe, grid: Grid) -> CutoutGeometry:
    rendered = found.is_rendered
    shown = survey.rgb_bands if rendered else found.source.bands
    return CutoutGeometry(
        survey=survey.name,
        bands=found.source.bands,
        size_px=grid.size_px,
        pixel_scale_arcsec=grid.pixel_scale_arcsec,
        pixel_kind="rendered" if rendered else "flux",
        zero_points_mag=grid.zero_points_mag,
        psf_fwhm_arcsec=tuple(survey.band(band).psf_fwhm_arcsec for band in shown),
    )


def _notes(
    request: ImportRequest,
    table: SourceTable,
    columns: ColumnMap,
    positions: PositionReader,
    found: Probe,
    images: Sequence[BandImage | RowRejected],
    grid: Grid,
    warnings: list[str],
) -> dict[str, Any]:
    bands: dict[str, Any] = {}
    for band, image in zip(found.source.bands, images, strict=True):
        if isinstance(image, BandImage):
            bands[band] = {
                "shape": list(image.data.shape),
                "pixel_scale_arcsec": image.pixel_scale_arcsec,
                "pixel_scale_from": image.pixel_scale_from,
                "zero_point_mag": None
                if image.zero_point_mag != image.zero_point_mag
                else (image.zero_point_mag),
                "zero_point_from": image.zero_point_from,
                "regridded": not same_scale(image.pixel_scale_arcsec, grid.pixel_scale_arcsec),
                "variance": image.variance is not None,
                "psf": image.psf is not None,
            }
    return {
        "table": str(table.path),
        "table_sha256": table.sha256,
        "images": str(request.root),
        "image_kind": found.kind,
        "pattern": found.pattern,
        "columns": {**columns.roles, **{f"mag:{b}": n for b, n in columns.magnitudes.items()}},
        "position_units": asdict(positions),
        "bands_of_first_image": bands,
        "missing_bands": request.missing_bands,
        "warnings": warnings,
    }
