"""Bagging of models that take random draws of the unlabeled for negatives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from lensing_core.arrays import Float32Array, Float64Array, IntArray
from lensing_core.errors import BadInputError
from lensing_core.pu.contract import IntervalEstimate, Link, PUMethod, PUModel, check_prior
from lensing_core.pu.learners import Learner, Scorer, TreesLearner


@dataclass(frozen=True)
class BaggingPU(PUMethod):
    """Bagging PU (Mordelet & Vert 2014, Pattern Recognition Letters 37, 201).

    ``bags`` models each tell all labeled positives from a draw of the unlabeled; log-odds are
    averaged. An unlabeled training object is ranked by the models whose draw held nothing of its
    group (out of bag): :attr:`PUModel.training_logits`, NaN for labeled positives and for groups
    that hold one, which stand in every bag.

    Attributes
    ----------
    prior : float
        Class prior π of the unlabeled objects; it moves the log-odds and never the ranking.
    draw : float
        Unlabeled objects in a bag for each labeled positive.
    """

    prior: float
    learner: Learner = field(default_factory=lambda: TreesLearner(rounds=50))
    bags: int = 20
    draw: float = 3.0
    seed: int = 0

    name: ClassVar[str] = "bagging"

    def __post_init__(self) -> None:
        check_prior(self.prior)
        if self.bags < 1 or self.draw <= 0:
            raise BadInputError(f"{self.bags} bags of {self.draw} a positive: give more than none.")

    def _fit(self, x: Float32Array, s: IntArray, groups: IntArray) -> PUModel:
        positive, unlabeled = np.flatnonzero(s == 1), np.flatnonzero(s == 0)
        size = min(max(round(self.draw * len(positive)), 2), len(unlabeled))
        names, member = np.unique(groups, return_inverse=True)
        total, times = np.zeros(len(x)), np.zeros(len(x), dtype=np.int64)
        scorers: list[Scorer] = []
        rng = np.random.default_rng(self.seed)
        for k in range(self.bags):
            rows = np.concatenate([positive, rng.choice(unlabeled, size, replace=False)])
            scorer = self.learner.fit(x[rows], s[rows], seed=self.seed + k)
            inside = np.zeros(len(names), dtype=bool)
            inside[member[rows]] = True
            out = np.flatnonzero(~inside[member])
            if len(out):
                total[out] += scorer(x[out])
                times[out] += 1
            scorers.append(scorer)
        link = Link("case_control", float(np.log(self.prior * size / len(positive))))
        return PUModel(
            self.name,
            tuple(scorers),
            link,
            x.shape[1],
            prior=IntervalEstimate(self.prior),
            diagnostics={
                "unlabeled_in_a_bag": float(size),
                "unlabeled_never_out_of_bag": float((times[unlabeled] == 0).sum()),
            },
            training_logits=_averages(link, total, times),
        )


def _averages(link: Link, total: Float64Array, times: IntArray) -> Float64Array:
    logits = np.full(len(total), np.nan)
    seen = times > 0
    logits[seen] = link(total[seen] / times[seen])
    return logits
