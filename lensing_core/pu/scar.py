"""Test whether labeled positives are a random sample (SCAR: selected completely at random).

Most PU methods assume it, and known lenses seldom are one: they are brighter and larger. At SCAR,
being labeled says nothing more of an object once it is known to be positive. So among objects that
rank high enough to be probable lenses, labeled and unlabeled ones must be alike in every covariate,
whether the model knows it or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from lensing_core.arrays import BoolArray, Float32Array, Float64Array, IntArray
from lensing_core.errors import BadInputError

PROBABLE = 0.5
FEWEST = 10.0
LIMITS = (
    "The check compares with unlabeled objects that the model itself ranks high: lenses unlike "
    "every labeled one, and differences that the model has learned from the labels, it cannot see."
)


@dataclass(frozen=True)
class CovariateCheck:
    """One covariate of labeled positives against that of probable unlabeled ones.

    Attributes
    ----------
    name : str
    labeled_median, unlabeled_median : float
        The latter weighted by probability; of objects that rank high.
    auroc : float
        Chance that a labeled positive has a higher value than an unlabeled one: 1/2 at SCAR.
    low, high : float
        Its bootstrap interval, 95 % for all covariates together (Bonferroni).
    unknown : int
        Objects left out of this covariate for want of a value.
    """

    name: str
    labeled_median: float
    unlabeled_median: float
    auroc: float
    low: float
    high: float
    unknown: int

    @property
    def differs(self) -> bool:
        """Return whether the interval leaves 1/2 out."""
        return not self.low <= 0.5 <= self.high


@dataclass(frozen=True)
class ScarCheck:
    """The outcome; ``sentence`` and ``limits`` are for the user.

    Attributes
    ----------
    verdict : {'differs', 'alike', 'too few'}
    labeled : int
        Labeled positives that rank high.
    unlabeled : float
        Unlabeled positives expected among those that rank high.
    """

    verdict: str
    sentence: str
    labeled: int
    unlabeled: float
    covariates: tuple[CovariateCheck, ...]
    limits: str = LIMITS

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; NaN as null."""
        covariates = [
            {k: None if v != v else v for k, v in asdict(check).items()}
            for check in self.covariates
        ]
        return {**asdict(self), "covariates": covariates}


def scar_check(
    logits: ArrayLike,
    s: ArrayLike,
    covariates: Mapping[str, ArrayLike],
    groups: ArrayLike | None = None,
    *,
    probable: float = PROBABLE,
    n_bootstrap: int = 500,
    seed: int = 0,
) -> ScarCheck:
    """Compare labeled positives with unlabeled ones of probability ``probable`` and more.

    Parameters
    ----------
    logits : array_like of shape (n,)
        Out-of-fold log-odds of being a lens (:func:`out_of_fold`), for labeled objects too: both
        are taken from the same part of the ranking. Unlabeled objects count by their probability,
        so that the non-lenses among them weigh little. The model should not read the covariate,
        or it learns the bias: fit it to :func:`blind_to`.
    s : array_like of shape (n,)
        1 for a labeled positive, 0 for an unlabeled object.
    covariates : mapping of name to array_like of shape (n,)
        Magnitude, Einstein radius, S/N …; NaN where unknown.
    groups : array_like of shape (n,), optional
        The bootstrap draws whole groups.

    Raises
    ------
    BadInputError
        If lengths differ, logits are not finite, or there is no covariate.
    """
    z, labels = np.asarray(logits, dtype=np.float64), np.asarray(s)
    values = {name: np.asarray(v, dtype=np.float64) for name, v in covariates.items()}
    together = np.arange(len(z)) if groups is None else np.asarray(groups)
    if not values:
        raise BadInputError("The check needs a covariate to compare, for example a magnitude.")
    if any(v.shape != z.shape for v in (labels, together, *values.values())) or z.ndim != 1:
        raise BadInputError(f"{len(z)} scores: give a label, group and covariate for each.")
    if not np.isfinite(z).all():
        raise BadInputError(f"{int((~np.isfinite(z)).sum())} scores are not finite.")
    high = expit(z) >= probable
    weight = np.where(labels == 1, 1.0, expit(z))[high]
    labeled = labels[high] == 1
    expected = float(weight[~labeled].sum())
    if min(labeled.sum(), expected) < FEWEST:
        return ScarCheck(
            "too few",
            "Whether labeled lenses are a random sample of all lenses cannot be checked: "
            f"{int(labeled.sum())} labeled and about {expected:.0f} unlabeled lenses rank high; "
            "ten of each are needed.",
            int(labeled.sum()),
            expected,
            (),
        )
    checks = tuple(
        _compare(
            name,
            v[high],
            labeled,
            weight,
            together[high],
            level=0.05 / len(values),
            n_bootstrap=n_bootstrap,
            seed=seed,
        )
        for name, v in values.items()
    )
    differing = [check for check in checks if check.differs]
    return ScarCheck(
        "differs" if differing else "alike",
        _sentence(checks, differing),
        int(labeled.sum()),
        expected,
        checks,
    )


