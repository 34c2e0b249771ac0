"""The labels of a retraining, as its settings ask for them."""

from __future__ import annotations

from collections.abc import Sequence

from lens_triage.training.settings import RetrainSettings
from lensing_core.arrays import IntArray
from lensing_core.datasets.grades import GradeRule
from lensing_core.datasets.labels import labels_to_retrain
from lensing_core.datasets.table import CandidateLabels
from lensing_core.store import Session
from lensing_core.store.consensus_choice import ConsensusSettings


def grade_rule(settings: RetrainSettings) -> GradeRule | None:
    """Return how grades become labels; None where grades are not to count."""
    if settings.labels == "imported":
        return None
    return GradeRule(
        ConsensusSettings(settings.consensus),
        settings.lens_from,
        settings.non_lens_below,
        settings.min_votes,
        imported=settings.labels == "both",
    )


def labels_of_run(
    session: Session, names: Sequence[str], settings: RetrainSettings
) -> tuple[CandidateLabels, IntArray]:
    """Labels of catalogs, and the groups that stay on one side of every split.

    Raises as :func:`~lensing_core.datasets.labels.labels_to_retrain` does.
    """
    labels = labels_to_retrain(
        session, names, min_confidence=settings.min_confidence, grades=grade_rule(settings)
    )
    return labels, labels.groups(settings.block_nside or None)
