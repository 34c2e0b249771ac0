"""The plan of an import: how to read rows and images, and what the catalog will look like.

A plan is made from the table and the first images alone; making it writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import about
from lensing_core.ingest.assumptions import assumptions, conflicts
from lensing_core.ingest.columns import ColumnMap, recognize
from lensing_core.ingest.first_object import Sample, first_object
from lensing_core.ingest.first_rows import (
    first_files,
    first_rows,
    has_band_files,
    picture_files,
)
from lensing_core.ingest.geometry import same_scale
from lensing_core.ingest.grid_choice import geometry_of
from lensing_core.ingest.guesses import Guess, NamesRead, read_names
from lensing_core.ingest.ids import id_warnings
from lensing_core.ingest.images import BandImage, ImageSource
from lensing_core.ingest.label_columns import label_warnings
from lensing_core.ingest.locating import with_one_stack
from lensing_core.ingest.object_tables import (
    TABLE,
    band_texts,
    open_objects,
    positions_of,
    row_reader,
    without_bands,
)
from lensing_core.ingest.pixel_buffers import Grid
from lensing_core.ingest.pixel_guesses import scale_of_pictures, scales_by_size
from lensing_core.ingest.position_checks import misplaced
from lensing_core.ingest.positions import PositionReader
from lensing_core.ingest.probing import Probe, probe
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.request import ImportRequest
from lensing_core.ingest.rows import RowReader
from lensing_core.ingest.survey_choice import NameEvidence, band_keys_of, choose_survey
from lensing_core.ingest.table_names import read_names_of_rows
from lensing_core.ingest.tables import SourceTable
from lensing_core.supervised import mark
from lensing_core.surveys import Survey, load_surveys
from lensing_core.workspace import Workspace

# What a helper process says it is at while it reads images.
IMAGES = "images"


@dataclass(frozen=True)
class ImportPlan:
    """All that an import needs besides a workspace.

    Attributes
    ----------
    notes : dict
        How bands, scales and zero points were found; kept with the catalog.
    warnings : list of str
        What the user should look at.
    guesses : list of Guess
        What was not stated and follows from names and sizes of files.
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
    guesses: list[Guess]

    def reader(self) -> RowReader:
        """A reader of the table's rows."""
        return row_reader(
            self.request, self.table, self.columns, self.positions, self.notes["pattern"]
        )


def make_plan(request: ImportRequest, workspace: Workspace | None = None) -> ImportPlan:
    """Look at the table and the first images.

    Raises
    ------
    BadInputError, NotFoundError
        Saying what must be stated or mended.
    """
    surveys = load_surveys(workspace)
    bands = band_texts(request, surveys)
    request, table, read = _read_names(request, bands)
    guesses = list(read.guesses)
    columns = recognize(table, (), without_bands(request.columns))
    pattern = request.pattern
    with about("position_unit"):
        positions, warnings = positions_of(request, table, columns)
    if "id" in columns.roles:
        warnings += id_warnings(table, columns.roles["id"])
    warnings += label_warnings(
        table, columns.roles.get("label"), request.labels, is_stated="label" in columns.stated
    )
    rows = first_rows(request, table, columns, positions, pattern)
    paths = first_files(request, pattern, rows, read.texts or bands)
    survey, of_survey = choose_survey(request, surveys, paths, NameEvidence(read.texts, read.names))
    if keys := band_keys_of(survey, read.texts):
        request = replace(request, band_keys={**keys, **request.band_keys})
    request, of_pictures = scale_of_pictures(request, picture_files(request, pattern, rows))
    guesses += [*of_survey, *of_pictures]
    with about("columns"):
        columns = recognize(table, survey.band_names, request.columns)
    rows = first_rows(request, table, columns, positions, pattern)
    found = probe(request, columns, survey, rows, pattern)
    row, grid, sample = first_object(request, survey, found, rows)
    request, of_scales = scales_by_size(request, found.source.bands, sample.images)
    if of_scales:
        guesses += of_scales
        found = probe(request, columns, survey, rows, pattern)
        row, grid, sample = first_object(request, survey, found, rows)
    images = sample.images
    warnings = [*table.notes, *warnings, *_doubtful(guesses), *found.warnings, *conflicts(images)]
    warnings += misplaced(found.source, row, grid, images)
    warnings += assumptions(found, survey, images)
    return ImportPlan(
        request=request,
        table=table,
        columns=columns,
        positions=positions,
        survey=survey,
        source=found.source,
        grid=grid,
        geometry=geometry_of(survey, found, grid),
        sample=sample,
        notes={
            **_notes(request, table, columns, positions, found, images, grid, warnings),
            "guessed": [guess.to_json() for guess in guesses],
        },
        warnings=warnings,
        guesses=guesses,
    )


def _read_names(
    request: ImportRequest, bands: Sequence[str]
) -> tuple[ImportRequest, SourceTable, NamesRead]:
    """The request with the pattern that names of files follow, and the table of objects."""
    mark(TABLE)
    without = read_names(request, bands)
    table = open_objects(without.request)
    with about("columns"):
        columns = recognize(table, (), without_bands(request.columns))
    request = with_one_stack(without.request, table, columns)
    read = without
    if request.table and not has_band_files(request):
        read = read_names_of_rows(request, table, columns, bands)
        request = read.request
    mark(IMAGES)
    return request, table, read


def _doubtful(guesses: Sequence[Guess]) -> list[str]:
    """Sentences on guesses that would make wrong data if they were wrong."""
    return [
        f"{guess.sentence} If that is wrong, state it (setting {guess.setting})."
        for guess in guesses
        if guess.is_doubtful
    ]


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
