"""The job that probes an ensemble for shortcuts: labeled objects, scored with parts taken away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lens_triage.training.device import torch_device
from lens_triage.training.real_evaluation import (
    appearance_of,
    kinds_of_others,
    labeled_objects,
)
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import ProbeSettings
from lensing_core.arrays import Float32Array, Float64Array, IntArray
from lensing_core.cutouts import CutoutStore
from lensing_core.datasets.table import CandidateLabels
from lensing_core.datasets.uses import LENS, OTHER
from lensing_core.errors import CollapseError
from lensing_core.evaluation.pixel_probes import PixelProbe, pixel_probes
from lensing_core.evaluation.probe_results import judge_probes
from lensing_core.models.ensemble import EnsembleRule
from lensing_core.models.files import StoredMember, with_bases
from lensing_core.models.member import Metadata
from lensing_core.models.predictors import Predictors
from lensing_core.scoring import fuse, open_ensemble
from lensing_core.store import open_database
from lensing_core.store.ensembles import find_ensemble
from lensing_core.store.metadata import fetch_metadata

_LENSES = 1 / 3


def run(context: JobContext, settings: ProbeSettings) -> dict[str, Any]:
    """Score drawn objects as they are and changed by each probe; judge all of it.

    Returns
    -------
    dict
        Names, ``lenses``, ``others``, ``groups``; ``probes``: results as JSON, see
        :class:`~lensing_core.evaluation.probe_results.ProbeResult`; ``notes``.
    """
    names = list(dict.fromkeys([settings.catalog, *settings.additional_catalogs]))
    with open_database(context.workspace).session() as session:
        ensemble = find_ensemble(session, settings.ensemble)
        labels, notes = labeled_objects(context.workspace, session, ensemble, names)
    name, kind = kinds_of_others(labels, ensemble.name, names)[0]
    if kind != OTHER:
        notes.append("There are too few vetted non-lenses: unlabeled objects count as such.")
    labels = _drawn(labels, kind, settings)
    rule, members = open_ensemble(context.workspace, ensemble, device=torch_device(settings.device))
    work = _Probing(context, settings, labels, rule, members)
    scores, of_pixels = work.score()
    notes += of_pixels
    context.progress(0, None, "Measuring")
    truth = (labels.state == LENS).astype(np.int64)
    groups = labels.groups(settings.block_nside or None)
    appearance = appearance_of(context.workspace, labels)
    original = scores.pop(None)
    changed = {probe: values for probe, values in scores.items() if probe is not None}
    results = judge_probes(original, changed, appearance, truth, groups, seed=settings.seed)
    for sentence in [result.sentence for result in results if result.sentence]:
        context.log(sentence, "warning")
    context.progress(len(labels), len(labels), "Done")
    return {
        "ensemble": ensemble.name,
        "catalogs": names,
        "lenses": int(truth.sum()),
        "others": int((truth == 0).sum()),
        "groups": len(np.unique(groups)),
        "kind_of_others": name,
        "probes": [result.to_json() for result in results],
        "notes": notes,
    }


def _drawn(labels: CandidateLabels, kind: int, settings: ProbeSettings) -> CandidateLabels:
    """At most so many lenses and others, drawn at random."""
    rng = np.random.default_rng(settings.seed)
    lenses, others = np.flatnonzero(labels.state == LENS), np.flatnonzero(labels.state == kind)
    most = max(1, int(_LENSES * settings.most_objects))
    lenses = _some(lenses, most, rng)
    others = _some(others, settings.most_objects - len(lenses), rng)
    return labels.part(np.sort(np.concatenate([lenses, others])))


def _some(rows: IntArray, most: int, rng: np.random.Generator) -> IntArray:
    return rows if len(rows) <= most else rng.choice(rows, most, replace=False)


class _Probing:
    """Scores objects, as they are (probe None) and changed."""

    def __init__(
        self,
        context: JobContext,
        settings: ProbeSettings,
        labels: CandidateLabels,
        rule: EnsembleRule,
        members: Sequence[StoredMember],
    ) -> None:
        self._context, self._settings, self._labels = context, settings, labels
        self._rule, self._members, self._bases = rule, members, with_bases(members)
        self._done = 0

    def score(self) -> tuple[dict[PixelProbe | None, Float64Array], list[str]]:
        """Logits of all objects by each probe that all catalogs have, and notes on the others."""
        labels = self._labels
        scores: dict[str, Float64Array] = {}
        probes: dict[str, PixelProbe] = {}
        notes: list[str] = []
        for catalog_id, name in labels.catalogs.items():
            mine = np.flatnonzero(labels.catalog_id == catalog_id)
            if not len(mine):
                continue
            store = CutoutStore(self._context.workspace.catalog_cutouts(name))
            here, missing = pixel_probes(store.geometry)
            notes += missing
            probes |= {probe.name: probe for probe in here}
            for key, values in self._of_catalog(store, name, mine, here).items():
                scores.setdefault(key, np.full(len(labels), np.nan))[mine] = values
        for key in [key for key, values in scores.items() if not np.isfinite(values).all()]:
            if not key:
                raise CollapseError(
                    f"Scores of unchanged objects are no numbers: score the catalogs with "
                    f"{self._settings.ensemble} first, and see what it says."
                )
            notes.append(f"{probes[key].title}: not scored for all objects, and left out.")
        whole = {key: values for key, values in scores.items() if np.isfinite(values).all()}
        found: dict[PixelProbe | None, Float64Array] = {None: whole.pop("")}
        found |= {probes[key]: values for key, values in whole.items()}
        return found, list(dict.fromkeys(notes))

    def _of_catalog(
        self, store: CutoutStore, name: str, mine: IntArray, probes: Sequence[PixelProbe]
    ) -> dict[str, Float64Array]:
        """Logits of some objects of one catalog by name of the probe; '' is without one."""
        out = {key: np.empty(len(mine)) for key in ["", *(probe.name for probe in probes)]}
        rows = len(mine) * len(out)
        variance = self._rule.needs_variances
        with Predictors.open(
            self._bases, store.geometry, name, rows, with_variance=variance
        ) as predictors:
            for first in range(0, len(mine), self._settings.batch_size):
                part = slice(first, first + self._settings.batch_size)
                flux = store.read_many(self._labels.row[mine[part]])
                metadata = self._metadata(mine[part]) if predictors.conditioned else None
                out[""][part] = self._logits(predictors, flux, metadata)
                for number, probe in enumerate(probes):
                    changed = probe(flux, self._settings.seed + first)
                    out[probe.name][part] = self._logits(predictors, changed, metadata)
                    done = self._done + first + len(flux) * number // len(probes)
                    self._context.progress(
                        done, len(self._labels), f"Scoring {name}: {probe.title.lower()}"
                    )
        self._done += len(mine)
        return out

    def _metadata(self, rows: IntArray) -> Metadata:
        with open_database(self._context.workspace).session() as session:
            return fetch_metadata(session, self._labels.candidate_id[rows].tolist())

    def _logits(
        self, predictors: Predictors, flux: Float32Array, metadata: Metadata | None
    ) -> Float64Array:
        outputs = {key: predict() for key, predict in predictors.begin(flux, metadata).items()}
        return fuse(self._rule, self._members, outputs)[0].logit
