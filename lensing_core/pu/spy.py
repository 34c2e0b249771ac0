"""Two steps: reliable negatives by spies among the unlabeled, then an ordinary model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from lensing_core.arrays import Float32Array, IntArray
from lensing_core.calibration import shift_prior
from lensing_core.errors import BadInputError
from lensing_core.pu.contract import (
    IntervalEstimate,
    Link,
    PUMethod,
    PUModel,
    check_prior,
    sample_unlabeled,
)
from lensing_core.pu.learners import Learner, TreesLearner


@dataclass(frozen=True)
class Spy(PUMethod):
    """The spy technique (Liu, Lee, Yu & Li 2002, ICML, 387).

    A share of the groups with labeled positives is hidden among the unlabeled. A first model ranks
    them; unlabeled objects below nearly all spies (all but ``noise`` of them) are taken for
    reliable negatives, and a second model tells all labeled positives from those.

    Attributes
    ----------
    prior : float
        Class prior π to which the log-odds of the second model are moved. That treats reliable
        negatives as a random draw of negatives, which they are not: calibrate.
    """

    prior: float
    learner: Learner = field(default_factory=TreesLearner)
    spies: float = 0.15
    noise: float = 0.1
    most_unlabeled: int = 20_000
    seed: int = 0

    name: ClassVar[str] = "spy"
    min_positives: ClassVar[int] = 5

    def __post_init__(self) -> None:
        check_prior(self.prior)
        if not (0 < self.spies < 1 and 0 <= self.noise < 1):
            raise BadInputError(f"Shares {self.spies} and {self.noise}: give 0 to 1.")

    def _fit(self, x: Float32Array, s: IntArray, groups: IntArray) -> PUModel:
        rng = np.random.default_rng(self.seed)
        rows, _ = sample_unlabeled(s, self.most_unlabeled, rng)
        x, s, groups = x[rows], s[rows], groups[rows]
        names = np.unique(groups[s == 1])
        if len(names) < 2:
            raise BadInputError(
                "Spies need labeled positives in at least two groups; all of them are in one."
            )
        hidden = max(1, round(self.spies * len(names)))
        spies = (s == 1) & np.isin(groups, rng.choice(names, hidden, replace=False))
        first = self.learner.fit(x, np.where(spies, 0, s), seed=self.seed)(x)
        threshold = float(np.quantile(first[spies], self.noise))
        reliable = (s == 0) & (first < threshold)
        if reliable.sum() < 2:
            raise BadInputError(
                "No unlabeled object ranks below the spies: labeled and unlabeled objects cannot "
                "be told apart. Check that features and labels belong together."
            )
        used = np.flatnonzero((s == 1) | reliable)
        trained_at = float(s[used].mean())
        return PUModel(
            self.name,
            (self.learner.fit(x[used], s[used], seed=self.seed),),
            Link(shift=float(shift_prior(0.0, trained_at, self.prior))),
            x.shape[1],
            prior=IntervalEstimate(self.prior),
            diagnostics={
                "spies": float(spies.sum()),
                "reliable_negatives": float(reliable.sum()),
                "unlabeled_set_aside": float(((s == 0) & ~reliable).sum()),
            },
        )
