"""Checks of runs that train an ensemble from labeled catalogs, or score with one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lens_triage.training.device import check_device
from lens_triage.training.settings import ScoreSettings, TrainSettings
from lensing_core.cutouts import CutoutGeometry, CutoutStore
from lensing_core.disk import require_space
from lensing_core.errors import BadInputError, ContractError
from lensing_core.models.contract import InputContract, flux_scale
from lensing_core.models.manifest import base_models
from lensing_core.models.manifest_form import models_of_ensemble
from lensing_core.models.outputs import bytes_to_store
from lensing_core.store import Session, open_database
from lensing_core.store.catalogs import find_catalog, find_catalogs, scales_of
from lensing_core.store.ensembles import default_ensemble, ensemble_named, rows_scored
from lensing_core.store.models import models_by_id
from lensing_core.store.tables import Ensemble, Model
from lensing_core.workspace import Workspace

WIDEST_CROP = 4
"""Sides of a model's input that a cutout may have: beyond, its lenses are of another scale."""
_SCORE_BYTES = 400
"""Of the database, with indices, for a score of an ensemble or of a member."""
_KNOWN_BACKBONES = ("resnet10t", "arc_aware")
"""Looked up in timm is every other name: importing it takes seconds."""


def check_score(workspace: Workspace, settings: ScoreSettings, run_id: str = "") -> None:
    """The ensemble takes the cutouts of all catalogs, which have candidates in its scale."""
    check_device(settings.device)
    with open_database(workspace).session() as session:
        ensemble = default_ensemble(session, settings.ensemble, catalog=settings.catalog)
        for name in dict.fromkeys([settings.catalog, *settings.additional_catalogs]):
            check_fits(workspace, session, ensemble, name)
            if not settings.any_scale:
                from lens_triage.training.shift import check_scales  # looks at pixels

                check_scales(workspace, session, ensemble, name)
        _require_space_for_outputs(workspace, session, ensemble, settings)


def _require_space_for_outputs(
    workspace: Workspace, session: Session, ensemble: Ensemble, settings: ScoreSettings
) -> None:
    """Raise StorageError where what the models compute, and the scores, have no room."""
    names = list(dict.fromkeys([settings.catalog, *settings.additional_catalogs]))
    models = models_of(session, ensemble)
    needed = 0
    for name in names:
        catalog = find_catalog(session, name)
        left = catalog.n_candidates - rows_scored(session, ensemble.id, catalog.id)
        needed += left * _SCORE_BYTES * (1 + len(ensemble.members))
        for model in models:
            needed += bytes_to_store(
                workspace, model.id, model.manifest, name, catalog.n_candidates
            )
    require_space(workspace.root, needed, f"Scoring {', '.join(names)}")


def check_fits(
    workspace: Workspace,
    session: Session,
    ensemble: Ensemble,
    catalog: str,
    kinds: Sequence[str] = (),
) -> None:
    """Raise where an ensemble cannot score a catalog, saying why.

    Parameters
    ----------
    kinds : sequence of str, optional
        Only models of these kinds look at the cutouts; all where none are named.

    Raises
    ------
    NotFoundError
        If there is no such catalog.
    BadInputError
        If it has no candidates.
    ContractError
        If bands, pixel scale, field of view, kind of pixel or scale of lenses do not fit.
    """
    catalog_row = find_catalog(session, catalog)
    if not catalog_row.n_candidates:
        raise BadInputError(f"Catalog {catalog} has no candidates to score.")
    trained_for = scale_of(session, ensemble)
    if trained_for and trained_for != catalog_row.scale:
        raise ContractError(
            f"Ensemble {ensemble.name} is trained on {trained_for}-scale lenses, and catalog "
            f"{catalog} is of {catalog_row.scale} scale; choose or train an ensemble for that."
        )
    geometry = CutoutStore(workspace.catalog_cutouts(catalog)).geometry
    for contract in _contracts(session, ensemble, kinds):
        flux_scale(contract.fit(geometry, catalog).geometry)
        if contract.size_arcsec * WIDEST_CROP < geometry.size_arcsec:
            raise ContractError(
                f"Ensemble {ensemble.name} looks at the central {contract.size_arcsec:.0f}″, and "
                f"cutouts of catalog {catalog} show {geometry.size_arcsec:.0f}″: it would see no "
                f"arc of their scale. Choose an ensemble of cluster scale, or import the catalog "
                f"with cutouts of at most {WIDEST_CROP * contract.size_arcsec:.0f}″."
            )


