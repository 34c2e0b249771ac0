"""Check of runs that store embeddings of pretrained encoders."""

from __future__ import annotations

from pathlib import Path

from lens_triage.training.device import check_device
from lens_triage.training.settings import EncodeSettings
from lensing_core.cutouts import CutoutStore
from lensing_core.disk import require_space
from lensing_core.errors import BadInputError
from lensing_core.models.contract import InputContract, flux_scale
from lensing_core.store import open_database
from lensing_core.store.catalogs import find_catalog
from lensing_core.workspace import Workspace

_BYTES = 8 + 4 * 2560
"""Of an object: its logit, and the embedding of two crops by the usual encoders."""


def check_encode(workspace: Workspace, settings: EncodeSettings, run_id: str = "") -> None:
    """Catalogs have candidates of one kind of cutout, weights are there, the disk has room."""
    check_device(settings.device)
    names = list(dict.fromkeys([settings.catalog, *settings.additional_catalogs]))
    contract: InputContract | None = None
    total = 0
    with open_database(workspace).session() as session:
        for name in names:
            catalog = find_catalog(session, name)
            if not catalog.n_candidates:
                raise BadInputError(f"Catalog {name} has no candidates to encode.")
            total += catalog.n_candidates
            geometry = CutoutStore(workspace.catalog_cutouts(name)).geometry
            contract = contract or InputContract.of(geometry)
            flux_scale(contract.fit(geometry, name).geometry)
    check_encoder(settings.encoder, settings.weights)
    require_space(workspace.root, total * _BYTES, f"Encoding {', '.join(names)}")


def check_encoder(name: str, weights: str) -> None:
    """Raise BadInputError where an encoder is unknown or its file of weights is not there."""
    from lensing_core.models.encoders.weights import needed_weights  # loads torch and timm

    needed_weights(name)
    if weights and not Path(weights).expanduser().is_file():
        raise BadInputError(f"weights: there is no file {weights}.")
