"""Maps from a raw logit to a calibrated one, fitted on objects that nothing was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit

from lensing_core.arrays import Float64Array
from lensing_core.errors import BadInputError

Method = Literal["temperature", "platt", "isotonic"]
MIN_FOR_ISOTONIC = 1000


@dataclass(frozen=True)
class Calibration:
    """A fitted map from raw to calibrated logit.

    Temperature (Guo et al. 2017) is slope · z with slope = 1 / T > 0; Platt (1999) adds an
    intercept; isotonic regression is a staircase, interpolated so that it stays monotone and
    keeps the order of objects.

    Attributes
    ----------
    method : {'temperature', 'platt', 'isotonic'}
    slope, intercept : float
        Of the linear methods.
    knots, values : tuple of float
        Of isotonic regression: raw logits and their calibrated logits.
    prior : float
        Share of lenses among the objects that it was fitted on.
    """

    method: Method
    slope: float
    intercept: float
    knots: tuple[float, ...]
    values: tuple[float, ...]
    prior: float

    def __call__(self, logits: ArrayLike) -> Float64Array:
        """Calibrated logits, at class prior :attr:`prior`."""
        raw = np.asarray(logits, dtype=np.float64)
        if self.method != "isotonic":
            return self.slope * raw + self.intercept
        inside = np.interp(raw, self.knots, self.values)
        # Beyond the last knots, and along flat steps, a small slope keeps the ranking.
        return inside + 1e-3 * raw

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "method": self.method,
            "slope": self.slope,
            "intercept": self.intercept,
            "knots": list(self.knots),
            "values": list(self.values),
            "prior": self.prior,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Calibration:
        """Read what :meth:`to_json` wrote."""
        return cls(**{**stored, "knots": tuple(stored["knots"]), "values": tuple(stored["values"])})


def calibrate(
    logits: ArrayLike, labels: ArrayLike, method: Method | Literal["auto"] = "auto"
) -> Calibration:
    """Fit a calibration on held-out logits and labels 0/1, both of shape (n,).

    'auto' takes isotonic regression for 1,000 objects or more, else Platt. Objects are never
    weighted by class: that would calibrate for a prior that no survey has.

    Raises
    ------
    BadInputError
        On non-finite logits, one class only, or isotonic regression with too few objects.
    """
    raw, truth = np.asarray(logits, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    if raw.shape != truth.shape or raw.ndim != 1 or not np.isfinite(raw).all():
        raise BadInputError("Calibration needs one finite logit for each label.")
    if set(np.unique(truth)) != {0.0, 1.0}:
        raise BadInputError("Calibration needs objects of both classes.")
    if method == "auto":
        method = "isotonic" if len(raw) >= MIN_FOR_ISOTONIC else "platt"
    prior = float(truth.mean())
    if method == "isotonic":
        if len(raw) < MIN_FOR_ISOTONIC:
            raise BadInputError(
                f"Isotonic regression needs {MIN_FOR_ISOTONIC} objects; there are {len(raw)}."
            )
        return _isotonic(raw, truth, prior)
    slope, intercept = _linear(raw, truth, with_intercept=method == "platt")
    return Calibration(method, slope, intercept, (), (), prior)


def _linear(raw: Float64Array, truth: Float64Array, *, with_intercept: bool) -> tuple[float, float]:
    """Minimize the negative log likelihood over log slope (and intercept) by L-BFGS."""
    # Platt's targets: with few objects of a class, 0 and 1 would be over-confident.
    n1, n0 = truth.sum(), (1 - truth).sum()
    target = np.where(truth == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2)) if with_intercept else truth
    scale = max(float(np.std(raw)), 1e-9)

    def loss(parameters: Float64Array) -> tuple[float, Float64Array]:
        slope = np.exp(parameters[0])
        z = slope * raw / scale + (parameters[1] if with_intercept else 0.0)
        value = -np.mean(target * log_expit(z) + (1 - target) * log_expit(-z))
        error = (expit(z) - target) / len(raw)
        gradient = [float((error * raw / scale).sum() * slope), float(error.sum())]
        return float(value), np.array(gradient[: len(parameters)])

    start = np.zeros(2 if with_intercept else 1)
    bounds = [(-8.0, 8.0), (-50.0, 50.0)][: len(start)]
    solution = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(np.exp(solution[0]) / scale), float(solution[1]) if with_intercept else 0.0


def _isotonic(raw: Float64Array, truth: Float64Array, prior: float) -> Calibration:
    from sklearn.isotonic import IsotonicRegression  # here: pages apply maps and fit none

    curve = IsotonicRegression(out_of_bounds="clip").fit(raw, truth)
    fitted = curve.predict(raw)
    steps, counts = np.unique(fitted, return_counts=True)
    centers = np.array([raw[fitted == step].mean() for step in steps])
    # Half an object at the ends: no finite sample shows a probability of exactly 0 or 1.
    probability = np.clip(steps, 0.5 / (counts + 1), 1 - 0.5 / (counts + 1))
    values = np.maximum.accumulate(logit(probability))
    return Calibration(
        "isotonic",
        1.0,
        0.0,
        tuple(map(float, centers)),
        tuple(map(float, values - 1e-3 * centers)),
        prior,
    )


def shift_prior(logits: ArrayLike, from_prior: float, to_prior: float) -> Float64Array:
    """Move calibrated logits from one class prior to another (Saerens et al. 2002).

    odds' = odds · [π' / (1 − π')] / [π / (1 − π)].
    """
    for prior in (from_prior, to_prior):
        if not 0 < prior < 1:
            raise BadInputError(f"Class prior {prior}: give a number between 0 and 1.")
    return np.asarray(logits, dtype=np.float64) + float(logit(to_prior) - logit(from_prior))
