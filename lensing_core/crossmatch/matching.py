"""Positional matching: pairs within a radius, and the state of each.

The separation r of two positions of one object follows a Rayleigh distribution when errors are
Gaussian: with σ² = σ₁² + σ₂² (one axis of each), P(r/σ > x) = exp(−x²/2) (e.g. de Ruiter,
Willis & Arp 1977, A&AS 28, 211). So a pair is judged by its normalized separation r/σ, and by
whether there is any other counterpart within the radius, on either side. The nearest is never
taken silently.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from lensing_core.arrays import BoolArray, Float64Array, IntArray
from lensing_core.crossmatch.choices import MAX_NORMALIZED
from lensing_core.errors import BadInputError

ARCSEC = np.pi / 648_000
MAX_RADIUS_ARCSEC = 3600.0
MAX_PAIRS = 20_000_000
_AT_ONCE = 200_000


class Status(IntEnum):
    """Status of a pair, or of an object as a whole."""

    UNMATCHED = 0
    MATCHED = 1
    REVIEW = 2
    UNPLACED = 3  # without a position: nothing can be said

    @property
    def code(self) -> str:
        """Name as stored and shown: 'matched', 'review', …"""
        return self.name.lower()


@dataclass(frozen=True)
class Positions:
    """Positions on the sky with their errors.

    Attributes
    ----------
    ra_deg, dec_deg : ndarray of shape (n,)
        ICRS, degrees; NaN where unknown.
    error_arcsec : ndarray of shape (n,)
        Standard error along one axis, arcsec.
    """

    ra_deg: Float64Array
    dec_deg: Float64Array
    error_arcsec: Float64Array

    def __post_init__(self) -> None:
        shapes = {a.shape for a in (self.ra_deg, self.dec_deg, self.error_arcsec)}
        if len(shapes) != 1 or self.ra_deg.ndim != 1:
            raise BadInputError(
                "Positions: right ascension, declination and error must be of one length; found "
                f"shapes {self.ra_deg.shape}, {self.dec_deg.shape}, {self.error_arcsec.shape}."
            )
        placed = self.placed
        if np.any(np.abs(self.dec_deg[placed]) > 90):
            raise BadInputError("Positions: a declination lies outside -90 to 90 degrees.")
        if not np.all(self.error_arcsec[placed] > 0):
            raise BadInputError("Positions: every position error must be above 0 arcsec.")

    def __len__(self) -> int:
        return len(self.ra_deg)

    @property
    def placed(self) -> BoolArray:
        """Mask of the entries that have a position."""
        return np.isfinite(self.ra_deg) & np.isfinite(self.dec_deg)

    @classmethod
    def of(
        cls,
        ra_deg: Float64Array,
        dec_deg: Float64Array,
        error_arcsec: Float64Array | float,
        default: float = 1.0,
    ) -> Positions:
        """Make positions from arrays; unknown errors (NaN, or not above 0) become ``default``."""
        ra = np.asarray(ra_deg, dtype=float)
        error = np.broadcast_to(np.asarray(error_arcsec, dtype=float), ra.shape)
        known = np.isfinite(error) & (error > 0)
        return cls(ra, np.asarray(dec_deg, dtype=float), np.where(known, error, default))


@dataclass(frozen=True)
class Matches:
    """All pairs within the radius, ordered by source and separation.

    Attributes
    ----------
    source, reference : ndarray of int, shape (n_pairs,)
    separation_arcsec, normalized : ndarray of shape (n_pairs,)
        Great-circle separation, and in units of the joint error.
    status : ndarray of int8, shape (n_pairs,)
        MATCHED or REVIEW.
    n_counterparts : ndarray of int, shape (n_pairs,)
        References within the radius of the pair's source.
    n_rivals : ndarray of int, shape (n_pairs,)
        Sources within the radius of the pair's reference.
    source_status, reference_status : ndarray of int8
        Of every source and every reference.
    """

    source: IntArray
    reference: IntArray
    separation_arcsec: Float64Array
    normalized: Float64Array
    status: NDArray[np.int8]
    n_counterparts: IntArray
    n_rivals: IntArray
    source_status: NDArray[np.int8]
    reference_status: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.source)

    def count(self, status: Status) -> int:
        """Sources of a status."""
        return int(np.count_nonzero(self.source_status == status))

    def reason(self, pair: int) -> str:
        """Reason why a pair needs review; '' for a match."""
        reasons = []
        if self.status[pair] == Status.MATCHED:
            return ""
        if self.n_counterparts[pair] > 1:
            reasons.append(f"{self.n_counterparts[pair]} counterparts within the radius")
        if self.n_rivals[pair] > 1:
            reasons.append(f"{self.n_rivals[pair]} candidates claim this counterpart")
        if not reasons:
            reasons.append(f"{self.normalized[pair]:.1f} position errors apart")
        return "; ".join(reasons)


def crossmatch(
    sources: Positions,
    references: Positions,
    radius_arcsec: float,
    *,
    max_normalized: float = MAX_NORMALIZED,
) -> Matches:
    """Match two lists of positions.

    A pair is *matched* where it is the only one within the radius for both its objects and its
    normalized separation is at most ``max_normalized``. Any other pair within the radius is for
    *review*: several counterparts, several candidates for one counterpart, or a separation that
    the errors do not explain. An object without any is *unmatched*.

    Raises
    ------
    BadInputError
        If the radius is not above 0 and at most a degree, or gives more than 20 million pairs.
    """
    if not 0 < radius_arcsec <= MAX_RADIUS_ARCSEC:
        raise BadInputError(
            f"Radius {radius_arcsec:g} arcsec: give one above 0, and at most {MAX_RADIUS_ARCSEC:g}."
        )
    source, reference, separation = _pairs(sources, references, radius_arcsec)
    return _judge(sources, references, source, reference, separation, max_normalized)


def self_match(
    positions: Positions, radius_arcsec: float, *, max_normalized: float = MAX_NORMALIZED
) -> Matches:
    """Match a list with itself, an object never with itself; each pair stands in both orders.

    Raises
    ------
    BadInputError
        As :func:`crossmatch`.
    """
    if not 0 < radius_arcsec <= MAX_RADIUS_ARCSEC:
        raise BadInputError(f"Radius {radius_arcsec:g} arcsec: give 0 to {MAX_RADIUS_ARCSEC:g}.")
    source, reference, separation = _pairs(positions, positions, radius_arcsec)
    other = source != reference
    return _judge(
        positions,
        positions,
        source[other],
        reference[other],
        separation[other],
        max_normalized,
    )


def duplicate_groups(matches: Matches, n: int) -> IntArray:
    """Group number of each of ``n`` objects of a self-match: linked objects share one, (n,)."""
    links = coo_array(
        (np.ones(len(matches), dtype=np.int8), (matches.source, matches.reference)), shape=(n, n)
    )
    _, group = connected_components(links, directed=False)
    return np.asarray(group, dtype=np.int64)


def unit_vectors(ra_deg: Float64Array, dec_deg: Float64Array) -> Float64Array:
    """Points on the unit sphere, (n, 3)."""
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)


def _pairs(
    sources: Positions, references: Positions, radius_arcsec: float
) -> tuple[IntArray, IntArray, Float64Array]:
    """Every pair within the radius; separations from chords, c = 2 sin(θ/2)."""
    chord = 2 * np.sin(radius_arcsec * ARCSEC / 2)
    placed, known = np.flatnonzero(sources.placed), np.flatnonzero(references.placed)
    empty = np.empty(0, dtype=np.int64)
    if not len(placed) or not len(known):
        return empty, empty, np.empty(0)
    tree = cKDTree(unit_vectors(references.ra_deg[known], references.dec_deg[known]))
    parts: list[tuple[IntArray, IntArray, Float64Array]] = []
    n_pairs = 0
    for first in range(0, len(placed), _AT_ONCE):
        part = placed[first : first + _AT_ONCE]
        source_tree = cKDTree(unit_vectors(sources.ra_deg[part], sources.dec_deg[part]))
        n_pairs += int(source_tree.count_neighbors(tree, chord))
        if n_pairs > MAX_PAIRS:
            raise BadInputError(
                f"A radius of {radius_arcsec:g} arcsec gives more than {MAX_PAIRS:,} pairs; "
                "choose a smaller one."
            )
        near = source_tree.sparse_distance_matrix(tree, chord, output_type="ndarray")
        separation = 2 * np.arcsin(np.clip(near["v"] / 2, 0, 1)) / ARCSEC
        parts.append((part[near["i"]], known[near["j"]], separation))
    source, reference, separation = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((reference, separation, source))
    return source[order], reference[order], separation[order]


def _judge(
    sources: Positions,
    references: Positions,
    source: IntArray,
    reference: IntArray,
    separation: Float64Array,
    max_normalized: float,
) -> Matches:
    counterparts = np.bincount(source, minlength=len(sources))
    rivals = np.bincount(reference, minlength=len(references))
    error = np.hypot(sources.error_arcsec[source], references.error_arcsec[reference])
    normalized = separation / error
    single = (counterparts[source] == 1) & (rivals[reference] == 1)
    matched = single & (normalized <= max_normalized)
    status = np.where(matched, Status.MATCHED, Status.REVIEW).astype(np.int8)
    return Matches(
        source,
        reference,
        separation,
        normalized,
        status,
        counterparts[source],
        rivals[reference],
        _object_status(sources, source, status),
        _object_status(references, reference, status),
    )


def _object_status(
    positions: Positions, index: IntArray, status: NDArray[np.int8]
) -> NDArray[np.int8]:
    """An object in any pair has the status of its pairs: one match, or review."""
    object_status = np.where(positions.placed, Status.UNMATCHED, Status.UNPLACED).astype(np.int8)
    np.maximum.at(object_status, index, status)
    return object_status
