"""Figures of merit of a ranking, with intervals."""

from lensing_core.metrics.ranking import (
    Figure,
    RankingCurve,
    purity_at_deployment,
    ranking_figures,
    ranking_figures_with_intervals,
)

__all__ = [
    "Figure",
    "RankingCurve",
    "purity_at_deployment",
    "ranking_figures",
    "ranking_figures_with_intervals",
]
