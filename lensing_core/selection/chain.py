"""Selection functions from injected lenses: of one step, and of a chain of steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensing_core.arrays import Float64Array
from lensing_core.errors import BadInputError
from lensing_core.selection.curves import Axis
from lensing_core.selection.function import SelectionFunction
from lensing_core.selection.injections import CellCounts, Grid, Injections
from lensing_core.selection.surface import LogisticSurface

FEWEST = 20
"""Lenses that a step must have been asked about to be fitted."""


@dataclass(frozen=True)
class SelectionMap:
    """A selection function with the counts that it was fitted on.

    Attributes
    ----------
    name : str
    function : SelectionFunction
    grid : Grid
    counts : CellCounts
        Of a single step: lenses asked about and passed. Of a chain: lenses that every step was
        asked about until it was missed, and those that passed all.
    misfit : float
        See :meth:`LogisticSurface.misfit`; of a single step, else NaN.
    unknown : int
        Lenses of a later step of which it is not known whether they pass an earlier one; for these
        the two are taken to be independent at given θ_E and S/N.
    """

    name: str
    function: SelectionFunction
    grid: Grid
    counts: CellCounts
    misfit: float
    unknown: int = 0

    @property
    def found(self) -> int:
        return int(self.counts.found.sum())

    @property
    def total(self) -> int:
        return int(self.counts.total.sum())

    def along(self, axis: Axis) -> tuple[Float64Array, Float64Array, Float64Array, Float64Array]:
        """Counts summed over the other axis: centers, share found, ends of its 95 % interval."""
        rows = axis == "theta_e_arcsec"
        edges = self.grid.theta_e_edges_arcsec if rows else self.grid.arc_snr_edges
        counts = CellCounts(
            self.counts.found.sum(axis=int(rows)), self.counts.total.sum(axis=int(rows))
        )
        return np.sqrt(edges[:-1] * edges[1:]), counts.share, *counts.interval


def of_step(
    injections: Injections,
    step: str,
    grid: Grid,
    *,
    after: Sequence[str] = (),
    notes: Mapping[str, Any] | None = None,
) -> SelectionMap:
    """The completeness of one step, given that lenses pass the steps ``after`` which it comes.

    Raises
    ------
    BadInputError
        If fewer than :data:`FEWEST` lenses can tell it.
    """
    asked = injections.asked_of(step, after=after)
    n = int(asked.sum())
    if n < FEWEST:
        raise BadInputError(
            f"{n} injected lenses tell the completeness of step {step!r}, too few; {FEWEST} are "
            "needed."
        )
    theta, snr = injections.theta_e_arcsec[asked], injections.arc_snr[asked]
    found = injections.found_by(step)[asked]
    surface = LogisticSurface.fit(theta, snr, found, domain=_domain(injections, step, after, grid))
    counts = grid.count(theta, snr, found)
    return SelectionMap(
        step,
        SelectionFunction(step, (surface,), dict(notes or {})),
        grid,
        counts,
        surface.misfit(grid, counts),
        injections.unknown_before(step, after=after),
    )


def of_chain(
    injections: Injections,
    steps: Sequence[str],
    grid: Grid,
    *,
    name: str = "combined",
    notes: Mapping[str, Any] | None = None,
) -> SelectionMap:
    """The completeness of all steps together: the product of each, given those before it.

    Raises
    ------
    BadInputError
        As :func:`of_step`.
    """
    parts = [of_step(injections, step, grid, after=steps[:k]) for k, step in enumerate(steps)]
    missed = np.zeros(len(injections), dtype=bool)
    passed = np.ones(len(injections), dtype=bool)
    for step in steps:
        found = injections.found_by(step)
        missed |= injections.asked_of(step) & ~found
        passed &= found
    told = missed | passed
    counts = grid.count(injections.theta_e_arcsec[told], injections.arc_snr[told], passed[told])
    surfaces = tuple(part.function.surfaces[0] for part in parts)
    return SelectionMap(
        name,
        SelectionFunction(name, surfaces, {"steps": list(steps), **(notes or {})}),
        grid,
        counts,
        float("nan"),
        sum(part.unknown for part in parts),
    )


def _domain(
    injections: Injections, step: str, after: Sequence[str], grid: Grid
) -> tuple[tuple[float, float], tuple[float, float]]:
    """The part of the grid with lenses that the step was asked about, or an earlier one missed."""
    told = injections.asked_of(step)
    for earlier in after:
        told |= injections.asked_of(earlier) & ~injections.found_by(earlier)
    ends = []
    for values, edges in (
        (injections.theta_e_arcsec[told], grid.theta_e_edges_arcsec),
        (injections.arc_snr[told], grid.arc_snr_edges),
    ):
        low = max(float(values.min()), float(edges[0]))
        high = min(float(values.max()), float(edges[-1]))
        ends.append((low, high))
    return ends[0], ends[1]
