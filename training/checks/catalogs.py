"""Checks of runs that make catalogs, and of cross-matches."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

from lens_triage.training.settings import (
    AttachSettings,
    CrossmatchSettings,
    IngestSettings,
    InjectSettings,
    ModelSettings,
    ReportSettings,
    SimulateSettings,
)
from lensing_core.cutouts import CutoutStore
from lensing_core.datasets.groups import INJECTION_NOTE
from lensing_core.errors import BadInputError
from lensing_core.ingest.catalog_writer import ROW_BYTES, require_space_for
from lensing_core.lens_test import LEAST_PX
from lensing_core.store import open_database
from lensing_core.store.candidates import has_positions
from lensing_core.store.catalogs import catalog_named, find_catalog, find_catalogs
from lensing_core.store.ensembles import best_ensemble, find_ensemble
from lensing_core.surveys import get_survey
from lensing_core.workspace import Workspace


def check_simulate(workspace: Workspace, settings: SimulateSettings, run_id: str = "") -> None:
    """The survey and its bands are known, and the name is free or was made by these settings."""
    survey = get_survey(settings.survey, workspace)
    for band in settings.bands:
        survey.band(band)
    _check_made_by(workspace, settings.catalog, "simulation", settings.to_json())
    size_px = round(settings.size_arcsec / survey.pixel_scale_arcsec)
    n_bands = 3 if settings.pixels == "rendered" else len(settings.bands or survey.band_names)
    require_space_for(workspace, settings.catalog, settings.n_objects, 4 * n_bands * size_px**2)


def check_inject(workspace: Workspace, settings: InjectSettings, run_id: str = "") -> None:
    """The source has galaxies and images in known bands, sources can be read, the name is free."""
    from lens_triage.training.jobs.hosts import (  # loads torch
        bands_to_paint,
        galaxies_to_paint,
        law_of,
    )

    law_of(settings)

    with open_database(workspace).session() as session:
        source = find_catalog(session, settings.source)
        survey = get_survey(source.survey.name, workspace)
        geometry = CutoutStore(workspace.catalog_cutouts(source.name)).geometry
        bands_to_paint(geometry, survey, source.name)
        n = min(settings.n_galaxies, len(galaxies_to_paint(session, settings, source.id)))
    _check_made_by(workspace, settings.catalog, INJECTION_NOTE, settings.to_json())
    # A galaxy makes two objects, but counts once among the rows that are done.
    require_space_for(workspace, settings.catalog, n, 2 * 4 * prod(geometry.shape) + ROW_BYTES)


def check_ingest(workspace: Workspace, settings: IngestSettings, run_id: str = "") -> None:
    """The table and the first images can be read as the settings say, and the disk has room.

    Where images are to be fetched, the table has positions for it; no service is asked.
    """
    from lens_triage.training.jobs.fetch import check_fetch
    from lens_triage.training.jobs.ingest import plan_import, request_of
    from lens_triage.training.jobs.preset import with_preset
    from lensing_core.ingest.importing import bytes_of_cutout, require_space_to_import
    from lensing_core.ingest.positions_only import read_positions

    if settings.images_from:
        settings = with_preset(settings, workspace)
        check_fetch(workspace, settings, read_positions(request_of(settings)))
        return
    plan = plan_import(settings, workspace)
    require_space_to_import(workspace, settings.catalog, len(plan.table), bytes_of_cutout(plan))


def check_attach(workspace: Workspace, settings: AttachSettings, run_id: str = "") -> None:
    """The catalog exists, and candidates have positions."""
    with open_database(workspace).session() as session:
        catalog = find_catalog(session, settings.catalog)
        if not has_positions(session, catalog.id):
            raise BadInputError(
                f"No candidate of {settings.catalog} has a position, so none can be found."
            )


def check_model(workspace: Workspace, settings: ModelSettings, run_id: str = "") -> None:
    """The catalog exists and has flux, and so have the objects or the ranking that are named.

    A cluster's file can be read.
    """
    if settings.cluster:
        from lensing_core.cluster_model import read_cluster  # loads torch

        read_cluster(Path(settings.cluster))
        return
    from lens_triage.training.jobs.candidates_to_fit import candidates_to_fit

    with open_database(workspace).session() as session:
        candidates_to_fit(session, settings)
        catalog = find_catalog(session, settings.catalog)
    geometry = CutoutStore(workspace.catalog_cutouts(catalog.name)).geometry
    if geometry.pixel_kind != "flux":
        raise BadInputError(
            f"{catalog.name} holds rendered pictures without flux: no lens can be fitted."
        )
    if geometry.size_px < LEAST_PX:
        raise BadInputError(
            f"Cutouts of {catalog.name} have {geometry.size_px} pixels a side: a lens test needs "
            f"at least {LEAST_PX}."
        )


def check_report(workspace: Workspace, settings: ReportSettings, run_id: str = "") -> None:
    """The catalog exists, and the ensemble that is named has scored it."""
    with open_database(workspace).session() as session:
        catalog = find_catalog(session, settings.catalog)
        best_ensemble(session, catalog.id, settings.ensemble)


def check_crossmatch(workspace: Workspace, settings: CrossmatchSettings, run_id: str = "") -> None:
    """The catalogs exist, candidates have positions, and the ensemble that is named exists."""
    with open_database(workspace).session() as session:
        catalog = find_catalog(session, settings.catalog)
        find_catalogs(session, settings.catalogs)
        if settings.ensemble:
            find_ensemble(session, settings.ensemble)
        if not has_positions(session, catalog.id):
            raise BadInputError(
                f"No candidate of {settings.catalog} has a position, so none can be matched."
            )


def _check_made_by(workspace: Workspace, name: str, note: str, settings: dict[str, Any]) -> None:
    """A catalog of this name must not exist, or come from the same settings."""
    with open_database(workspace).session() as session:
        catalog = catalog_named(session, name)
        if catalog is not None and catalog.notes.get(note) != settings:
            raise BadInputError(f"Catalog {name} exists with other settings; choose another name.")
