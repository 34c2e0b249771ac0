"""Labeled objects that an ensemble is measured on for a report, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lens_triage.training.jobs.train.held_out import HeldOut
from lensing_core.arrays import Float64Array, IntArray
from lensing_core.calibration import shift_prior
from lensing_core.calibration.reliability import Reliability, reliability
from lensing_core.errors import BadInputError
from lensing_core.metrics import (
    Deployment,
    Metric,
    RankingCurve,
    deploy,
    ranking_metrics_with_intervals,
)
from lensing_core.models.manifest_types import EnsembleManifest
from lensing_core.store import Session
from lensing_core.store.search_counts import labeled_scores
from lensing_core.store.tables import Catalog, Ensemble
from lensing_core.workspace import Workspace

FEW = 2
"""Lenses and others that figures need."""
FALSE_POSITIVE_RATE = 0.01
"""At which objects pass in the confusion matrix and the galleries."""


@dataclass(frozen=True)
class Measured:
    """Scores of labeled objects that nothing of an ensemble was fitted on.

    Attributes
    ----------
    candidate_id, label : ndarray of shape (n,), int64
    logit : ndarray of shape (n,), float64
        At ``prior``.
    on : str
        What they are, to follow "measured on".
    prior : float
        Class prior at which the ensemble's probabilities stand.
    """

    candidate_id: IntArray
    label: IntArray
    logit: Float64Array
    on: str
    prior: float

    @property
    def n_lenses(self) -> int:
        return int((self.label == 1).sum())

    @property
    def n_others(self) -> int:
        return len(self.label) - self.n_lenses

    @cached_property
    def curve(self) -> RankingCurve:
        """Counts by threshold."""
        return RankingCurve.of(self.logit, self.label)

    @cached_property
    def figures(self) -> dict[str, Metric]:
        """Metrics with intervals, by name."""
        return ranking_metrics_with_intervals(self.logit, self.label)

    @cached_property
    def deployment(self) -> Deployment:
        """Recall and purity by threshold, at the class prior of the survey."""
        return deploy(self.curve, self.prior)

    @cached_property
    def reliability(self) -> Reliability | None:
        """Reliability at the class prior of the objects themselves; None with too few."""
        try:
            shifted = shift_prior(self.logit, self.prior, float(self.label.mean()))
            return reliability(shifted, self.label)
        except BadInputError:
            return None

    @cached_property
    def threshold(self) -> float:
        """Logit from which objects pass: at most one in a hundred non-lenses does, or one of few.

        Of the thresholds at that false-positive rate it is the lowest.
        """
        allowed = max(1.0, np.floor(FALSE_POSITIVE_RATE * self.n_others))
        k = int(np.searchsorted(self.curve.false_positives, allowed, side="right")) - 1
        return float(self.curve.thresholds[k]) if k >= 0 else float("inf")

    def part(self, kind: str) -> IntArray:
        """Ids of a cell of the confusion matrix, the most telling first.

        Parameters
        ----------
        kind : str
            ``true_positives`` (the highest scores first), ``false_positives`` (the same),
            ``false_negatives`` and ``true_negatives`` (the lowest first).
        """
        passes = self.logit >= self.threshold
        lens = self.label == 1
        wanted = {
            "true_positives": passes & lens,
            "false_positives": passes & ~lens,
            "false_negatives": ~passes & lens,
            "true_negatives": ~passes & ~lens,
        }[kind]
        rows = np.flatnonzero(wanted)
        order = np.argsort(self.logit[rows], kind="stable")
        if kind.endswith("positives"):
            order = order[::-1]
        return np.asarray(self.candidate_id[rows[order]])


def measured_on(
    session: Session, workspace: Workspace, ensemble: Ensemble, catalog: Catalog
) -> Measured | str:
    """The objects that an ensemble can be measured on, or one sentence on why there are none.

    The test split of its training where this workspace has it (that of the catalog alone where
    it has lenses and others there); else the labeled candidates of the catalog, where nothing of
    the ensemble was fitted on that catalog.
    """
    manifest: EnsembleManifest = ensemble.manifest
    if "rule" not in manifest:
        return f"The manifest of {ensemble.name} does not say at which class prior it scores."
    prior = manifest["rule"]["survey_prior"]
    fitted = set(manifest.get("catalogs", []))
    if HeldOut.exists(workspace, ensemble.name):
        test_split = HeldOut.read(workspace, ensemble.name)
        named = ", ".join(sorted(fitted)) or "its training"
        measured = Measured(
            test_split.candidate_id,
            test_split.label,
            test_split.logit,
            f"the test split of {named}",
            prior,
        )
    elif catalog.name in fitted:
        return (
            f"{ensemble.name} was fitted on {catalog.name}, and the scores of its test split are "
            "not in this workspace: nothing can be measured on labels of this catalog."
        )
    else:
        labeled = labeled_scores(session, ensemble.id, catalog.id)
        measured = Measured(
            labeled.candidate_id,
            labeled.label,
            labeled.logit,
            f"the labeled candidates of {catalog.name}, on which nothing of it was fitted",
            prior,
        )
    if min(measured.n_lenses, measured.n_others) < FEW:
        return (
            f"{measured.on[:1].upper()}{measured.on[1:]}: {measured.n_lenses} lenses and "
            f"{measured.n_others} non-lenses are too few to measure {ensemble.name}."
        )
    return measured
