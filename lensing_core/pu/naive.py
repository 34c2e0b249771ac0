"""The two ends between which every PU method should lie: naive, and an oracle."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from lensing_core.arrays import Float32Array, IntArray
from lensing_core.pu.contract import IntervalEstimate, Link, PUMethod, PUModel, fit_labeled
from lensing_core.pu.learners import Learner, TreesLearner


@dataclass(frozen=True)
class Naive(PUMethod):
    """Takes every unlabeled object for a negative, so that c = 1 and π is the labeled share.

    Under SCAR its ranking is that of P(y=1 | x); its probabilities are too low by c.
    """

    learner: Learner = field(default_factory=TreesLearner)
    most_unlabeled: int = 20_000
    seed: int = 0

    name: ClassVar[str] = "naive"

    def _fit(self, x: Float32Array, s: IntArray, groups: IntArray) -> PUModel:
        scorer, shift = fit_labeled(
            self.learner, x, s, most_unlabeled=self.most_unlabeled, seed=self.seed
        )
        return PUModel(
            self.name,
            (scorer,),
            Link(shift=shift),
            x.shape[1],
            prior=IntervalEstimate(float(s.mean())),
            label_frequency=IntervalEstimate(1.0),
        )


class Oracle(Naive):
    """The same model with all labels: give the true classes y in place of s. Simulations only."""

    name: ClassVar[str] = "oracle"
