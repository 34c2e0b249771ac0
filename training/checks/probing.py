"""Check of probes for shortcuts."""

from __future__ import annotations

from lens_triage.training.checks.ensembles import check_fits
from lens_triage.training.device import check_device
from lens_triage.training.settings import ProbeSettings
from lensing_core.store import open_database
from lensing_core.store.ensembles import find_ensemble
from lensing_core.workspace import Workspace


def check_probe(workspace: Workspace, settings: ProbeSettings, run_id: str = "") -> None:
    """The ensemble takes the cutouts, and has not learned from some labeled objects of them."""
    from lens_triage.training.real_evaluation import kinds_of_others, labeled_objects

    check_device(settings.device)
    names = list(dict.fromkeys([settings.catalog, *settings.additional_catalogs]))
    with open_database(workspace).session() as session:
        ensemble = find_ensemble(session, settings.ensemble)
        for name in names:
            check_fits(workspace, session, ensemble, name)
        labels, _ = labeled_objects(workspace, session, ensemble, names)
    kinds_of_others(labels, ensemble.name, names)
