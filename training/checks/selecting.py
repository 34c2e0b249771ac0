"""Check of a selection function."""

from __future__ import annotations

from math import prod
from pathlib import Path

from lens_triage.training.checks.ensembles import check_device, check_fits
from lens_triage.training.settings import SelectionSettings
from lensing_core.cutouts import CutoutStore
from lensing_core.datasets.groups import INJECTION_NOTE
from lensing_core.errors import BadInputError
from lensing_core.ingest.catalog_writer import require_space_for
from lensing_core.lens_test import LEAST_PX
from lensing_core.selection.population import read_population
from lensing_core.store import open_database
from lensing_core.store.catalogs import catalog_named, find_catalog
from lensing_core.store.ensembles import find_ensemble, rows_scored
from lensing_core.surveys import get_survey
from lensing_core.workspace import Workspace


def check_selection(workspace: Workspace, settings: SelectionSettings, run_id: str = "") -> None:
    """The catalog is scored and can be painted on, the cut lies in it, and the name is free."""
    from lens_triage.training.jobs.hosts import (  # loads torch
        bands_to_paint,
        galaxies_to_paint,
        law_of,
    )

    check_device(settings.device)
    injection = settings.injection()
    law_of(injection)
    if settings.population:
        read_population(Path(settings.population))
    with open_database(workspace).session() as session:
        catalog = find_catalog(session, settings.catalog)
        ensemble = find_ensemble(session, settings.ensemble)
        check_fits(workspace, session, ensemble, catalog.name)
        scored = rows_scored(session, ensemble.id, catalog.id)
        if scored < catalog.n_candidates:
            raise BadInputError(
                f"Ensemble {ensemble.name} has scored {scored:,} of the {catalog.n_candidates:,} "
                f"candidates of catalog {catalog.name}; score it first."
            )
        if settings.min_probability is None and settings.top >= scored:
            raise BadInputError(
                f"top = {settings.top:,}, and catalog {catalog.name} has {scored:,} candidates: "
                "everything would be found; give a smaller number."
            )
        if catalog.scale != "galaxy":
            raise BadInputError(
                f"Catalog {catalog.name} is of {catalog.scale} scale; arcs are painted around "
                "single galaxies."
            )
        survey = get_survey(catalog.survey.name, workspace)
        geometry = CutoutStore(workspace.catalog_cutouts(catalog.name)).geometry
        bands_to_paint(geometry, survey, catalog.name)
        galaxies_to_paint(session, injection, catalog.id)
        made = catalog_named(session, settings.injected)
        if made is not None and made.notes.get(INJECTION_NOTE) != settings.painting():
            raise BadInputError(
                f"Catalog {settings.injected} exists with other settings; name another "
                "injected_catalog."
            )
    reach = geometry.size_px * geometry.pixel_scale_arcsec / 4
    if reach < settings.max_theta_e_arcsec:
        raise BadInputError(
            f"Cutouts of {4 * reach:.1f} arcsec hold Einstein radii of up to {reach:.2f} arcsec: "
            f"give a max_theta_e_arcsec below {settings.max_theta_e_arcsec:g}."
        )
    if settings.lens_test and (geometry.pixel_kind != "flux" or geometry.size_px < LEAST_PX):
        raise BadInputError(
            f"No lens can be fitted to cutouts of {catalog.name}: a lens test needs flux and "
            f"{LEAST_PX} pixels a side; leave lens_test out."
        )
    require_space_for(workspace, settings.injected, settings.n_lenses, 4 * prod(geometry.shape))
