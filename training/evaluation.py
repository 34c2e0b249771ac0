"""Evaluation of an ensemble on objects that nothing of it was fitted on.

Where scores of held-out objects are in the workspace, everything is computed from them; of an
ensemble that came from elsewhere its manifest tells metrics and calibration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lens_triage.training.jobs.train.held_out import HeldOut
from lens_triage.training.jobs.train.strata import recall_by_properties
from lensing_core.arrays import Float64Array, IntArray
from lensing_core.calibration import reliability, shift_prior
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.metrics import Metric, RankingCurve, ranking_metrics_with_intervals
from lensing_core.models.manifest_types import EnsembleManifest
from lensing_core.store import open_database
from lensing_core.store.candidates import catalog_rows_of
from lensing_core.store.catalogs import catalogs_by_id
from lensing_core.store.ensembles import find_ensemble
from lensing_core.workspace import Workspace

FEW = 2
"""Lenses and others that metrics need."""


@dataclass(frozen=True)
class Source:
    """Held-out objects of one catalog.

    Attributes
    ----------
    origin : {'observed', 'simulated'}
    label_source : str or None
        Of the catalog, as imported.
    """

    catalog: str
    origin: str
    label_source: str | None
    lenses: int
    others: int


@dataclass(frozen=True)
class Evaluation:
    """Metrics and curves of one ensemble.

    Attributes
    ----------
    sources : tuple of Source
        Catalogs of the held-out objects; empty where the workspace has none of them.
    chosen : str
        Catalog that the rest is of; '' for all.
    metrics : mapping of str to Figure
        By name (:data:`lensing_core.metrics.ranking.NAMES`).
    curve : RankingCurve or None
    reliability : mapping or None
        :class:`lensing_core.calibration.Reliability`, at the class prior of the objects.
    strata : mapping
        Recall by bin of each known property, see :func:`lensing_core.metrics.recall_by`.
    lenses, others : int
    survey_prior : float or None
        At which the ensemble's probabilities stand.
    """

    sources: tuple[Source, ...]
    chosen: str
    metrics: Mapping[str, Metric]
    curve: RankingCurve | None
    reliability: Mapping[str, Any] | None
    strata: Mapping[str, Any]
    lenses: int
    others: int
    survey_prior: float | None


def evaluate(workspace: Workspace, ensemble: str, catalog: str = "") -> Evaluation:
    """Everything on the held-out objects of ``ensemble``, or on those of one catalog.

    Raises
    ------
    NotFoundError
        If there is no such ensemble, or nothing is held out from it in ``catalog``.
    BrokenModelError
        If its manifest or the scores of its held-out objects are damaged.
    """
    with open_database(workspace).session() as session:
        manifest = find_ensemble(session, ensemble).manifest
    if not HeldOut.exists(workspace, ensemble):
        return _stored_evaluation(manifest)
    written = HeldOut.written_at(workspace, ensemble)
    prior = manifest["rule"]["survey_prior"] if "rule" in manifest else None
    return _measured(workspace, ensemble, catalog, prior, written)


def _stored_evaluation(manifest: EnsembleManifest) -> Evaluation:
    """Return what the manifest of an ensemble says."""
    stored = manifest.get("figures", {}).get("ensemble", {})
    test = manifest.get("splits", {}).get("test", {})
    lenses = test.get("lenses", 0)
    return Evaluation(
        (),
        "",
        {name: Metric.from_json(metric) for name, metric in stored.items()},
        None,
        manifest.get("reliability"),
        manifest.get("strata", {}),
        lenses,
        test.get("objects", lenses) - lenses,
        manifest["rule"]["survey_prior"] if "rule" in manifest else None,
    )


@lru_cache(maxsize=32)
def _measured(
    workspace: Workspace, ensemble: str, catalog: str, prior: float | None, written: float
) -> Evaluation:
    """Measure scores of held-out objects; cached until they are ``written`` again."""
    test_split = HeldOut.read(workspace, ensemble)
    names, sources = _sources(workspace, test_split)
    if catalog:
        test_split = test_split.part(np.flatnonzero(names == catalog))
        if not len(test_split.label):
            raise NotFoundError(f"{ensemble} has no test split in catalog {catalog}.")
    labels, logits = test_split.label, test_split.logit
    lenses = int((labels == 1).sum())
    n_non_lenses = len(labels) - lenses
    common = (lenses, n_non_lenses, prior)
    if min(lenses, n_non_lenses) < FEW:
        return Evaluation(sources, catalog, {}, None, None, {}, *common)
    return Evaluation(
        sources,
        catalog,
        ranking_metrics_with_intervals(logits, labels),
        RankingCurve.of(logits, labels),
        _reliability(logits, labels, prior),
        recall_by_properties(workspace, test_split.candidate_id, logits, labels),
        *common,
    )


def _reliability(
    logits: Float64Array, labels: IntArray, prior: float | None
) -> Mapping[str, Any] | None:
    """Reliability at the class prior of the objects themselves; None with too few for its bins."""
    if prior is None:
        return None
    try:
        return reliability(shift_prior(logits, prior, float(labels.mean())), labels).to_json()
    except BadInputError:
        return None


def _sources(workspace: Workspace, held: HeldOut) -> tuple[NDArray[np.str_], tuple[Source, ...]]:
    """The catalog of each held-out object ('' where it is gone), and the catalogs."""
    ids = held.candidate_id
    with open_database(workspace).session() as session:
        of = catalog_rows_of(session, ids)
        catalogs = catalogs_by_id(session, {catalog_id for catalog_id, _ in of.values()})
    catalog_id = np.array([of.get(k, (-1, 0))[0] for k in ids.tolist()], dtype=np.int64)
    names = np.array([catalogs[k].name if k in catalogs else "" for k in catalog_id.tolist()])
    sources = []
    for key, of_catalog in catalogs.items():
        labels = held.label[catalog_id == key]
        lenses = int((labels == 1).sum())
        sources.append(
            Source(
                of_catalog.name,
                of_catalog.origin,
                of_catalog.label_source,
                lenses,
                len(labels) - lenses,
            )
        )
    return names, tuple(sources)