def scale_of(session: Session, ensemble: Ensemble) -> str:
    """Scale of the lenses that an ensemble is trained on, 'galaxy' or 'cluster'; '' if unknown.

    Ensembles of earlier versions do not say it; the catalogs that they were trained on here do.
    """
    stated = ensemble.manifest.get("scale")
    if stated is not None or ensemble.run_id is None:
        return str(stated or "")
    names = ensemble.manifest.get("catalogs", [])
    scales = scales_of(session, names)
    return scales.pop() if len(scales) == 1 else ""


def _contracts(
    session: Session, ensemble: Ensemble, kinds: Sequence[str]
) -> Iterator[InputContract]:
    """Return what the models of an ensemble that look at pixels take, those below its heads
    included.
    """
    for model in models_of(session, ensemble):
        if "contract" in model.manifest and (not kinds or model.kind in kinds):
            yield InputContract.from_json(model.manifest["contract"])


def models_of(session: Session, ensemble: Ensemble) -> list[Model]:
    """The models of an ensemble and those below its heads.

    Raises
    ------
    BrokenModelError
        Where the manifest of one is damaged.
    """
    models = {member.model_id: member.model for member in ensemble.members}
    with models_of_ensemble(ensemble.name):
        bases = {key for model in models.values() for key in base_models(model.manifest)}
        models |= models_by_id(session, bases)
        for model in models.values():
            model.manifest  # noqa: B018 - raises
    return list(models.values())


def check_train(workspace: Workspace, settings: TrainSettings, run_id: str = "") -> None:
    """The name is free; labels may train, suffice for all splits, and cutouts are of one kind."""
    from lens_triage.training.jobs.train.data import TrainingData

    with open_database(workspace).session() as session:
        check_name_free(session, settings.ensemble, run_id)
        check_one_scale(session, settings.catalogs)
    data = TrainingData.open(workspace, settings.catalogs)
    for store in data.stores.values():
        flux_scale(store.geometry)
    data.split(settings.seed)
    if "encoder" in settings.members:
        from lens_triage.training.checks.encoding import check_encoder

        check_device(settings.device)
        for name in settings.encoder:
            check_encoder(name, settings.weights)
    if "network" in settings.members:
        check_device(settings.device)
        _check_backbones(settings.backbones)
        if settings.pretrain_catalogs:
            _check_pretraining(workspace, settings.pretrain_catalogs, data.geometry)


def check_name_free(session: Session, name: str, run_id: str = "") -> None:
    """Raise BadInputError where another run has made an ensemble of this name."""
    made = ensemble_named(session, name)
    if made is not None and (not run_id or made.run_id != run_id):
        raise BadInputError(f"Ensemble {name} exists and is never changed; choose another name.")


def check_one_scale(session: Session, names: Iterable[str]) -> None:
    """Raise BadInputError where catalogs are of galaxy and of cluster scale."""
    scales = {catalog.name: catalog.scale for catalog in find_catalogs(session, names)}
    if len(set(scales.values())) > 1:
        listed = ", ".join(f"{name} is of {scale} scale" for name, scale in scales.items())
        raise BadInputError(f"Train on catalogs of one scale of lenses: {listed}.")


def _check_pretraining(
    workspace: Workspace, names: Sequence[str], geometry: CutoutGeometry
) -> None:
    from lens_triage.training.jobs.train.pretrain import MIN_CUTOUTS, check_pixels  # loads torch

    contract = InputContract.of(geometry)
    check_pixels(contract)
    stores = {name: CutoutStore(workspace.catalog_cutouts(name)) for name in names}
    for name, store in stores.items():
        flux_scale(contract.fit(store.geometry, name).geometry)
    total = sum(map(len, stores.values()))
    if total < MIN_CUTOUTS:
        raise BadInputError(
            f"pretrain_catalogs hold {total} cutouts; at least {MIN_CUTOUTS} are needed."
        )


def _check_backbones(names: Sequence[str]) -> None:
    unusual = [name for name in names if name not in _KNOWN_BACKBONES]
    if not unusual:
        return
    import timm

    for name in unusual:
        if not timm.is_model(name.split(".")[0]):
            raise BadInputError(
                f"backbones: timm knows no network {name}; see timm.list_models() for those that "
                "it has, or use arc_aware."
            )
