"""Check of a search of one's own survey."""

from __future__ import annotations

from lens_triage.training.checks.catalogs import check_inject
from lens_triage.training.checks.encoding import check_encoder
from lens_triage.training.checks.ensembles import check_device, check_name_free
from lens_triage.training.settings import SearchSettings
from lensing_core.cutouts import CutoutStore
from lensing_core.disk import require_space
from lensing_core.errors import BadInputError
from lensing_core.models.contract import flux_scale
from lensing_core.store import open_database
from lensing_core.store.catalogs import find_catalog
from lensing_core.workspace import Workspace

FEWEST = 12


def check_search(workspace: Workspace, settings: SearchSettings, run_id: str = "") -> None:
    """The catalog can be painted on and encoded, names are free, the disk has room."""
    check_device(settings.device)
    database = open_database(workspace)
    with database.session() as session:
        catalog = find_catalog(session, settings.catalog)
        check_name_free(session, settings.ensemble, run_id)
        if not catalog.complete:
            raise BadInputError(f"Catalog {catalog.name} is not complete; resume its import first.")
        if catalog.n_candidates < FEWEST:
            raise BadInputError(
                f"Catalog {catalog.name} has {catalog.n_candidates} candidates; a search needs "
                f"{FEWEST} to train, calibrate and measure on, and thousands to be of use."
            )
        if catalog.scale != "galaxy":
            raise BadInputError(
                f"Catalog {catalog.name} is of {catalog.scale} scale; arcs are painted around "
                "single galaxies. Score it with an ensemble of cluster scale."
            )
    geometry = CutoutStore(workspace.catalog_cutouts(settings.catalog)).geometry
    reach = geometry.size_px * geometry.pixel_scale_arcsec / 4
    if reach <= settings.min_theta_e_arcsec:
        raise BadInputError(
            f"Cutouts of {4 * reach:.1f} arcsec cannot hold arcs of an Einstein radius of "
            f"{settings.min_theta_e_arcsec:g} arcsec; import larger ones."
        )
    flux_scale(geometry)
    for number in range(settings.training_sets):
        check_inject(workspace, settings.injection(number))
    check_encoder(settings.encoder, settings.weights)
    from lens_triage.training.jobs.search.estimate import bytes_of_search

    room = bytes_of_search(workspace, database, settings)
    require_space(workspace.root, room, f"Searching {settings.catalog}")
