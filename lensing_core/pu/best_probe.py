"""The probe as a PU method: a head that says which columns it chose, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import BoolArray, Float32Array, IntArray
from lensing_core.datasets.uses import LENS, UNLABELED
from lensing_core.pu.contract import IntervalEstimate, Link, PUMethod, PUModel
from lensing_core.pu.learners import DenseScorer, Standardizer
from lensing_core.pu.probes import ProbeData, ProbeInput, ProbeMethod


@dataclass(frozen=True)
class BestProbe(PUMethod):
    """The best of several linear probes (:mod:`lensing_core.pu.probes`).

    Unlabeled objects count as no lenses; where twenty vetted ones are among the data, metrics and
    log-odds stand on those.
    """

    inputs: tuple[ProbeInput, ...]
    seed: int = 0

    name: ClassVar[str] = "probe"

    def _fit(self, x: Float32Array, s: IntArray, groups: IntArray) -> PUModel:
        state = np.where(s == 1, LENS, UNLABELED).astype(np.int8)
        return self.fit_data(ProbeData(x, state, np.ones(len(x)), groups))

    def fit_data(self, data: ProbeData) -> PUModel:
        """Fit to objects whose vetted non-lenses, weights and grades are known."""
        fitted = ProbeMethod(self.inputs, seed=self.seed).fit(data)
        return PUModel(
            self.name,
            (fitted.scorer,),
            Link(),
            data.x.shape[1],
            prior=IntervalEstimate(float((data.state == LENS).mean())),
            choices=[metrics.to_json() for metrics in fitted.metrics],
        )


def columns_used(model: PUModel) -> BoolArray:
    """Mask of the columns of a probe that have a weight, shape (d,)."""
    used = np.zeros(model.columns, dtype=bool)
    for scorer in model.scorers:
        if isinstance(scorer, DenseScorer):
            used |= scorer.weights[0][:, 0] != 0
    return used


def without_columns(model: PUModel, kept: Sequence[int] | NDArray[np.integer]) -> PUModel:
    """The same probe on some of its columns; the others had weight 0."""
    rows = np.asarray(kept)

    def narrow(scorer: DenseScorer) -> DenseScorer:
        parts = {k: v[rows] for k, v in vars(scorer.standardizer).items()}
        return DenseScorer(Standardizer(**parts), (scorer.weights[0][rows],), scorer.biases)

    scorers = tuple(narrow(s) for s in model.scorers if isinstance(s, DenseScorer))
    return replace(model, scorers=scorers, columns=len(rows))
