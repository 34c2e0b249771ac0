"""Decisions from posteriors: accepted, retired or open, votes needed, purity of the list."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from lensing_core.arrays import Float64Array, IntArray
from lensing_core.consensus.confusion import ConsensusEstimate
from lensing_core.errors import BadInputError

OPEN, ACCEPTED, RETIRED = 0, 1, 2
STATES = ("open", "accepted", "retired")
_LEAST = 1e-12
_LEAST_DRIFT = 1e-3  # log-odds a vote; below it a decision would take thousands


@dataclass(frozen=True)
class Thresholds:
    """Posteriors at which a candidate is decided; Marshall et al. (2016): 0.95 and 1e-7."""

    accept: float = 0.95
    retire: float = 1e-7

    def __post_init__(self) -> None:
        if not 0 < self.retire < self.accept < 1:
            raise BadInputError(
                f"Thresholds: retire at {self.retire} and accept at {self.accept}; give two "
                "numbers between 0 and 1, the first the smaller."
            )

    def states(self, posterior: Float64Array) -> IntArray:
        """Index into :data:`STATES` for each object."""
        states = np.full(len(posterior), OPEN, dtype=np.int64)
        states[posterior >= self.accept] = ACCEPTED
        states[posterior <= self.retire] = RETIRED
        return states


def drift(confusion: Float64Array) -> tuple[float, float]:
    """Mean change of an object's log-odds by one vote of a typical grader, if a lens, if not.

    Confusion of all graders, shape (raters, 2, grades), class 0 lens; the mean over graders of
    Σ_c Π[j, c] ln(Π[0, c] / Π[1, c]), a Kullback-Leibler divergence: ≥ 0 and ≤ 0.
    """
    safe = np.maximum(confusion, _LEAST)
    ratio = np.log(safe[:, 0] / safe[:, 1])
    return float((confusion[:, 0] * ratio).sum(1).mean()), float(
        (confusion[:, 1] * ratio).sum(1).mean()
    )


def votes_needed(
    posterior: Float64Array, thresholds: Thresholds, confusion: Float64Array
) -> Float64Array:
    """Expected further votes to a decision for each object, shape (n,); 0 decided, inf never.

    Wald (1945, Annals of Mathematical Statistics 16, 117): the log-odds walk towards the
    threshold by the mean drift; a lens has the one to accept before it, another the one to
    retire, and the posterior weighs the two. What a vote carries beyond the threshold is left
    out, so that the number is a little low.
    """
    up, down = drift(confusion) if len(confusion) else (0.0, 0.0)
    now = logit(np.clip(posterior, 1e-300, 1 - 1e-16))
    with np.errstate(divide="ignore"):
        if_lens = (logit(thresholds.accept) - now) / (up if up > _LEAST_DRIFT else 0.0)
        if_not = (now - logit(thresholds.retire)) / (-down if -down > _LEAST_DRIFT else 0.0)
    needed = np.where(posterior > 0, posterior * if_lens, 0) + (1 - posterior) * if_not
    needed = np.where(np.isnan(needed), np.inf, needed)
    return np.where(thresholds.states(posterior) == OPEN, np.ceil(needed), 0.0)


@dataclass(frozen=True)
class ListMetrics:
    """Purity and completeness of the accepted list, each with its 95 % interval.

    Attributes
    ----------
    n_accepted, n_graded : int
    expected_lenses : float
        Among all graded objects: the sum of their posteriors.
    purity, completeness : tuple of float
        Value, low, high; NaN where nothing is accepted, or nothing graded. Completeness is that
        among graded objects, not that of the survey.
    """

    n_accepted: int
    n_graded: int
    expected_lenses: float
    purity: tuple[float, float, float]
    completeness: tuple[float, float, float]


def list_metrics(
    posterior: Float64Array, draws: Float64Array, thresholds: Thresholds, *, seed: int = 0
) -> ListMetrics:
    """Purity and completeness of what is accepted now.

    Intervals hold both doubts: of the graders' confusion (``draws`` of the posterior, shape
    (draws, n)) and of which objects are lenses, given their probabilities (drawn for each).
    """
    accepted = posterior >= thresholds.accept
    total = float(posterior.sum())
    rng = np.random.default_rng(seed)
    truth = rng.random(draws.shape) < draws
    in_list, lenses = truth[:, accepted].sum(axis=1), truth.sum(axis=1)
    n = int(accepted.sum())
    nothing = (float("nan"),) * 3
    purity = completeness = nothing
    if n:
        purity = _interval(float(posterior[accepted].mean()), in_list / n)
    if total > 0 and (lenses > 0).any():
        shares = in_list[lenses > 0] / lenses[lenses > 0]
        completeness = _interval(float(posterior[accepted].sum() / total), shares)
    return ListMetrics(n, len(posterior), total, purity, completeness)


def _interval(value: float, draws: NDArray[np.floating]) -> tuple[float, float, float]:
    low, high = np.percentile(draws, [2.5, 97.5])
    # Few objects are all lenses in nearly every draw, and no figure lies outside its interval.
    return value, min(float(low), value), max(float(high), value)


def skill(found: ConsensusEstimate) -> Float64Array:
    """P_L and P_D of each rater for two grades, shape (raters, 2)."""
    confusion = found.confusion
    return np.stack([confusion[:, 0, 0], confusion[:, 1, 1]], axis=1)
