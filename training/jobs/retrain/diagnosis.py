"""Diagnosis of labels: class prior by three estimators, and a check that they are a fair sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lens_triage.training.jobs.retrain.selection import RetrainingSample
from lensing_core.arrays import Float64Array
from lensing_core.datasets.table import (
    LENS,
    OTHER,
)
from lensing_core.pu import IntervalEstimate, PriorEstimates, scar_check


def diagnose(
    selection: RetrainingSample,
    logits: Float64Array,
    priors: PriorEstimates,
    covariates: dict[str, Float64Array],
    *,
    survey_prior: float,
    scans: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Estimates of the class prior and the check of the labeled lenses, as plain JSON.

    Parameters
    ----------
    selection : RetrainingSample
        The training objects alone; vetted others are left out.
    logits : ndarray of shape (n,)
        Out-of-fold log-odds of being a lens.
    priors : PriorEstimates
        Of the unlabeled objects.
    covariates : dict of name to ndarray of shape (n,)
        NaN where unknown.
    scans : sequence of dict
        From :func:`~.class_prior.scan_prior`.
    """
    used = np.flatnonzero(selection.state != OTHER)
    s = (selection.state[used] == LENS).astype(np.int64)
    group = selection.group[used]
    said = [_estimates(priors.by_name, survey_prior), *priors.warnings]
    diagnosis: dict[str, Any] = {
        "survey_prior": survey_prior,
        "priors": priors.to_json(),
        "prior_scan": list(scans),
        "scar": None,
    }
    known = {name: v[used] for name, v in covariates.items() if np.isfinite(v[used]).any()}
    if known:
        check = scar_check(logits[used], s, known, group)
        diagnosis["scar"] = check.to_json()
        said.append(check.sentence)
    else:
        said.append(
            "Whether labeled lenses are a random sample of all lenses cannot be checked: the "
            f"catalog has no {', '.join(covariates)}."
        )
    return {**diagnosis, "sentences": said}


def _estimates(by_name: dict[str, IntervalEstimate], survey_prior: float) -> str:
    listed = ", ".join(f"{name} {value}" for name, value in by_name.items())
    return f"Class prior of the unlabeled objects: {listed}; the run used {survey_prior:g}."
