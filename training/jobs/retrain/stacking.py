"""Joining base members and heads, with metrics, on objects that none of them has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import Float64Array, IntArray
from lensing_core.calibration import Calibration, shift_prior
from lensing_core.datasets.table import (
    LENS,
    OTHER,
    UNLABELED,
)
from lensing_core.metrics import ranking_metrics, ranking_metrics_with_intervals
from lensing_core.models.ensemble import EnsembleRule, choose_fusion

MIN_EACH = 10
"""Vetted objects of each class that a calibration needs, and groups that they must stand in."""
MIN_GROUPS = 5


@dataclass(frozen=True)
class FittedRule:
    """A rule, and what is to be said of it.

    Attributes
    ----------
    rule : EnsembleRule
    calibrated : bool
    sentence : str
    fusion_metrics : dict or None
        What a fusion was chosen by, if it was.
    """

    rule: EnsembleRule
    calibrated: bool
    sentence: str
    fusion_metrics: dict[str, dict[str, float]] | None = None


def join(
    raw: Float64Array,
    labels: NDArray[np.integer],
    groups: IntArray,
    *,
    fusion: str,
    survey_prior: float,
    bases: EnsembleRule,
) -> FittedRule:
    """Calibrate each member and fuse them, on vetted objects (label 0 or 1) of both classes.

    Parameters
    ----------
    raw : ndarray of shape (n, members)
        Base members first; every logit from a model that did not see the object.
    bases : EnsembleRule
        Of the base members, whose calibrations stand where there are too few vetted objects.
    """
    n = {kind: int((labels == kind).sum()) for kind in (LENS, OTHER)}
    n_groups = min(len(np.unique(groups[labels == kind])) for kind in (LENS, OTHER))
    if min(n.values()) < MIN_EACH or n_groups < MIN_GROUPS:
        return FittedRule(
            _uncalibrated(bases, raw.shape[1], survey_prior),
            False,
            f"Not calibrated on this catalog: {n[LENS]} lenses and {n[OTHER]} non-lenses are "
            f"vetted "
            f"outside the frozen evaluation set; {MIN_EACH} of each in {MIN_GROUPS} groups are "
            f"needed. "
            "Rank by the scores, and do not read them as probabilities.",
        )
    metrics = None
    if fusion == "best":
        choice = choose_fusion(raw, labels, groups=groups)
        fusion, metrics = choice.fusion, choice.metrics
    rule = EnsembleRule.fit(raw, labels, fusion=fusion, survey_prior=survey_prior, groups=groups)
    return FittedRule(
        rule,
        True,
        f"Calibrated on {n[LENS]} vetted lenses and {n[OTHER]} vetted non-lenses, out of fold. "
        f"Vetted "
        "objects are those that people looked at, mostly near the top of a ranking: probabilities "
        "hold for such objects.",
        metrics,
    )


def _uncalibrated(bases: EnsembleRule, n_members: int, survey_prior: float) -> EnsembleRule:
    """The mean of the base members as calibrated before, and of the heads as they are."""
    move = float(shift_prior(0.0, bases.joint.prior, survey_prior))
    before = tuple(
        Calibration("platt", c.slope, c.intercept + move, (), (), survey_prior)
        for c in bases.members
    )
    identity = Calibration("platt", 1.0, 0.0, (), (), survey_prior)
    heads = (identity,) * (n_members - len(before))
    return EnsembleRule("mean", before + heads, identity, survey_prior)


@dataclass(frozen=True)
class EvaluationSet:
    """Held-out objects on which metrics are measured, and their name.

    Attributes
    ----------
    chosen : ndarray, indices of held-out objects
    labels : ndarray, 1 lens, 0 not
    sentence : str
    """

    chosen: IntArray
    labels: IntArray
    sentence: str


def evaluation_set(state: NDArray[np.int8], *, vetted: bool) -> EvaluationSet | None:
    """Held-out lenses against vetted others, or against unlabeled objects counted as others.

    None where a class is empty. A few of the unlabeled are lenses, so that metrics against them
    are too low by a little and never too high.
    """
    state_of_others = OTHER if vetted else UNLABELED
    chosen = np.flatnonzero((state == LENS) | (state == state_of_others))
    labels = (state[chosen] == LENS).astype(np.int64)
    n = int(labels.sum()), int((labels == 0).sum())
    if not all(n):
        return None
    # Test sets of ensembles are known again by this sentence: it keeps its words.
    what = "vetted others" if vetted else "unlabeled objects, counted as others"
    return EvaluationSet(chosen, labels, f"{n[0]:,} held-out lenses and {n[1]:,} {what}")


def metrics_of(
    evaluation: EvaluationSet | None, logits: dict[str, Float64Array]
) -> dict[str, dict[str, Any]]:
    """Ranking metrics with intervals by name of the logits of held-out objects."""
    if evaluation is None:
        return {}
    return {
        name: {
            key: metric.to_json()
            for key, metric in ranking_metrics_with_intervals(
                values[evaluation.chosen], evaluation.labels
            ).items()
        }
        for name, values in logits.items()
    }


def cross_validated(
    state: NDArray[np.int8], names: Sequence[str], out_of_fold: Float64Array
) -> dict[str, dict[str, float | None]]:
    """Metrics of out-of-fold log-odds (n, heads): lenses against everything else in training."""
    lens = (state == LENS).astype(np.int64)
    return {
        name: {
            key: None if value != value else value
            for key, value in ranking_metrics(out_of_fold[:, k], lens).items()
        }
        for k, name in enumerate(names)
    }
