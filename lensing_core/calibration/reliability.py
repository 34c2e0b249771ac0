"""Reliability of probabilities: errors, scores and the bins of the diagram."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, log_expit

from lensing_core.arrays import Float64Array
from lensing_core.calibration.scaling import calibrate
from lensing_core.errors import BadInputError
from lensing_core.proportions import clopper_pearson


@dataclass(frozen=True)
class Reliability:
    """Calibration figures of logits against labels.

    Attributes
    ----------
    ece_equal_mass, ece_equal_width, mce : float
        Expected calibration error by two binnings, Σ (n_b / N) ``|ȳ_b − p̄_b|``, and the maximum
        over the equal-mass bins.
    brier, nll : float
    skill : float
        1 − nll / nll of the constant base rate; at low prevalence ECE is small for any constant,
        and this is not.
    slope, intercept : float
        Of the logistic recalibration of the logits: 1 and 0 when calibrated.
    bins : list of dict
        Equal-mass bins of the diagram: mean probability, share of lenses with its 68 % interval
        (Clopper-Pearson), and count.
    """

    ece_equal_mass: float
    ece_equal_width: float
    mce: float
    brier: float
    nll: float
    skill: float
    slope: float
    intercept: float
    bins: list[dict[str, float]]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


def _binned(
    probability: Float64Array, truth: Float64Array, which: NDArray[np.intp]
) -> tuple[Float64Array, Float64Array, Float64Array]:
    count = np.bincount(which).astype(np.float64)
    used = count > 0
    mean_p = np.bincount(which, probability)[used] / count[used]
    share = np.bincount(which, truth)[used] / count[used]
    return count[used], mean_p, share


def reliability(logits: ArrayLike, labels: ArrayLike, *, n_bins: int = 15) -> Reliability:
    """Measure calibration of logits, shape (n,), against labels 0/1, shape (n,)."""
    z, truth = np.asarray(logits, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    if z.shape != truth.shape or len(z) < n_bins:
        raise BadInputError(f"Reliability in {n_bins} bins needs at least as many objects.")
    p = expit(z)
    order = np.argsort(p, kind="stable")
    mass_bin = np.empty(len(p), dtype=np.intp)
    mass_bin[order] = np.arange(len(p)) * n_bins // len(p)
    width_bin = np.minimum((p * n_bins).astype(np.intp), n_bins - 1)
    count, mean_p, share = _binned(p, truth, mass_bin)
    gaps = np.abs(share - mean_p)
    wide_count, wide_p, wide_share = _binned(p, truth, width_bin)
    nll = float(-np.mean(truth * log_expit(z) + (1 - truth) * log_expit(-z)))
    base = truth.mean()
    constant = float(-(base * np.log(base) + (1 - base) * np.log1p(-base)))
    line = calibrate(z, truth, "platt")
    n_lenses = share * count
    low, high = clopper_pearson(n_lenses, count, level=0.68)
    return Reliability(
        ece_equal_mass=float((count * gaps).sum() / len(p)),
        ece_equal_width=float((wide_count * np.abs(wide_share - wide_p)).sum() / len(p)),
        mce=float(gaps.max()),
        brier=float(np.mean((p - truth) ** 2)),
        nll=nll,
        skill=1 - nll / constant,
        slope=line.slope,
        intercept=line.intercept,
        bins=[
            {
                "probability": float(a),
                "share": float(b),
                "low": float(c),
                "high": float(d),
                "count": float(e),
            }
            for a, b, c, d, e in zip(mean_p, share, low, high, count, strict=True)
        ],
    )
