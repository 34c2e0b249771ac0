"""Recall of held-out lenses by what is known of them: true values, magnitude, survey."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from lens_triage.training.jobs.train.truth import fetch_truth
from lensing_core.metrics import recall_by
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog, SurveyRow
from lensing_core.workspace import Workspace

TRUE = ("theta_e_arcsec", "arc_snr", "magnification", "source_mag")
_AT_ONCE = 500


def recall_by_properties(
    workspace: Workspace,
    candidate_ids: NDArray[np.int64],
    logits: NDArray[np.float64],
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
    truth[lenses] = fetch_truth(workspace, ids, TRUE)
    magnitude: list[float | None] = [None] * len(logits)
    survey = [""] * len(logits)
    place = dict(zip(ids.tolist(), lenses.tolist(), strict=True))
    with open_database(workspace).session() as session:
        for first in range(0, len(ids), _AT_ONCE):
            rows = session.execute(
                select(Candidate.id, Candidate.magnitude, SurveyRow.name)
                .join(Catalog, Catalog.id == Candidate.catalog_id)
                .join(SurveyRow, SurveyRow.id == Catalog.survey_id)
                .where(Candidate.id.in_(ids[first : first + _AT_ONCE].tolist()))
            )
            for candidate_id, value, name in rows:
                magnitude[place[candidate_id]], survey[place[candidate_id]] = value, name
    columns: dict[str, Any] = dict(zip(TRUE, truth.T, strict=True))
    columns["magnitude"] = magnitude
    return recall_by(logits, labels, columns, kinds={"survey": survey})
