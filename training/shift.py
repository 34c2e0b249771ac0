"""Samples of training sets and of catalogs, and their comparison when a catalog is scored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from lens_triage.training.checks.ensembles import models_of
from lens_triage.training.jobs.train.held_out import HeldOut
from lensing_core.arrays import Float64Array, IntArray
from lensing_core.cutouts import CutoutStore
from lensing_core.errors import ContractError, NotFoundError
from lensing_core.models.contract import InputContract, flux_scale
from lensing_core.models.manifest import model_folder
from lensing_core.models.ood import OODDistance
from lensing_core.models.outputs import Kind, outputs_path, stored_output
from lensing_core.models.stored_network import WEIGHTS
from lensing_core.shift.columns import METADATA, measure_columns
from lensing_core.shift.report import ShiftReport, measure_kept_shift, measure_shift
from lensing_core.shift.sample import (
    MEASURED,
    MOST,
    MOST_OUTPUTS,
    Block,
    ObjectSample,
    noise_in_manifests,
    zero_points_of,
)
from lensing_core.shift.scale import ScaleContract, check_noise, check_scale
from lensing_core.store import Session, open_database
from lensing_core.store.candidates import object_names
from lensing_core.store.catalogs import catalog_named, find_catalog
from lensing_core.store.drawn import draw_objects
from lensing_core.store.ensembles import find_ensemble
from lensing_core.store.metadata import fetch_metadata
from lensing_core.store.tables import Catalog, Ensemble
from lensing_core.workspace import Workspace

_AT_ONCE = 200
_FIRST_LOOK = 128
"""Objects that are looked at before a run starts."""
_FEWEST = 5
_OUTPUTS: tuple[Kind, ...] = ("embedding", "features")
Outputs = Mapping[str, Block]


def draw_sample(
    workspace: Workspace,
    session: Session,
    catalog: Catalog,
    contract: InputContract,
    *,
    models: Mapping[str, Mapping[str, Any]] | None = None,
    most: int = MOST,
    seed: int = 0,
) -> ObjectSample:
    """Draw and measure objects of a catalog, in the bands and the field of view of a contract.

    Parameters
    ----------
    models : mapping of str to mapping, optional
        Manifests by id, of models whose stored outputs belong to the sample.

    Raises
    ------
    ContractError
        If the cutouts do not fit.
    """
    drawn = draw_objects(session, catalog, most, seed=seed)
    rows = np.flatnonzero(~drawn.lens)
    ids, index = drawn.candidate_id[rows], drawn.cutout_index[rows]
    store = CutoutStore(workspace.catalog_cutouts(catalog.name))
    take = contract.fit(store.geometry, catalog.name)
    parts = [
        measure_columns(take(store.read_many(index[first : first + _AT_ONCE])), take.geometry)
        for first in range(0, len(index), _AT_ONCE)
    ]
    columns = {
        name: np.concatenate([part[name] for part in parts]) for name in (parts[0] if parts else ())
    }
    columns |= _known(session, ids, take.geometry.psf_fwhm_arcsec)
    values = np.stack(list(columns.values()), axis=1) if len(rows) else np.empty((0, len(columns)))
    blocks = {MEASURED: Block(values.astype(np.float32), ids, tuple(columns))}
    for model_id, manifest in (models or {}).items():
        first = slice(0, MOST_OUTPUTS)
        blocks |= _stored(workspace, model_id, manifest, catalog.name, ids[first], index[first])
    radius = drawn.theta_e_arcsec
    return ObjectSample(
        contract,
        blocks,
        radius[np.isfinite(radius)],
        {catalog.name: zero_points_of(store.geometry, contract.bands)},
    )


def _known(session: Session, ids: IntArray, psf_arcsec: Sequence[float]) -> dict[str, Float64Array]:
    """Metadata of candidates; the PSF is that of the catalog where objects have none."""
    metadata = fetch_metadata(session, ids.tolist())
    columns = {
        name: np.array([np.nan if v is None else v for v in metadata[name]], dtype=np.float64)
        for name in METADATA
    }
    psf = columns["psf_fwhm_arcsec"]
    typical = [value for value in psf_arcsec if value == value]
    if typical:
        columns["psf_fwhm_arcsec"] = np.where(np.isfinite(psf), psf, np.mean(typical))
    return columns


def _stored(
    workspace: Workspace,
    model_id: str,
    manifest: Mapping[str, Any],
    catalog: str,
    ids: IntArray,
    index: IntArray,
) -> Outputs:
    """Stored outputs of one model for some candidates, as far as they are there."""
    blocks: dict[str, Block] = {}
    for kind in _OUTPUTS:
        stored = stored_output(outputs_path(workspace, model_id, catalog, kind))
        if stored is None or not len(index) or int(index.max()) >= len(stored):
            continue
        names = manifest.get("features", {}).get("names", ()) if kind == "features" else ()
        blocks |= output_block(model_id, kind, stored[index], ids, names)
    return blocks


def output_block(
    model_id: str,
    kind: str,
    values: np.ndarray[Any, Any],
    ids: IntArray,
    names: Sequence[str] = (),
) -> Outputs:
    """Outputs (n, d) of a model as a block of a sample; embeddings in 16 bits.

    ``names`` of columns are kept where they are those of the values.
    """
    names = names if len(names) == values.shape[1] else ()
    small = np.clip(values, -6e4, 6e4).astype(np.float16) if kind == "embedding" else values
    return {f"{kind} of {model_id}": Block(small, ids, tuple(names))}


def keep_sample(
    workspace: Workspace,
    ensemble: str,
    manifest: Mapping[str, Any],
    models: Mapping[str, Mapping[str, Any]],
    outputs: Outputs,
) -> None:
    """Keep a sample of the training catalogs with a new ensemble.

    Catalogs whose cutouts the first model does not take are left out.

    Parameters
    ----------
    manifest : mapping
        Of the ensemble; ``catalogs`` names what it was trained on.
    models : mapping of str to mapping
        Manifests of its models by id.
    outputs : mapping of str to Block
        Outputs of members that no catalog has in store.
    """
    with open_database(workspace).session() as session:
        named = (catalog_named(session, name) for name in manifest.get("catalogs", []))
        catalogs = [catalog for catalog in named if catalog is not None and catalog.n_candidates]
        if not catalogs:
            return
        geometry = CutoutStore(workspace.catalog_cutouts(catalogs[0].name)).geometry
        contract = next(_contracts(models.values()), InputContract.of(geometry))
        most = MOST // len(catalogs)
        parts = [
            draw_sample(workspace, session, catalog, contract, models=models, most=most)
            for catalog in catalogs
            if _fits(workspace, catalog, contract)
        ]
    measured = [part.blocks for part in parts if len(part.measured)]
    if not measured:
        return  # nothing but lenses: a catalog to be scored has no likes there
    blocks = joined_outputs(measured)
    ObjectSample(
        contract,
        {**blocks, **outputs},
        np.concatenate([part.theta_e_arcsec for part in parts]),
        {name: points for part in parts for name, points in part.zero_points_mag.items()},
        _logits(workspace, ensemble),
    ).write(workspace.training_sample(ensemble))


def _fits(workspace: Workspace, catalog: Catalog, contract: InputContract) -> bool:
    """Return whether a catalog can be measured as a contract says; heads know others by outputs."""
    geometry = CutoutStore(workspace.catalog_cutouts(catalog.name)).geometry
    try:
        flux_scale(contract.fit(geometry, catalog.name).geometry)
    except ContractError:
        return False
    return True


def _contracts(manifests: Iterable[Mapping[str, Any]]) -> Iterator[InputContract]:
    return (InputContract.from_json(m["contract"]) for m in manifests if "contract" in m)


def joined_outputs(parts: Sequence[Outputs]) -> dict[str, Block]:
    """Blocks that all parts have with the same columns, one part after the other."""
    return {
        key: Block(
            np.concatenate([part[key].values for part in parts]),
            np.concatenate([part[key].candidate_id for part in parts]),
            first.names,
        )
        for key, first in parts[0].items()
        if all(key in part and _alike(part[key], first) for part in parts)
    }


def _alike(one: Block, other: Block) -> bool:
    return one.names == other.names and one.values.shape[1] == other.values.shape[1]


def _logits(workspace: Workspace, ensemble: str) -> tuple[float, float] | None:
    """The 1st percentile of held-out non-lenses and the 99th of lenses, where both are known."""
    if not HeldOut.exists(workspace, ensemble):
        return None
    held = HeldOut.read(workspace, ensemble)
    others, lenses = held.logit[held.label != 1], held.logit[held.label == 1]
    if min(len(others), len(lenses)) < _FEWEST:
        return None
    return float(np.percentile(others, 1)), float(np.percentile(lenses, 99))


def training_sample(workspace: Workspace, ensemble: str) -> ObjectSample | None:
    """The sample that an ensemble keeps; None for one that has none.

    Raises
    ------
    BrokenModelError
        If it is damaged.
    """
    try:
        return ObjectSample.read(workspace.training_sample(ensemble))
    except NotFoundError:
        return None


def check_scales(workspace: Workspace, session: Session, ensemble: Ensemble, catalog: str) -> None:
    """Refuse to score a catalog whose flux only a wrong zero point explains.

    Raises
    ------
    ContractError
        By the rule of :mod:`lensing_core.shift.scale`.
    """
    row = find_catalog(session, catalog)
    refusal = _refusal(workspace, ensemble.id, row.id, row.n_candidates)
    if refusal:
        raise ContractError(
            f"Catalog {catalog} does not fit ensemble {ensemble.name}: {refusal[:1].lower()}"
            f"{refusal[1:]}. Import it with the right zero points, or turn on any_scale to score "
            "it all the same."
        )


@lru_cache(maxsize=256)
def _refusal(workspace: Workspace, ensemble_id: int, catalog_id: int, n_candidates: int) -> str:
    """Reason why a catalog is refused, kept: pages ask again and again; '' where it is not.

    By ids, which are never given twice: what is imported anew under its name is looked at anew.
    """
    with open_database(workspace).session() as session:
        ensemble = session.get_one(Ensemble, ensemble_id)
        catalog = session.get_one(Catalog, catalog_id)
        return _scales(workspace, session, ensemble, catalog).refusal


def _scales(
    workspace: Workspace, session: Session, ensemble: Ensemble, catalog: Catalog
) -> ScaleContract:
    """A first look at a few objects."""
    kept = training_sample(workspace, ensemble.name)
    if kept is not None:
        look = draw_sample(workspace, session, catalog, kept.contract, most=_FIRST_LOOK)
        return check_scale(kept, look) if len(look.measured) else ScaleContract(())
    manifests = [model.manifest for model in models_of(session, ensemble)]
    levels, contract = noise_in_manifests(manifests), next(iter(_contracts(manifests)), None)
    if not levels or contract is None:
        return ScaleContract(())
    look = draw_sample(workspace, session, catalog, contract, most=_FIRST_LOOK)
    return check_noise(levels, look) if len(look.measured) else ScaleContract(())


def shift_of(workspace: Workspace, ensemble: str, catalog: str) -> dict[str, Any]:
    """Compare a scored catalog with the training set of an ensemble: plain JSON for reports.

    ``level`` is ``ok``, ``warning`` or ``unknown`` (nothing is kept to compare with), ``alarms``
    and ``notes`` are sentences; see :meth:`lensing_core.shift.ShiftReport.to_json`.

    Raises
    ------
    BrokenModelError
        If what the ensemble keeps is damaged.
    """
    with open_database(workspace).session() as session:
        row, named = find_ensemble(session, ensemble), find_catalog(session, catalog)
        models = {model.id: model.manifest for model in models_of(session, row)}
        kept = training_sample(workspace, ensemble)
        contract = kept.contract if kept else next(iter(_contracts(models.values())), None)
        if contract is None:
            report = _unknown(f"No model of {ensemble} looks at pixels: nothing is compared.")
            return report.to_json()
        sample = draw_sample(workspace, session, named, contract, models=models)
        if not len(sample.measured):
            report = _unknown(f"All objects of {catalog} are labeled lenses: nothing is compared.")
        elif kept is not None:
            report = measure_shift(kept, sample)
        else:
            levels, moments = noise_in_manifests(models.values()), _moments(workspace, models)
            report = measure_kept_shift(levels, moments, sample, ensemble)
        names = object_names(session, report.giveaways)
    found = report.to_json()
    found["giveaways"] = [
        {"candidate": key, "object": names.get(key, "")} for key in report.giveaways
    ]
    found["zero_points_mag"] = {
        "training": {} if kept is None else dict(kept.zero_points_mag),
        "catalog": dict(sample.zero_points_mag),
    }
    return found


def _moments(
    workspace: Workspace, models: Mapping[str, Mapping[str, Any]]
) -> dict[str, OODDistance]:
    """Mean and covariance of embeddings of non-lenses that models keep, by name of the block."""
    found = {}
    for model_id, manifest in models.items():
        if WEIGHTS in manifest.get("files", {}):
            kept = OODDistance.read(model_folder(workspace, model_id) / WEIGHTS)
            if kept is not None:
                found[f"embedding of {model_id}"] = kept
    return found


def _unknown(note: str) -> ShiftReport:
    return ShiftReport(ScaleContract(()), notes=(note,))
