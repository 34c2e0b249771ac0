"""Purity of what a search finds at the class prior of a survey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lensing_core.errors import BadInputError
from lensing_core.metrics.ranking import purity_at_deployment
from lensing_core.proportions import Proportion
from lensing_core.selection.function import Completeness


@dataclass(frozen=True)
class Purity:
    """Share of lenses among what passes; the bounds take both ends of all intervals at once."""

    prior: float
    value: float
    low: float
    high: float


def purity(
    completeness: Completeness, false_positives: Sequence[Proportion], prior: float
) -> Purity:
    """π C / (π C + (1 − π) FPR), the false-positive rate that of all steps in turn.

    Parameters
    ----------
    completeness : Completeness
        Mean of the survey's lenses, one value.
    false_positives : sequence of Proportion
        Non-lenses that pass each step, of those that pass the steps before.
    prior : float
        Share of lenses among the candidates.

    Raises
    ------
    BadInputError
        If the prior is no share, or no step was asked about non-lenses.
    """
    if not 0 < prior < 1:
        raise BadInputError(f"Class prior {prior}: give a number between 0 and 1.")
    if not false_positives or not all(step.total for step in false_positives):
        raise BadInputError("Purity needs non-lenses that every step was asked about.")
    rate, low, high = 1.0, 1.0, 1.0
    for step in false_positives:
        rate *= step.value
        low *= step.interval[0]
        high *= step.interval[1]

    def at(found: float, passed: float) -> float:
        return float(purity_at_deployment(found, passed, prior))

    return Purity(
        prior,
        at(float(completeness.value), rate),
        at(float(completeness.low), high),
        at(float(completeness.high), low),
    )
