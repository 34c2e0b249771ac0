"""Uses of labels: one table, and the rule for an imported label.

An imported label has a confidence from 0 to 1 and a policy (see
:mod:`lensing_core.ingest.provenance`). By policy and label it gives this state:

================== ============ ============ ===========
policy             label 1      label 0      no label
================== ============ ============ ===========
all                lens         non-lens     unlabeled
positives_only     lens         unlabeled    unlabeled
pretraining_only   unlabeled    unlabeled    unlabeled
================== ============ ============ ===========

A label of less confidence than its use asks for is unlabeled, too; one that counts weighs by
:func:`label_weight`. :data:`USES` says which other labels a use takes. Confirmations count in every
use.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import Float64Array

LENS, OTHER, UNLABELED = 1, 0, -1
MIN_CONFIDENCE = 0.5
"""Imported labels of less confidence are unlabeled."""
CERTAIN = 0.9
"""Least confidence of a label that graders are measured by."""


@dataclass(frozen=True)
class Use:
    """Labels that a use takes.

    Attributes
    ----------
    min_confidence : float
        Of imported labels.
    grades : bool
        Whether grades given here count; they stand before imported labels.
    unlabeled : bool
        Whether unlabeled objects belong to the data set.
    gold : bool
        Whether simulated gold standards of sessions count beside observed objects.
    """

    min_confidence: float = MIN_CONFIDENCE
    grades: bool = True
    unlabeled: bool = False
    gold: bool = True


USES = {
    # Networks and trees from imported labels: calibrated, and measured on the test split.
    "train": Use(grades=False, gold=False),
    # Retrain and fine-tuning, with their held-out objects.
    "retrain": Use(unlabeled=True, gold=False),
    # Labeled candidates that look like one of them.
    "look-alikes": Use(),
    # Purity of the first of a ranking, round by round.
    "known answers": Use(),
    # Objects with a known answer that sessions and tutorials ask for.
    "gold": Use(min_confidence=CERTAIN, grades=False),
}

LEAST_WEIGHT = 0.05

PRETRAINING, NEGATIVE, UNSURE = (
    "for pretraining only",
    "non-lens of a positives-only set",
    "confidence too low",
)


def imported_states(
    label: NDArray[np.int8],
    policy: NDArray[np.str_],
    confidence: Float64Array,
    min_confidence: float,
) -> tuple[NDArray[np.int8], dict[str, int]]:
    """State of each candidate by its imported label; labels that do not count, by reason.

    Parameters
    ----------
    label : ndarray of shape (n,)
        1 lens, 0 non-lens, -1 none.
    policy, confidence : ndarray of shape (n,)
        Those in force: of the row, else of its catalog.
    """
    left_out: dict[str, int] = {}
    state = label.astype(np.int8)
    for reason, bad in (
        (PRETRAINING, policy == "pretraining_only"),
        (NEGATIVE, (policy == "positives_only") & (label == OTHER)),
        (UNSURE, confidence < min_confidence),
    ):
        chosen = bad & (state != UNLABELED)
        if chosen.any():
            left_out[reason] = int(chosen.sum())
        state[chosen] = UNLABELED
    return state, left_out


def label_weight(probability: Float64Array | float) -> Float64Array:
    """Weight of labels that are right with a probability: 2p − 1, at least :data:`LEAST_WEIGHT`.

    A label that is right with probability p, and wrong with 1 − p, moves a classifier that knows
    nothing by p − (1 − p) as much as a certain one.
    """
    return np.maximum(LEAST_WEIGHT, 2 * np.asarray(probability, dtype=np.float64) - 1)
