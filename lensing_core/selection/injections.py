"""Injected lenses, what each step of a search made of them, and their counts in cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lensing_core.arrays import BoolArray, Float64Array, IntArray
from lensing_core.errors import BadInputError
from lensing_core.proportions import clopper_pearson

MISSED, PASSED, NOT_ASKED = 0, 1, -1


@dataclass(frozen=True)
class Injections:
    """Injected lenses.

    Attributes
    ----------
    theta_e_arcsec, arc_snr : ndarray of shape (n,)
        Einstein radius, and S/N of all arcs together.
    outcomes : mapping of str to ndarray of shape (n,), int64
        By step, in the order of the search: :data:`PASSED`, :data:`MISSED` or :data:`NOT_ASKED`.
    """

    theta_e_arcsec: Float64Array
    arc_snr: Float64Array
    outcomes: Mapping[str, IntArray]

    def __post_init__(self) -> None:
        n = len(self.theta_e_arcsec)
        if any(len(values) != n for values in (self.arc_snr, *self.outcomes.values())):
            raise BadInputError("Injections: give θ_E, S/N and an outcome of each step for all.")
        for values in (self.theta_e_arcsec, self.arc_snr):
            if not (np.isfinite(values) & (values > 0)).all():
                raise BadInputError("Injections: θ_E and S/N must be numbers above 0.")

    def __len__(self) -> int:
        return len(self.theta_e_arcsec)

    def asked_of(self, step: str, *, after: Sequence[str] = ()) -> BoolArray:
        """Mask of lenses put to ``step`` that no step of ``after`` missed, shape (n,)."""
        chosen = self._outcome(step) != NOT_ASKED
        for earlier in after:
            chosen &= self._outcome(earlier) != MISSED
        return chosen

    def unknown_before(self, step: str, *, after: Sequence[str]) -> int:
        """Return how many of :meth:`asked_of` some step of ``after`` was not asked about."""
        chosen = self.asked_of(step, after=after)
        unknown = np.zeros(len(self), dtype=bool)
        for earlier in after:
            unknown |= self._outcome(earlier) == NOT_ASKED
        return int((chosen & unknown).sum())

    def found_by(self, step: str) -> BoolArray:
        """Mask of lenses that passed a step, shape (n,)."""
        return self._outcome(step) == PASSED

    def _outcome(self, step: str) -> IntArray:
        if step not in self.outcomes:
            known = ", ".join(self.outcomes) or "none"
            raise BadInputError(f"Injections: there is no step {step!r}; steps: {known}.")
        return self.outcomes[step]


@dataclass(frozen=True)
class Grid:
    """Cells in θ_E and S/N.

    Attributes
    ----------
    theta_e_edges_arcsec, arc_snr_edges : ndarray of shape (t + 1,), (s + 1,)
    """

    theta_e_edges_arcsec: Float64Array
    arc_snr_edges: Float64Array

    def __post_init__(self) -> None:
        for name, edges in (("θ_E", self.theta_e_edges_arcsec), ("S/N", self.arc_snr_edges)):
            if len(edges) < 2 or edges[0] <= 0 or not (np.diff(edges) > 0).all():
                raise BadInputError(f"Grid: edges in {name} must be above 0 and rise.")

    @classmethod
    def logarithmic(
        cls,
        theta_e_arcsec: tuple[float, float],
        arc_snr: tuple[float, float],
        shape: tuple[int, int],
    ) -> Grid:
        """Cells of equal width in the logarithms of both."""
        return cls(
            np.geomspace(*theta_e_arcsec, shape[0] + 1), np.geomspace(*arc_snr, shape[1] + 1)
        )

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.theta_e_edges_arcsec) - 1, len(self.arc_snr_edges) - 1

    def centers(self) -> tuple[Float64Array, Float64Array]:
        """Geometric means of the edges of all cells, θ_E and S/N, each of the grid's shape."""
        theta, snr = (
            np.sqrt(edges[:-1] * edges[1:])
            for edges in (self.theta_e_edges_arcsec, self.arc_snr_edges)
        )
        made = np.meshgrid(theta, snr, indexing="ij")
        return made[0], made[1]

    def cell_of(self, theta_e_arcsec: ArrayLike, arc_snr: ArrayLike) -> IntArray:
        """Number of the cell of each lens, rows of θ_E first; −1 outside the grid."""
        places = []
        for values, edges in (
            (np.asarray(theta_e_arcsec), self.theta_e_edges_arcsec),
            (np.asarray(arc_snr), self.arc_snr_edges),
        ):
            place = np.searchsorted(edges, values, side="right") - 1
            place[values == edges[-1]] = len(edges) - 2
            place[(place < 0) | (place >= len(edges) - 1)] = -1
            places.append(place)
        inside = (places[0] >= 0) & (places[1] >= 0)
        return np.asarray(np.where(inside, places[0] * self.shape[1] + places[1], -1))

    def count(
        self, theta_e_arcsec: Float64Array, arc_snr: Float64Array, found: BoolArray
    ) -> CellCounts:
        """Count lenses and those that were found, cell by cell."""
        cell = self.cell_of(theta_e_arcsec, arc_snr)
        n = self.shape[0] * self.shape[1]
        total = np.bincount(cell[cell >= 0], minlength=n).reshape(self.shape)
        hits = np.bincount(cell[(cell >= 0) & found], minlength=n).reshape(self.shape)
        return CellCounts(hits, total)


@dataclass(frozen=True)
class CellCounts:
    """Lenses ``found`` of ``total`` in each cell; ndarrays of the grid's shape, int64."""

    found: IntArray
    total: IntArray

    @property
    def share(self) -> Float64Array:
        """NaN where a cell is empty."""
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(self.total > 0, self.found / self.total, np.nan))

    @property
    def interval(self) -> tuple[Float64Array, Float64Array]:
        """Ends of the 95 % Clopper-Pearson intervals; 0 and 1 where a cell is empty."""
        return clopper_pearson(self.found, self.total)
