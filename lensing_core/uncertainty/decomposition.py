"""Splitting the uncertainty of an ensemble into what members share and what they dispute."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, xlog1py, xlogy

from lensing_core.arrays import Float64Array


@dataclass(frozen=True)
class Decomposition:
    """Per object, in nat: total = aleatoric + epistemic; and the spread of member logits.

    Attributes
    ----------
    total : H(mean p), the entropy of the mean prediction
    aleatoric : mean H(p), what the members agree cannot be known
    epistemic : their difference, the mutual information with the choice of member (BALD; Houlsby
        et al. 2011, arXiv:1112.5745), never negative
    disagreement : standard deviation of member logits
    """

    total: Float64Array
    aleatoric: Float64Array
    epistemic: Float64Array
    disagreement: Float64Array


def _entropy(p: Float64Array) -> Float64Array:
    return -(xlogy(p, p) + xlog1py(1 - p, -p))


def decompose(member_logits: ArrayLike) -> Decomposition:
    """Decompose the uncertainty of calibrated member logits, shape (n, members)."""
    z = np.asarray(member_logits, dtype=np.float64)
    p = expit(z)
    total = _entropy(p.mean(axis=1))
    aleatoric = _entropy(p).mean(axis=1)
    return Decomposition(total, aleatoric, np.maximum(total - aleatoric, 0.0), z.std(axis=1))


def mean_logit(member_logits: ArrayLike) -> Float64Array:
    """Equal-weight fusion in logit space, shape (n,) from (n, members)."""
    return np.asarray(member_logits, dtype=np.float64).mean(axis=1)


def inverse_variance_logit(
    member_logits: ArrayLike, variances: ArrayLike, *, floor: float = 1e-2
) -> Float64Array:
    """Σ w_m z_m with w_m ∝ 1 / (σ_m² + floor), normalized for each object.

    Parameters
    ----------
    member_logits, variances : array_like of shape (n, members)
        Variances of the same kind for every member; a member without one would take all weight.
    """
    z = np.asarray(member_logits, dtype=np.float64)
    weights = 1 / (np.asarray(variances, dtype=np.float64) + floor)
    return (weights * z).sum(axis=1) / weights.sum(axis=1)
