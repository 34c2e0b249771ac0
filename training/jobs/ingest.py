"""The job that imports a catalog, and the preview of what it would do."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, fields, replace
from typing import Any

from lens_triage.training.jobs.fetch import (
    FetchEstimate,
    check_fetch,
    estimate,
    fetch_images,
    provenance,
)
from lens_triage.training.jobs.preset import with_preset
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import IngestSettings
from lensing_core.arrays import Float32Array
from lensing_core.errors import LensTriageError, Offer, traceback_in
from lensing_core.ingest.catalog_writer import CatalogSpec
from lensing_core.ingest.columns import recognize
from lensing_core.ingest.guesses import Guess
from lensing_core.ingest.images import BandImage
from lensing_core.ingest.importing import (
    bytes_of_cutout,
    import_catalog,
    require_space_to_import,
)
from lensing_core.ingest.isolation import look_apart
from lensing_core.ingest.object_tables import TABLE, open_objects
from lensing_core.ingest.planning import ImportPlan, make_plan
from lensing_core.ingest.positions_only import read_positions
from lensing_core.ingest.provenance import check_policy, default_confidence, default_policy
from lensing_core.ingest.request import ImportRequest
from lensing_core.ingest.tables import SourceTable
from lensing_core.supervised import mark
from lensing_core.workspace import Workspace

_log = logging.getLogger(__name__)
PREVIEW_ROWS = 5
PREVIEW_SECONDS = 60.0  # most for the table: somebody waits


def run(context: JobContext, settings: IngestSettings) -> dict[str, Any]:
    """Import what ``settings`` name; goes on where an earlier attempt stopped.

    Returns
    -------
    dict
        The report: rows, ingested, quarantined, reasons (counts by reason), doubts, warnings.
    """
    settings.check()
    settings = with_preset(settings, context.workspace)
    notes: dict[str, Any] = {}
    if settings.images_from:
        context.progress(0, None, "Reading the positions")
        notes["fetched"] = provenance(settings.order())
        settings = fetch_images(context, settings, read_positions(request_of(settings)))
    context.progress(0, None, "Looking at the table and the first images")
    plan = plan_import(settings, context.workspace)
    for guess in plan.guesses:
        if not guess.is_doubtful:  # else it is among the warnings
            context.log(guess.sentence)
    for warning in plan.warnings:
        context.log(warning, "warning")
    geometry = plan.geometry
    context.log(
        f"{len(plan.table):,} rows; bands {', '.join(geometry.bands)}; {geometry.size_px} px of "
        f"{geometry.pixel_scale_arcsec:g} arcsec; images read as {plan.notes['image_kind']}."
    )
    context.progress(0, len(plan.table), "Reading images")
    report = import_catalog(
        context.workspace,
        plan,
        replace(spec_of(settings, plan), notes=notes),
        progress=context.progress,
        workers=settings.workers,
    )
    if report.already_complete:
        context.log(f"Catalog {settings.catalog} is complete already; nothing was added.")
    for reason, count in report.reasons.items():
        context.log(f"{count:,} rows went to quarantine: {reason}.", "warning")
    for band_and_reason, count in report.missing_bands.items():
        context.log(f"{count:,} objects have no data in band {band_and_reason}.", "warning")
    if report.outside_cutout:
        context.log(
            f"{report.outside_cutout:,} positions lie outside of their cutouts by the WCS of the "
            "image files; check whether files and rows belong together.",
            "warning",
        )
    for role, count in report.unclear_cells.items():
        context.log(
            f"{count:,} cells of {role} could not be understood, or are codes of missing values "
            "(99, -9999, …); left empty.",
            "warning",
        )
    context.progress(report.rows, report.rows, "Done")
    return report.to_json()


def plan_import(settings: IngestSettings, workspace: Workspace | None = None) -> ImportPlan:
    """Return how the table and the images are read; raises what keeps the import from starting.

    Files are looked at in a process of its own.
    """
    settings = with_preset(settings, workspace)
    request = request_of(settings)
    return look_apart(make_plan, request, workspace, limits=request.limits, table=_name(settings))


def request_of(settings: IngestSettings) -> ImportRequest:
    """The part of the settings that says how to read."""
    names = {one.name for one in fields(ImportRequest)} - {"labels"}
    values = {name: getattr(settings, name) for name in names}
    return ImportRequest(labels=settings.labels(), **values)


def spec_of(settings: IngestSettings, plan: ImportPlan) -> CatalogSpec:
    """The catalog that the settings and the plan describe."""
    source = settings.label_source or None
    policy = default_policy(source) if settings.label_policy == "auto" else settings.label_policy
    check_policy(source, policy)
    confidence = settings.label_confidence
    return CatalogSpec(
        name=settings.catalog,
        geometry=plan.geometry,
        survey_definition=plan.survey.to_json(),
        scale=settings.scale,
        origin=settings.origin,
        label_source=source,
        label_confidence=default_confidence(source) if confidence is None else confidence,
        label_policy=policy,
    )


@dataclass(frozen=True)
class ColumnPreview:
    """A column: its role (empty: kept as a property), unit and first values."""

    name: str
    role: str
    unit: str
    examples: list[Any]


@dataclass(frozen=True)
class BandPreview:
    """A band of the first image; ``problem`` says why it is missing, else is empty."""

    name: str
    source: str
    shape: tuple[int, ...]
    pixel_scale_arcsec: float | None
    pixel_scale_from: str
    zero_point_mag: float | None
    zero_point_from: str
    has_variance: bool
    has_psf: bool
    problem: str


@dataclass(frozen=True)
class ImportPreview:
    """Preview of an import, made without writing anything.

    Attributes
    ----------
    n_rows : int
    columns : list of ColumnPreview
    rows : list of dict
        The first rows, cell by column.
    position_units : tuple of str
        Of right ascension and declination, as they would be read.
    survey, image_kind : str
    bands : list of BandPreview
    geometry : dict or None
        Of the catalog, as JSON.
    cutout : ndarray of shape (band, y, x), or None
        The first object, as it would be stored.
    bytes_per_cutout : int
        On the disk, with variance and PSF where they are stored.
    fetching : FetchEstimate or None
        What fetching the images would take, where they are fetched.
    warnings : list of str
    error : str
        What keeps the import from starting; empty if nothing does.
    setting : str
        The setting that the error speaks of; empty if of none.
    offers : tuple of Offer
        Ways out of the error to choose from.
    guesses : list of Guess
        What was not stated and follows from names and sizes of files.
    """

    n_rows: int
    columns: list[ColumnPreview]
    rows: list[dict[str, Any]]
    position_units: tuple[str, str]
    survey: str
    image_kind: str
    bands: list[BandPreview]
    geometry: dict[str, Any] | None
    cutout: Float32Array | None
    warnings: list[str]
    error: str
    bytes_per_cutout: int = 0
    fetching: FetchEstimate | None = None
    setting: str = ""
    offers: tuple[Offer, ...] = ()
    guesses: list[Guess] = field(default_factory=list)

    def refused(self, problem: LensTriageError) -> ImportPreview:
        """The same as one of an import that cannot start."""
        return replace(
            self, error=_sentence_of(problem), setting=problem.setting, offers=problem.offers
        )


def preview(settings: IngestSettings, workspace: Workspace | None = None) -> ImportPreview:
    """Show how the table and the first images would be read, from a process of its own.

    What cannot be read is told in ``error``, beside whatever could be.
    """
    try:
        settings = with_preset(settings, workspace, min(settings.table_seconds, PREVIEW_SECONDS))
        request = request_of(settings)
        if settings.images_from:
            return _preview_positions(settings, workspace)
        shown = look_apart(
            _preview,
            settings.to_json(),
            workspace,
            limits=request.limits,
            table=_name(settings),
            table_seconds=min(request.table_seconds, PREVIEW_SECONDS),
        )
    except LensTriageError as problem:
        return _NOTHING.refused(problem)
    if workspace is None or shown.error:
        return shown
    try:
        require_space_to_import(workspace, settings.catalog, shown.n_rows, shown.bytes_per_cutout)
    except LensTriageError as problem:
        return shown.refused(problem)
    return shown


def _preview_positions(settings: IngestSettings, workspace: Workspace | None) -> ImportPreview:
    """The preview of an import whose images are to be fetched; no service is asked for it."""
    request = request_of(settings)
    seconds = min(request.table_seconds, PREVIEW_SECONDS)
    listed = look_apart(
        _preview_table,
        settings.to_json(),
        limits=request.limits,
        table=_name(settings),
        table_seconds=seconds,
    )
    try:
        positions = read_positions(request, seconds)
        needed = estimate(settings, positions)
        if workspace is not None:
            check_fetch(workspace, settings, positions)
    except LensTriageError as problem:
        return listed.refused(problem)
    without = f"Rows without a position, which get no image: {positions.n_without:,}."
    return replace(
        listed,
        survey=settings.survey or settings.order().service.survey,
        warnings=[*positions.warnings, *([without] if positions.n_without else [])],
        fetching=needed,
    )


def _preview_table(values: dict[str, Any]) -> ImportPreview:
    settings = IngestSettings.from_json(values)
    mark(TABLE)
    return _table_only(open_objects(request_of(settings)), settings)


def _sentence_of(problem: LensTriageError) -> str:
    """Return what is said of a problem; a fault of the program goes to the log."""
    if details := traceback_in(problem):
        _log.error("While looking at a table and the first images:\n%s", details)
    return str(problem)


def _name(settings: IngestSettings) -> str:
    """Return what an import looks at, for messages."""
    return settings.table or settings.images


_NOTHING = ImportPreview(0, [], [], ("", ""), "", "", [], None, None, [], "")


def _preview(values: dict[str, Any], workspace: Workspace | None) -> ImportPreview:
    settings = IngestSettings.from_json(values)
    request = request_of(settings)
    seen = _NOTHING
    try:
        if request.table:  # shown also where no plan comes of it
            mark(TABLE)
            seen = _table_only(open_objects(request), settings)
        plan = make_plan(request, workspace)
    except LensTriageError as problem:
        return seen.refused(problem)
    table = plan.table
    roles = {name: plan.columns.role_of(name) for name in table.names}
    return ImportPreview(
        n_rows=len(table),
        columns=_columns(table, roles),
        rows=_rows(table),
        position_units=(plan.positions.ra_unit, plan.positions.dec_unit),
        survey=plan.survey.name,
        image_kind=plan.notes["image_kind"],
        bands=[
            _band(name, image)
            for name, image in zip(plan.geometry.bands, plan.sample.images, strict=True)
        ],
        geometry=plan.geometry.to_json(),
        cutout=plan.sample.pixels.flux[0],
        warnings=plan.warnings,
        error="",
        bytes_per_cutout=bytes_of_cutout(plan),
        guesses=plan.guesses,
    )


def _table_only(table: SourceTable, settings: IngestSettings) -> ImportPreview:
    try:
        columns = recognize(table, (), settings.columns)
        roles = {name: columns.role_of(name) for name in table.names}
    except LensTriageError:
        roles = {}
    return ImportPreview(
        n_rows=len(table),
        columns=_columns(table, roles),
        rows=_rows(table),
        position_units=("", ""),
        survey=settings.survey,
        image_kind="",
        bands=[],
        geometry=None,
        cutout=None,
        warnings=list(table.notes),
        error="",
    )


def _columns(table: SourceTable, roles: dict[str, str]) -> list[ColumnPreview]:
    return [
        ColumnPreview(name, roles.get(name, ""), table.unit(name), table.cells(name, 0, 3))
        for name in table.names
    ]


def _rows(table: SourceTable) -> list[dict[str, Any]]:
    cells = {name: table.cells(name, 0, PREVIEW_ROWS) for name in table.names}
    return [
        {name: values[k] for name, values in cells.items()}
        for k in range(min(PREVIEW_ROWS, len(table)))
    ]


def _band(name: str, image: Any) -> BandPreview:
    if not isinstance(image, BandImage):
        return BandPreview(
            name, image.source or "", (), None, "", None, "", False, False, str(image)
        )
    zero_point = image.zero_point_mag
    return BandPreview(
        name=name,
        source=image.source,
        shape=image.data.shape,
        pixel_scale_arcsec=image.pixel_scale_arcsec,
        pixel_scale_from=image.pixel_scale_from,
        zero_point_mag=None if zero_point != zero_point else zero_point,
        zero_point_from=image.zero_point_from,
        has_variance=image.variance is not None,
        has_psf=image.psf is not None,
        problem="",
    )
