"""Recall of held-out lenses by what is known of them: true values, magnitude, survey."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import Float64Array, IntArray
from lensing_core.metrics import recall_by
from lensing_core.store import open_database
from lensing_core.store.observations import fetch_truth, magnitudes_and_surveys
from lensing_core.workspace import Workspace

TRUE = ("theta_e_arcsec", "arc_snr", "magnification", "source_mag")


def recall_by_properties(
    workspace: Workspace,
    candidate_ids: IntArray,
    logits: Float64Array,
    labels: NDArray[np.integer],
) -> dict[str, list[dict[str, Any]]]:
    """:func:`lensing_core.metrics.recall_by` at FPR 1e-2, of what the database knows.

    Parameters
    ----------
    candidate_ids, logits, labels : ndarray of shape (n,)
    """
    lenses = np.flatnonzero(labels == 1)
    ids = candidate_ids[lenses]
    truth = np.full((len(logits), len(TRUE)), math.nan)
    magnitude: list[float | None] = [None] * len(logits)
    survey = [""] * len(logits)
    with open_database(workspace).session() as session:
        truth[lenses] = fetch_truth(session, ids, TRUE)
        known = magnitudes_and_surveys(session, ids)
    for place, candidate_id in zip(lenses.tolist(), ids.tolist(), strict=True):
        magnitude[place], survey[place] = known.get(candidate_id, (None, ""))
    columns: dict[str, Any] = dict(zip(TRUE, truth.T, strict=True))
    columns["magnitude"] = magnitude
    return recall_by(logits, labels, columns, kinds={"survey": survey})
