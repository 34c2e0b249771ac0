"""Class prior π of the unlabeled objects: three estimators side by side, and what hangs on π.

All of them read out-of-fold log-odds of labeled against unlabeled, one number an object. None is
clipped: a value that is no share is shown and warned of. At π of 1e-3 and below none of them
identifies π; keep the survey's prior as a setting then, and these as diagnostics.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit
from scipy.stats import spearmanr

from lensing_core.arrays import BoolArray, Float64Array, IntArray
from lensing_core.errors import BadInputError
from lensing_core.pu.bagging import BaggingPU
from lensing_core.pu.contract import IntervalEstimate, PUMethod, sample_unlabeled
from lensing_core.pu.elkan_noto import ElkanNoto, label_frequency_of
from lensing_core.pu.learners import Learner, LogisticLearner, TreesLearner
from lensing_core.pu.mixture import RocProportion, TwoComponents
from lensing_core.pu.risk import NNPU
from lensing_core.pu.spy import Spy

DISAGREEMENT = 1.5
FEWEST_POSITIVES = 10.0


@dataclass(frozen=True)
class PriorEstimates:
    """π of the unlabeled objects by three estimators, each with its 95 % bootstrap interval.

    Attributes
    ----------
    elkan_noto : IntervalEstimate
        From c, the mean g of held-out labeled positives (Elkan & Noto 2008): π = p (1 − c) /
        (c (1 − p)) with p the labeled share, which holds whether or not the labeled positives
        were drawn from the unlabeled. Too high where positives and negatives overlap.
    roc_curve : IntervalEstimate
        See :class:`RocProportion`; too high where even the top of the ranking is impure.
    two_components : IntervalEstimate
        See :class:`TwoComponents`; as good as its normal negatives.
    n_unlabeled : int
    warnings : tuple of str
        Plain sentences.
    """

    elkan_noto: IntervalEstimate
    roc_curve: IntervalEstimate
    two_components: IntervalEstimate
    n_unlabeled: int
    warnings: tuple[str, ...]

    @property
    def by_name(self) -> dict[str, IntervalEstimate]:
        """The three, by their names in plain words."""
        return {
            "Elkan-Noto": self.elkan_noto,
            "ROC curve": self.roc_curve,
            "two components": self.two_components,
        }

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "estimates": {name: value.to_json() for name, value in self.by_name.items()},
            "n_unlabeled": self.n_unlabeled,
            "warnings": list(self.warnings),
        }


def estimate_priors(
    x: ArrayLike,
    s: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    learner: Learner | None = None,
    n_folds: int = 5,
    most_unlabeled: int = 20_000,
    log_share: float = 0.0,
    n_bootstrap: int = 200,
    seed: int = 0,
) -> PriorEstimates:
    """Estimate π from features x (n, d), labels s (n,) and groups (n,) as of :class:`PUMethod`.

    The two components are fitted to scores of a logistic regression: sums over many features are
    near normal, as that fit wants, and those of ``learner`` (trees by default) are not.
    ``log_share`` is the logarithm of the share of all unlabeled objects that x holds.

    Raises
    ------
    BadInputError
        As :meth:`PUMethod.fit`; and if the labeled positives stand in one group.
    """
    method = ElkanNoto(learner or TreesLearner(), n_folds=n_folds, seed=seed)
    rows, labels, together = method.check(x, s, groups)
    used, drawn = sample_unlabeled(labels, most_unlabeled, np.random.default_rng(seed))
    data = rows[used], labels[used], together[used]
    linear = replace(method, learner=LogisticLearner(inverse_penalty=1.0))
    return priors_from_scores(
        method.out_of_fold_logits(*data)[0],
        labels[used],
        together[used],
        linear_scores=linear.out_of_fold_logits(*data)[0],
        log_share=log_share + drawn,
        n_bootstrap=n_bootstrap,
        seed=seed,
    )


def priors_from_scores(
    logits: Float64Array,
    s: IntArray,
    groups: IntArray,
    *,
    linear_scores: Float64Array | None = None,
    log_share: float = 0.0,
    n_bootstrap: int = 200,
    seed: int = 0,
) -> PriorEstimates:
    """Estimate π from out-of-fold log-odds of s, shape (n,).

    Parameters
    ----------
    groups : ndarray of shape (n,)
        The bootstrap draws whole groups.
    linear_scores : ndarray of shape (n,), optional
        For the two components in place of ``logits``.
    log_share : float
        Logarithm of the share of all unlabeled objects that the rows hold.
    """
    positive = s == 1
    n_positive = int(positive.sum())
    n_unlabeled = round(int((~positive).sum()) / float(np.exp(log_share)))
    _, whole = label_frequency_of(
        np.asarray(expit(logits[positive])),
        groups[positive],
        n_positive + n_unlabeled,
        log_share=log_share,
        n_bootstrap=n_bootstrap,
        seed=seed,
    )
    roc = RocProportion(logits[positive], logits[~positive])
    linear = logits if linear_scores is None else linear_scores
    components = TwoComponents(linear[positive], linear[~positive])
    drawn = np.array(
        [
            (roc(w[positive], w[~positive])[0], components(w[positive], w[~positive]))
            for w in _draws(positive, groups, n_bootstrap, np.random.default_rng(seed))
        ]
    )
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    once = np.ones(len(s))
    proportion, bound = roc(once[positive], once[~positive])
    estimates = (
        _of_unlabeled(whole, n_positive / (n_positive + n_unlabeled)),
        # Where nothing passes in any draw the bootstrap has no spread; the binomial bound has.
        IntervalEstimate(proportion, float(low[0]), float(max(high[0], bound))),
        IntervalEstimate(
            components(once[positive], once[~positive]), float(low[1]), float(high[1])
        ),
    )
    return PriorEstimates(*estimates, n_unlabeled, prior_warnings(estimates, n_unlabeled))


def _draws(
    positive: BoolArray, groups: IntArray, n: int, rng: np.random.Generator
) -> Iterator[Float64Array]:
    """Counts of each object in each draw of whole groups, those with positives apart."""
    names, member = np.unique(groups, return_inverse=True)
    holds = np.zeros(len(names), dtype=bool)
    holds[member[positive]] = True
    for _ in range(n):
        times = np.empty(len(names))
        for stratum in (holds, ~holds):
            size = int(stratum.sum())
            times[stratum] = np.bincount(rng.integers(0, max(size, 1), size), minlength=size)
        yield times[member]


def _of_unlabeled(whole: IntervalEstimate, labeled_share: float) -> IntervalEstimate:
    """π of the unlabeled from that of labeled and unlabeled together."""
    parts = (whole.value, whole.low, whole.high)
    value, low, high = (
        np.nan if v is None else (v - labeled_share) / (1 - labeled_share) for v in parts
    )
    return IntervalEstimate(value, low, high)


def prior_warnings(estimates: Sequence[IntervalEstimate], n_unlabeled: int) -> tuple[str, ...]:
    """Return what a user should know before trusting estimates of π of the unlabeled objects."""
    values = np.array([e.value for e in estimates])
    listed = ", ".join(f"{v:.3g}" for v in values)
    said = []
    if not ((values > 0) & (values < 1)).all():
        said.append(
            f"An estimate of the class prior is no share ({listed}): labels and features do not "
            "fit its assumptions."
        )
    if not values.max() <= DISAGREEMENT * values.min():
        said.append(
            f"The estimates of the class prior differ by more than 50 % ({listed}): set the "
            "survey's prior by hand, and see how the ranking changes at half and twice of it."
        )
    expected = float(np.median(values)) * n_unlabeled
    if not expected >= FEWEST_POSITIVES:
        said.append(
            f"About {expected:.1f} positives are expected among {n_unlabeled:,} unlabeled objects; "
            "fewer than ten do not tell the class prior. Set the survey's prior by hand."
        )
    return tuple(said)


@dataclass(frozen=True)
class Sensitivity:
    """A ranking at another class prior against that at the given one.

    Attributes
    ----------
    factor : float
        On π.
    rank_correlation : float
        Spearman's, of all objects.
    top : int
    top_kept : float
        Share of the first ``top`` objects that stay among the first ``top``.
    """

    factor: float
    rank_correlation: float
    top: int
    top_kept: float


def prior_sensitivity(
    method: PUMethod,
    x: ArrayLike,
    s: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    ranked: ArrayLike | None = None,
    at_prior: ArrayLike | None = None,
    top: int = 100,
    factors: Sequence[float] = (0.5, 2.0),
) -> list[Sensitivity]:
    """Fit ``method`` at π times each factor; compare its rankings of ``ranked`` (default: x).

    Parameters
    ----------
    at_prior : array_like, optional
        Scores of ``ranked`` by the method fitted at π itself; fitted here where not given.

    Raises
    ------
    BadInputError
        If the method takes no prior, so that its ranking does not depend on one.
    """
    if not isinstance(method, (NNPU, BaggingPU, Spy)):
        raise BadInputError(f"The method {method.name} takes no class prior.")
    objects = x if ranked is None else ranked
    if at_prior is None:
        at_prior = method.fit(x, s, groups).decision(objects)
    scores = [
        np.asarray(at_prior),
        *(
            replace(method, prior=method.prior * factor).fit(x, s, groups).decision(objects)
            for factor in factors
        ),
    ]
    size = min(top, len(scores[0]))
    first = [set(np.argsort(-z, kind="stable")[:size].tolist()) for z in scores]
    return [
        Sensitivity(
            factor,
            float(spearmanr(scores[0], z).statistic),
            size,
            len(first[0] & kept) / size,
        )
        for factor, z, kept in zip(factors, scores[1:], first[1:], strict=True)
    ]