def blind_to(x: ArrayLike, covariate: ArrayLike, s: ArrayLike, *, n_bins: int = 20) -> Float32Array:
    """Features that do not tell a covariate: quantiles among unlabeled objects alike in it.

    Each feature becomes its quantile among the unlabeled objects of the same bin of the covariate,
    so that its distribution over them is one at any value. A model of these ranks lenses high that
    differ from the labeled ones in the covariate alone, and :func:`scar_check` sees them.

    Parameters
    ----------
    x : array_like of shape (n, d)
        NaN stays NaN.
    covariate, s : array_like of shape (n,)
        Where the covariate is NaN all features become NaN.
    n_bins : int
        Of equal numbers of unlabeled objects.
    """
    rows, value = np.asarray(x, dtype=np.float32), np.asarray(covariate, dtype=np.float64)
    reference = (np.asarray(s) == 0) & np.isfinite(value)
    if rows.ndim != 2 or value.shape != (len(rows),) or not reference.any():
        raise BadInputError(
            f"Features of shape {rows.shape} and {value.shape} covariates: give one for each "
            "object, known for some that are unlabeled."
        )
    edges = np.quantile(value[reference], np.linspace(0, 1, n_bins + 1)[1:-1])
    which = np.where(np.isfinite(value), np.searchsorted(edges, value), -1)
    out = np.full(rows.shape, np.nan, dtype=np.float32)
    for k in range(n_bins):
        inside = which == k
        for column in range(rows.shape[1]):
            known = inside & np.isfinite(rows[:, column])
            among = np.sort(rows[known & reference, column])
            if len(among):
                here = rows[known, column]
                place = np.searchsorted(among, here) + np.searchsorted(among, here, side="right")
                out[known, column] = place / (2 * len(among))
    return out


def _sentence(checks: tuple[CovariateCheck, ...], differing: list[CovariateCheck]) -> str:
    if not differing:
        names = ", ".join(check.name for check in checks)
        return f"No sign that labeled lenses differ from other probable lenses in {names}."
    said = "; ".join(
        f"{c.name} is {'higher' if c.auroc > 0.5 else 'lower'} "
        f"(median {c.labeled_median:.3g} against {c.unlabeled_median:.3g})"
        for c in differing
    )
    return (
        f"Labeled lenses are not a random sample of the lenses: their {said}. Lenses unlike the "
        "labeled ones rank too low, and class prior and probabilities are off; label such ones."
    )


def _compare(
    name: str,
    value: Float64Array,
    labeled: BoolArray,
    weight: Float64Array,
    groups: IntArray,
    *,
    level: float,
    n_bootstrap: int,
    seed: int,
) -> CovariateCheck:
    known = np.isfinite(value)
    value, labeled, weight = value[known], labeled[known], weight[known]
    if not labeled.any() or labeled.all():
        nan = float("nan")
        return CovariateCheck(name, nan, nan, nan, 0.0, 1.0, int((~known).sum()))
    names, member = np.unique(groups[known], return_inverse=True)
    rank = np.unique(value, return_inverse=True)[1]
    rng = np.random.default_rng(seed)
    aurocs: list[float] = []
    while len(aurocs) < n_bootstrap:
        times = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))[member]
        w = weight * times
        if w[labeled].sum() > 0 and w[~labeled].sum() > 0:
            aurocs.append(_auroc(rank, labeled, w))
    low, high = np.quantile(aurocs, [level / 2, 1 - level / 2])
    return CovariateCheck(
        name,
        _median(value[labeled], weight[labeled]),
        _median(value[~labeled], weight[~labeled]),
        _auroc(rank, labeled, weight),
        float(low),
        float(high),
        int((~known).sum()),
    )


def _auroc(rank: NDArray[np.intp], labeled: BoolArray, weight: Float64Array) -> float:
    """Weighted chance that a labeled value exceeds an unlabeled one; ties count one half."""
    size = int(rank.max()) + 1
    one = np.bincount(rank[labeled], weight[labeled], minlength=size)
    other = np.bincount(rank[~labeled], weight[~labeled], minlength=size)
    below = np.cumsum(other) - other / 2
    return float(one @ below / (one.sum() * other.sum()))


def _median(value: Float64Array, weight: Float64Array) -> float:
    order = np.argsort(value)
    total = np.cumsum(weight[order])
    return float(value[order][np.searchsorted(total, total[-1] / 2)])
