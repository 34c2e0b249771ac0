"""Estimates of the class prior from labels, and the ranking's sensitivity to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from lens_triage.training.jobs.retrain.heads import HeadPlan, TrainingSet
from lens_triage.training.jobs.retrain.sample_weights import repeated
from lensing_core.arrays import Float64Array, IntArray
from lensing_core.datasets.table import LENS, OTHER
from lensing_core.pu import (
    NNPU,
    BaggingPU,
    LogisticLearner,
    PriorEstimates,
    PUModel,
    Sensitivity,
    Spy,
    estimate_priors,
    prior_sensitivity,
    priors_from_scores,
)

N_BOOTSTRAP = 100
TOP = 100
_TAKE_A_PRIOR = (NNPU, BaggingPU, Spy)  # UPU is an NNPU


def estimate_prior(
    training: TrainingSet,
    out_of_fold: dict[str, Float64Array],
    columns: IntArray,
    share_unlabeled: float,
    *,
    seed: int,
) -> PriorEstimates:
    """Estimate the class prior of all unlabeled objects; vetted non-lenses are left out.

    Parameters
    ----------
    training : TrainingSet
        All columns of the base members.
    out_of_fold : dict of str to ndarray of shape (n,)
        Log-odds of being labeled, corrected for the unlabeled not drawn, by the heads 'trees' and
        'logistic' where they were trained; without them a logistic regression is cross-fitted.
    columns : ndarray of int
        Columns of ``training.x`` that this regression reads.
    share_unlabeled : float
        Share of all unlabeled objects that were drawn.
    """
    used = np.flatnonzero(training.state != OTHER)
    s = (training.state[used] == LENS).astype(np.int64)
    group = training.group[used]
    log_share = float(np.log(share_unlabeled))
    linear = out_of_fold.get("logistic")
    scores = out_of_fold.get("trees", linear)
    if scores is None:
        return estimate_priors(
            training.x[used][:, columns],
            s,
            group,
            learner=LogisticLearner(),
            most_unlabeled=len(used),
            log_share=log_share,
            n_bootstrap=N_BOOTSTRAP,
            seed=seed,
        )
    return priors_from_scores(
        scores[used] - log_share,
        s,
        group,
        linear_scores=None if linear is None else linear[used] - log_share,
        log_share=log_share,
        n_bootstrap=N_BOOTSTRAP,
        seed=seed,
    )


def scan_prior(plan: HeadPlan, training: TrainingSet, fitted: PUModel) -> list[dict[str, Any]]:
    """Compare a head's ranking at half and twice the class prior with that at the prior itself.

    Empty for a head that takes no class prior. As plain JSON of
    :class:`~lensing_core.pu.Sensitivity`, with the head's name.

    Parameters
    ----------
    fitted : PUModel
        The head as fitted on all of ``training`` at the prior itself.
    """
    if not isinstance(plan.method, _TAKE_A_PRIOR):
        return []
    rows = repeated(np.arange(len(training.x)), training.sample_weights)
    s = (training.state[rows] == LENS).astype(np.int64)
    sensitivities: Sequence[Sensitivity] = prior_sensitivity(
        plan.method,
        training.x[rows],
        s,
        training.group[rows],
        ranked=training.x,
        at_prior=fitted.decision(training.x),
        top=TOP,
    )
    return [{"head": plan.name, **asdict(one)} for one in sensitivities]
