"""Joining calibrated members into one score, at the class prior of a survey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from lensing_core.calibration import Calibration, calibrate, shift_prior
from lensing_core.errors import BadInputError
from lensing_core.uncertainty.decomposition import decompose, mean_logit

Floats = NDArray[np.float64]
FUSIONS = ("mean",)


@dataclass(frozen=True)
class EnsembleScores:
    """Scores of n objects, all at the survey's class prior.

    Attributes
    ----------
    logit, probability : ndarray of shape (n,)
    member_logits : ndarray of shape (n, members)
    epistemic, aleatoric, disagreement : ndarray of shape (n,)
    """

    logit: Floats
    probability: Floats
    member_logits: Floats
    epistemic: Floats
    aleatoric: Floats
    disagreement: Floats


@dataclass(frozen=True)
class EnsembleRule:
    """How raw member logits become a score.

    Each member is calibrated; the calibrated logits are fused; the fused logit is calibrated again
    (members that see one image are not independent); the result is moved from the class prior of
    the calibration objects to that of the survey.
    """

    fusion: str
    members: tuple[Calibration, ...]
    joint: Calibration
    survey_prior: float

    @classmethod
    def fit(
        cls, raw: Floats, labels: NDArray[np.integer], *, fusion: str, survey_prior: float
    ) -> EnsembleRule:
        """Fit on raw logits (n, members) of objects that no member has seen."""
        if fusion not in FUSIONS:
            raise BadInputError(f"Fusion rule {fusion!r}: use one of {', '.join(FUSIONS)}.")
        # Lines, not staircases: with some hundred objects isotonic steps would tie the top.
        members = tuple(calibrate(column, labels, "platt") for column in raw.T)
        calibrated = np.stack([c(column) for c, column in zip(members, raw.T, strict=True)], axis=1)
        joint = calibrate(mean_logit(calibrated), labels, "platt")
        return cls(fusion, members, joint, survey_prior)

    def __call__(self, raw: Floats) -> EnsembleScores:
        """Scores from raw member logits, shape (n, members)."""
        calibrated = np.stack(
            [c(column) for c, column in zip(self.members, raw.T, strict=True)], axis=1
        )
        prior = self.joint.prior
        logit = shift_prior(self.joint(mean_logit(calibrated)), prior, self.survey_prior)
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

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "fusion": self.fusion,
            "members": [c.to_json() for c in self.members],
            "joint": self.joint.to_json(),
            "survey_prior": self.survey_prior,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> EnsembleRule:
        """What :meth:`to_json` wrote."""
        return cls(
            stored["fusion"],
            tuple(Calibration.from_json(c) for c in stored["members"]),
            Calibration.from_json(stored["joint"]),
            stored["survey_prior"],
        )
