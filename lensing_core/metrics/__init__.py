"""Figures of merit of a ranking, with intervals."""

from lensing_core.metrics.comparison import Difference, compare_rankings
from lensing_core.metrics.ranking import (
    Figure,
    RankingCurve,
    purity_at_deployment,
    ranking_figures,
    ranking_figures_with_intervals,
)
from lensing_core.metrics.strata import binomial_interval, recall_by

__all__ = [
    "Difference",
    "Figure",
    "RankingCurve",
    "binomial_interval",
    "compare_rankings",
    "purity_at_deployment",
    "ranking_figures",
    "ranking_figures_with_intervals",
    "recall_by",
]
