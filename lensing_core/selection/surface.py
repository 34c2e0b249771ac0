"""Completeness as a smooth function of θ_E and S/N: a logistic surface with its covariance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit, log_expit
from scipy.stats import chi2

from lensing_core.arrays import BoolArray, Float64Array
from lensing_core.errors import BadInputError
from lensing_core.selection.injections import CellCounts, Grid

EVENTS_PER_COEFFICIENT = 10
"""Of the rarer outcome, below which a surface is a plane (Peduzzi et al. 1996, J. Clin. Epidemiol.
49, 1373)."""
_SD_INTERCEPT, _SD_SLOPE = 10.0, 5.0
"""Of the normal priors, in units of one standard deviation of ln θ_E and ln S/N: so weak that they
only keep slopes finite where a line parts found from missed (Gelman et al. 2008, Ann. Appl. Stat.
2, 1360)."""


@dataclass(frozen=True)
class LogisticSurface:
    """logit C = b · (1, u, v[, u², uv, v²]), u and v the standardized ln θ_E and ln S/N.

    Attributes
    ----------
    coefficients : ndarray of shape (p,)
        3 of a plane, 6 of a quadratic surface.
    covariance : ndarray of shape (p, p)
        Inverse of the observed information.
    center, scale : tuple of float
        Of ln θ_E and ln S/N.
    domain : tuple of tuple of float
        Range of θ_E (arcsec) and of S/N that lenses were injected in.
    found, total : int
        Lenses that it was fitted on.
    """

    coefficients: Float64Array
    covariance: Float64Array
    center: tuple[float, float]
    scale: tuple[float, float]
    domain: tuple[tuple[float, float], tuple[float, float]]
    found: int
    total: int

    @classmethod
    def fit(
        cls,
        theta_e_arcsec: Float64Array,
        arc_snr: Float64Array,
        found: BoolArray,
        *,
        domain: tuple[tuple[float, float], tuple[float, float]] | None = None,
    ) -> LogisticSurface:
        """Fit by the largest posterior under weak priors.

        Quadratic where both outcomes have :data:`EVENTS_PER_COEFFICIENT` lenses for each of its
        six coefficients, else a plane.

        Raises
        ------
        BadInputError
            If there are no lenses.
        """
        if not len(found):
            raise BadInputError("A selection function needs injected lenses, and there are none.")
        logs = np.log(np.stack([theta_e_arcsec, arc_snr], axis=1))
        center, scale = logs.mean(axis=0), np.maximum(logs.std(axis=0), 1e-6)
        rarer = min(int(found.sum()), int((~found).sum()))
        degree = 2 if rarer >= 6 * EVENTS_PER_COEFFICIENT else 1
        design = _design((logs - center) / scale, degree)
        precision = np.full(design.shape[1], _SD_SLOPE**-2)
        precision[0] = _SD_INTERCEPT**-2
        sign = np.where(found, 1.0, -1.0)

        def cost(b: Float64Array) -> tuple[float, Float64Array]:
            z = design @ b
            loss = -log_expit(sign * z).sum() + 0.5 * (precision * b * b).sum()
            return float(loss), design.T @ (expit(z) - found) + precision * b

        def curvature(b: Float64Array) -> Float64Array:
            p = expit(design @ b)
            return np.asarray((design.T * (p * (1 - p))) @ design + np.diag(precision))

        start = np.zeros(design.shape[1])
        fitted = minimize(cost, start, jac=True, hess=curvature, method="trust-exact")
        low, high = np.exp(logs.min(axis=0)), np.exp(logs.max(axis=0))
        between = ((float(low[0]), float(high[0])), (float(low[1]), float(high[1])))
        return cls(
            fitted.x,
            np.asarray(np.linalg.inv(curvature(fitted.x)), dtype=np.float64),
            (float(center[0]), float(center[1])),
            (float(scale[0]), float(scale[1])),
            domain or between,
            int(found.sum()),
            len(found),
        )

    @property
    def degree(self) -> int:
        """Return 1 of a plane, 2 of a quadratic surface."""
        return 1 if len(self.coefficients) == 3 else 2

    def design(self, theta_e_arcsec: ArrayLike, arc_snr: ArrayLike) -> Float64Array:
        """Terms of the polynomial for flat arrays of m lenses, shape (m, p)."""
        logs = np.log(np.stack([np.ravel(theta_e_arcsec), np.ravel(arc_snr)], axis=1))
        return _design((logs - np.array(self.center)) / np.array(self.scale), self.degree)

    def misfit(self, grid: Grid, counts: CellCounts) -> float:
        """Probability of a Pearson χ² at least as large, were the surface right; NaN: too few.

        Over cells in which at least 3 lenses are expected on either side.
        """
        p = expit(self.design(*grid.centers()) @ self.coefficients).reshape(grid.shape)
        n = counts.total
        used = np.minimum(n * p, n * (1 - p)) >= 3
        freedom = int(used.sum()) - len(self.coefficients)
        if freedom < 1:
            return float("nan")
        pull = (counts.found - n * p)[used] ** 2 / (n * p * (1 - p))[used]
        return float(chi2.sf(pull.sum(), freedom))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "coefficients": self.coefficients.tolist(),
            "covariance": self.covariance.tolist(),
            "center": list(self.center),
            "scale": list(self.scale),
            "domain": [list(ends) for ends in self.domain],
            "found": self.found,
            "total": self.total,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> LogisticSurface:
        """Read what :meth:`to_json` wrote; raises BadInputError."""
        try:
            coefficients = np.array(stored["coefficients"], dtype=np.float64)
            covariance = np.array(stored["covariance"], dtype=np.float64)
            p = len(coefficients)
            if p not in (3, 6) or covariance.shape != (p, p):
                raise ValueError(f"{p} coefficients with a covariance of {covariance.shape}")
            (u, v), (du, dv) = stored["center"], stored["scale"]
            (t0, t1), (s0, s1) = stored["domain"]
            return cls(
                coefficients,
                covariance,
                (float(u), float(v)),
                (float(du), float(dv)),
                ((float(t0), float(t1)), (float(s0), float(s1))),
                int(stored["found"]),
                int(stored["total"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadInputError(f"This is no stored selection function: {error}.") from error


def _design(x: Float64Array, degree: int) -> Float64Array:
    u, v = x.T
    terms = [np.ones(len(x)), u, v]
    if degree == 2:
        terms += [u * u, u * v, v * v]
    return np.stack(terms, axis=1)
