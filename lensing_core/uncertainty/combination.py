"""Learned ways to join member logits into one: logistic stacking and Bayesian combination.

Both are fitted on logits of objects that no member was trained on (out of fold), and both return
logits at the class prior of the objects that they were fitted on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from lensing_core.arrays import Float64Array
from lensing_core.errors import BadInputError


def _check(
    logits: NDArray[np.floating], labels: NDArray[np.integer]
) -> tuple[Float64Array, Float64Array]:
    members = np.asarray(logits, dtype=np.float64)
    truth = np.asarray(labels, dtype=np.float64)
    if members.ndim != 2 or len(members) != len(truth):
        raise BadInputError(
            f"Member logits of shape {members.shape} for {len(truth)} labels: give (n, members)."
        )
    if not np.isfinite(members).all():
        raise BadInputError("Member logits hold NaN or infinity; score all objects first.")
    if set(np.unique(truth)) != {0.0, 1.0}:
        raise BadInputError("Combining members needs labeled objects of both classes.")
    return members, truth


@dataclass(frozen=True)
class LogisticStack:
    """Logistic regression on member logits (Wolpert 1992, Neural Networks 5, 241).

    Attributes
    ----------
    weights : tuple of float, one a member
    intercept : float
    """

    weights: tuple[float, ...]
    intercept: float

    @classmethod
    def fit(
        cls,
        logits: NDArray[np.floating],
        labels: NDArray[np.integer],
        *,
        inverse_penalty: float = 1.0,
    ) -> LogisticStack:
        """Fit on out-of-fold logits, shape (n, members), and labels 0/1, shape (n,).

        The ridge penalty pulls towards equal weights (the mean of the members), not towards none:
        with few labels the stack falls back to what needs no labels.
        """
        members, truth = _check(logits, labels)
        # An equal-weight start: fit the departure from the mean, which the penalty then shrinks.
        mean = members.mean(axis=1, keepdims=True)
        centered = np.hstack([mean, members[:, :-1] - mean])
        scale = np.maximum(centered.std(axis=0), 1e-9)
        fitted = LogisticRegression(C=inverse_penalty * len(truth), max_iter=1000)
        fitted.fit(centered / scale, truth)
        on_mean, *on_departure = fitted.coef_[0] / scale
        departures = np.array(on_departure)
        m = members.shape[1]
        weights = np.full(m, (on_mean - departures.sum()) / m)
        weights[:-1] += departures
        return cls(tuple(map(float, weights)), float(fitted.intercept_[0]))

    def __call__(self, logits: NDArray[np.floating]) -> Float64Array:
        """Joint logits, shape (n,), from member logits, shape (n, members)."""
        return np.asarray(logits, dtype=np.float64) @ np.array(self.weights) + self.intercept

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"weights": list(self.weights), "intercept": self.intercept}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> LogisticStack:
        """Read what :meth:`to_json` wrote."""
        return cls(tuple(stored["weights"]), stored["intercept"])


@dataclass(frozen=True)
class IsotonicBayes:
    """Each member made a probability by isotonic regression, then joined by Bayes' theorem.

    With class prior π and members independent given the class, the joint odds are
    π/(1−π) · Π_m [odds_m / (π/(1−π))] (Holloway et al. 2024, MNRAS 530, 1297). Members that see
    the same image are not independent, so the result is over-confident and needs calibration; its
    ranking is what it is for.

    Attributes
    ----------
    thresholds, values : per member, the knots of its isotonic curve (logit in, probability out)
    prior : float
        Class prior of the objects that it was fitted on.
    """

    thresholds: tuple[tuple[float, ...], ...]
    values: tuple[tuple[float, ...], ...]
    prior: float

    @classmethod
    def fit(cls, logits: NDArray[np.floating], labels: NDArray[np.integer]) -> IsotonicBayes:
        """Fit on out-of-fold logits, shape (n, members), and labels 0/1, shape (n,).

        The curve's end steps, where all or no objects are lenses, are drawn in by half an object
        (probabilities of exactly 0 or 1 would silence every other member).
        """
        members, truth = _check(logits, labels)
        thresholds, values = [], []
        for column in members.T:
            curve = IsotonicRegression(out_of_bounds="clip").fit(column, truth)
            counts = np.array([np.sum(curve.predict(column) == y) for y in curve.y_thresholds_])
            lowest = 0.5 / (counts + 1)
            probabilities = np.clip(curve.y_thresholds_, lowest, 1 - lowest)
            thresholds.append(tuple(map(float, curve.X_thresholds_)))
            values.append(tuple(map(float, np.maximum.accumulate(probabilities))))
        return cls(tuple(thresholds), tuple(values), float(truth.mean()))

    def __call__(self, logits: NDArray[np.floating]) -> Float64Array:
        """Joint logits, shape (n,), from member logits, shape (n, members)."""
        columns = np.asarray(logits, dtype=np.float64).T
        base = float(logit(self.prior))
        joint = np.full(columns.shape[1], base)
        for column, x, y in zip(columns, self.thresholds, self.values, strict=True):
            joint += logit(np.interp(column, x, y)) - base
            # Isotonic steps tie objects; a slope too small to reorder them breaks the ties by rank.
            joint += 1e-6 * (2 * expit(column) - 1)
        return joint

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "thresholds": [list(x) for x in self.thresholds],
            "values": [list(y) for y in self.values],
            "prior": self.prior,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> IsotonicBayes:
        """Read what :meth:`to_json` wrote."""
        return cls(
            tuple(tuple(x) for x in stored["thresholds"]),
            tuple(tuple(y) for y in stored["values"]),
            stored["prior"],
        )
