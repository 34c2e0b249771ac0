"""Lenses that a search has not found yet, and the price of the next ten.

Three answers that lean on different things: :func:`capture_recapture` on two independent searches,
:func:`calibrated_tail` on calibrated probabilities, and the selection function on injected lenses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, norm

from lensing_core.arrays import Float64Array
from lensing_core.errors import BadInputError

NEXT = 10
"""Lenses whose price in time is told."""


@dataclass(frozen=True)
class Hidden:
    """Lenses that are not found yet, with the ends of their 95 % interval.

    ``high`` is infinite where nothing bounds it.
    """

    value: float
    low: float
    high: float


def capture_recapture(first: int, second: int, both: int) -> Hidden:
    """Lenses that neither of two independent searches has found.

    Chapman's estimator of the total, (n1 + 1)(n2 + 1)/(m + 1) − 1 (Chapman 1951, Univ. California
    Publ. Statist. 1, 131), with the variance of Seber 1970 (Biometrics 26, 13); the interval is
    log-normal in what is hidden (Chao 1987, Biometrics 43, 783), so that no end lies below 0.
    Where both searches favor bright arcs, more are hidden than it says: a lower limit.

    Parameters
    ----------
    first, second, both : int
        Lenses found by one, by the other, and by both.

    Raises
    ------
    BadInputError
        If ``both`` is not among either.
    """
    if not 0 <= both <= min(first, second):
        raise BadInputError(
            f"Capture-recapture: {both} lenses found by both of searches that found {first} and "
            f"{second}."
        )
    seen = first + second - both
    total = (first + 1) * (second + 1) / (both + 1) - 1
    hidden = total - seen
    if hidden <= 0:
        # One search has found all of the other's: bounded by what a share of 0 of it may be.
        return Hidden(0.0, 0.0, _most_missed(first, second, both))
    variance = (
        (first + 1) * (second + 1) * (first - both) * (second - both)
        / ((both + 1) ** 2 * (both + 2))
    )  # fmt: skip
    factor = math.exp(norm.ppf(0.975) * math.sqrt(math.log1p(variance / hidden**2)))
    return Hidden(hidden, hidden / factor, hidden * factor)


def _most_missed(first: int, second: int, both: int) -> float:
    """Upper end where one search found nothing that the other missed.

    The larger search missed none of ``both`` lenses: with 97.5 % it misses at most
    1 − 0.025^(1/m) of all, m = ``both``.
    """
    if not both:
        return math.inf
    missed = 1 - 0.025 ** (1 / both)
    return max(first, second) * missed / (1 - missed)


@dataclass(frozen=True)
class Tail:
    """Lenses among the objects that nobody has judged.

    Attributes
    ----------
    hidden : Hidden
    objects : int
    ratio : float
        Lenses found over lenses that the probabilities promised, among judged objects; NaN where
        none were judged: the probabilities are then taken as they are.
    judged, promised : float
        Lenses among judged objects, and the sum of their probabilities.
    """

    hidden: Hidden
    objects: int
    ratio: float
    judged: int
    promised: float


def calibrated_tail(
    probability: Float64Array, judged_probability: Float64Array, lenses: int
) -> Tail:
    """Σ p of unjudged objects, corrected by what judged ones turned out to be.

    The number of lenses among the judged is Poisson around ratio · Σ p; the interval of the ratio
    is Garwood's (1936, Biometrika 28, 437), and that of the hidden lenses has their own Poisson
    scatter beside it. With nothing judged it holds that scatter alone.

    Parameters
    ----------
    probability : ndarray of shape (n,)
        Calibrated, at the survey's class prior, of the objects that nobody has judged.
    judged_probability : ndarray of shape (m,)
        Of those that somebody has.
    lenses : int
        Of the judged.
    """
    expected, promised = float(probability.sum()), float(judged_probability.sum())
    n, m = len(probability), len(judged_probability)
    if not 0 <= lenses <= m:
        raise BadInputError(f"{lenses} lenses among {m} judged objects.")
    if not promised > 0:
        scatter = norm.ppf(0.975) * math.sqrt(float((probability * (1 - probability)).sum()))
        low, high = max(0.0, expected - scatter), min(float(n), expected + scatter)
        return Tail(Hidden(expected, low, high), n, math.nan, lenses, promised)
    ratio = lenses / promised
    least = chi2.ppf(0.025, 2 * lenses) / 2 / promised if lenses else 0.0
    most = chi2.ppf(0.975, 2 * lenses + 2) / 2 / promised
    value = min(ratio * expected, float(n))
    scatter = norm.ppf(0.975) * math.sqrt(value)
    low = max(0.0, value - math.hypot((ratio - least) * expected, scatter))
    high = min(float(n), value + math.hypot((most - ratio) * expected, scatter))
    return Tail(Hidden(value, low, high), n, ratio, lenses, promised)


@dataclass(frozen=True)
class Price:
    """Price of the next lenses.

    Attributes
    ----------
    lenses : int
    objects : int or None
        To be looked at, in the order of the ranking; None where all that is left holds fewer.
    minutes : float or None
    low_minutes, high_minutes : float or None
        At the ends of the interval of the ratio; None as above.
    """

    lenses: int
    objects: int | None
    minutes: float | None
    low_minutes: float | None
    high_minutes: float | None


def price_of_next(
    probability: Float64Array, tail: Tail, seconds_each: float, *, lenses: int = NEXT
) -> Price:
    """Expert minutes for the next ``lenses`` of the unjudged objects, the best scores first.

    Raises
    ------
    BadInputError
        If the time for each is not above 0.
    """
    if not seconds_each > 0:
        raise BadInputError(f"{seconds_each:g} s for each object: give a time above 0.")
    promised = np.cumsum(np.sort(probability)[::-1])
    expected = float(promised[-1]) if len(promised) else 0.0
    unit = tail.hidden.value / expected if expected > 0 else 0.0

    def objects(scale: float) -> int | None:
        reached = scale * promised >= lenses
        return int(reached.argmax()) + 1 if reached.any() else None

    def minutes(count: int | None) -> float | None:
        return None if count is None else count * seconds_each / 60

    ends = [h / expected if expected > 0 else 0.0 for h in (tail.hidden.high, tail.hidden.low)]
    n = objects(unit)
    return Price(lenses, n, minutes(n), *(minutes(objects(end)) for end in ends))
