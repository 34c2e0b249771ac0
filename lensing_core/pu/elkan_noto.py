"""The method of Elkan & Noto (2008, KDD, 213), in its two forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
from scipy.special import expit, logit

from lensing_core.arrays import BoolArray, Float32Array, Float64Array, IntArray
from lensing_core.datasets.splits import group_folds
from lensing_core.errors import BadInputError
from lensing_core.pu.contract import (
    IntervalEstimate,
    Link,
    PUMethod,
    PUModel,
    fit_labeled,
    sample_unlabeled,
)
from lensing_core.pu.learners import Learner, Scorer, TreesLearner


def duplicate_weights(g: Float64Array, label_frequency: float) -> Float64Array:
    """w(x) = [(1 − c) / c] · [g / (1 − g)], the chance that an unlabeled object is positive.

    Above 1 where g exceeds c; the caller decides what that means.
    """
    return np.asarray((1 - label_frequency) / label_frequency * g / (1 - g))


def label_frequency_of(
    g: Float64Array,
    groups: IntArray,
    n: int,
    *,
    log_share: float = 0.0,
    n_bootstrap: int,
    seed: int,
) -> tuple[IntervalEstimate, IntervalEstimate]:
    """c, and the class prior P(s=1) / c, with intervals.

    Parameters
    ----------
    g : ndarray of shape (n_P,)
        Out-of-fold P(s=1 | x) of the labeled positives; c is its mean.
    log_share : float
        Logarithm of the share of the unlabeled that g was fitted with. The mean is taken before
        it is corrected for the others: the mean of corrected g is too high by its scatter.
    groups : ndarray of shape (n_P,)
        The bootstrap draws whole groups; for the prior also how many objects are labeled.
    n : int
        All objects, labeled and unlabeled.
    """
    _, member = np.unique(groups, return_inverse=True)
    sums, counts = np.bincount(member, g), np.bincount(member)
    rng = np.random.default_rng(seed)
    times = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=n_bootstrap)
    drawn = expit(logit((times @ sums) / (times @ counts)) + log_share)
    share = rng.binomial(n, len(g) / n, size=n_bootstrap) / n
    c = float(expit(logit(g.mean()) + log_share))
    prior = len(g) / n / c if c > 0 else float("nan")
    c_low, c_high = np.percentile(drawn, [2.5, 97.5])
    low, high = np.percentile(share / drawn, [2.5, 97.5])
    return IntervalEstimate(c, float(c_low), float(c_high)), IntervalEstimate(
        prior, float(low), float(high)
    )


@dataclass(frozen=True)
class ElkanNoto(PUMethod):
    """c from out-of-fold scores of whole groups, then one of two corrections.

    It assumes one sample of which a share c of the positives, chosen at random, is labeled.
    ``scale``: P(y=1 | x) = g(x) / c. ``reweight``: a second model, in which a labeled positive
    weighs 1 and each unlabeled object enters twice, as positive with weight w(x) of
    :func:`duplicate_weights` and as negative with 1 − w(x).
    """

    learner: Learner = field(default_factory=TreesLearner)
    mode: Literal["scale", "reweight"] = "scale"
    n_folds: int = 5
    most_unlabeled: int = 20_000
    n_bootstrap: int = 500
    seed: int = 0

    name: ClassVar[str] = "elkan_noto"

    def _fit(self, x: Float32Array, s: IntArray, groups: IntArray) -> PUModel:
        rows, log_share = sample_unlabeled(s, self.most_unlabeled, np.random.default_rng(self.seed))
        logits, fold = self.out_of_fold_logits(x[rows], s[rows], groups[rows])
        positive = s[rows] == 1
        c, prior = label_frequency_of(
            expit(logits[positive]),
            groups[rows][positive],
            len(x),
            log_share=log_share,
            n_bootstrap=self.n_bootstrap,
            seed=self.seed,
        )
        if not c.value > 0:
            raise BadInputError(
                "The held-out labeled positives score nothing: the labels cannot be told from the "
                "unlabeled objects. Check that features and labels belong together."
            )
        g = np.asarray(expit(logits + log_share))
        by_fold = np.array([g[positive & (fold == k)].mean() for k in np.unique(fold)])
        diagnostics = {
            "label_frequency_fold_variation": float(by_fold.std() / by_fold.mean()),
            "unlabeled_used": float((~positive).sum()),
        }
        if self.mode == "scale":
            scorer, shift = fit_labeled(
                self.learner, x[rows], s[rows], most_unlabeled=self.most_unlabeled, seed=self.seed
            )
            link = Link("elkan_noto", shift + log_share, c.value)
            diagnostics["share_above_label_frequency"] = float((g[~positive] > c.value).mean())
        else:
            w = duplicate_weights(g[~positive], c.value)
            diagnostics["share_above_label_frequency"] = float((w > 1).mean())
            scorer = self._reweighted(x[rows], positive, w, np.exp(-log_share))
            link = Link()
        return PUModel(self.name, (scorer,), link, x.shape[1], prior, c, diagnostics)

    def out_of_fold_logits(
        self, x: Float32Array, s: IntArray, groups: IntArray
    ) -> tuple[Float64Array, IntArray]:
        """Log-odds of s by models that did not see the row's group, and the folds."""
        positive_groups = len(np.unique(groups[s == 1]))
        if positive_groups < 2:
            raise BadInputError(
                "The label frequency needs labeled positives in at least two groups; all of them "
                "stand in one. Label objects elsewhere on the sky."
            )
        n_folds = min(self.n_folds, positive_groups)
        fold = group_folds(groups, s, n_folds, seed=self.seed)
        logits = np.empty(len(x), dtype=np.float64)
        for k in range(n_folds):
            in_fold = fold == k
            if (s[~in_fold] == 0).sum() == 0:
                raise BadInputError("All unlabeled objects are in one group; give more of them.")
            logits[in_fold] = self.learner.fit(x[~in_fold], s[~in_fold], seed=self.seed)(x[in_fold])
        return logits, fold

    def _reweighted(
        self, x: Float32Array, positive: BoolArray, w: Float64Array, each: float
    ) -> Scorer:
        """The second model; ``each`` is how many unlabeled objects a drawn one stands for."""
        shared = np.clip(w, 0.0, 1.0)  # a weight is no probability above 1; the excess is counted
        unlabeled = np.flatnonzero(~positive)
        rows = np.concatenate([np.flatnonzero(positive), unlabeled, unlabeled])
        n_positive, n_unlabeled = int(positive.sum()), len(unlabeled)
        target = np.repeat([1, 1, 0], [n_positive, n_unlabeled, n_unlabeled])
        weight = np.concatenate([np.ones(n_positive), shared * each, (1 - shared) * each])
        used = weight > 0
        return self.learner.fit(x[rows[used]], target[used], weight[used], seed=self.seed)
