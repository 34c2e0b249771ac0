"""Joining calibrated members into one score, at the class prior of a survey."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.model_selection import StratifiedGroupKFold

from lensing_core.arrays import BoolArray, Float64Array, IntArray
from lensing_core.calibration import Calibration, calibrate, shift_prior
from lensing_core.errors import BadInputError
from lensing_core.metrics import RankingCurve
from lensing_core.models.manifest_types import FUSIONS
from lensing_core.uncertainty.combination import IsotonicBayes, LogisticStack
from lensing_core.uncertainty.decomposition import (
    decompose,
    inverse_variance_logit,
    mean_logit,
)

_FOLDS = 5


@dataclass(frozen=True)
class EnsembleScores:
    """Scores of n objects, all at the survey's class prior.

    Attributes
    ----------
    logit, probability : ndarray of shape (n,)
    member_logits : ndarray of shape (n, members)
    epistemic, aleatoric, disagreement : ndarray of shape (n,)
    """

    logit: Float64Array
    probability: Float64Array
    member_logits: Float64Array
    epistemic: Float64Array
    aleatoric: Float64Array
    disagreement: Float64Array


@dataclass(frozen=True)
class EnsembleRule:
    """Rule that turns raw member logits into a score.

    Each member is calibrated; the calibrated logits are fused; the fused logit is calibrated again
    (members that see one image are not independent); the result is moved from the class prior of
    the calibration objects to that of the survey.

    Attributes
    ----------
    fusion : of :data:`FUSIONS`
    combiner : what a learned fusion has learned; None for the others
    """

    fusion: str
    members: tuple[Calibration, ...]
    joint: Calibration
    survey_prior: float
    combiner: LogisticStack | IsotonicBayes | None = None

    @classmethod
    def fit(
        cls,
        raw: Float64Array,
        labels: NDArray[np.integer],
        *,
        fusion: str,
        survey_prior: float,
        variances: Float64Array | None = None,
        groups: NDArray[np.integer] | None = None,
    ) -> EnsembleRule:
        """Fit on raw logits (n, members) of objects that no member has seen.

        Parameters
        ----------
        variances : ndarray of shape (n, members), optional
            Of the raw logits; the fusion by inverse variance needs them.
        groups : ndarray of shape (n,), optional
            Objects of one group stay on one side when learned fusions are calibrated on logits
            that they were not fitted on.
        """
        members = _calibrations(raw, labels)
        calibrated = _apply(members, raw)
        scaled = _scaled_variances(members, variances)
        combiner = _combiner(fusion, calibrated, labels)
        if combiner is None:
            fused = _fuse(fusion, None, calibrated, scaled)
        else:  # on the objects that it was fitted on, its logits would be too sure
            fused = _cross_fitted(fusion, raw, labels, variances, groups)
        # Lines, not staircases: with some hundred objects isotonic steps would tie the top.
        return cls(fusion, members, calibrate(fused, labels, "platt"), survey_prior, combiner)

    @property
    def needs_variances(self) -> bool:
        """Return whether scores depend on the variances of member logits."""
        return self.fusion == "inverse_variance"

    def __call__(
        self,
        raw: Float64Array,
        variances: Float64Array | None = None,
        *,
        without: BoolArray | None = None,
    ) -> EnsembleScores:
        """Scores from raw member logits (n, members) and, where needed, their variances.

        Parameters
        ----------
        without : ndarray of bool, shape (n, members), optional
            Members that are not asked about an object, since they were fitted on it: the mean of
            the others takes their place. Where none is left, all are asked.
        """
        calibrated = _apply(self.members, raw)
        if without is not None:
            calibrated = _asked(calibrated, without)
        scaled = _scaled_variances(self.members, variances)
        fused = _fuse(self.fusion, self.combiner, calibrated, scaled)
        prior = self.joint.prior
        logit = shift_prior(self.joint(fused), prior, self.survey_prior)
        member_logits = shift_prior(calibrated, prior, self.survey_prior)
        parts = decompose(member_logits)
        return EnsembleScores(
            logit,
            expit(logit),
            member_logits,
            parts.epistemic,
            parts.aleatoric,
            parts.disagreement,
        )

    def at_prior(self, prior: float) -> EnsembleRule:
        """The same rule for a survey with another share of lenses."""
        return replace(self, survey_prior=prior)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "fusion": self.fusion,
            "members": [c.to_json() for c in self.members],
            "joint": self.joint.to_json(),
            "survey_prior": self.survey_prior,
            "combiner": None if self.combiner is None else self.combiner.to_json(),
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> EnsembleRule:
        """Read what :meth:`to_json` wrote."""
        kinds: dict[str, Any] = {"stacking": LogisticStack, "isotonic_bayes": IsotonicBayes}
        learned = stored.get("combiner")
        return cls(
            stored["fusion"],
            tuple(Calibration.from_json(c) for c in stored["members"]),
            Calibration.from_json(stored["joint"]),
            stored["survey_prior"],
            None if learned is None else kinds[stored["fusion"]].from_json(learned),
        )


@dataclass(frozen=True)
class FusionChoice:
    """A fusion and what it was chosen by.

    Attributes
    ----------
    fusion : the best of ``metrics``
    metrics : TPR0, TPR10 and average precision by fusion, cross-fitted
    """

    fusion: str
    metrics: dict[str, dict[str, float]]


def choose_fusion(
    raw: Float64Array,
    labels: NDArray[np.integer],
    *,
    variances: Float64Array | None = None,
    groups: NDArray[np.integer] | None = None,
) -> FusionChoice:
    """The fusion with the best TPR0, then TPR10, then average precision.

    Each is fitted on four fifths of the objects and judged on the others, in turn; objects of one
    group stay together. Without variances the inverse variance is left out.
    """
    metrics = {}
    for fusion in FUSIONS:
        if fusion == "inverse_variance" and variances is None:
            continue
        curve = RankingCurve.of(_cross_fitted(fusion, raw, labels, variances, groups), labels)
        metrics[fusion] = {
            "tpr0": curve.recall_with_false_positives(0),
            "tpr10": curve.recall_with_false_positives(9),
            "average_precision": curve.average_precision(),
        }
    best = max(metrics, key=lambda name: tuple(metrics[name].values()))
    return FusionChoice(best, metrics)


def _folds(
    labels: NDArray[np.integer], groups: NDArray[np.integer] | None
) -> Iterator[tuple[IntArray, IntArray]]:
    groups = np.arange(len(labels)) if groups is None else groups
    splitter = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=0)
    yield from splitter.split(labels[:, None], labels, groups)


def _cross_fitted(
    fusion: str,
    raw: Float64Array,
    labels: NDArray[np.integer],
    variances: Float64Array | None,
    groups: NDArray[np.integer] | None,
) -> Float64Array:
    """Fused logits of objects by rules fitted without them, shape (n,)."""
    fused = np.empty(len(raw))
    for fit, rest in _folds(labels, groups):
        if len(set(labels[fit].tolist())) < 2:
            raise BadInputError("Too few labeled objects of both classes to compare fusions.")
        members = _calibrations(raw[fit], labels[fit])
        combiner = _combiner(fusion, _apply(members, raw[fit]), labels[fit])
        test_variances = None if variances is None else variances[rest]
        scaled = _scaled_variances(members, test_variances)
        fused[rest] = _fuse(fusion, combiner, _apply(members, raw[rest]), scaled)
    return fused


def _calibrations(raw: Float64Array, labels: NDArray[np.integer]) -> tuple[Calibration, ...]:
    return tuple(calibrate(column, labels, "platt") for column in raw.T)


def _apply(members: tuple[Calibration, ...], raw: Float64Array) -> Float64Array:
    return np.stack([c(column) for c, column in zip(members, raw.T, strict=True)], axis=1)


def _asked(calibrated: Float64Array, without: BoolArray) -> Float64Array:
    """Logits (n, members) with the mean of the members that are asked in place of the others."""
    kept = ~without | without.all(axis=1, keepdims=True)
    mean = (calibrated * kept).sum(axis=1, keepdims=True) / kept.sum(axis=1, keepdims=True)
    return np.asarray(np.where(kept, calibrated, mean))


def _scaled_variances(
    members: tuple[Calibration, ...], variances: Float64Array | None
) -> Float64Array | None:
    """Variances of calibrated logits."""
    if variances is None:
        return None
    return np.asarray(variances * np.array([c.slope for c in members]) ** 2)


def _combiner(
    fusion: str, calibrated: Float64Array, labels: NDArray[np.integer]
) -> LogisticStack | IsotonicBayes | None:
    if fusion == "stacking":
        return LogisticStack.fit(calibrated, labels)
    if fusion == "isotonic_bayes":
        return IsotonicBayes.fit(calibrated, labels)
    return None


def _fuse(
    fusion: str,
    combiner: LogisticStack | IsotonicBayes | None,
    calibrated: Float64Array,
    variances: Float64Array | None,
) -> Float64Array:
    if fusion not in FUSIONS:
        raise BadInputError(f"Fusion rule {fusion!r}: use one of {', '.join(FUSIONS)}.")
    if combiner is not None:
        return combiner(calibrated)
    if fusion == "mean":
        return mean_logit(calibrated)
    if variances is None:
        raise BadInputError("Fusion by inverse variance needs a variance of every member's logits.")
    return inverse_variance_logit(calibrated, variances)
