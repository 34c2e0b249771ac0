"""Sample weights of labeled objects, by the confidence of the label and the reject reason."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lens_triage.training.jobs.retrain.selection import RetrainingSample
from lens_triage.training.settings import RetrainSettings
from lensing_core.arrays import Float32Array, IntArray
from lensing_core.datasets.table import (
    LENS,
    NO_REASON,
    OTHER,
)

LENS_WEIGHT = 4
"""Of a lens of full confidence, where some lenses have less."""


def sample_weights_of(
    state: NDArray[np.int8],
    weight: Float32Array,
    reason: NDArray[np.int8],
    *,
    non_lens_weight: int,
    hard_weight: float,
) -> IntArray:
    """Sample weight of each object, relative to an unlabeled one, shape (n,).

    Lenses count once; where some have less confidence than others, up to :data:`LENS_WEIGHT`
    times by their weight. A vetted non-lens counts ``non_lens_weight`` times its weight. One that
    was rejected for a stated reason is a hard negative: it counts ``hard_weight`` times as much,
    and kinds are balanced, so that rings do not disappear among spirals: a kind with a share f of
    an even distribution counts f^-1/2 times as much (at most twice).
    """
    sample_weights = np.ones(len(state), dtype=np.int64)
    lens, other = state == LENS, state == OTHER
    if lens.any() and weight[lens].min() < 1:
        sample_weights[lens] = np.maximum(1, np.rint(LENS_WEIGHT * weight[lens]))
    factor = weight.astype(np.float64)
    kinds, where = np.unique(reason[other & (reason != NO_REASON)], return_counts=True)
    for kind, n in zip(kinds, where, strict=True):
        even = where.sum() / len(kinds)
        factor[other & (reason == kind)] *= hard_weight * min(2.0, float(np.sqrt(even / n)))
    sample_weights[other] = np.maximum(1, np.rint(non_lens_weight * factor[other]))
    return sample_weights


def sample_weights_in(chosen: RetrainingSample, settings: RetrainSettings) -> IntArray:
    """:func:`sample_weights_of` the objects of a selection, by the settings of a run."""
    return sample_weights_of(
        chosen.state,
        chosen.weight,
        chosen.reason,
        non_lens_weight=settings.non_lens_weight,
        hard_weight=settings.hard_weight,
    )


def repeated(rows: IntArray, sample_weights: IntArray) -> IntArray:
    """``rows``, and those that count several times again behind them."""
    return np.concatenate([rows, np.repeat(rows, sample_weights[rows] - 1)])
