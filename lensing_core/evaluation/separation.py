"""Two sets of objects told apart: one answer for painted arcs and for catalogs to be scored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from lensing_core.arrays import Float32Array, Float64Array
from lensing_core.datasets.splits import group_folds
from lensing_core.metrics import RankingCurve
from lensing_core.metrics.resampling import group_resamples
from lensing_core.pu.learners import Standardizer

N_BOOTSTRAP = 300
N_FOLDS, MOST_COLUMNS = 5, 64


@dataclass(frozen=True)
class Separation:
    """Success of a classifier that tells one set of objects from another.

    Attributes
    ----------
    auroc, low_95, high_95 : float
        Cross-fitted in whole groups, with its 95 % interval (bootstrap by groups); 0.5 where they
        cannot be told apart.
    giveaways : tuple of int
        Rows of the first set that are told apart most surely.
    """

    auroc: float
    low_95: float
    high_95: float
    giveaways: tuple[int, ...]


def judge_separation(
    scores: Float64Array, first: ArrayLike, groups: ArrayLike, *, examples: int = 12, seed: int = 0
) -> Separation:
    """Judge cross-fitted scores, shape (n,), by which the objects of ``first`` should be higher.

    Parameters
    ----------
    first : array_like of shape (n,), bool
    groups : array_like of shape (n,)
        Drawn as a whole for the interval.
    examples : int
        Giveaways to name.
    """
    truth, group = np.asarray(first, dtype=bool), np.asarray(groups)
    draws = [
        RankingCurve.of(scores[rows], truth[rows].astype(int)).auroc()
        for rows in group_resamples(group, truth, N_BOOTSTRAP, seed)
    ]
    low, high = np.percentile(draws, [2.5, 97.5])
    order = np.argsort(-np.where(truth, scores, -np.inf), kind="stable")[:examples]
    auroc = RankingCurve.of(scores, truth.astype(int)).auroc()
    return Separation(auroc, float(low), float(high), tuple(int(k) for k in order if truth[k]))


def told_apart(values: Float32Array, first: ArrayLike, groups: ArrayLike) -> Float64Array:
    """Out-of-fold log-odds (n,) of being of ``first``, by logistic regression.

    On standardized columns, of more than :data:`MOST_COLUMNS` on as many principal components of
    all objects together (which no label enters), in five folds of whole groups.

    Parameters
    ----------
    values : ndarray of shape (n, d)
        NaN where unknown.
    """
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression

    truth = np.asarray(first, dtype=bool)
    x = Standardizer.measure(values)(values)
    if x.shape[1] > MOST_COLUMNS:
        x = PCA(MOST_COLUMNS, svd_solver="randomized", random_state=0).fit_transform(x)
        x = x / x.std(axis=0)
    fold = group_folds(np.asarray(groups), truth, N_FOLDS, seed=0)
    scores = np.empty(len(truth))
    for k in range(N_FOLDS):
        inside = fold == k
        model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=500)
        scores[inside] = model.fit(x[~inside], truth[~inside]).decision_function(x[inside])
    return scores


def separation_by_moments(
    whitened: Float64Array, *, examples: int = 12, seed: int = 0
) -> Separation:
    """AUROC of a linear classifier from mean and covariance of the other set alone.

    For two normal distributions of one covariance it is Φ(√(D²/2)), D² the squared Mahalanobis
    distance of their means (Fukunaga 1990, Introduction to Statistical Pattern Recognition, Ch. 3);
    what the noise of the first set's mean adds to D² is taken off. The interval is of drawn
    objects of the first set.

    Parameters
    ----------
    whitened : ndarray of shape (n, k)
        Objects of the first set, less the mean of the others, in units of their covariance.
    """
    n = len(whitened)
    noise = float(whitened.var(axis=0, ddof=1).sum()) / n

    def auroc(squared: Float64Array, noises: float) -> Float64Array:
        return np.asarray(norm.cdf(np.sqrt(np.maximum(squared - noises, 0) / 2)))

    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=N_BOOTSTRAP)
    drawn = ((counts @ whitened / n) ** 2).sum(axis=1)
    low, high = np.percentile(auroc(drawn, 2 * noise), [2.5, 97.5])  # drawing adds it once more
    mean = whitened.mean(axis=0)
    order = np.argsort(-(whitened @ mean), kind="stable")[:examples]
    value = float(auroc(np.array([(mean**2).sum()]), noise)[0])
    return Separation(value, float(low), float(high), tuple(int(k) for k in order))
