"""Completeness of a ranking: recall of known lenses in the footprint among the first k."""

from __future__ import annotations

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy_healpix import HEALPix

from lensing_core.arrays import BoolArray, Float64Array, IntArray
from lensing_core.errors import BadInputError
from lensing_core.proportions import Proportion

NSIDES = (64, 1024)
_PER_CELL = 10


@dataclass(frozen=True)
class RecallAtK:
    """Share of known lenses among the first ``k`` of a ranking.

    Attributes
    ----------
    k, found, known : int
        Length of the list, known lenses in it, known lenses in the footprint.
    low_95, high_95 : float
        Clopper-Pearson interval.
    """

    k: int
    found: int
    known: int
    low_95: float
    high_95: float

    @property
    def recall(self) -> float:
        """NaN where no lens is known."""
        return self.found / self.known if self.known else float("nan")


def footprint(ra_deg: Float64Array, dec_deg: Float64Array, nside: int) -> IntArray:
    """The HEALPix cells (nested) that hold a candidate, sorted."""
    placed = np.isfinite(ra_deg) & np.isfinite(dec_deg)
    filled = np.zeros(12 * nside**2, dtype=bool)
    filled[_cells(ra_deg[placed], dec_deg[placed], nside)] = True
    return np.flatnonzero(filled)


def fitting_footprint(ra_deg: Float64Array, dec_deg: Float64Array) -> tuple[int, IntArray]:
    """The finest cells, from 0.9 degrees (NSIDE 64) to 3.4 arcmin, that a catalog fills.

    Coarse cells reach beyond the border of a small field, where known lenses are no loss of the
    catalog; cells that hold few candidates each leave holes in it. So the mean cell must hold
    ten.

    Returns
    -------
    int
        NSIDE.
    ndarray of int64
        The cells, as of :func:`footprint`.
    """
    n = int(np.count_nonzero(np.isfinite(ra_deg) & np.isfinite(dec_deg)))
    nside = NSIDES[-1]
    cells = footprint(ra_deg, dec_deg, nside)
    while nside > NSIDES[0] and n < _PER_CELL * max(1, len(cells)):
        nside //= 2
        cells = np.unique(cells >> 2)  # four nested cells lie in each of the next coarser grid
    return nside, cells


def in_footprint(
    ra_deg: Float64Array,
    dec_deg: Float64Array,
    cells: IntArray,
    nside: int,
) -> BoolArray:
    """Mask of positions in one of the cells; False without a position, (n,)."""
    placed = np.isfinite(ra_deg) & np.isfinite(dec_deg)
    inside = np.zeros(len(ra_deg), dtype=bool)
    inside[placed] = np.isin(_cells(ra_deg[placed], dec_deg[placed], nside), cells)
    return inside


def area_deg2(n_cells: int, nside: int) -> float:
    """Area of so many cells."""
    return n_cells * 4 * 180**2 / np.pi / (12 * nside**2)


def _cells(ra_deg: Float64Array, dec_deg: Float64Array, nside: int) -> IntArray:
    grid = HEALPix(nside=nside, order="nested")
    cells = grid.lonlat_to_healpix(ra_deg * u.deg, dec_deg * u.deg)
    return np.asarray(cells, dtype=np.int64)


def pessimistic_ranks(scores: Float64Array, of: Float64Array) -> IntArray:
    """Rank from 1 of each score of ``of`` among all ``scores``; ties all rank last.

    A list that is cut at a score holds every object of that score.
    """
    ascending = np.sort(scores)
    return len(ascending) - np.searchsorted(ascending, of, side="left")


def steps_of(n: int) -> list[int]:
    """Lengths of lists to state recall for: 10, 30, 100, 300, … and ``n`` itself."""
    steps = [m * 10**e for e in range(1, 8) for m in (1, 3)]
    return [step for step in steps if step < n] + ([n] if n else [])


def recall_at(ranks: IntArray, known: int, steps: list[int]) -> list[RecallAtK]:
    """Recall of ``known`` lenses, of which those with a rank are in the ranking.

    Raises
    ------
    BadInputError
        If more lenses have a rank than are known.
    """
    if len(ranks) > known:
        raise BadInputError(f"{len(ranks)} lenses are ranked, but only {known} are known.")
    ascending = np.sort(ranks)
    counts = np.searchsorted(ascending, steps, side="right")
    return [
        RecallAtK(k, int(n), known, *Proportion(int(n), known).interval)
        for k, n in zip(steps, counts, strict=True)
    ]
