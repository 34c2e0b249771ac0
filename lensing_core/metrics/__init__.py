"""Metrics of merit of a ranking, with intervals."""

from lensing_core.metrics.comparison import Difference, compare_rankings
from lensing_core.metrics.deployment import Deployment, Discoveries, deploy, discoveries
from lensing_core.metrics.ranking import (
    Metric,
    RankingCurve,
    RocBand,
    interval_text,
    purity_at_deployment,
    ranking_metrics,
    ranking_metrics_with_intervals,
)
from lensing_core.metrics.strata import recall_by

__all__ = [
    "Deployment",
    "Difference",
    "Discoveries",
    "Metric",
    "RankingCurve",
    "RocBand",
    "compare_rankings",
    "deploy",
    "discoveries",
    "interval_text",
    "purity_at_deployment",
    "ranking_metrics",
    "ranking_metrics_with_intervals",
    "recall_by",
]
