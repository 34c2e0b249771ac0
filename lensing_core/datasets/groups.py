"""Objects that stay together on one side of every split: duplicates, and blocks of the sky."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy import units as u
from astropy_healpix import HEALPix
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from lensing_core.arrays import BoolArray, Float64Array, IntArray
from lensing_core.errors import BadInputError

DUPLICATE_RADIUS_ARCSEC = 2.0
BLOCK_NSIDE = 64
INJECTION_NOTE = "injection"
"""Note of a catalog that holds galaxies with painted arcs."""
PAINTED_SUFFIX = "+arc"
"""Added to the name of a galaxy with painted arcs; a number follows where it has others, too."""
_ROUNDING = 1e-9
"""Added to the radius, so that pairs at just the radius belong together however it is computed."""


def object_groups(
    n: int,
    *,
    keys: Sequence[Sequence[Any] | NDArray[Any]] = (),
    names: Sequence[Any] | NDArray[Any] = (),
    ra_deg: ArrayLike | None = None,
    dec_deg: ArrayLike | None = None,
    duplicate_radius_arcsec: float = DUPLICATE_RADIUS_ARCSEC,
    block_nside: int | None = BLOCK_NSIDE,
) -> IntArray:
    """Number of the group of each object; objects of one group belong on one side of a split.

    Two objects share a group if they share a key, lie within ``duplicate_radius_arcsec``, lie in
    one HEALPix block, or are joined by a chain of such pairs (connected components). The cost grows
    as n log n.

    Parameters
    ----------
    n : int
        How many objects.
    keys : sequences of length n
        What objects may share: cluster, parent of an augmentation. ``None``, an empty text and NaN
        are no key.
    names : sequence of length n, optional
        Names of objects. A name joins all objects that bear it if one of them has no position;
        where all have one, positions decide, for two catalogs may both count from 1.
    ra_deg, dec_deg : array_like of shape (n,), optional
        J2000 degrees; NaN where unknown.
    block_nside : int, optional
        NSIDE of the sky blocks (64: 0.9 degrees); None: no blocks.

    Returns
    -------
    ndarray of shape (n,), int64
        0 to the number of groups less one.

    Raises
    ------
    BadInputError
        If lengths differ, or one coordinate comes without the other.
    """
    if (ra_deg is None) != (dec_deg is None):
        raise BadInputError("Give right ascension and declination together, or neither.")
    pairs = [_same_key(values, n, k) for k, values in enumerate(keys)]
    placed = np.zeros(n, dtype=bool)
    if ra_deg is not None and dec_deg is not None:
        ra, dec = np.asarray(ra_deg, dtype=np.float64), np.asarray(dec_deg, dtype=np.float64)
        if ra.shape != (n,) or dec.shape != (n,):
            raise BadInputError(f"{ra.shape} and {dec.shape} coordinates for {n} objects.")
        placed = np.isfinite(ra) & np.isfinite(dec)
        pairs += _near(ra, dec, np.flatnonzero(placed), duplicate_radius_arcsec, block_nside)
    if len(names):
        pairs.append(_same_key(_deciding(names, placed), n, len(keys)))
    first = np.concatenate([p[0] for p in pairs]) if pairs else np.empty(0, dtype=np.int64)
    second = np.concatenate([p[1] for p in pairs]) if pairs else np.empty(0, dtype=np.int64)
    graph = coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def host_name(object_id: str) -> str:
    """Return the name of the galaxy that arcs were painted around; other names as they are."""
    name, painted, number = object_id.rpartition(PAINTED_SUFFIX)
    return name if painted and (not number or number.isdigit()) else object_id


def named_by_block(groups: IntArray, ra_deg: ArrayLike, dec_deg: ArrayLike) -> IntArray:
    """The same groups, each named after the first of its sky blocks; shape (n,).

    Splits are dealt in order of names. With names that follow from the sky, a set without
    duplicates across borders is split as it was when blocks alone were kept together, so that
    ensembles of both times are compared on the same held-out objects.
    """
    ra, dec = np.asarray(ra_deg, dtype=np.float64), np.asarray(dec_deg, dtype=np.float64)
    block = -1 - np.arange(len(groups))
    placed = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    block[placed] = _blocks(ra[placed], dec[placed], BLOCK_NSIDE)
    if not len(groups):
        return block
    name = np.full(groups.max() + 1, np.iinfo(np.int64).max)
    np.minimum.at(name, groups, block)
    return np.asarray(name[groups], dtype=np.int64)


def _blocks(ra_deg: Float64Array, dec_deg: Float64Array, nside: int) -> IntArray:
    grid = HEALPix(nside, order="nested")
    return np.asarray(grid.lonlat_to_healpix(ra_deg * u.deg, dec_deg * u.deg), dtype=np.int64)


def _deciding(names: Sequence[Any] | NDArray[Any], placed: BoolArray) -> list[Any]:
    """Names of which one bearer has no position; None for the others."""
    if len(names) != len(placed):
        raise BadInputError(f"{len(names)} names for {len(placed)} objects.")
    unplaced = {name for name, known in zip(names, placed.tolist(), strict=True) if not known}
    return [name if name in unplaced else None for name in names]


def _chain(member: NDArray[np.integer], rows: IntArray) -> tuple[IntArray, IntArray]:
    """Links between consecutive rows of one member number."""
    order = np.argsort(member, kind="stable")
    same = np.diff(member[order]) == 0
    return rows[order[:-1][same]], rows[order[1:][same]]


def _same_key(
    values: Sequence[Any] | NDArray[Any], n: int, position: int
) -> tuple[IntArray, IntArray]:
    if len(values) != n:
        raise BadInputError(f"Key {position} has {len(values)} names for {n} objects.")
    number: dict[Any, int] = {}
    given = [(k, v) for k, v in enumerate(values) if v is not None and v != "" and v == v]
    member = np.array([number.setdefault(v, len(number)) for _, v in given], dtype=np.int64)
    return _chain(member, np.array([k for k, _ in given], dtype=np.int64))


def _near(
    ra_deg: Float64Array,
    dec_deg: Float64Array,
    placed: IntArray,
    radius_arcsec: float,
    nside: int | None,
) -> list[tuple[IntArray, IntArray]]:
    """Links within the radius, and within one sky block."""
    if len(placed) < 2:
        return []
    ra, dec = np.radians(ra_deg[placed]), np.radians(dec_deg[placed])
    vectors = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)
    # Any number of objects at one place is one point: pairs of them would grow as their square.
    points, first, member = np.unique(vectors, axis=0, return_index=True, return_inverse=True)
    chord = 2 * np.sin(np.radians(radius_arcsec / 3600) / 2)
    pairs = KDTree(points).query_pairs(
        chord * (1 + _ROUNDING) + _ROUNDING * 1e-3, output_type="ndarray"
    )
    linked = [
        _chain(member.ravel(), placed),
        (placed[first[pairs[:, 0]]], placed[first[pairs[:, 1]]]),
    ]
    if nside is not None:
        linked.append(_chain(_blocks(ra_deg[placed], dec_deg[placed], nside), placed))
    return linked
