"""The plan of an import: how to read rows and images, and what the catalog will look like.

A plan is made from the table and the first images alone; making it writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lensing_core.cutouts import CutoutGeometry
from lensing_core.ingest.assumptions import assumptions, conflicts
from lensing_core.ingest.columns import ColumnMap, recognize
from lensing_core.ingest.first_object import Sample, first_object
from lensing_core.ingest.first_rows import first_files, first_rows, has_band_files
from lensing_core.ingest.geometry import same_scale
from lensing_core.ingest.grid_choice import geometry_of
from lensing_core.ingest.ids import id_warnings
from lensing_core.ingest.images import BandImage, ImageSource
from lensing_core.ingest.label_columns import label_warnings
from lensing_core.ingest.locating import find_pattern, with_one_stack
from lensing_core.ingest.object_tables import (
    TABLE,
    open_objects,
    positions_of,
    row_reader,
    without_bands,
)
from lensing_core.ingest.pixel_buffers import Grid
from lensing_core.ingest.position_checks import misplaced
from lensing_core.ingest.positions import PositionReader
from lensing_core.ingest.probing import Probe, probe
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.request import ImportRequest
from lensing_core.ingest.rows import RowReader
from lensing_core.ingest.survey_choice import choose_survey
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
    mark(TABLE)
    table = open_objects(request)
    mark(IMAGES)
    surveys = load_surveys(workspace)
    columns = recognize(table, (), without_bands(request.columns))
    request = with_one_stack(request, table, columns)
    positions, warnings = positions_of(request, table, columns)
    if "id" in columns.roles:
        warnings += id_warnings(table, columns.roles["id"])
    warnings += label_warnings(
        table, columns.roles.get("label"), request.labels, is_stated="label" in columns.stated
    )
    rows = first_rows(request, table, columns, positions, "")
    pattern = find_pattern(request, columns, rows) if not has_band_files(request) else ""
    rows = first_rows(request, table, columns, positions, pattern)
    survey = choose_survey(request, surveys, first_files(request, pattern, rows))
    columns = recognize(table, survey.band_names, request.columns)
    rows = first_rows(request, table, columns, positions, pattern)
    found = probe(request, columns, survey, rows, pattern)
    row, grid, sample = first_object(request, survey, found, rows)
    images = sample.images
    warnings = [*table.notes, *warnings, *found.warnings, *conflicts(images)]
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
        notes=_notes(request, table, columns, positions, found, images, grid, warnings),
        warnings=warnings,
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
