"""The selection function: completeness C(θ_E, S/N) of a chain of steps, with its covariance.

The completeness of a chain is the product of those of its steps, each fitted on the lenses that the
steps before did not miss. All errors are of first order, from the covariances of the surfaces.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit, logit
from scipy.stats import norm

from lensing_core.arrays import BoolArray, Float64Array
from lensing_core.errors import BadInputError
from lensing_core.selection.surface import LogisticSurface

_LEAST = 1e-300


@dataclass(frozen=True)
class Completeness:
    """Completeness with the ends of its interval and its standard error, arrays of one shape.

    NaN where no lenses were injected.
    """

    value: Float64Array
    low: Float64Array
    high: Float64Array
    error: Float64Array


@dataclass(frozen=True)
class SelectionFunction:
    """A callable C(θ_E, S/N).

    Attributes
    ----------
    name : str
        What it is the completeness of: the machine, a grader, the whole search.
    surfaces : tuple of LogisticSurface
        Of the steps, whose product it is.
    notes : dict
        Plain JSON on where it comes from.
    """

    name: str
    surfaces: tuple[LogisticSurface, ...]
    notes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.surfaces:
            raise BadInputError("A selection function needs at least one step.")

    @property
    def domain(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Ranges of θ_E and S/N in which all steps had lenses."""
        low = np.array([s.domain for s in self.surfaces])[..., 0].max(axis=0)
        high = np.array([s.domain for s in self.surfaces])[..., 1].min(axis=0)
        return (float(low[0]), float(high[0])), (float(low[1]), float(high[1]))

    def covers(self, theta_e_arcsec: ArrayLike, arc_snr: ArrayLike) -> BoolArray:
        """Return whether lenses lie in :attr:`domain`."""
        inside = np.ones(np.broadcast(theta_e_arcsec, arc_snr).shape, dtype=bool)
        for values, (low, high) in zip((theta_e_arcsec, arc_snr), self.domain, strict=True):
            given = np.asarray(values, dtype=np.float64)
            inside &= (given >= low * (1 - 1e-9)) & (given <= high * (1 + 1e-9))
        return inside

    def __call__(
        self, theta_e_arcsec: ArrayLike, arc_snr: ArrayLike, *, level: float = 0.95
    ) -> Completeness:
        """Completeness of lenses, with the interval of a level.

        Parameters
        ----------
        theta_e_arcsec, arc_snr : array_like
            Broadcast against one another; what lies outside :attr:`domain` gets NaN.
        """
        theta, snr = np.broadcast_arrays(
            np.asarray(theta_e_arcsec, dtype=np.float64), np.asarray(arc_snr, dtype=np.float64)
        )
        inside = self.covers(theta, snr)
        columns = [np.full(theta.shape, np.nan) for _ in range(4)]
        value, z, spread = self._logit(theta[inside], snr[inside])
        half = norm.ppf(0.5 + level / 2) * spread
        for column, values in zip(
            columns,
            (value, expit(z - half), expit(z + half), value * (1 - value) * spread),
            strict=True,
        ):
            column[inside] = values
        return Completeness(*columns)

    def covariance(self, theta_e_arcsec: ArrayLike, arc_snr: ArrayLike) -> Float64Array:
        """Covariance of the completeness of m lenses, shape (m, m); NaN outside the domain."""
        theta, snr = np.ravel(theta_e_arcsec), np.ravel(arc_snr)
        inside = self.covers(theta, snr)
        found = np.full((len(theta), len(theta)), np.nan)
        made = np.zeros((int(inside.sum()),) * 2)
        for jacobian, surface in self._jacobians(theta[inside], snr[inside]):
            made += jacobian @ surface.covariance @ jacobian.T
        found[np.ix_(inside, inside)] = made
        return found

    def mean(
        self,
        theta_e_arcsec: ArrayLike,
        arc_snr: ArrayLike,
        weights: ArrayLike | None = None,
        *,
        level: float = 0.95,
    ) -> Completeness:
        """Mean completeness of lenses inside the domain, weighted, as arrays of shape ().

        NaN where none is inside.
        """
        theta, snr = np.ravel(theta_e_arcsec), np.ravel(arc_snr)
        given = np.ones(len(theta)) if weights is None else np.ravel(weights)
        inside = self.covers(theta, snr)
        total = float(given[inside].sum())
        if not total > 0:
            return Completeness(*(np.array(np.nan) for _ in range(4)))
        share = given[inside] / total
        value = float(share @ self._logit(theta[inside], snr[inside])[0])
        variance = 0.0
        for jacobian, surface in self._jacobians(theta[inside], snr[inside]):
            slope = share @ jacobian
            variance += float(slope @ surface.covariance @ slope)
        error = float(np.sqrt(variance))
        # On the scale of the logit, so that no end leaves 0 to 1.
        spread = error / max(value * (1 - value), _LEAST)
        half, z = norm.ppf(0.5 + level / 2) * spread, logit(value)
        return Completeness(*map(np.array, (value, expit(z - half), expit(z + half), error)))

    def _logit(
        self, theta: Float64Array, snr: Float64Array
    ) -> tuple[Float64Array, Float64Array, Float64Array]:
        """C of flat arrays, logit C, and the standard error of logit C."""
        logs = self._log_completeness(theta, snr)
        value, rest = np.exp(logs), np.maximum(-np.expm1(logs), _LEAST)
        variance = np.zeros(len(logs))
        for surface in self.surfaces:
            design = surface.design(theta, snr)
            slope = design * (expit(-(design @ surface.coefficients)) / rest)[:, None]
            variance += np.einsum("mi,ij,mj->m", slope, surface.covariance, slope)
        return value, logs - np.log(rest), np.sqrt(variance)

    def _log_completeness(self, theta: Float64Array, snr: Float64Array) -> Float64Array:
        logs = np.zeros(len(theta))
        for surface in self.surfaces:
            logs += log_expit(surface.design(theta, snr) @ surface.coefficients)
        return logs

    def _jacobians(
        self, theta: Float64Array, snr: Float64Array
    ) -> list[tuple[Float64Array, LogisticSurface]]:
        """∂C/∂b of flat arrays by the coefficients of each surface, (m, p)."""
        value = np.exp(self._log_completeness(theta, snr))
        found = []
        for surface in self.surfaces:
            design = surface.design(theta, snr)
            slope = value * expit(-(design @ surface.coefficients))
            found.append((design * slope[:, None], surface))
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "name": self.name,
            "surfaces": [surface.to_json() for surface in self.surfaces],
            "notes": self.notes,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> SelectionFunction:
        """Read what :meth:`to_json` wrote; raises BadInputError."""
        if not isinstance(stored, dict) or not isinstance(stored.get("surfaces"), list):
            raise BadInputError("This is no stored selection function: it names no surfaces.")
        surfaces = tuple(LogisticSurface.from_json(one) for one in stored["surfaces"])
        return cls(str(stored.get("name", "")), surfaces, dict(stored.get("notes") or {}))
