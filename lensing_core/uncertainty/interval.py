"""Interval of a calibrated score: spread of members, and error of the calibration."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy.special import expit, logit

from lensing_core.calibration import shift_prior
from lensing_core.models.manifest_types import EnsembleManifest


@dataclass(frozen=True)
class ScoreInterval:
    """The 68 % interval of one calibrated probability.

    Attributes
    ----------
    low, high : float
        Probabilities, at the survey's class prior.
    sigma_members : float or None
        Standard deviation of the members' calibrated logits; None for fewer than two. It is not
        divided by their number: members share their training objects, and err together.
    sigma_calibration : float or None
        Of the calibrated logit itself, from the held-out objects; None where none were kept.
    """

    low: float
    high: float
    sigma_members: float | None
    sigma_calibration: float | None


@dataclass(frozen=True)
class CalibrationRecord:
    """Calibration of an ensemble, from its manifest.

    Attributes
    ----------
    bins : tuple of mapping
        Of the reliability diagram (:class:`lensing_core.calibration.Reliability`).
    prior : float
        Share of lenses that the bins are calibrated for.
    survey_prior : float
        Share of lenses that scores are given for.
    measured_on : str
        For people.
    """

    bins: tuple[Mapping[str, float], ...]
    prior: float
    survey_prior: float
    measured_on: str

    @classmethod
    def of_manifest(cls, manifest: EnsembleManifest) -> CalibrationRecord | None:
        """None where the manifest has no reliability diagram."""
        diagram, rule = manifest.get("reliability"), manifest.get("rule")
        if not diagram or not diagram["bins"] or rule is None:
            return None
        return cls(
            tuple(cast(Mapping[str, float], bin_) for bin_ in diagram["bins"]),
            float(rule["joint"]["prior"]),
            float(rule["survey_prior"]),
            str(manifest.get("figures_on", "held-out objects")),
        )

    @property
    def n_objects(self) -> int:
        """Held-out objects."""
        return round(sum(b["count"] for b in self.bins))

    def held_out_logit(self, survey_logit: float) -> float:
        """The logit of a score at the class prior of the held-out objects."""
        return float(shift_prior(survey_logit, self.survey_prior, self.prior))

    def bin_of(self, survey_logit: float) -> int:
        """The bin that a score falls into: the nearest mean logit."""
        means = np.array([_logit(b["probability"]) for b in self.bins])
        return int(np.abs(means - self.held_out_logit(survey_logit)).argmin())

    def sigma(self, survey_logit: float) -> float | None:
        """Standard error of the calibrated logit.

        Of the recalibration line a + b z at this z, from the Fisher information of the held-out
        objects, which their bins hold: Σ n p (1 − p) (1, z)ᵀ(1, z). None where they do not fix a
        line. Far from all held-out objects it grows without bound, as it should.
        """
        z = np.array([_logit(b["probability"]) for b in self.bins])
        weight = np.array([b["count"] for b in self.bins]) * expit(z) * expit(-z)
        rows = np.stack([np.ones_like(z), z])
        information = (rows * weight) @ rows.T
        if np.linalg.cond(information) > 1e12:
            return None
        at = np.array([1.0, self.held_out_logit(survey_logit)])
        return float(math.sqrt(at @ np.linalg.solve(information, at)))


def score_interval(
    score_logit: float, member_logits: Sequence[float], record: CalibrationRecord | None
) -> ScoreInterval | None:
    """Logit ± the two parts in quadrature; None where neither is known."""
    members = float(np.std(member_logits)) if len(member_logits) > 1 else None
    calibration = None if record is None else record.sigma(score_logit)
    known = [part for part in (members, calibration) if part is not None]
    if not known:
        return None
    half = math.hypot(*known)
    low, high = expit([score_logit - half, score_logit + half])
    return ScoreInterval(float(low), float(high), members, calibration)


def _logit(p: float) -> float:
    return float(logit(min(max(p, 1e-12), 1 - 1e-12)))
